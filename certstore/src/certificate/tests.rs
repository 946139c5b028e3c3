use std::time::{Duration, UNIX_EPOCH};

use policy::mutation::mutations;

use super::*;
use crate::cms::Curve;

#[test]
fn bytes_that_are_no_certificate_get_an_error() {
    for bytes in [
        &b""[..],
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"-----BEGIN CERTIFICATE-----",
    ] {
        let error = Certificate::from_der(bytes).unwrap_err();
        assert!(matches!(error, CertificateError::Structure(_)), "{error}");
    }
    let long = vec![0x30; MAX_CERTIFICATE_SIZE + 1];
    assert_eq!(
        Certificate::from_der(&long).unwrap_err(),
        CertificateError::TooLarge(MAX_CERTIFICATE_SIZE + 1)
    );
}

#[test]
fn the_facts_of_a_real_certificate() {
    let Some(alice) = named("rfc9216-keys", "alice.sign.crt") else {
        return;
    };
    assert_eq!(alice.subject(), "CN=Alice Lovelace,OU=LAMPS WG,O=IETF");
    assert_eq!(
        alice.issuer(),
        "CN=Sample LAMPS RSA Certification Authority,OU=LAMPS WG,O=IETF"
    );
    assert_eq!(alice.serial(), "37410579ed757f42a9a25c3af4f86ace9aa9d7");
    assert_eq!(alice.addresses()[0].as_str(), "alice@smime.example");
    assert_eq!(alice.key_kind(), Some(KeyKind::Rsa { bits: 2048 }));
    assert!(!alice.is_ca() && !alice.is_self_issued());
    assert_eq!(alice.allows(Purpose::Signing), Ok(()));
    assert!(alice.allows(Purpose::Encryption).is_err());
    let year = Duration::from_secs(365 * 24 * 3600);
    assert!(alice.not_before() > UNIX_EPOCH + year * 45);
    assert!(alice.not_after() > UNIX_EPOCH + year * 82);
}

#[test]
fn names_and_serials_are_slices_of_the_received_bytes() {
    for (file, entry) in corpus::certificates("pkits/certs") {
        let Ok(certificate) = entry else { continue };
        let after_version = certificate.der().split_at(13).1;
        let length = u8::try_from(certificate.serial_octets().len()).unwrap();
        let serial = [&[0x02, length], certificate.serial_octets()].concat();
        assert!(after_version.starts_with(&serial), "{file}");
        for (name, text) in [
            (certificate.issuer_der(), certificate.issuer()),
            (certificate.subject_der(), certificate.subject()),
        ] {
            let parsed = x509_cert::name::Name::from_der(name).unwrap();
            assert_eq!(parsed.to_string(), text, "{file}");
        }
        let spki = spki::SubjectPublicKeyInfoRef::from_der(certificate.spki_der()).unwrap();
        assert_eq!(
            spki.algorithm.oid,
            certificate.public_key_algorithm(),
            "{file}"
        );
    }
}

#[test]
fn a_recipient_names_its_certificate_and_no_other() {
    let Some(alice) = named("rfc9216-keys", "alice.encrypt.crt") else {
        return;
    };
    let issuer_and_serial = |issuer: &[u8], serial: &[u8]| RecipientId::IssuerAndSerial {
        issuer: issuer.to_vec(),
        serial: serial.to_vec(),
    };
    let (issuer, serial) = (alice.issuer_der(), alice.serial_octets());
    let key_identifier = alice.subject_key_identifier().unwrap();
    for (recipient, expected) in [
        (issuer_and_serial(issuer, serial), true),
        (issuer_and_serial(alice.subject_der(), serial), false),
        (issuer_and_serial(issuer, b"\x01"), false),
        (
            RecipientId::SubjectKeyIdentifier(key_identifier.to_vec()),
            true,
        ),
        (RecipientId::SubjectKeyIdentifier(vec![]), false),
    ] {
        assert_eq!(alice.is_named_by(&recipient), expected, "{recipient:?}");
    }
}

#[test]
fn real_certificates_are_read_and_odd_ones_refused_with_a_reason() {
    for (file, entry) in corpus::certificates("pkilint-smime-br") {
        assert!(entry.is_ok(), "{file}: {entry:?}");
    }
    for (file, expected) in [
        (
            "alternate-rsa-sha1-oid.der",
            Err(CertificateError::BadExtension("keyUsage")),
        ),
        ("two_basic_constraints.pem", Err(repeated("2.5.29.19"))),
        ("negative_serial.pem", Ok(())),
        ("all_supported_names.pem", Ok(())),
        ("unsupported_extension_critical.pem", Ok(())),
    ] {
        for (_, entry) in corpus::certificates("pyca/custom")
            .into_iter()
            .filter(|e| e.0 == file)
        {
            assert_eq!(entry.map(|_| ()), expected, "{file}");
        }
    }
}

#[test]
fn key_kinds_come_from_the_key() {
    for (file, expected) in [
        ("smec1.pem", Some(KeyKind::Ec(Curve::P256))),
        ("smrsa1.pem", Some(KeyKind::Rsa { bits: 2048 })),
        ("smdsa1.pem", None),
    ] {
        if let Some(certificate) = named("openssl/smime-certs", file) {
            assert_eq!(certificate.key_kind(), expected, "{file}");
        }
    }
}

/// Every byte of a stranger's certificate may be anything.
#[test]
fn changed_bytes_never_panic() {
    let seeds: Vec<Vec<u8>> = ["pkilint-smime-br", "pyca/custom", "rfc9216-keys"]
        .into_iter()
        .flat_map(corpus::certificates)
        .filter_map(|(_, entry)| Some(entry.ok()?.der().to_vec()))
        .step_by(5)
        .collect();
    for changed in mutations(&seeds).take(60 * seeds.len()) {
        if let Ok(certificate) = Certificate::from_der(&changed) {
            assert_eq!(certificate.der(), changed);
            assert!(certificate.addresses().len() <= changed.len());
            assert!(!certificate.serial().is_empty());
        }
        assert!(!read_certificates(&changed).is_empty());
    }
}

fn named(folder: &str, file: &str) -> Option<Certificate> {
    let mut all = corpus::certificates(folder).into_iter();
    let (_, entry) = all.find(|(name, _)| name == file)?;
    Some(entry.unwrap())
}

fn repeated(oid: &str) -> CertificateError {
    CertificateError::RepeatedExtension(ObjectIdentifier::new(oid).unwrap())
}
