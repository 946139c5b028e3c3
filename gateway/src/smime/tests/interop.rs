//! What OpenSSL, Thunderbird and James make of our mail, and we of theirs.

use super::people::{certificate_of, openssl, text, trust_in};
use super::*;
use crate::message::tests::{corpus, files};
use crate::message::with_crlf;

/// Has openssl verify a whole mail; the content that it saw.
fn openssl_verifies(name: &str, mail: &Message) -> Vec<u8> {
    let file = PEOPLE.file(name, mail.content());
    let authority = text(&PEOPLE.authority_file);
    openssl(&[
        "cms",
        "-verify",
        "-in",
        text(&file),
        "-CAfile",
        authority,
        "-purpose",
        "smimesign",
    ])
}

#[test]
fn openssl_verifies_what_we_sign() {
    for (name, form, padding, signer) in [
        ("clear.eml", Form::Clear, RsaSignature::Pkcs1, &PEOPLE.alice),
        (
            "opaque.eml",
            Form::Opaque,
            RsaSignature::Pkcs1,
            &PEOPLE.alice,
        ),
        ("pss.eml", Form::Clear, RsaSignature::Pss, &PEOPLE.alice),
        ("ec.eml", Form::Clear, RsaSignature::Pkcs1, &PEOPLE.carol),
    ] {
        let profile = Profile {
            rsa_signature: padding,
            ..profile(form)
        };
        let mail = message(sign(&message(MAIL), &**signer, &profile, now()).unwrap());
        let content = openssl_verifies(name, &mail);
        assert_eq!(
            contents(&message(content)),
            contents(&message(MAIL)),
            "{name}"
        );
    }
}

#[test]
fn openssl_opens_what_we_encrypt() {
    for (name, cipher, transport) in [
        ("cbc.eml", ContentCipher::Aes256Cbc, KeyTransport::Pkcs1),
        (
            "gcm.eml",
            ContentCipher::Aes256Gcm,
            KeyTransport::Oaep(Digest::Sha256),
        ),
    ] {
        let profile = Profile {
            fallback_cipher: cipher,
            key_transport: transport,
            ..profile(Form::Clear)
        };
        let mail = encrypted(
            &signed(MAIL, Form::Clear),
            &[&PEOPLE.bob, &PEOPLE.carol],
            &profile,
        );
        let file = PEOPLE.file(name, mail.content());
        for person in [&PEOPLE.bob, &PEOPLE.carol] {
            let content = openssl(&[
                "cms",
                "-decrypt",
                "-in",
                text(&file),
                "-recip",
                text(&person.certificate_file),
                "-inkey",
                text(&person.key_file),
            ]);
            let inner = message([OUTER.as_bytes(), &content].concat());
            assert_eq!(judge(&inner).result, VerdictResult::Pass, "{name}");
        }
    }
}

#[test]
fn we_verify_what_openssl_signs() {
    let content = PEOPLE.file("content.txt", b"Content-Type: text/plain\r\n\r\nHi\r\n");
    let (certificate, key) = (
        text(&PEOPLE.alice.certificate_file),
        text(&PEOPLE.alice.key_file),
    );
    let start = [
        "cms",
        "-sign",
        "-in",
        text(&content),
        "-signer",
        certificate,
        "-inkey",
        key,
        "-from",
        "alice@example.org",
    ];
    for variant in [
        &["-crlfeol"][..],
        &["-nodetach"],
        &["-nodetach", "-stream"],
        &["-keyid", "-crlfeol"],
        &["-noattr", "-crlfeol"],
        &["-keyopt", "rsa_padding_mode:pss", "-crlfeol"],
    ] {
        let mail = message(with_crlf(&openssl(&[&start, variant].concat())).into_owned());
        let verdict = judge(&mail);
        assert_eq!(
            verdict.result,
            VerdictResult::Pass,
            "{variant:?}: {}",
            verdict.text
        );
    }
}

#[test]
fn we_open_what_openssl_encrypts() {
    let content = PEOPLE.file("secret.txt", b"Content-Type: text/plain\r\n\r\nHi\r\n");
    for (person, options) in [
        (&PEOPLE.bob, &["-aes256"][..]),
        (&PEOPLE.bob, &["-aes128", "-stream", "-keyid"]),
        (&PEOPLE.bob, &["-aes-256-gcm"]),
        (
            &PEOPLE.bob,
            &["-keyopt", "rsa_padding_mode:oaep", "-aes256"],
        ),
        (&PEOPLE.carol, &["-aes256"]),
    ] {
        let mut arguments = vec![
            "cms",
            "-encrypt",
            "-in",
            text(&content),
            "-from",
            "a@example.org",
            "-recip",
        ];
        arguments.push(text(&person.certificate_file));
        arguments.extend(options);
        let mail = message(with_crlf(&openssl(&arguments)).into_owned());
        let opened = opened(&mail, &keys(&[person]));
        assert_eq!(opened.message.body(), b"Hi\r\n", "{options:?}");
    }
}

#[test]
fn james_signed_mails_pass() {
    let Some(folder) = corpus("james") else {
        return;
    };
    let trust = trust_in(&certificate_of(&folder.join("rootCA.crt")));
    let mails = files(&folder)
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "eml"));
    for (path, content) in mails {
        let verdict = verify(&message(with_crlf(&content).into_owned()), &trust, now());
        assert_eq!(
            verdict.result,
            VerdictResult::Pass,
            "{}: {}",
            path.display(),
            verdict.text
        );
    }
}

#[test]
fn thunderbird_mails_get_thunderbirds_verdicts() {
    let Some(folder) = corpus("thunderbird-sha384-sha512") else {
        return;
    };
    let trust = trust_in(&certificate_of(&folder.join("TestCA.pem")));
    let bob = Arc::new(person_of(&folder.join("Bob.p12"), "nss"));
    let mails = files(&folder)
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "eml"));
    let mut seen = 0;
    for (path, content) in mails {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mail = message(with_crlf(&content).into_owned());
        let verdict = match open(&mail, &keys(&[&bob])) {
            Ok(Some(opened)) => opened.verify(&trust, now()),
            _ => verify(&mail, &trust, now()),
        };
        let is_valid = verdict.result == VerdictResult::Pass;
        // Nested signatures of two people are not what Thunderbird's verdict on the whole is about.
        if !name.contains("dave") {
            let expected = !name.contains(".bad.")
                && !name.contains("mismatch")
                && !name.starts_with("alice.env.");
            assert_eq!(is_valid, expected, "{name}: {}", verdict.text);
            seen += 1;
        }
    }
    assert_eq!(seen, 20);
}

fn person_of(p12: &std::path::Path, password: &str) -> Person {
    let password = format!("pass:{password}");
    let start = [
        "pkcs12",
        "-in",
        text(p12),
        "-passin",
        &password,
        "-nodes",
        "-legacy",
    ];
    let certificate = openssl(&[&start[..], &["-clcerts", "-nokeys"]].concat());
    let key = openssl(&[&start[..], &["-nocerts"]].concat());
    let stem = p12.file_stem().unwrap().to_str().unwrap();
    let certificate = PEOPLE.file(&format!("{stem}.corpus.pem"), &certificate);
    Person::from_files(
        certificate,
        PEOPLE.file(&format!("{stem}.corpus.key"), &key),
    )
}
