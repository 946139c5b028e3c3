//! What we sign, others accept, and so do we.

use super::support::*;
use crate::cms::*;

#[test]
fn openssl_accepts_every_key_padding_and_digest() {
    for person in people().strong() {
        for digest in [Digest::Sha256, Digest::Sha384, Digest::Sha512] {
            for rsa_signature in [RsaSignature::Pkcs1, RsaSignature::Pss] {
                for attached in [false, true] {
                    let options = SignOptions {
                        attached,
                        digest,
                        rsa_signature,
                        ..sign_options()
                    };
                    let message = sign(CONTENT, person, &options).unwrap();
                    let detached = (!attached).then_some(CONTENT);
                    let found = openssl_verify(&message, detached)
                        .unwrap_or_else(|error| panic!("{} {options:?}: {error}", person.name));
                    assert_eq!(found, CONTENT);

                    let reports = signed(&message).verify(detached, &[]);
                    assert_eq!(reports.len(), 1);
                    assert_eq!(reports[0].outcome, Ok(()), "{} {options:?}", person.name);
                    assert_eq!(reports[0].weak, None);
                    let micalg = micalg(person, &options);
                    assert_eq!(reports[0].digest.unwrap().micalg(), micalg);
                }
            }
        }
    }
}

#[test]
fn the_report_tells_what_the_signer_said() {
    let options = SignOptions {
        rsa_signature: RsaSignature::Pss,
        ..sign_options()
    };
    let person = &people().rsa;
    let message = sign(CONTENT, person, &options).unwrap();
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(
        report,
        SignerReport {
            signer: RecipientId::of(&person.certificate).unwrap(),
            certificate: Some(person.certificate.clone()),
            digest: Some(Digest::Sha256),
            algorithm: "RSASSA-PSS with SHA-256".to_owned(),
            signing_time: Some(options.signing_time),
            capabilities: options.capabilities,
            encryption_certificate: Some(RecipientId::of(&person.certificate).unwrap()),
            outcome: Ok(()),
            weak: None,
        }
    );
}

#[test]
fn certificates_travel_along_once_and_the_encryption_one_is_named() {
    let people = people();
    let signer = Person {
        chain: vec![
            people.p256.certificate.clone(),
            people.rsa.certificate.clone(),
        ],
        encryption_certificate: Some(people.other_rsa.certificate.clone()),
        ..people.rsa.clone()
    };
    let options = SignOptions {
        chain: IncludedChain::WithRoot,
        ..sign_options()
    };
    let message = sign(CONTENT, &signer, &options).unwrap();
    assert!(openssl_verify(&message, Some(CONTENT)).is_ok());
    let signed = signed(&message);
    let mut expected = [&people.rsa, &people.other_rsa, &people.p256]
        .map(|person| person.certificate.clone())
        .to_vec();
    expected.sort();
    assert_eq!(signed.certificates(), expected);
    assert_eq!(
        signed.verify(Some(CONTENT), &[])[0].encryption_certificate,
        Some(RecipientId::of(&people.other_rsa.certificate).unwrap())
    );
}

#[test]
fn content_in_pieces_is_signed_like_content_in_one() {
    for attached in [false, true] {
        let options = SignOptions {
            attached,
            ..sign_options()
        };
        let (head, tail) = CONTENT.split_at(7);
        let parts = sign_parts(&[head, b"", tail], &people().rsa, &options).unwrap();
        assert_eq!(parts, sign(CONTENT, &people().rsa, &options).unwrap());
    }
}

#[test]
fn openssl_sees_the_attributes_we_meant() {
    let message = sign(CONTENT, &people().rsa, &sign_options()).unwrap();
    let printed = openssl("cms -cmsout -print -inform DER", &message);
    let printed = String::from_utf8(printed).unwrap();
    for expected in [
        "contentType",
        "signingTime",
        "UTCTIME:Nov 18",
        "messageDigest",
        "S/MIME Capabilities",
        "aes-256-cbc",
        "id-smime-aa-signingCertificateV2",
        "id-smime-aa-encrypKeyPref",
    ] {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }
}

#[test]
fn a_time_beyond_2049_is_written_as_generalized_time() {
    let signing_time =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(2_600_000_000);
    let options = SignOptions {
        signing_time,
        ..sign_options()
    };
    let message = sign(CONTENT, &people().rsa, &options).unwrap();
    assert!(openssl_verify(&message, Some(CONTENT)).is_ok());
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(report.signing_time, Some(signing_time));
}

#[test]
fn sha1_and_unusable_certificates_are_refused() {
    let options = SignOptions {
        digest: Digest::Sha1,
        ..sign_options()
    };
    assert_eq!(
        sign(CONTENT, &people().rsa, &options),
        Err(SignFailure::WeakDigest)
    );
    let nobody = Person {
        certificate: b"\x30\x03\x02\x01\x00".to_vec(),
        ..people().rsa.clone()
    };
    assert!(matches!(
        sign(CONTENT, &nobody, &sign_options()),
        Err(SignFailure::Certificate(CmsError::Malformed { .. }))
    ));
}

#[test]
fn a_bundle_gives_back_its_certificates() {
    let people = people();
    let bundle = certificate_bundle(&[
        &people.p256.certificate,
        &people.rsa.certificate,
        &people.rsa.certificate,
        b"no certificate",
    ]);
    let mut expected = vec![
        people.p256.certificate.clone(),
        people.rsa.certificate.clone(),
    ];
    expected.sort();
    assert_eq!(certificates(&bundle).unwrap(), expected);
    let printed = openssl("pkcs7 -inform DER -print_certs -noout", &bundle);
    assert_eq!(
        String::from_utf8(printed)
            .unwrap()
            .matches("subject=")
            .count(),
        2
    );
    assert_eq!(signed(&bundle).verify(None, &[]), []);

    let openssl_bundle = openssl(
        &format!(
            "crl2pkcs7 -nocrl -certfile {} -outform DER",
            people.p384.certificate_file().display()
        ),
        b"",
    );
    assert_eq!(
        certificates(&openssl_bundle).unwrap(),
        std::slice::from_ref(&people.p384.certificate)
    );
    assert_eq!(
        certificates(&certificate_bundle(&[])).unwrap(),
        [[0_u8; 0]; 0]
    );
}
