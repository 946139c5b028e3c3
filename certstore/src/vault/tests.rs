use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey as PeerKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA512_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, UnparsedPublicKey, VerificationAlgorithm,
};
use der::Decode;
use encodify::pem;
use rcgen::KeyUsagePurpose;
use spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::*;
use crate::certificate::{Certificate, Purpose};
use crate::clock::FixedClock;
use crate::cms::{Curve, Digest, KeyFailure, KeyTransport, RecipientId, SignatureScheme};
use crate::database::{KeyOrigin, KeyPurpose};
use crate::lookup::{Lifetimes, Lookup};
use crate::samples::{DAY, Sample, SampleAuthority, SampleKey, address, corpus, now};
use crate::trust::{Anchor, AnchorScope};

const ALICE: &str = "alice@example.org";

struct Setting {
    folder: tempfile::TempDir,
    database: Database,
    vault: Vault,
}

impl Setting {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("postern.db"))
            .await
            .unwrap();
        let key = open_vault_key(&folder.path().join("vault.key"), &database)
            .await
            .unwrap();
        let vault = Vault::open(database.clone(), &key, Arc::new(FixedClock(now())));
        Self {
            folder,
            database,
            vault,
        }
    }

    async fn import(&self, owner: &str, file: &str) -> Result<Vec<ImportedKey>, ImportError> {
        let options = ImportOptions::default();
        self.vault
            .import(&address(owner), file.as_bytes(), "", options)
            .await
    }

    async fn signer(&self, owner: &str) -> Option<Arc<dyn Signer>> {
        self.vault.signer_for(&address(owner)).await.unwrap()
    }

    async fn decryptors(&self, owner: &str) -> Vec<Arc<dyn Decryptor>> {
        self.vault.decryptors_for(&address(owner)).await.unwrap()
    }
}

fn pem_pair((certificate, pkcs8): &(Certificate, Vec<u8>)) -> String {
    let certificate = pem::STANDARD.encode("CERTIFICATE", certificate.der());
    certificate + &pem::STANDARD.encode("PRIVATE KEY", pkcs8)
}

fn public_key(certificate: &Certificate) -> Vec<u8> {
    let spki = SubjectPublicKeyInfoRef::from_der(certificate.spki_der()).unwrap();
    spki.subject_public_key.raw_bytes().to_vec()
}

#[tokio::test]
async fn an_imported_key_signs_decrypts_and_is_there_once() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    let file = pem_pair(&pair);
    assert!(setting.signer(ALICE).await.is_none());
    let imported = setting.import("Alice@example.org", &file).await.unwrap();
    assert_eq!(imported.len(), 1);
    assert!(imported[0].new && imported[0].warnings.is_empty());
    assert_eq!(imported[0].purpose, KeyPurpose::Both);
    assert!(!setting.import(ALICE, &file).await.unwrap()[0].new);

    let signer = setting.signer("ALICE@EXAMPLE.ORG").await.unwrap();
    assert_eq!(signer.certificate(), pair.0.der());
    assert_eq!(signer.encryption_certificate(), None);
    let decryptors = setting.decryptors(ALICE).await;
    assert_eq!(decryptors.len(), 1);
    let named = RecipientId::IssuerAndSerial {
        issuer: pair.0.issuer_der().to_vec(),
        serial: pair.0.serial_octets().to_vec(),
    };
    assert!(decryptors[0].is_named_by(&named));
    assert!(setting.decryptors("bob@example.org").await.is_empty());
    let keys = setting.vault.keys(None).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(
        (&keys[0].owner[..], keys[0].origin),
        (ALICE, KeyOrigin::Imported)
    );
}

#[tokio::test]
async fn the_newest_valid_signing_key_signs_and_every_key_decrypts() {
    let setting = Setting::new().await;
    let signing = vec![KeyUsagePurpose::DigitalSignature];
    let agreement = vec![KeyUsagePurpose::KeyAgreement];
    let sample = |from: u32, to: u32, usages: &[KeyUsagePurpose]| Sample {
        not_before: now() - DAY * from,
        not_after: now() + DAY * to,
        usages: usages.to_vec(),
        ..Sample::ec(ALICE)
    };
    let both = [signing.clone(), agreement.clone()].concat();
    let old = sample(90, 30, &both).self_signed();
    let new = sample(9, 30, &signing).self_signed();
    let expired = Sample {
        not_after: now() - DAY,
        ..sample(60, 0, &both)
    }
    .self_signed();
    let future = Sample {
        not_before: now() + DAY,
        ..sample(0, 99, &signing)
    }
    .self_signed();
    let encryption = sample(3, 30, &agreement).self_signed();
    for pair in [&old, &new, &expired, &future, &encryption] {
        setting.import(ALICE, &pem_pair(pair)).await.unwrap();
    }
    let signer = setting.signer(ALICE).await.unwrap();
    assert_eq!(signer.certificate(), new.0.der());
    assert_eq!(signer.encryption_certificate(), Some(encryption.0.der()));
    let decryptors = setting.decryptors(ALICE).await;
    let decrypting: Vec<_> = decryptors.iter().map(|d| d.certificate()).collect();
    assert_eq!(
        decrypting,
        [encryption.0.der(), expired.0.der(), old.0.der()]
    );
}

#[tokio::test]
async fn retired_keys_decrypt_and_withdrawn_keys_do_nothing() {
    let setting = Setting::new().await;
    setting
        .import(ALICE, &pem_pair(&Sample::ec(ALICE).self_signed()))
        .await
        .unwrap();
    let id = setting.vault.keys(None).await.unwrap()[0].id;
    for (state, signs, decrypts) in [
        (KeyState::Active, true, true),
        (KeyState::Retired, false, true),
        (KeyState::Withdrawn, false, false),
        (KeyState::Active, true, true),
    ] {
        assert!(setting.vault.set_key_state(id, state).await.unwrap());
        assert_eq!(setting.signer(ALICE).await.is_some(), signs, "{state:?}");
        assert_eq!(
            !setting.decryptors(ALICE).await.is_empty(),
            decrypts,
            "{state:?}"
        );
    }
}

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
async fn what_cannot_be_imported_is_said_and_leaves_nothing() {
    let setting = Setting::new().await;
    let alice = Sample::ec(ALICE).self_signed();
    let other = Sample::ec(ALICE).self_signed();
    let no_use = Sample {
        usages: vec![KeyUsagePurpose::CrlSign],
        ..Sample::ec(ALICE)
    }
    .self_signed();
    let ed25519 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
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
            format!("-----BEGIN PRIVATE KEY-----\n{ed25519}\n-----END PRIVATE KEY-----\n"),
            "1.3.101.112",
        ),
        ("cut off PEM", key[..key.len() / 2].to_owned(), "PEM"),
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
async fn signatures_verify_in_every_scheme() {
    let setting = Setting::new().await;
    let (rsa, ec) = (SignatureScheme::RsaPkcs1, SignatureScheme::Ecdsa);
    let pss = SignatureScheme::RsaPss;
    let algorithm = |algorithm: &'static dyn VerificationAlgorithm| algorithm;
    for (owner, key, scheme, verification) in [
        (
            "a@x.example",
            SampleKey::Rsa,
            rsa(Digest::Sha256),
            algorithm(&RSA_PKCS1_2048_8192_SHA256),
        ),
        (
            "b@x.example",
            SampleKey::Rsa,
            rsa(Digest::Sha512),
            algorithm(&RSA_PKCS1_2048_8192_SHA512),
        ),
        (
            "c@x.example",
            SampleKey::Rsa,
            pss(Digest::Sha256),
            algorithm(&RSA_PSS_2048_8192_SHA256),
        ),
        (
            "d@x.example",
            SampleKey::Rsa,
            pss(Digest::Sha384),
            algorithm(&RSA_PSS_2048_8192_SHA384),
        ),
        (
            "e@x.example",
            SampleKey::P256,
            ec(Curve::P256, Digest::Sha256),
            algorithm(&ECDSA_P256_SHA256_ASN1),
        ),
        (
            "f@x.example",
            SampleKey::P384,
            ec(Curve::P384, Digest::Sha384),
            algorithm(&ECDSA_P384_SHA384_ASN1),
        ),
        (
            "g@x.example",
            SampleKey::P521,
            ec(Curve::P521, Digest::Sha512),
            algorithm(&ECDSA_P521_SHA512_ASN1),
        ),
        (
            "h@x.example",
            SampleKey::P521,
            ec(Curve::P521, Digest::Sha256),
            algorithm(&ECDSA_P521_SHA256_ASN1),
        ),
    ] {
        let pair = Sample {
            key,
            ..Sample::of(owner)
        }
        .self_signed();
        setting.import(owner, &pem_pair(&pair)).await.unwrap();
        let signer = setting.signer(owner).await.unwrap();
        let signature = signer.sign(scheme, b"a message").unwrap();
        let public = UnparsedPublicKey::new(verification, public_key(&pair.0));
        assert!(
            public.verify(b"a message", &signature).is_ok(),
            "{scheme:?}"
        );
        assert!(
            public.verify(b"a massage", &signature).is_err(),
            "{scheme:?}"
        );
        for unsuitable in [
            rsa(Digest::Sha1),
            pss(Digest::Sha1),
            ec(Curve::P256, Digest::Sha512),
            ec(Curve::P384, Digest::Sha256),
        ] {
            let failure = signer.sign(unsuitable, b"a message").unwrap_err();
            assert!(
                matches!(failure, KeyFailure::Unsuitable(_)),
                "{owner} {unsuitable:?}"
            );
        }
    }
}

#[tokio::test]
async fn rsa_keys_decrypt_what_was_encrypted_to_them() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let decryptor = setting.decryptors(ALICE).await.remove(0);
    let public = || PublicEncryptingKey::from_der(pair.0.spki_der()).unwrap();
    let secret = b"a content-encryption key";
    let mut buffer = vec![0; 256];
    let pkcs1 = Pkcs1PublicEncryptingKey::new(public()).unwrap();
    pkcs1.encrypt(secret, &mut buffer).unwrap();
    let opened = decryptor.decrypt_key(KeyTransport::Pkcs1, &buffer).unwrap();
    assert_eq!(&opened[..], secret);
    for (digest, algorithm) in [
        (Digest::Sha1, &OAEP_SHA1_MGF1SHA1),
        (Digest::Sha256, &OAEP_SHA256_MGF1SHA256),
        (Digest::Sha384, &OAEP_SHA384_MGF1SHA384),
        (Digest::Sha512, &OAEP_SHA512_MGF1SHA512),
    ] {
        let oaep = OaepPublicEncryptingKey::new(public()).unwrap();
        oaep.encrypt(algorithm, secret, &mut buffer, None).unwrap();
        let transport = KeyTransport::Oaep(digest);
        assert_eq!(
            &decryptor.decrypt_key(transport, &buffer).unwrap()[..],
            secret
        );
        buffer[7] ^= 1;
        for broken in [&buffer[..], &buffer[..255], &[], &[0; 300]] {
            let failure = decryptor.decrypt_key(transport, broken).unwrap_err();
            assert_eq!(
                failure,
                KeyFailure::Failed,
                "the failure must not tell more"
            );
        }
    }
    let failure = decryptor.agree(Curve::P256, &[4; 65]).unwrap_err();
    assert_eq!(failure, KeyFailure::Unsuitable("ECDH"));
}

#[tokio::test]
async fn ec_keys_agree_on_a_secret() {
    let setting = Setting::new().await;
    for (owner, key, curve, algorithm) in [
        (
            "a@x.example",
            SampleKey::P256,
            Curve::P256,
            &agreement::ECDH_P256,
        ),
        (
            "b@x.example",
            SampleKey::P384,
            Curve::P384,
            &agreement::ECDH_P384,
        ),
        (
            "c@x.example",
            SampleKey::P521,
            Curve::P521,
            &agreement::ECDH_P521,
        ),
    ] {
        let pair = Sample {
            key,
            ..Sample::ec(owner)
        }
        .self_signed();
        setting.import(owner, &pem_pair(&pair)).await.unwrap();
        let decryptor = setting.decryptors(owner).await.remove(0);
        let ephemeral = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
        let ephemeral_public = ephemeral.compute_public_key().unwrap();
        let ours = decryptor.agree(curve, ephemeral_public.as_ref()).unwrap();
        let peer = PeerKey::new(algorithm, public_key(&pair.0));
        agreement::agree_ephemeral(ephemeral, peer, (), |theirs| {
            assert_eq!(theirs, &ours[..]);
            Ok(())
        })
        .unwrap();
        assert_eq!(
            decryptor.agree(curve, &[4; 65]).unwrap_err(),
            KeyFailure::Failed
        );
        let other = if curve == Curve::P256 {
            Curve::P384
        } else {
            Curve::P256
        };
        assert!(decryptor.agree(other, ephemeral_public.as_ref()).is_err());
    }
}

#[tokio::test]
async fn the_chain_is_completed_from_the_store_without_its_root() {
    let setting = Setting::new().await;
    let root = SampleAuthority::root("Root");
    let upper = root.below("Upper");
    let lower = upper.below("Lower");
    let pair = Sample::ec(ALICE).issued_by(&lower);
    let mut file = pem_pair(&pair);
    for authority in [&root, &upper, &lower] {
        file += &pem::STANDARD.encode("CERTIFICATE", authority.certificate().der());
    }
    setting.import(ALICE, &file).await.unwrap();
    let signer = setting.signer(ALICE).await.unwrap();
    let chain = [lower.certificate(), upper.certificate()];
    assert_eq!(
        signer.chain(),
        chain.map(|certificate| certificate.der().to_vec())
    );
}

/// Law 5: neither the file of the database nor its log holds a key in clear.
#[tokio::test]
async fn keys_rest_sealed() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    let authority = SampleAuthority::root("Root");
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let authority_key = Zeroizing::new(authority.pkcs8());
    setting
        .vault
        .store_authority(&authority.certificate(), &authority_key)
        .await
        .unwrap();
    // Any 16 bytes out of the middle of a key would give it away.
    let ec_secret = &authority_key[authority_key.len() / 3..][..16];
    let rsa_secret = &pair.1[pair.1.len() / 2..][..16];
    let mut certificates = 0;
    for entry in setting.folder.path().read_dir().unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let holds = |piece: &[u8]| memchr::memmem::find(&bytes, piece).is_some();
        assert!(!holds(rsa_secret) && !holds(ec_secret));
        certificates += usize::from(holds(&pair.0.der()[100..200]));
    }
    assert_ne!(
        certificates, 0,
        "the certificate, which is no secret, should be found"
    );
}

#[tokio::test]
async fn a_sealed_key_does_not_open_for_another_owner() {
    let setting = Setting::new().await;
    let pair = Sample::ec(ALICE).self_signed();
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let stolen = setting
        .database
        .keys_of(&address(ALICE))
        .await
        .unwrap()
        .remove(0);
    let mallory = address("mallory@example.org");
    let moved = crate::database::NewKey {
        owner: &mallory,
        certificate: &pair.0,
        purpose: KeyPurpose::Both,
        origin: KeyOrigin::Imported,
        sealed: stolen.sealed,
    };
    setting
        .database
        .add_keys(&[moved], &[], now())
        .await
        .unwrap();
    let refused = setting.vault.decryptors_for(&mallory).await.unwrap_err();
    assert_eq!(refused, VaultError::Seal(SealError::Rejected));
}

#[tokio::test]
async fn changes_of_another_process_count_at_once() {
    let setting = Setting::new().await;
    let root = SampleAuthority::root("Root");
    let source = crate::source::StoredCertificates::local(setting.database.clone());
    let clock = Arc::new(FixedClock(now()));
    let lookup = Lookup::open(
        setting.database.clone(),
        vec![Box::new(source)],
        Vec::new(),
        clock.clone(),
        Lifetimes::default(),
    )
    .await
    .unwrap();
    let mut feed = setting.database.changes().await.unwrap();
    let alice = address(ALICE);
    let find = || lookup.find(&alice, Purpose::Encryption);
    assert!(find().await.unwrap().chosen.is_none());
    assert!(setting.signer(ALICE).await.is_none());

    let path = setting.folder.path();
    let database = Database::open(&path.join("postern.db")).await.unwrap();
    let key = open_vault_key(&path.join("vault.key"), &database)
        .await
        .unwrap();
    let other_process = Vault::open(database.clone(), &key, clock);
    let file = pem_pair(&Sample::ec(ALICE).issued_by(&root));
    let options = ImportOptions::default();
    other_process
        .import(&alice, file.as_bytes(), "", options)
        .await
        .unwrap();
    let anchor = Anchor {
        certificate: root.certificate(),
        scope: AnchorScope::Everybody,
    };
    crate::lookup::add_anchor(&database, &anchor, now())
        .await
        .unwrap();
    assert!(setting.signer(ALICE).await.is_none(), "still what it knew");

    let changes = feed.poll().await.unwrap();
    apply_changes(&changes, &lookup, &setting.vault)
        .await
        .unwrap();
    assert!(setting.signer(ALICE).await.is_some());
    assert!(find().await.unwrap().chosen.is_some());
}

#[tokio::test]
async fn our_own_authority_issues_with_its_key_in_the_vault() {
    use crate::issue::{Authority, IssueRequest, KeyAlgorithm, Usage};
    let setting = Setting::new().await;
    assert!(setting.vault.authority().await.unwrap().is_none());
    let (certificate, key) =
        Authority::create("CN=Our CA", KeyAlgorithm::P256, DAY * 3650, now()).unwrap();
    assert!(
        setting
            .vault
            .store_authority(&certificate, &key)
            .await
            .unwrap()
    );
    assert!(
        !setting
            .vault
            .store_authority(&certificate, &key)
            .await
            .unwrap()
    );
    let signer = setting.vault.authority().await.unwrap().unwrap();
    let request = IssueRequest {
        address: address(ALICE),
        common_name: None,
        key: KeyAlgorithm::P256,
        usage: Usage::Both,
        validity: DAY * 365,
    };
    let (issued, key) = Authority::new(signer)
        .unwrap()
        .issue(&request, now())
        .unwrap();
    let alice = address(ALICE);
    assert!(
        setting
            .vault
            .keep_issued(&alice, &issued, &key)
            .await
            .unwrap()
    );
    assert!(
        !setting
            .vault
            .keep_issued(&alice, &issued, &key)
            .await
            .unwrap()
    );
    let (_, foreign) = Sample::ec(ALICE).self_signed();
    let foreign = setting
        .vault
        .keep_issued(&alice, &issued, &Zeroizing::new(foreign))
        .await;
    assert!(
        matches!(foreign, Err(ImportError::NoCertificate { .. })),
        "{foreign:?}"
    );
    assert!(setting.signer(ALICE).await.is_some());
    assert_eq!(
        setting.vault.keys(None).await.unwrap()[0].origin,
        KeyOrigin::Issued
    );
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
async fn a_warm_signer_is_handed_out_without_delay() {
    let setting = Setting::new().await;
    setting
        .import(ALICE, &pem_pair(&Sample::of(ALICE).self_signed()))
        .await
        .unwrap();
    let alice = address(ALICE);
    let first = setting.vault.signer_for(&alice).await.unwrap().unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..10_000 {
        let again = setting.vault.signer_for(&alice).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again), "the key was opened again");
    }
    println!("signer_for, warm: {:?}", begun.elapsed() / 10_000);
}

#[tokio::test]
async fn key_files_of_other_programs_are_imported() {
    let Some(corpus) = corpus() else { return };
    let setting = Setting::new().await;
    for (name, owner, passphrase, keys) in [
        ("rfc9216-keys/alice.p12", "alice@smime.example", "alice", 2),
        ("rfc9216-keys/bob.p12", "bob@smime.example", "bob", 2),
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
    let carlos = std::fs::read(corpus.join("rfc9216-keys/carlos.p12")).unwrap();
    let options = ImportOptions::default();
    let owner = address("carlos@smime.example");
    let refused = setting
        .vault
        .import(&owner, &carlos, "carlos", options)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ImportError::Key(KeyRejection::Unsupported(_))),
        "{refused:?}"
    );
}
