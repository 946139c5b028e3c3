use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, PqdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::*;
use crate::certificate::Purpose;
use crate::cms::{KeyFailure, KeyKind, MlDsa, MlKem, SignatureScheme};
use crate::trust::{Anchor, AnchorScope, Trust};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A CA whose key lies open, for tests.
#[derive(Debug)]
struct OpenSigner {
    certificate: Certificate,
    pkcs8: Zeroizing<Vec<u8>>,
}

impl Signer for OpenSigner {
    fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &[]
    }

    fn encryption_certificate(&self) -> Option<&[u8]> {
        None
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let random = SystemRandom::new();
        match scheme {
            SignatureScheme::RsaPkcs1(_) => {
                let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                Ok(signature)
            }
            SignatureScheme::Ecdsa(..) => {
                let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8).unwrap();
                Ok(pair.sign(&random, message).unwrap().as_ref().to_vec())
            }
            SignatureScheme::MlDsa(dsa) => {
                let pair = PqdsaKeyPair::from_pkcs8(dsa.signing(), &self.pkcs8).unwrap();
                let mut signature = vec![0; dsa.signing().signature_len()];
                pair.sign(message, &mut signature).unwrap();
                Ok(signature)
            }
            SignatureScheme::RsaPss(_) | SignatureScheme::Ed25519 => {
                Err(KeyFailure::Unsuitable("another scheme"))
            }
        }
    }
}

/// A signer whose token is gone.
#[derive(Debug)]
struct LostSigner(Certificate);

impl Signer for LostSigner {
    fn certificate(&self) -> &[u8] {
        self.0.der()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &[]
    }

    fn encryption_certificate(&self) -> Option<&[u8]> {
        None
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        Err(KeyFailure::Unavailable("no token".into()))
    }
}

fn open(key: KeyAlgorithm) -> Authority {
    let subject = "CN=Test CA\\, Inc.,O=Müller,C=DE";
    let (certificate, pkcs8) = Authority::create(subject, key, YEAR * 10, now()).unwrap();
    assert_eq!(certificate.subject(), subject);
    Authority::new(Arc::new(OpenSigner { certificate, pkcs8 })).unwrap()
}

fn request(address: &str, key: KeyAlgorithm, usage: Usage) -> IssueRequest {
    IssueRequest {
        address: Address::parse(address).unwrap(),
        common_name: None,
        key,
        usage,
        validity: YEAR,
    }
}

#[test]
fn openssl_and_we_trust_what_the_ca_issues() {
    for (ca_key, key, kind) in [
        (
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa2048,
            "keyEncipherment",
        ),
        (KeyAlgorithm::P256, KeyAlgorithm::P256, "keyAgreement"),
        (KeyAlgorithm::P256, KeyAlgorithm::P384, "keyAgreement"),
    ] {
        let authority = open(ca_key);
        let request = request("a.b@example.org", key, Usage::Both);
        let (leaf, pkcs8) = authority.issue(&request, now()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "root.der", authority.certificate().der());
        write(folder.path(), "leaf.der", leaf.der());
        write(folder.path(), "key.der", &pkcs8);
        openssl(folder.path(), "x509 -in root.der -out root.pem");
        openssl(folder.path(), "x509 -in leaf.der -out leaf.pem");
        // OpenSSL's smimeencrypt knows key transport only.
        let is_rsa = kind == "keyEncipherment";
        let purposes = match is_rsa {
            true => &["smimesign", "smimeencrypt"][..],
            false => &["smimesign"],
        };
        for purpose in purposes {
            let at = seconds(now());
            let verify = format!(
                "verify -x509_strict -attime {at} -purpose {purpose} -CAfile root.pem leaf.pem"
            );
            assert!(openssl(folder.path(), &verify).contains("OK"), "{kind}");
        }
        let public = openssl(folder.path(), "pkey -in key.der -pubout");
        assert_eq!(
            public,
            openssl(folder.path(), "x509 -in leaf.pem -noout -pubkey")
        );
        assert_eq!(
            leaf.key_kind().map(|k| matches!(k, KeyKind::Rsa { .. })),
            Some(is_rsa)
        );
        for purpose in [Purpose::Signing, Purpose::Encryption] {
            let trusted = trust(&authority).validate(&leaf, &[], purpose, &request.address, now());
            assert_eq!(trusted.map(|_| ()), Ok(()));
        }
    }
}

#[test]
fn the_fields_are_those_of_an_smime_certificate() {
    let authority = open(KeyAlgorithm::P256);
    let folder = tempfile::tempdir().unwrap();
    let text = |certificate: &Certificate| {
        write(folder.path(), "c.der", certificate.der());
        openssl(folder.path(), "x509 -in c.der -noout -text")
    };
    let root = text(authority.certificate());
    for expected in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign",
        "X509v3 Subject Key Identifier",
    ] {
        assert!(root.contains(expected), "{expected}\n{root}");
    }
    for (key, usage, bits) in [
        (
            KeyAlgorithm::Rsa2048,
            Usage::Both,
            "Digital Signature, Key Encipherment\n",
        ),
        (
            KeyAlgorithm::P256,
            Usage::Both,
            "Digital Signature, Key Agreement\n",
        ),
        (KeyAlgorithm::P256, Usage::Signing, "Digital Signature\n"),
        (KeyAlgorithm::P256, Usage::Encryption, "Key Agreement\n"),
    ] {
        let (leaf, _) = authority
            .issue(&request("A.B@Example.org", key, usage), now())
            .unwrap();
        let text = text(&leaf);
        let key_usage = format!("X509v3 Key Usage: critical\n                {bits}");
        for expected in [
            key_usage.as_str(),
            "X509v3 Extended Key Usage: \n                E-mail Protection\n",
            "email:a.b@example.org",
            "CA:FALSE",
            "X509v3 Subject Key Identifier",
            "X509v3 Authority Key Identifier",
            "Subject: CN = a.b@example.org",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert_eq!(leaf.not_before(), now() - BACKDATED);
        assert_eq!(leaf.not_after(), now() + YEAR);
        assert_eq!(leaf.serial_octets().len(), 16);
        assert_eq!(
            leaf.authority_key_identifier(),
            authority.certificate().subject_key_identifier()
        );
    }
}

#[test]
fn post_quantum_keys_are_certified_for_what_they_can_do() {
    let dsa = KeyAlgorithm::MlDsa(MlDsa::MlDsa65);
    let kem = KeyAlgorithm::MlKem(MlKem::MlKem768);
    for ca_key in [KeyAlgorithm::P256, dsa] {
        let authority = open(ca_key);
        for (key, can, cannot) in [
            (dsa, Purpose::Signing, Purpose::Encryption),
            (kem, Purpose::Encryption, Purpose::Signing),
        ] {
            let request = request("a@example.org", key, Usage::Both);
            let (leaf, _) = authority.issue(&request, now()).unwrap();
            assert_eq!(leaf.key_kind(), Some(key.kind()));
            let trust = trust(&authority);
            let validate = |purpose| {
                let trusted = trust.validate(&leaf, &[], purpose, &request.address, now());
                trusted.map(|_| ())
            };
            assert_eq!(validate(can), Ok(()), "{key:?}");
            let refusal = validate(cannot).unwrap_err().to_string();
            assert!(refusal.starts_with("wrong-usage"), "{refusal}");
        }
    }
    let authority = open(KeyAlgorithm::P256);
    for (key, usage) in [(dsa, Usage::Encryption), (kem, Usage::Signing)] {
        let refused = authority.issue(&request("a@example.org", key, usage), now());
        assert!(matches!(refused, Err(IssueError::Usage(_))), "{refused:?}");
    }
    let refused = Authority::create("CN=KEM CA", kem, YEAR, now());
    assert!(matches!(refused, Err(IssueError::Usage(_))));
}

/// One changed octet in the signature of an ML-DSA authority, or in what it signed.
#[test]
fn a_changed_certificate_of_an_ml_dsa_authority_is_not_trusted() {
    let authority = open(KeyAlgorithm::MlDsa(MlDsa::MlDsa44));
    let request = request("a@example.org", KeyAlgorithm::P256, Usage::Both);
    let (leaf, _) = authority.issue(&request, now()).unwrap();
    let serial = leaf.der().len() - leaf.signature().len() - leaf.to_be_signed().len();
    for place in [leaf.der().len() - 1000, serial + 2] {
        let mut der = leaf.der().to_vec();
        der[place] ^= 1;
        let changed = Certificate::from_der(&der).unwrap();
        let trusted =
            trust(&authority).validate(&changed, &[], Purpose::Signing, &request.address, now());
        assert!(trusted.is_err(), "octet {place}");
    }
}

#[test]
fn an_address_beyond_ascii_becomes_a_smtp_utf8_mailbox() {
    let authority = open(KeyAlgorithm::P256);
    let request = request("é@example.org", KeyAlgorithm::P256, Usage::Both);
    let (leaf, _) = authority.issue(&request, now()).unwrap();
    assert_eq!(leaf.addresses(), [request.address]);
}

#[test]
fn nothing_outlives_the_ca_and_nonsense_is_refused() {
    let authority = open(KeyAlgorithm::P256);
    let plain = request("a@example.org", KeyAlgorithm::P256, Usage::Both);
    let long = IssueRequest {
        validity: YEAR * 30,
        ..plain.clone()
    };
    let (leaf, _) = authority.issue(&long, now()).unwrap();
    assert_eq!(leaf.not_after(), authority.certificate().not_after());
    let short = IssueRequest {
        validity: Duration::ZERO,
        ..plain.clone()
    };
    let named = IssueRequest {
        common_name: Some("x".repeat(65)),
        ..plain.clone()
    };
    for (request, at, expected) in [
        (&short, now(), IssueError::Validity),
        (&named, now(), IssueError::CommonNameTooLong),
        (&plain, now() + YEAR * 11, IssueError::AuthorityNotValid),
    ] {
        assert_eq!(authority.issue(request, at).unwrap_err(), expected);
    }
    let signer = OpenSigner {
        certificate: leaf.clone(),
        pkcs8: Zeroizing::new(vec![]),
    };
    let error = Authority::new(Arc::new(signer)).unwrap_err();
    assert_eq!(error, IssueError::NotAuthority(leaf.subject().to_owned()));
}

#[test]
fn a_key_out_of_reach_is_named_as_the_reason() {
    let ca = open(KeyAlgorithm::P256).certificate().clone();
    let authority = Authority::new(Arc::new(LostSigner(ca))).unwrap();
    let request = request("a@example.org", KeyAlgorithm::P256, Usage::Both);
    let error = authority.issue(&request, now()).unwrap_err();
    let lost = KeyFailure::Unavailable("no token".into());
    assert_eq!(error, IssueError::Signing(lost));
}

fn trust(authority: &Authority) -> Trust {
    let anchor = Anchor {
        certificate: authority.certificate().clone(),
        scope: AnchorScope::Everybody,
        revocation: None,
    };
    Trust::new(vec![anchor], vec![])
}

/// A fixed day in 2026.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    File::create(folder.join(name))
        .and_then(|mut file| file.write_all(bytes))
        .unwrap();
}

fn openssl(folder: &Path, arguments: &str) -> String {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "openssl {arguments}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
