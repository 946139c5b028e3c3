//! Messages from outside (see the README of the corpus): verdicts where they are known, no panic anywhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::signature::Ed25519KeyPair;
use const_oid::db::rfc8410;

use super::attributes::{plain_attributes, signed_over};
use super::support::*;
use crate::cms::*;

/// A file of the corpus; None, and a word about it, where there is no corpus.
fn read(path: &str) -> Option<Vec<u8>> {
    let Some(corpus) = corpus() else {
        skipped();
        return None;
    };
    Some(std::fs::read(corpus.join(path)).unwrap())
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped() {
    eprintln!("skipped: no corpus");
}

#[test]
fn rfc_4134_examples_get_the_verdicts_they_deserve() {
    let unsupported = "unsupported: 1.2.840.10040.4.3 dsa-with-sha1";
    for (example, detached, outcomes) in [
        ("4.1", false, &[Err(unsupported)][..]),
        ("4.2", false, &[Ok("SHA-1 and an RSA key of 1024 bits")]),
        ("4.3", true, &[Err(unsupported)]),
        ("4.4", false, &[Err(unsupported)]),
        ("4.5", false, &[Ok("SHA-1 and an RSA key of 1024 bits")]),
        ("4.6", false, &[Err(unsupported), Err(unsupported)]),
        ("4.7", false, &[Err(unsupported)]),
        ("4.10", false, &[Err(unsupported)]),
    ] {
        let Some(message) = read(&format!("rfc4134/{example}.bin")) else {
            return;
        };
        let Some(content) = read("rfc4134/ExContent.bin") else {
            return;
        };
        let known = ["AliceRSASignByCarl", "DianeRSASignByCarl"]
            .map(|name| read(&format!("rfc4134/{name}.cer")).unwrap());
        let reports = signed(&message).verify(detached.then_some(&content[..]), &known);
        let found: Vec<_> = reports
            .iter()
            .map(|report| match &report.outcome {
                Ok(()) => Ok(report.weak.clone().unwrap()),
                Err(fault) => Err(fault.to_string()),
            })
            .collect();
        let expected: Vec<_> = outcomes
            .iter()
            .map(|one| one.map(str::to_owned).map_err(str::to_owned))
            .collect();
        assert_eq!(found, expected, "{example}");
    }
}

#[test]
fn thunderbird_messages_open_and_verify() {
    for family in ["SHA384", "SHA512"] {
        let folder = "thunderbird-sha384-sha512";
        let Some(bob) = thunderbird_person("Bob") else {
            return;
        };
        for (name, encrypted) in [
            (format!("alice.sig.{family}.opaque.eml"), false),
            (format!("alice.html.sig.{family}.opaque.eml"), false),
            (format!("alice.sig.{family}.opaque.env.eml"), true),
            (format!("alice.html.sig.{family}.opaque.env.eml"), true),
        ] {
            let mail = read(&format!("{folder}/{name}")).unwrap();
            let mut message = base64_blocks(&mail).remove(0);
            if encrypted {
                let opened = enveloped(&message)
                    .decrypt(std::slice::from_ref(&bob), &ANYTHING)
                    .unwrap();
                message = base64_blocks(&opened.content).remove(0);
            }
            let reports = signed(&message).verify(None, &[]);
            assert_eq!(reports[0].outcome, Ok(()), "{name}");
        }
        for (name, valid) in [
            (format!("alice.dsig.{family}.multipart.eml"), true),
            (format!("alice.dsig.{family}.multipart.bad.eml"), false),
        ] {
            let mail = read(&format!("{folder}/{name}")).unwrap();
            let message = base64_blocks(&mail).pop().unwrap();
            let reports = signed(&message).verify(Some(&first_part(&mail)), &[]);
            assert_eq!(reports[0].outcome.is_ok(), valid, "{name}: {reports:?}");
        }
    }
}

/// The key and certificate in one of Thunderbird's PKCS #12 files.
fn thunderbird_person(name: &str) -> Option<Arc<dyn Decryptor>> {
    let path = corpus().or_else(|| {
        skipped();
        None
    })?;
    let path = path.join(format!("thunderbird-sha384-sha512/{name}.p12"));
    let pem = openssl(
        &format!(
            "pkcs12 -in {} -nodes -clcerts -passin pass:nss -legacy",
            path.display()
        ),
        b"",
    );
    Some(Arc::new(Person {
        name: "from Thunderbird",
        certificate: openssl("x509 -outform DER", &pem),
        chain: Vec::new(),
        encryption_certificate: None,
        pkcs8: openssl("pkcs8 -topk8 -nocrypt -outform DER", &pem),
    }))
}

/// The first part of a multipart/signed, as it was signed: with CRLF, without the one before the boundary.
fn first_part(mail: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(mail).unwrap().replace("\r\n", "\n");
    let boundary = text
        .split("boundary=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let delimiter = format!("\n--{boundary}");
    let part = text.split(&delimiter).nth(1).unwrap();
    part.strip_prefix('\n')
        .unwrap()
        .replace('\n', "\r\n")
        .into_bytes()
}

/// What is base64 in a mail or PEM file, decoded.
fn base64_blocks(text: &[u8]) -> Vec<Vec<u8>> {
    let is_base64 = |line: &&[u8]| {
        line.len() >= 4
            && line
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
    };
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_end())
        .collect();
    lines
        .split(|line| !is_base64(line))
        .map(|block| block.concat())
        .filter(|block| block.starts_with(b"MI"))
        .filter_map(|block| encodify::base64::STANDARD.decode(block).ok())
        .collect()
}

#[test]
fn bundles_of_pyca_give_their_certificates() {
    let Some(roots) = read("pyca/pkcs7/amazon-roots.der") else {
        return;
    };
    let in_ber = read("pyca/pkcs7/amazon-roots.p7b").unwrap();
    assert_eq!(certificates(&roots).unwrap().len(), 2);
    assert_eq!(
        certificates(&in_ber).unwrap(),
        certificates(&roots).unwrap()
    );
    let authenticode = read("pyca/pkcs7/authenticode.der").unwrap();
    assert!(!signed(&authenticode).is_data());
    assert!(!certificates(&authenticode).unwrap().is_empty());
    let no_content = read("pyca/pkcs7/enveloped-no-content.der").unwrap();
    assert!(matches!(
        parse(&no_content),
        Err(CmsError::Malformed {
            structure: "EncryptedContentInfo",
            ..
        })
    ));
}

#[test]
fn nothing_in_the_corpus_makes_us_panic() {
    let Some(corpus) = corpus() else {
        skipped();
        return;
    };
    let mut messages = 0;
    for folder in [
        "rfc4134",
        "pyca/pkcs7",
        "thunderbird-sha384-sha512",
        "james",
        "rfc9788",
    ] {
        for path in files(&corpus.join(folder)) {
            let bytes = std::fs::read(&path).unwrap();
            for candidate in base64_blocks(&bytes).into_iter().chain([bytes]) {
                match parse(&candidate) {
                    Ok(ContentInfo::Signed(signed)) => {
                        messages += 1;
                        drop(signed.verify(None, &[]));
                        drop(signed.verify(Some(b""), &[]));
                    }
                    Ok(ContentInfo::Enveloped(enveloped)) => {
                        messages += 1;
                        assert!(
                            enveloped
                                .decrypt(&[people().rsa.decryptor()], &ANYTHING)
                                .is_err()
                        );
                    }
                    Ok(ContentInfo::Compressed(_) | ContentInfo::Other(_)) | Err(_) => {}
                }
            }
        }
    }
    assert!(messages > 40, "{messages} messages");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn the_people_of_rfc_9216_sign_and_read_with_curve25519() {
    let Some(corpus) = corpus() else {
        skipped();
        return;
    };
    let file = |name: &str| std::fs::read(corpus.join("rfc9216-keys").join(name)).unwrap();
    let certificate = openssl("x509 -outform DER", &file("carlos.sign.crt"));
    let key = openssl(
        "pkcs8 -topk8 -nocrypt -outform DER",
        &file("carlos.sign.key"),
    );
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).unwrap();
    let message = signed_over(
        plain_attributes(Digest::Sha512),
        &certificate,
        Digest::Sha512,
        rfc8410::ID_ED_25519,
        |message| key.sign(message).as_ref().to_vec(),
    );
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(report.outcome, Ok(()));
    assert_eq!(report.algorithm, "Ed25519");

    let certificate = openssl("x509 -outform DER", &file("dana.encrypt.crt"));
    let dana: Arc<dyn Decryptor> = Arc::new(Person {
        certificate: certificate.clone(),
        pkcs8: openssl(
            "pkcs8 -topk8 -nocrypt -outform DER",
            &file("dana.decrypt.key"),
        ),
        ..people().x25519.clone()
    });
    assert_eq!(key_kind(&certificate), Ok(KeyKind::X25519));
    let message = encrypt(CONTENT.to_vec(), &[&certificate], &encrypt_options()).unwrap();
    let opened = enveloped(&message).decrypt(&[dana], &STRONG).unwrap();
    assert_eq!(&opened.content[..], CONTENT);
}
