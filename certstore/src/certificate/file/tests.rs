use super::*;
use crate::certificate::corpus;

/// One real certificate; none where there is no corpus.
fn alice() -> Option<Certificate> {
    real("alice.sign.crt")
}

fn real(file: &str) -> Option<Certificate> {
    let mut all = corpus::certificates("rfc9216-keys").into_iter();
    all.find(|(name, _)| name == file)?.1.ok()
}

/// How many certificates were read, and the errors.
fn outcome(bytes: &[u8]) -> (usize, Vec<CertificateError>) {
    let found = read_certificates(bytes);
    let good = found.iter().filter(|entry| entry.is_ok()).count();
    (good, found.into_iter().filter_map(Result::err).collect())
}

#[test]
fn every_form_of_file_gives_its_certificates() {
    let (Some(alice), Some(bob)) = (alice(), real("bob.sign.crt")) else {
        return;
    };
    let der = alice.der();
    let pem = pem::STANDARD.encode("CERTIFICATE", der);
    let bundle = cms::certificate_bundle(&[der, bob.der()]);
    let bag = format!("Bag Attributes\n  friendlyName: x\nsubject=CN = a\n{pem}");
    let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    for (what, bytes, expected) in [
        ("DER", der.to_vec(), 1),
        ("PEM", pem.clone().into_bytes(), 1),
        ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes(), 1),
        ("PEM with text around", bag.repeat(2).into_bytes(), 2),
        ("PEM beside a key", format!("{key}{pem}").into_bytes(), 1),
        ("bare base64", base64::MIME.encode(der).into_bytes(), 1),
        ("PKCS#7", bundle.clone(), 2),
        (
            "PKCS#7 in PEM",
            pem::STANDARD.encode("PKCS7", &bundle).into_bytes(),
            2,
        ),
        (
            "PKCS#7 in base64",
            base64::MIME.encode(&bundle).into_bytes(),
            2,
        ),
    ] {
        assert_eq!(outcome(&bytes), (expected, vec![]), "{what}");
    }
}

#[test]
fn a_broken_one_is_reported_and_hides_nothing() {
    let Some(alice) = alice() else { return };
    let pem = pem::STANDARD.encode("CERTIFICATE", alice.der());
    let (without_end, _) = pem.split_at(pem.len() / 2);
    let trusted = pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    for (first, expected) in [
        (without_end, "PEM"),
        (&trusted, "TRUSTED"),
        (
            "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
            "PEM",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "X.509",
        ),
        (
            "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n",
            "PKCS#7",
        ),
    ] {
        let (good, errors) = outcome(format!("{first}\n{pem}").as_bytes());
        assert_eq!((good, errors.len()), (1, 1), "{first}");
        assert!(errors[0].to_string().contains(expected), "{}", errors[0]);
    }
}

#[test]
fn a_file_without_a_certificate_gives_one_error() {
    for (bytes, expected) in [
        (&b""[..], CertificateError::NoneFound),
        (b" \r\n", CertificateError::NoneFound),
        (b"hello", CertificateError::NoneFound),
        (b"\xff\xfe-\0-\0", CertificateError::NoneFound),
        (
            b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
            CertificateError::NoneFound,
        ),
        (
            b"\x30\x82\x01\x00\x02\x01\x03",
            CertificateError::PrivateKey,
        ),
    ] {
        assert_eq!(
            outcome(bytes),
            (0, vec![expected]),
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn the_number_of_certificates_is_bounded() {
    let block = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let found = read_certificates(block.repeat(MAX_CERTIFICATES + 5).as_bytes());
    assert_eq!(found.len(), MAX_CERTIFICATES + 1);
    assert_eq!(found.last(), Some(&Err(CertificateError::TooMany)));
}
