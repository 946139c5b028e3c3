//! What others sign, we judge rightly.

use super::support::*;
use crate::cms::*;

/// `openssl cms -sign` by this person.
fn openssl_sign(person: &Person, arguments: &str) -> Vec<u8> {
    openssl(
        &format!(
            "cms -sign -binary -outform DER -signer {} -inkey {} {arguments}",
            person.certificate_file().display(),
            person.key_file().display()
        ),
        CONTENT,
    )
}

/// Who signs, with which arguments, and the algorithm that comes of it.
type Kind = (fn(&People) -> &Person, &'static str, &'static str);

const KINDS: &[Kind] = &[
    (|people| &people.rsa, "", "RSA with SHA-256"),
    (|people| &people.rsa, "-md sha384", "RSA with SHA-384"),
    (
        |people| &people.rsa,
        "-md sha512 -keyid",
        "RSA with SHA-512",
    ),
    (|people| &people.rsa, "-noattr", "RSA with SHA-256"),
    (|people| &people.rsa, "-nosmimecap", "RSA with SHA-256"),
    (|people| &people.rsa, "-cades", "RSA with SHA-256"),
    (
        |people| &people.rsa,
        "-cades -md sha512",
        "RSA with SHA-512",
    ),
    (
        |people| &people.rsa,
        "-keyopt rsa_padding_mode:pss",
        "RSASSA-PSS with SHA-256",
    ),
    (
        |people| &people.rsa,
        "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32 -md sha256",
        "RSASSA-PSS with SHA-256",
    ),
    (
        |people| &people.rsa,
        "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:0 -md sha384",
        "RSASSA-PSS with SHA-384",
    ),
    (
        |people| &people.rsa,
        "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:max -md sha512",
        "RSASSA-PSS with SHA-512",
    ),
    (|people| &people.p256, "", "ECDSA with SHA-256"),
    (|people| &people.p256, "-md sha512", "ECDSA with SHA-512"),
    (
        |people| &people.p384,
        "-md sha384 -keyid",
        "ECDSA with SHA-384",
    ),
    (|people| &people.p384, "-md sha256", "ECDSA with SHA-256"),
    (|people| &people.p521, "-md sha512", "ECDSA with SHA-512"),
];

#[test]
fn openssl_signatures_of_every_kind() {
    for (person, arguments, algorithm) in KINDS {
        let person = person(people());
        for (form, detached) in [
            ("", Some(CONTENT)),
            ("-nodetach", None),
            ("-nodetach -stream", None),
        ] {
            // OpenSSL itself fails to write a PSS signature in this way.
            if form.contains("-stream") && algorithm.contains("PSS") {
                continue;
            }
            let message = openssl_sign(person, &format!("{arguments} {form}"));
            let signed = signed(&message);
            assert_eq!(signed.content(), detached.is_none().then_some(CONTENT));
            let report = signed.verify(detached, &[]).remove(0);
            assert_eq!(report.outcome, Ok(()), "{} {arguments} {form}", person.name);
            assert_eq!(report.algorithm, *algorithm);
            assert_eq!(report.certificate.as_ref(), Some(&person.certificate));
            assert_eq!(report.weak, None);
        }
    }
}

#[test]
fn content_that_came_in_pieces_is_whole() {
    let content: Vec<u8> = (0..100_000_u32).map(|index| (index % 241) as u8).collect();
    let person = &people().rsa;
    let message = openssl(
        &format!(
            "cms -sign -binary -stream -nodetach -outform DER -signer {} -inkey {}",
            person.certificate_file().display(),
            person.key_file().display()
        ),
        &content,
    );
    let signed = signed(&message);
    assert!(signed.content() == Some(&content[..]));
    assert_eq!(signed.verify(None, &[])[0].outcome, Ok(()));
}

#[test]
fn weak_signatures_are_verified_and_called_weak() {
    let people = people();
    for (person, arguments, weak) in [
        (&people.rsa, "-md sha1", "SHA-1"),
        (&people.p256, "-md sha1", "SHA-1"),
        (&people.short_rsa, "-md sha256", "an RSA key of 1024 bits"),
        (
            &people.short_rsa,
            "-md sha1",
            "SHA-1 and an RSA key of 1024 bits",
        ),
        (
            &people.rsa,
            "-md sha1 -keyopt rsa_padding_mode:pss",
            "SHA-1",
        ),
        (
            &people.short_rsa,
            "-md sha256 -keyopt rsa_padding_mode:pss",
            "an RSA key of 1024 bits",
        ),
    ] {
        let message = openssl_sign(person, arguments);
        let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
        assert_eq!(report.outcome, Ok(()), "{arguments}");
        assert_eq!(report.weak.as_deref(), Some(weak), "{arguments}");
    }
    let message = openssl_sign(&people.rsa, "-md md5");
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(
        report.outcome.unwrap_err().to_string(),
        "unsupported: 1.2.840.113549.2.5 id-md5"
    );
    assert_eq!(report.weak.as_deref(), Some("MD5"));
}

#[test]
fn the_fault_says_what_is_wrong() {
    let people = people();
    let detached = openssl_sign(&people.rsa, "");
    let opaque = openssl_sign(&people.rsa, "-nodetach");
    let without_certificate = openssl_sign(&people.rsa, "-nocerts");
    let other = [people.other_rsa.certificate.clone()];
    let own = [
        people.other_rsa.certificate.clone(),
        people.rsa.certificate.clone(),
    ];
    let altered = &b"another content"[..];
    for (name, message, content, known, expected) in [
        (
            "altered",
            &detached,
            Some(altered),
            &[][..],
            Err(SignatureFault::Altered),
        ),
        (
            "missing",
            &detached,
            None,
            &[],
            Err(SignatureFault::NoContent),
        ),
        (
            "twice",
            &opaque,
            Some(CONTENT),
            &[],
            Err(SignatureFault::ContentConflict),
        ),
        (
            "unknown signer",
            &without_certificate,
            Some(CONTENT),
            &other,
            Err(SignatureFault::NoSignerCertificate),
        ),
        (
            "known signer",
            &without_certificate,
            Some(CONTENT),
            &own,
            Ok(()),
        ),
    ] {
        let reports = signed(message).verify(content, known);
        assert_eq!(reports[0].outcome, expected, "{name}");
    }
}

#[test]
fn a_second_certificate_with_the_same_name_does_no_harm() {
    let people = people();
    let same_name = same_name_other_key();
    let without_certificate = openssl_sign(&people.rsa, "-nocerts");
    for known in [
        vec![same_name.clone(), people.rsa.certificate.clone()],
        vec![people.rsa.certificate.clone(), same_name.clone()],
    ] {
        let report = signed(&without_certificate)
            .verify(Some(CONTENT), &known)
            .remove(0);
        assert_eq!(report.outcome, Ok(()));
        assert_eq!(report.certificate.as_ref(), Some(&people.rsa.certificate));
    }
    let report = signed(&without_certificate)
        .verify(Some(CONTENT), &[same_name])
        .remove(0);
    assert_eq!(report.outcome, Err(SignatureFault::BadSignature));
}

/// A certificate with the issuer and serial number of `rsa`, for the key of `other_rsa`.
fn same_name_other_key() -> Vec<u8> {
    let people = people();
    let serial = openssl(
        &format!(
            "x509 -noout -serial -in {}",
            people.rsa.certificate_file().display()
        ),
        b"",
    );
    let serial = String::from_utf8(serial).unwrap();
    openssl(
        &format!(
            "req -new -x509 -sha256 -days 30 -subj /O=Tests/CN=rsa/emailAddress=rsa@example.org \
             -set_serial 0x{} -key {} -outform DER",
            serial.trim().trim_start_matches("serial="),
            people.other_rsa.key_file().display(),
        ),
        b"",
    )
}

#[test]
fn many_signers_get_many_reports() {
    let people = people();
    let message = openssl_sign(
        &people.rsa,
        &format!(
            "-signer {} -inkey {} -signer {} -inkey {}",
            people.p256.certificate_file().display(),
            people.p256.key_file().display(),
            people.p384.certificate_file().display(),
            people.p384.key_file().display()
        ),
    );
    let signed = signed(&message);
    assert_eq!(signed.signer_count(), 3);
    let reports = signed.verify(Some(CONTENT), &[]);
    assert!(reports.iter().all(|report| report.outcome.is_ok()));
    let reports = signed.verify(Some(b"another"), &[]);
    assert!(
        reports
            .iter()
            .all(|report| report.outcome == Err(SignatureFault::Altered))
    );
}

#[test]
fn other_content_types_are_verified_and_told() {
    let message = openssl_sign(
        &people().rsa,
        "-nodetach -econtent_type 1.2.840.113549.1.9.16.1.4",
    );
    let signed = signed(&message);
    assert!(!signed.is_data());
    assert_eq!(
        signed.content_type().to_string(),
        "1.2.840.113549.1.9.16.1.4"
    );
    assert_eq!(signed.verify(None, &[])[0].outcome, Ok(()));
}

#[test]
fn the_attributes_of_one_signature_are_not_the_content_of_another() {
    // Takes a signature over attributes, and shows the attributes as content that was signed without any.
    let message = openssl_sign(&people().rsa, "");
    let signed = signed(&message);
    let attributes = signed.signers[0].signed_attributes.unwrap();
    let mut content = attributes.encoded().to_vec();
    content[0] = 0x31;
    let mut forged = signed.clone();
    forged.signers[0].signed_attributes = None;
    assert!(matches!(
        forged.verify(Some(&content), &[])[0].outcome,
        Err(SignatureFault::Attributes(_))
    ));
}
