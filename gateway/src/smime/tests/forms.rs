//! Every way in which S/MIME stands in mail, and what is said of it.

use encodify::{base64, pem};

use super::attacks::sealed_bytes;
use super::*;

/// The CMS of a mail of ours that is one base64 part.
fn cms_of(mail: &Message) -> Vec<u8> {
    base64::MIME.decode(mail.body()).unwrap()
}

fn mail(content_type: &str, body: &str) -> Message {
    message(format!(
        "From: alice@example.org\r\nContent-Type: {content_type}\r\n{body}"
    ))
}

#[test]
fn cms_is_found_in_whatever_it_is_wrapped() {
    let signed = cms_of(&signed(MAIL, Form::Opaque));
    let sealed = encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear));
    let sealed = cms_of(&sealed);
    let bob = keys(&[&PEOPLE.bob]);
    for content_type in [
        "application/pkcs7-mime; smime-type=signed-data",
        "Application/PKCS7-MIME",
        "application/x-pkcs7-mime; smime-type=\"enveloped-data\"",
        "application/pkcs7-mime; smime-type=certs-only; name=x.bin",
        "application/octet-stream; name=smime.p7m",
        "application/octet-stream; name=\"SMIME.P7M\"",
        "application/x-whatever; name=a.p7c",
        "application/x-download\r\nContent-Disposition: attachment; filename=mail.p7m",
    ] {
        for (what, cms) in [("signed", &signed), ("sealed", &sealed)] {
            let lines = base64::MIME.encode(cms);
            let armour = pem::STANDARD.encode("PKCS7", cms);
            for body in [
                format!("Content-Transfer-Encoding: base64\r\n\r\n{lines}\r\n"),
                format!("\r\n{lines}\r\n"),
                format!("\r\n{armour}"),
                format!("\r\n\r\n{armour}"),
                format!(
                    "Content-Transfer-Encoding: base64\r\n\r\n{}",
                    base64::MIME.encode(&armour)
                ),
            ] {
                let mail = mail(content_type, &body);
                let is_read = match what {
                    "signed" => judge(&mail).result == VerdictResult::Pass,
                    _ => open(&mail, &bob).is_ok_and(|opened| opened.is_some()),
                };
                assert!(is_read, "{what} {content_type}\n{body}");
            }
        }
    }
}

#[test]
fn signatures_are_found_by_type_and_by_name() {
    let clear = String::from_utf8(signed(MAIL, Form::Clear).content().to_vec()).unwrap();
    let protocol = "protocol=\"application/pkcs7-signature\"";
    let part = "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"";
    for (outer, inner) in [
        (protocol, part),
        ("protocol=\"application/x-pkcs7-signature\"", part),
        (protocol, "Content-Type: application/x-pkcs7-signature"),
        (
            protocol,
            "Content-Type: application/octet-stream; name=a.p7s",
        ),
        (protocol, "Content-Type: application/x-anything; name=a.P7S"),
        ("x=y", part),
    ] {
        let mail = message(clear.replacen(protocol, outer, 1).replacen(part, inner, 1));
        assert_eq!(judge(&mail).result, VerdictResult::Pass, "{outer} {inner}");
    }
}

#[test]
fn other_files_are_no_smime() {
    for content_type in ["application/pdf; name=a.p7m", "text/plain; name=a.p7m"] {
        let body = base64::MIME.encode(cms_of(&signed(MAIL, Form::Opaque)));
        let mail = mail(
            content_type,
            &format!("Content-Transfer-Encoding: base64\r\n\r\n{body}"),
        );
        assert_eq!(judge(&mail).result, VerdictResult::None, "{content_type}");
    }
}

#[test]
fn certificates_alone_are_noted_and_sign_nothing() {
    let bundle = alices_certificate_alone();
    let body = format!(
        "Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64::MIME.encode(&bundle)
    );
    let whole = mail("application/pkcs7-mime; smime-type=certs-only", &body);
    let verdict = judge(&whole);
    assert_eq!(verdict.result, VerdictResult::None);
    assert_eq!(verdict.covered, Coverage::Nothing);
    assert_eq!(verdict.text, "it holds certificates alone");
    assert!(open(&whole, &keys(&[&PEOPLE.alice])).unwrap().is_none());
    // As an attachment it does not make its mail look signed.
    let attached = message(format!(
        "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n\
         Content-Type: application/octet-stream; name=all.p7c\r\n{body}\r\n--b--\r\n"
    ));
    assert_eq!(judge(&attached).result, VerdictResult::None);
}

/// The kinds of layers, outermost first.
pub(super) fn kinds(verdict: &Verdict) -> Vec<String> {
    let layers = verdict.layers.iter().map(|layer| match layer {
        Layer::Encrypted(encryption) => encryption.cipher.clone(),
        Layer::Compressed => "zlib".to_owned(),
        Layer::Signed { result, .. } => format!("signed {result}"),
    });
    layers.collect()
}

#[test]
fn every_layer_is_reported() {
    let bob = keys(&[&PEOPLE.bob]);
    let profile = profile(Form::Clear);
    let seal = |mail: &Message| encrypted(mail, &[&PEOPLE.bob], &profile);
    for form in [Form::Clear, Form::Opaque] {
        let sign = |mail: &Message| {
            message(sign(mail, &*PEOPLE.alice, &super::profile(form), now()).unwrap())
        };
        let plain = message(MAIL);
        let aes = "AES-256-CBC";
        let pass = "signed pass";
        for (mail, layers, result) in [
            (seal(&plain), vec![aes], VerdictResult::None),
            (seal(&sign(&plain)), vec![aes, pass], VerdictResult::Pass),
            (sign(&seal(&plain)), vec![pass, aes], VerdictResult::Neutral),
            (
                sign(&seal(&sign(&plain))),
                vec![pass, aes, pass],
                VerdictResult::Pass,
            ),
            (
                seal(&seal(&sign(&plain))),
                vec![aes, aes, pass],
                VerdictResult::Pass,
            ),
        ] {
            let opened = opened(&mail, &bob);
            let verdict = opened.verify(&PEOPLE.trust(), now());
            assert_eq!(kinds(&verdict), layers);
            assert_eq!(verdict.result, result, "{layers:?}");
            let leaves: Vec<_> = contents(&opened.message).into_iter().take(2).collect();
            if form == Form::Clear {
                assert_eq!(leaves, contents(&plain));
            }
            let other = open(&mail, &keys(&[&PEOPLE.carol])).unwrap_err();
            assert!(matches!(other, Closed::NoKey { .. }), "{layers:?}: {other}");
        }
        let only = judge(&sign(&plain));
        assert_eq!(kinds(&only), [pass]);
        assert_eq!(only.covered, Coverage::Content);
    }
}

#[test]
fn what_stays_closed_says_why() {
    let mail = encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear));
    let text = open(&mail, &keys(&[&PEOPLE.carol]))
        .unwrap_err()
        .to_string();
    let serial = PEOPLE.bob.certificate.serial().to_uppercase();
    let is_named = text.starts_with("no key for serial ") && text.contains("of issuer CN=Test");
    assert!(is_named && text.contains(&serial), "{text} {serial}");

    let inner = b"Content-Type: text/plain\r\n\r\nHi\r\n";
    let weak = sealed_bytes("weak.txt", inner, "-des3");
    let bob = keys(&[&PEOPLE.bob]);
    let closed = decrypt(&weak, &bob, &DecryptOptions::default()).unwrap_err();
    assert!(matches!(closed, Closed::Weak(_)), "{closed}");
    assert_eq!(closed.reason(), Some(Reason::Weak));
    let opened = opened(&weak, &bob);
    assert!(opened.encryptions().all(|layer| layer.is_weak));

    let camellia = sealed_bytes("unsupported.txt", inner, "-camellia128");
    let closed = open(&camellia, &bob).unwrap_err();
    assert_eq!(closed.reason(), Some(Reason::Unsupported));
    assert!(
        closed.to_string().starts_with("unsupported: 1.2."),
        "{closed}"
    );
    let verdict = judge(&camellia).of_closed(closed);
    assert_eq!(verdict.reason, Some(Reason::Unsupported));
    let field = String::from_utf8(verdict_field(&verdict)).unwrap();
    assert!(
        field.contains("not decrypted: unsupported: 1.2."),
        "{field}"
    );
}

#[test]
fn encryption_alone_proves_nothing_and_says_so() {
    let inner = b"Content-Type: text/plain\r\n\r\nHi\r\n";
    for (cipher, reason) in [
        ("-aes256", Some(Reason::Unauthenticated)),
        ("-aes-256-gcm", None),
    ] {
        let opened = opened(&sealed_bytes(cipher, inner, cipher), &keys(&[&PEOPLE.bob]));
        let verdict = opened.verify(&PEOPLE.trust(), now());
        assert_eq!(
            (verdict.result, verdict.reason),
            (VerdictResult::None, reason)
        );
    }
}

#[test]
fn a_verdict_is_written_as_json() {
    let mail = encrypted(
        &signed(MAIL, Form::Clear),
        &[&PEOPLE.bob],
        &profile(Form::Clear),
    );
    let verdict = opened(&mail, &keys(&[&PEOPLE.bob])).verify(&PEOPLE.trust(), now());
    let json = serde_json::to_value(&verdict).unwrap();
    for (pointer, expected) in [
        ("/result", "pass"),
        ("/signer", "Alice@example.org"),
        ("/covered", "content"),
        ("/certificate/addresses/0", "alice@example.org"),
        ("/signers/0/named_as", "from"),
        ("/signers/0/certificate/subject", "CN=alice"),
        ("/layers/0/kind", "encrypted"),
        ("/layers/0/cipher", "AES-256-CBC"),
        ("/layers/1/kind", "signed"),
        ("/layers/1/result", "pass"),
    ] {
        assert_eq!(
            json.pointer(pointer).unwrap(),
            expected,
            "{pointer} {json:#}"
        );
    }
    assert!(
        json.pointer("/signers/0/report/signing_time")
            .unwrap()
            .is_string()
    );
    assert_eq!(json.pointer("/layers/0/authenticated").unwrap(), false);
    let chain = json
        .pointer("/signers/0/chain")
        .unwrap()
        .as_array()
        .unwrap();
    assert_eq!(chain.len(), 1, "the anchor alone is above");
}
