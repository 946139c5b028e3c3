//! Files that keys come in by and go out by.

use encodify::pem;
use rcgen::KeyUsagePurpose;

use super::{ALICE, Setting, pem_pair};
use crate::samples::{Sample, SampleAuthority, address, corpus};
use crate::vault::*;

#[tokio::test]
async fn a_key_for_another_address_decrypts_but_does_not_sign() {
    let setting = Setting::new().await;
    let file = pem_pair(&Sample::ec("old.name@example.org").self_signed());
    let imported = setting.import(ALICE, &file).await.unwrap();
    assert_eq!(imported[0].warnings.len(), 1);
    assert!(imported[0].warnings[0].contains("old.name@example.org"));
    assert!(setting.signer(ALICE).await.is_none());
    assert_eq!(setting.decryptors(ALICE).await.len(), 1);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn what_cannot_be_imported_is_said_and_leaves_nothing() {
    let setting = Setting::new().await;
    let alice = Sample::ec(ALICE).self_signed();
    let other = Sample::ec(ALICE).self_signed();
    let no_use = Sample {
        usages: vec![KeyUsagePurpose::CrlSign],
        ..Sample::ec(ALICE)
    }
    .self_signed();
    let ed448 = "MC4CAQAwBQYDK2VxBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let block = |label, der: &[u8]| pem::STANDARD.encode(label, der);
    let certificate = block("CERTIFICATE", alice.0.der());
    let key = block("PRIVATE KEY", &alice.1);
    for (name, file, expected) in [
        ("nothing", String::new(), "not a PKCS#12"),
        ("text", "hello".to_owned(), "not a PKCS#12"),
        ("certificate alone", certificate.clone(), "no private key"),
        ("key alone", key.clone(), "belongs to the private key"),
        (
            "another's certificate",
            key.clone() + &block("CERTIFICATE", other.0.der()),
            "belongs to the private key",
        ),
        (
            "damaged certificate",
            key.clone() + &block("CERTIFICATE", &alice.0.der()[..200]),
            "(1 could not be read)",
        ),
        (
            "damaged key",
            block("PRIVATE KEY", &alice.1[..50]) + &certificate,
            "cannot be read",
        ),
        (
            "key of another kind",
            format!("-----BEGIN PRIVATE KEY-----\n{ed448}\n-----END PRIVATE KEY-----\n"),
            "1.3.101.113",
        ),
        (
            "cut off PEM",
            key.split_at(key.len() / 2).0.to_owned(),
            "PEM",
        ),
        (
            "no use",
            pem_pair(&no_use),
            "neither signing nor encryption",
        ),
        (
            "two keys, one of them unusable",
            pem_pair(&alice) + &pem_pair(&no_use),
            "neither",
        ),
        (
            "old encryption of PEM",
            key.replace("KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nM"),
            "openssl pkcs8 -topk8",
        ),
    ] {
        let error = setting
            .import(ALICE, &file)
            .await
            .map(|_| name)
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
    let options = ImportOptions::default();
    let long = vec![0x30; MAX_KEY_FILE_SIZE + 1];
    let too_large = setting
        .vault
        .import(&address(ALICE), &long, "", options)
        .await;
    let expected = ImportError::File(KeyFileError::TooLarge(MAX_KEY_FILE_SIZE + 1));
    assert_eq!(too_large.unwrap_err(), expected);
    assert!(setting.vault.keys(None).await.unwrap().is_empty());
    assert!(
        setting
            .database
            .certificates(None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn keys_in_old_pem_forms_are_taken() {
    let setting = Setting::new().await;
    for (owner, pair, label) in [
        (
            "rsa@example.org",
            Sample::of("rsa@example.org").self_signed(),
            "RSA PRIVATE KEY",
        ),
        (
            "ec@example.org",
            Sample::ec("ec@example.org").self_signed(),
            "EC PRIVATE KEY",
        ),
    ] {
        let mut fields = crate::cms::ber::Element::only(&pair.1)
            .unwrap()
            .children()
            .unwrap();
        fields.element().unwrap();
        fields.element().unwrap();
        let inner = fields.element().unwrap().contents();
        let file =
            pem::STANDARD.encode(label, inner) + &pem::STANDARD.encode("CERTIFICATE", pair.0.der());
        // SEC 1 keys from rcgen do not name their curve inside, which openssl's do.
        assert!(
            setting.import(owner, &file).await.unwrap()[0].new,
            "{label}"
        );
        assert!(setting.signer(owner).await.is_some(), "{label}");
    }
}

#[tokio::test]
async fn exported_keys_come_in_again_elsewhere() {
    let setting = Setting::new().await;
    let root = SampleAuthority::root("Root");
    let middle = root.below("Middle");
    let pair = Sample::of(ALICE).issued_by(&middle);
    let middle = pem::STANDARD.encode("CERTIFICATE", middle.certificate().der());
    setting
        .import(ALICE, &(pem_pair(&pair) + &middle))
        .await
        .unwrap();
    let alice = address(ALICE);
    let fingerprint = pair.0.sha256();
    let pkcs12 = setting
        .vault
        .export_pkcs12(&alice, &fingerprint, "pässword")
        .await
        .unwrap();
    let text = setting
        .vault
        .export_pem(&alice, &fingerprint)
        .await
        .unwrap();
    for (bytes, passphrase) in [(&pkcs12[..], "pässword"), (text.as_bytes(), "")] {
        let elsewhere = Setting::new().await;
        let options = ImportOptions::default();
        let imported = elsewhere
            .vault
            .import(&alice, bytes, passphrase, options)
            .await
            .unwrap();
        assert_eq!(imported[0].certificate, pair.0);
        assert_eq!(elsewhere.signer(ALICE).await.unwrap().chain().len(), 1);
    }
    let bob = address("bob@example.org");
    let refused = setting
        .vault
        .export_pem(&bob, &fingerprint)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ExportError::NoSuchKey { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn key_files_of_other_programs_are_imported() {
    let Some(corpus) = corpus() else { return };
    let setting = Setting::new().await;
    for (name, owner, passphrase, keys) in [
        ("rfc9216-keys/alice.p12", "alice@smime.example", "alice", 2),
        ("rfc9216-keys/bob.p12", "bob@smime.example", "bob", 2),
        (
            "rfc9216-keys/carlos.p12",
            "carlos@smime.example",
            "carlos",
            2,
        ),
        (
            "thunderbird-sha384-sha512/Dave.p12",
            "dave@example.com",
            "nss",
            1,
        ),
    ] {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        let owner = address(owner);
        let options = ImportOptions::default();
        let imported = setting
            .vault
            .import(&owner, &bytes, passphrase, options)
            .await;
        let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(imported.len(), keys, "{name}");
        assert!(
            imported
                .iter()
                .all(|key| key.new && key.warnings.is_empty()),
            "{imported:?}"
        );
        let signer = setting.vault.signer_for(&owner).await.unwrap().unwrap();
        assert_eq!(
            signer.encryption_certificate().is_some(),
            keys == 2,
            "{name}"
        );
    }
}
