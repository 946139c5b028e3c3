//! Compressed mail: in every place where it may stand, and more of it than there should be.

use certstore::cms::compress;

use super::forms::kinds;
use super::*;

const HTML: &[u8] = b"Content-Type: text/html\r\n\r\n<p>Hi</p>\r\n";

/// The mail with its content compressed.
fn compressed(mail: &Message) -> Message {
    packed_entity(&Entity::as_written(mail))
}

/// A mail by alice that says nothing but these bytes, compressed.
fn packed(entity: &[u8]) -> Message {
    packed_entity(&Entity::ready(entity.to_vec()))
}

fn packed_entity(entity: &Entity<'_>) -> Message {
    message(with_entity(
        &[],
        &message("From: alice@example.org\r\n\r\n"),
        &compress_entity(entity).unwrap(),
    ))
}

fn sign_as(form: Form, mail: &Message) -> Message {
    message(sign(mail, &*PEOPLE.alice, &profile(form), now()).unwrap())
}

fn seal(mail: &Message) -> Message {
    encrypted(mail, &[&PEOPLE.bob], &profile(Form::Clear))
}

#[test]
fn what_is_compressed_within_encryption_is_unpacked() {
    let plain = message(MAIL);
    let (aes, zlib, pass) = ("AES-256-CBC", "zlib", "signed pass");
    for form in [Form::Clear, Form::Opaque] {
        let sign = |mail: &Message| sign_as(form, mail);
        for (mail, layers) in [
            (seal(&compressed(&plain)), vec![aes, zlib]),
            (seal(&compressed(&sign(&plain))), vec![aes, zlib, pass]),
            (compressed(&seal(&sign(&plain))), vec![zlib, aes, pass]),
            (
                seal(&compressed(&compressed(&plain))),
                vec![aes, zlib, zlib],
            ),
            (
                sign(&seal(&compressed(&sign(&plain)))),
                vec![pass, aes, zlib, pass],
            ),
        ] {
            let opened = opened(&mail, &keys(&[&PEOPLE.bob]));
            let verdict = opened.verify(&PEOPLE.trust(), now());
            assert_eq!(kinds(&verdict), layers);
            let is_signed = layers.last() == Some(&pass);
            assert_eq!(
                verdict.result == VerdictResult::Pass,
                is_signed,
                "{layers:?}"
            );
            if !is_signed || form == Form::Clear {
                let expected = contents(&plain);
                assert_eq!(contents(&opened.message)[..2], expected[..2], "{layers:?}");
            }
        }
    }
}

#[test]
fn a_signature_within_compression_counts_and_the_mail_stays() {
    for form in [Form::Clear, Form::Opaque] {
        let mail = compressed(&sign_as(form, &message(MAIL)));
        assert!(open(&mail, &keys(&[&PEOPLE.bob])).unwrap().is_none());
        let verdict = judge(&mail);
        assert_eq!(verdict.result, VerdictResult::Pass, "{}", verdict.text);
        assert_eq!(kinds(&verdict), ["zlib", "signed pass"]);
        assert_eq!(verdict.part, Some("1"));
        let by_bob = String::from_utf8(mail.content().to_vec()).unwrap();
        let by_bob = message(by_bob.replacen("alice@", "bob@", 1));
        assert_eq!(judge(&by_bob).reason, Some(Reason::AddressMismatch));
    }
    let thrice = compressed(&compressed(&compressed(&signed(MAIL, Form::Clear))));
    assert_eq!(judge(&thrice).result, VerdictResult::None);
}

#[test]
fn what_is_compressed_within_a_signature_keeps_its_bytes() {
    for form in [Form::Clear, Form::Opaque] {
        let mail = sign_as(form, &compressed(&message(MAIL)));
        let verdict = judge(&mail);
        assert_eq!(verdict.result, VerdictResult::Pass, "{}", verdict.text);
        let opened = opened(&seal(&mail), &keys(&[&PEOPLE.bob]));
        assert_eq!(opened.message.body(), mail.body());
        // Compressed or not: whoever signs ciphertext need not know what it says.
        let blind = judge(&sign_as(form, &compressed(&seal(&message(MAIL)))));
        assert_eq!(blind.reason, Some(Reason::PartlySigned));
    }
}

#[test]
fn header_fields_are_restored_from_what_was_compressed() {
    let entity = "Content-Type: text/plain; hp=\"cipher\"\r\nFrom: alice@example.org\r\nSubject: the plan\r\n\
                  HP-Outer: Subject: [...]\r\nHP-Outer: From: alice@example.org\r\n\r\nHi\r\n";
    let mail = packed(entity.as_bytes());
    let mail = opened(&seal(&mail), &keys(&[&PEOPLE.bob])).reveal(false);
    assert_eq!(mail.message.subject().as_deref(), Some("the plan"));
}

#[test]
fn what_cannot_be_unpacked_stays_and_says_why() {
    let cut = |bytes: &[u8]| bytes.get(..bytes.len() - 9).unwrap().to_vec();
    let as_mail = |cms: &[u8]| {
        let head = "From: alice@example.org\r\nContent-Type: application/pkcs7-mime; \
                    smime-type=compressed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        message(head.to_owned() + &encodify::base64::MIME.encode(cms))
    };
    let mut damaged = compress(HTML).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let mut other = compress(HTML).unwrap();
    let zlib = [0x09, 0x10, 0x03, 0x08];
    let place = memchr::memmem::find(&other, &zlib).unwrap();
    other[place + 3] = 9;
    let bomb = vec![b'a'; 8 << 20];
    for (mail, reason, text) in [
        (
            packed(&bomb),
            Reason::Malformed,
            "the content unpacks to more than 1048576 bytes",
        ),
        (
            packed(b"no blank line"),
            Reason::Malformed,
            "there is no MIME content in what is compressed",
        ),
        (
            as_mail(&damaged),
            Reason::Malformed,
            "the compressed content is damaged",
        ),
        (as_mail(&cut(&damaged)), Reason::Malformed, ""),
        (
            as_mail(&other),
            Reason::Unsupported,
            "unsupported: 1.2.840.113549.1.9.16.3.9",
        ),
    ] {
        let verdict = judge(&mail);
        assert_eq!(
            (verdict.reason, verdict.signer.clone()),
            (Some(reason), None)
        );
        assert!(verdict.text.starts_with(text), "{}", verdict.text);
        assert!(
            open(&mail, &keys(&[&PEOPLE.bob])).is_ok_and(|opened| opened.is_none())
                || text.is_empty()
        );
        if !text.is_empty() {
            let opened = opened(&seal(&mail), &keys(&[&PEOPLE.bob]));
            assert_eq!(opened.message.body(), mail.body());
            assert_eq!(opened.verify(&PEOPLE.trust(), now()).reason, Some(reason));
        }
    }
}
