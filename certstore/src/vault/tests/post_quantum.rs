//! Mail with ML-KEM and ML-DSA keys of the vault, and the examples of the RFCs.

use std::sync::Arc;

use encodify::pem;
use policy::mutation::mutations;
use zeroize::Zeroizing;

use super::{ALICE, Setting};
use crate::certificate::Certificate;
use crate::cms::{
    Capabilities, ContentCipher, ContentInfo, Curve, DecryptFailure, DecryptOptions, Decrypted,
    Decryptor, Digest, EncryptOptions, IncludedChain, KeyFailure, KeyTransport, MlDsa, MlKem,
    RecipientId, RecipientIdForm, RsaSignature, SignOptions, SignatureFault, encrypt, micalg,
    parse, sign,
};
use crate::issue::{Authority, IssueRequest, KeyAlgorithm, Usage};
use crate::samples::{DAY, address, now};
use crate::vault::software_key::SoftwareKey;
use crate::vault::*;

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nThe lattice is open.\r\n";

/// Owners with keys of their own in one vault.
async fn with_keys(owners: &[(&str, KeyAlgorithm)]) -> (Setting, Vec<Certificate>) {
    let setting = Setting::new().await;
    let key = KeyAlgorithm::MlDsa(MlDsa::MlDsa65);
    let (ca, pkcs8) = Authority::create("CN=Our CA", key, DAY * 3650, now()).unwrap();
    setting.vault.store_authority(&ca, &pkcs8).await.unwrap();
    let signer = setting.vault.authority().await.unwrap().unwrap();
    let authority = Authority::new(signer).unwrap();
    let mut certificates = Vec::new();
    for (owner, key) in owners {
        let request = IssueRequest {
            address: address(owner),
            common_name: None,
            key: *key,
            usage: Usage::Both,
            validity: DAY * 365,
        };
        let (certificate, pkcs8) = authority.issue(&request, now()).unwrap();
        let kept = setting
            .vault
            .keep_issued(&request.address, &certificate, &pkcs8)
            .await;
        assert!(kept.unwrap());
        certificates.push(certificate);
    }
    (setting, certificates)
}

fn encrypted(cipher: ContentCipher, recipients: &[&Certificate]) -> Vec<u8> {
    let recipients: Vec<_> = recipients.iter().map(|recipient| recipient.der()).collect();
    let options = EncryptOptions {
        cipher,
        key_transport: KeyTransport::Pkcs1,
        key_agreement: None,
        recipient_id: RecipientIdForm::IssuerAndSerial,
        gcm_in_enveloped_data: false,
    };
    encrypt(CONTENT.to_vec(), &recipients, &options).unwrap()
}

fn decrypted(
    message: &[u8],
    decryptors: &[Arc<dyn Decryptor>],
) -> Result<Decrypted, DecryptFailure> {
    match parse(message).map_err(|error| DecryptFailure::Malformed(error.to_string()))? {
        ContentInfo::Enveloped(enveloped) => {
            enveloped.decrypt(decryptors, &DecryptOptions::default())
        }
        ContentInfo::Signed(_) | ContentInfo::Compressed(_) | ContentInfo::Other(_) => {
            Err(DecryptFailure::Malformed("not enveloped".to_owned()))
        }
    }
}

#[tokio::test]
async fn every_recipient_of_a_mixed_message_opens_it() {
    let owners = [
        ("rsa@example.org", KeyAlgorithm::Rsa2048),
        ("ec@example.org", KeyAlgorithm::P256),
        ("512@example.org", KeyAlgorithm::MlKem(MlKem::MlKem512)),
        ("768@example.org", KeyAlgorithm::MlKem(MlKem::MlKem768)),
        ("1024@example.org", KeyAlgorithm::MlKem(MlKem::MlKem1024)),
    ];
    let (setting, certificates) = with_keys(&owners).await;
    let [rsa, ec, kem_512, kem_768, kem_1024] = &certificates[..] else {
        panic!("five certificates");
    };
    for cipher in ContentCipher::ALL {
        for recipients in [
            vec![rsa, kem_768],
            vec![ec, kem_1024],
            vec![kem_512],
            vec![rsa, ec, kem_512, kem_768, kem_1024],
        ] {
            let message = encrypted(cipher, &recipients);
            for ((owner, _), certificate) in owners.iter().zip(&certificates) {
                let opened = decrypted(&message, &setting.decryptors(owner).await);
                if recipients.contains(&certificate) {
                    let opened = opened.unwrap();
                    assert_eq!(*opened.content, CONTENT, "{cipher:?} {owner}");
                    assert!(certificate.is_named_by(&opened.recipient));
                } else {
                    assert!(matches!(opened, Err(DecryptFailure::NotForUs { .. })));
                }
            }
        }
    }
}

/// A message to a KEM is of version 3 (RFC 5652, section 6.1).
#[tokio::test]
async fn enveloped_data_says_that_there_are_other_recipients() {
    let kem = KeyAlgorithm::MlKem(MlKem::MlKem768);
    let (_setting, certificates) =
        with_keys(&[("a@example.org", KeyAlgorithm::Rsa2048), (ALICE, kem)]).await;
    for (recipients, version) in [(&certificates[..1], 0), (&certificates[..], 3)] {
        let recipients: Vec<_> = recipients.iter().collect();
        let message = encrypted(ContentCipher::Aes256Cbc, &recipients);
        let place = memchr::memmem::find(&message, &[2, 1, version, 0x31]);
        assert!(place.is_some_and(|place| place < 32), "{version}");
    }
}

#[tokio::test]
async fn what_ml_dsa_signed_verifies_until_it_is_changed() {
    for dsa in MlDsa::ALL {
        let (setting, certificates) = with_keys(&[(ALICE, KeyAlgorithm::MlDsa(dsa))]).await;
        let signer = setting.signer(ALICE).await.unwrap();
        let capabilities = Capabilities {
            ciphers: vec![ContentCipher::Aes256Gcm],
            key_encapsulations: vec![MlKem::MlKem1024, MlKem::MlKem768],
            ..Capabilities::default()
        };
        for attached in [true, false] {
            let options = SignOptions {
                attached,
                digest: Digest::Sha256,
                rsa_signature: RsaSignature::Pkcs1,
                signing_time: now(),
                capabilities: capabilities.clone(),
                signer_id: RecipientIdForm::SubjectKeyIdentifier,
                chain: IncludedChain::SignerOnly,
            };
            assert_eq!(micalg(&*signer, &options), "sha-512");
            let message = sign(CONTENT, &*signer, &options).unwrap();
            let outcome = |message: &[u8], content: &[u8]| {
                let Ok(ContentInfo::Signed(signed)) = parse(message) else {
                    panic!("not signed");
                };
                let reports = signed.verify((!attached).then_some(content), &[]);
                let report = reports.into_iter().next().unwrap();
                assert_eq!(report.algorithm, dsa.name());
                assert_eq!(report.weak, None);
                assert_eq!(report.capabilities, capabilities);
                (report.outcome, report.certificate)
            };
            let signed_by = Some(certificates[0].der().to_vec());
            assert_eq!(outcome(&message, CONTENT), (Ok(()), signed_by));
            let mut changed = message.clone();
            let last = changed.len() - 1000;
            changed[last] ^= 1;
            let (changed, _) = outcome(&changed, CONTENT);
            assert_eq!(changed, Err(SignatureFault::BadSignature));
            if !attached {
                let (changed, _) = outcome(&message, b"another content");
                assert_eq!(changed, Err(SignatureFault::Altered));
            }
        }
    }
}

/// Files that go out come in again, whatever the form of the key in them.
#[tokio::test]
async fn post_quantum_keys_go_out_and_come_in_by_file() {
    for key in [
        KeyAlgorithm::MlDsa(MlDsa::MlDsa44),
        KeyAlgorithm::MlKem(MlKem::MlKem1024),
    ] {
        let (setting, certificates) = with_keys(&[(ALICE, key)]).await;
        let (alice, id) = (address(ALICE), certificates[0].sha256());
        let p12 = setting.vault.export_pkcs12(&alice, &id, "secret").await;
        let pem = setting.vault.export_pem(&alice, &id).await.unwrap();
        for (file, passphrase) in [(&p12.unwrap()[..], "secret"), (pem.as_bytes(), "")] {
            let other = Setting::new().await;
            let options = ImportOptions::default();
            let imported = other.vault.import(&alice, file, passphrase, options).await;
            assert_eq!(imported.unwrap()[0].certificate, certificates[0]);
            if key == KeyAlgorithm::MlKem(MlKem::MlKem1024) {
                let message = encrypted(ContentCipher::Aes256Gcm, &[&certificates[0]]);
                let opened = decrypted(&message, &other.decryptors(ALICE).await);
                assert_eq!(*opened.unwrap().content, CONTENT);
            } else {
                let signer = other.signer(ALICE).await.unwrap();
                assert_eq!(signer.certificate(), certificates[0].der());
            }
        }
    }
}

/// Bob of RFC 9936, appendix C, whose certificate is not printed there.
#[derive(Debug)]
struct Bob(SoftwareKey);

impl Decryptor for Bob {
    fn certificate(&self) -> &[u8] {
        &[]
    }

    fn is_named_by(&self, recipient: &RecipientId) -> bool {
        matches!(recipient, RecipientId::SubjectKeyIdentifier(_))
    }

    fn decrypt_key(&self, _: KeyTransport, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unsuitable("RSA"))
    }

    fn agree(&self, _: Curve, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unsuitable("ECDH"))
    }

    fn decapsulate(&self, kem: MlKem, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.0.decapsulate(kem, ciphertext)
    }
}

fn bob() -> Arc<dyn Decryptor> {
    let pkcs8: &[u8] = &[
        0x30, 0x54, 2, 1, 0, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 1, 4, 0x42,
        0x80, 0x40,
    ];
    let counting: Vec<u8> = (0..64).collect();
    Arc::new(Bob(SoftwareKey::read(&[pkcs8, &counting].concat()).unwrap()))
}

fn example(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/tests/data/post-quantum/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read(path).unwrap();
    let block = pem::STANDARD.blocks(&text).next().unwrap();
    block.unwrap().contents
}

#[test]
fn the_example_of_rfc_9936_opens() {
    let opened = decrypted(&example("rfc9936-ml-kem-512.pem"), &[bob()]).unwrap();
    assert_eq!(*opened.content, b"Hello, world!");
    assert!(opened.authenticated);
    assert_eq!(opened.cipher, "AES-128-GCM");
}

#[test]
fn the_example_of_rfc_9882_verifies() {
    let certificate = example("rfc9881-ml-dsa-44.pem");
    let message = example("rfc9882-ml-dsa-44.pem");
    let Ok(ContentInfo::Signed(signed)) = parse(&message) else {
        panic!("not signed");
    };
    let reports = signed.verify(None, std::slice::from_ref(&certificate));
    assert_eq!(reports[0].outcome, Ok(()));
    assert_eq!(reports[0].algorithm, "ML-DSA-44");
}

/// Each change to the example of RFC 9936, and what is said of it.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_is_wrong_with_a_kem_recipient_is_said() {
    let message = example("rfc9936-ml-kem-512.pem");
    let changed = |from: &[u8], to: &[u8]| {
        let place = memchr::memmem::find(&message, from).unwrap();
        let mut changed = message.clone();
        changed[place..place + to.len()].copy_from_slice(to);
        changed
    };
    let kem = [0x65, 3, 4, 4, 1];
    let hkdf = [9, 16, 3, 28];
    let key_length = [2, 1, 16, 0x30];
    let wrap = [3, 4, 1, 5];
    let kind = [9, 16, 13, 3];
    let ciphertext = [4, 0x82, 3, 0, 0x3e];
    let wrapped = [4, 24, 0xc0];
    for (name, message, expected) in [
        (
            "KEM",
            changed(&kem, &[0x65, 3, 4, 4, 9]),
            "unsupported: 2.16.840.1.101.3.4.4.9",
        ),
        (
            "another KEM",
            changed(&kem, &[0x65, 3, 4, 4, 2]),
            "cannot be decrypted",
        ),
        (
            "HKDF",
            changed(&hkdf, &[9, 16, 3, 32]),
            "unsupported: 1.2.840.113549.1.9.16.3.32",
        ),
        (
            "another HKDF",
            changed(&hkdf, &[9, 16, 3, 30]),
            "cannot be decrypted",
        ),
        (
            "key length",
            changed(&key_length, &[2, 1, 32]),
            "cannot be read",
        ),
        (
            "wrap",
            changed(&wrap, &[3, 4, 1, 4]),
            "unsupported: 2.16.840.1.101.3.4.1.4",
        ),
        (
            "kind",
            changed(&kind, &[9, 16, 13, 4]),
            "encrypted to 0 other recipients",
        ),
        (
            "ciphertext",
            changed(&ciphertext, &[4, 0x82, 3, 0, 0x3f]),
            "cannot be decrypted",
        ),
        (
            "wrapped key",
            changed(&wrapped, &[4, 24, 0xc1]),
            "cannot be decrypted",
        ),
    ] {
        let failure = decrypted(&message, &[bob()]).unwrap_err().to_string();
        assert!(failure.contains(expected), "{name}: {failure}");
    }
}

/// Whatever becomes of the bytes, there is an answer, and no other content than the right one.
#[test]
fn no_change_opens_to_something_else() {
    let seeds = [example("rfc9936-ml-kem-512.pem")];
    let bob = [bob()];
    for message in mutations(&seeds).take(2_000) {
        if let Ok(opened) = decrypted(&message, &bob) {
            assert_eq!(*opened.content, b"Hello, world!");
        }
    }
}
