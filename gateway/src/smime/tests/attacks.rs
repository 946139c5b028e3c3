//! Mail that was made to be taken for something it is not.

use policy::mutation::mutations;

use super::people::{openssl, text};
use super::*;
use crate::message::with_crlf;

fn refused(content: impl Into<Vec<u8>>) -> (VerdictResult, Option<Reason>) {
    let verdict = judge(&message(content));
    assert_eq!(verdict.signer, None, "nobody signed it");
    (verdict.result, verdict.reason)
}

/// A mail signed by Alice, as text to tamper with.
fn clear() -> String {
    String::from_utf8(signed(MAIL, Form::Clear).content().to_vec()).unwrap()
}

#[test]
fn the_signer_has_to_be_the_one_in_from() {
    let mail = clear();
    let from = "from: Alice <Alice@example.org>";
    for (replacement, expected) in [
        (
            "From: bob@example.org",
            (VerdictResult::Fail, Some(Reason::AddressMismatch)),
        ),
        (
            "From: bob@example.org\r\nSender: alice@example.org",
            (VerdictResult::Fail, Some(Reason::AddressMismatch)),
        ),
        (
            "From: \"alice@example.org\" <bob@example.org>",
            (VerdictResult::Fail, Some(Reason::AddressMismatch)),
        ),
        ("From: alice@example.org (bob)", (VerdictResult::Pass, None)),
        (
            "From: bob@example.org\r\nFrom: alice@example.org",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        (
            "From: alice@example.org, bob@example.org",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        (
            "From: alice@example.org <bob@example.org>",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        (
            "From: \r\n \t\r\n alice@example.org",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        (
            "X-From: alice@example.org",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        (
            "Sender: alice@example.org",
            (VerdictResult::PermError, Some(Reason::Ambiguous)),
        ),
        ("From: alice @example.org", (VerdictResult::Pass, None)),
    ] {
        let verdict = judge(&message(mail.replace(from, replacement)));
        assert_eq!((verdict.result, verdict.reason), expected, "{replacement}");
    }
}

#[test]
fn a_changed_content_is_altered() {
    let mail = clear();
    let altered = (VerdictResult::Fail, Some(Reason::Altered));
    assert_eq!(refused(mail.replace("=C3=B6ln", "ulm")), altered);
    assert_eq!(refused(mail.replace("AAEC\r\n", "AAED\r\n")), altered);
    assert_eq!(
        refused(mail.replace("--b--\r\n\r\n--=_p", "--b--\r\n\r\n\r\n--=_p")),
        altered
    );
}

#[test]
fn headers_that_readers_take_differently_are_ambiguous() {
    let mail = clear();
    let ambiguous = (VerdictResult::PermError, Some(Reason::Ambiguous));
    // The last Content-Type is the signature's: a reader of the first shows something else.
    for addition in ["Content-Type: text/html", "MIME-Version: 1.1", "garbage"] {
        assert_eq!(
            refused(mail.replace("X-Odd :  spaces ", addition)),
            ambiguous,
            "{addition}"
        );
    }
    let repeated = mail.replace("; boundary=\"=_", "; boundary=evil; boundary=\"=_");
    assert_eq!(refused(repeated), ambiguous);
}

#[test]
fn a_signed_part_does_not_sign_the_whole() {
    let mail = clear();
    let (_, entity) = mail.split_once("MIME-Version: 1.0\r\n").unwrap();
    let partly = (VerdictResult::Neutral, Some(Reason::PartlySigned));
    let around = |inner: &str| {
        format!(
            "From: alice@example.org\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n\
             --o\r\nContent-Type: text/html\r\n\r\n<p>Pay Mallory</p>\r\n--o\r\n{inner}\r\n--o--\r\n"
        )
    };
    assert_eq!(refused(around(entity)), partly);
    let opaque = signed(MAIL, Form::Opaque);
    let opaque = String::from_utf8(opaque.content().to_vec()).unwrap();
    let (_, opaque) = opaque.split_once("MIME-Version: 1.0\r\n").unwrap();
    assert_eq!(refused(around(opaque)), partly);
    let attached = format!("Content-Type: message/rfc822\r\n\r\n{mail}");
    assert_eq!(refused(around(&attached)), (VerdictResult::None, None));
}

#[test]
fn multipart_signed_has_two_parts_and_whole_boundaries() {
    let mail = clear();
    let boundary = mail
        .split_once("boundary=\"=_")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let delimiter = format!("\r\n--=_{boundary}");
    let malformed = (VerdictResult::PermError, Some(Reason::Malformed));
    let third = format!("{delimiter}\r\nContent-Type: text/html\r\n\r\nPay Mallory{delimiter}--");
    assert_eq!(
        refused(mail.replace(&format!("{delimiter}--"), &third)),
        malformed
    );
    assert_eq!(
        refused(mail.replace(&format!("{delimiter}--"), "")),
        malformed
    );
    let first = format!("{delimiter}\r\nContent-Type: text/html\r\n\r\nPay Mallory{delimiter}\r\n");
    assert_eq!(
        refused(mail.replacen(&format!("{delimiter}\r\n"), &first, 1)),
        malformed
    );
    assert_eq!(
        refused(mail.replace(
            "Content-Type: application/pkcs7-signature",
            "Content-Type: text/plain"
        )),
        malformed
    );
    assert_eq!(
        refused(mail.replace("pkcs7-signature", "pgp-signature")),
        (VerdictResult::None, None)
    );
}

#[test]
fn content_inside_the_signature_beside_other_content_is_malformed() {
    let content = PEOPLE.file("inside.txt", b"Content-Type: text/plain\r\n\r\nsigned\r\n");
    let (certificate, key) = (
        text(&PEOPLE.alice.certificate_file),
        text(&PEOPLE.alice.key_file),
    );
    let signature = openssl(&[
        "cms",
        "-sign",
        "-in",
        text(&content),
        "-signer",
        certificate,
        "-inkey",
        key,
        "-nodetach",
        "-binary",
        "-outform",
        "DER",
    ]);
    let signature = encodify::base64::MIME.encode(&signature);
    for shown in ["signed", "Pay Mallory"] {
        let mail = format!(
            "From: alice@example.org\r\nContent-Type: multipart/signed; boundary=b;\r\n \
             protocol=\"application/pkcs7-signature\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{shown}\r\n\r\n\
             --b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             {signature}\r\n--b--\r\n"
        );
        assert_eq!(
            refused(mail),
            (VerdictResult::PermError, Some(Reason::Malformed))
        );
    }
}

#[test]
fn certificates_alone_sign_nothing() {
    let bundle = encodify::base64::MIME.encode(alices_certificate_alone());
    let opaque = format!(
        "From: alice@example.org\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{bundle}"
    );
    assert!(ClientForm::of(&message(opaque.clone())) != ClientForm::Signed);
    assert_eq!(refused(opaque), (VerdictResult::None, None));
    let mail = clear();
    let start = mail.find("MII").unwrap();
    let end = start + mail.get(start..).unwrap().find("\r\n\r\n").unwrap() + 2;
    let detached = mail.replace(mail.get(start..end).unwrap(), &bundle);
    assert_eq!(
        refused(detached),
        (VerdictResult::PermError, Some(Reason::Malformed))
    );
}

#[test]
fn an_expired_or_unknown_certificate_has_its_reason() {
    let mail = MAIL.replace("Alice@", "expired@");
    let mail = message(
        sign(
            &message(mail),
            &*PEOPLE.expired,
            &profile(Form::Clear),
            now(),
        )
        .unwrap(),
    );
    assert_eq!(judge(&mail).reason, Some(Reason::Expired));
    let nobody = people::trust_in(&PEOPLE.bob.certificate);
    let verdict = verify(&signed(MAIL, Form::Opaque), &nobody, now());
    assert_eq!(
        (verdict.result, verdict.reason),
        (VerdictResult::Fail, Some(Reason::Untrusted))
    );
}

/// A mail from Alice, signed by openssl with these options.
pub(super) fn signed_with(options: &[&str]) -> String {
    let content = PEOPLE.file("signed-with.txt", b"Content-Type: text/plain\r\n\r\nHi\r\n");
    let start = [
        "cms",
        "-sign",
        "-crlfeol",
        "-from",
        "alice@example.org",
        "-in",
        text(&content),
    ];
    let mail = with_crlf(&openssl(&[&start, options].concat())).into_owned();
    String::from_utf8(mail).unwrap()
}

#[test]
fn one_good_signer_is_enough_and_one_broken_signature_spoils_all() {
    let key = |person: &'static Person| {
        [
            "-signer",
            text(&person.certificate_file),
            "-inkey",
            text(&person.key_file),
        ]
    };
    let both = [key(&PEOPLE.bob), key(&PEOPLE.alice)].concat();
    let mail = signed_with(&both);
    let verdict = judge(&message(mail.clone()));
    assert_eq!(
        (verdict.result, verdict.signer),
        (
            VerdictResult::Pass,
            Address::parse("alice@example.org").ok()
        )
    );
    let certificate = verdict.certificate.unwrap();
    assert_eq!(certificate.sha256(), PEOPLE.alice.certificate.sha256());
    let of_carol = mail.replace("From: alice@", "From: carol@");
    assert_eq!(
        refused(of_carol),
        (VerdictResult::Fail, Some(Reason::AddressMismatch))
    );
    let altered = mail.replace("\r\nHi\r\n", "\r\nHo\r\n");
    assert_eq!(
        refused(altered),
        (VerdictResult::Fail, Some(Reason::Altered))
    );
}

#[test]
fn a_weak_digest_or_a_missing_certificate_is_no_pass() {
    let alice = [
        "-signer",
        text(&PEOPLE.alice.certificate_file),
        "-inkey",
        text(&PEOPLE.alice.key_file),
    ];
    let weak = signed_with(&[&alice[..], &["-md", "sha1"]].concat());
    assert_eq!(refused(weak), (VerdictResult::Policy, Some(Reason::Weak)));
    let bare = signed_with(&[&alice[..], &["-nocerts"]].concat());
    assert_eq!(
        refused(bare),
        (VerdictResult::Neutral, Some(Reason::Untrusted))
    );
}

#[test]
fn signed_ciphertext_is_not_signed_content() {
    let sealed = encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear));
    for form in [Form::Clear, Form::Opaque] {
        let mail = sign(&sealed, &*PEOPLE.alice, &profile(form), now()).unwrap();
        assert_eq!(
            refused(mail.clone()),
            (VerdictResult::Neutral, Some(Reason::PartlySigned))
        );
        let opened = opened(&message(mail), &keys(&[&PEOPLE.bob]));
        let verdict = opened.verify(&PEOPLE.trust(), now());
        assert_eq!(
            (verdict.result, verdict.reason, verdict.signer),
            (VerdictResult::Neutral, Some(Reason::PartlySigned), None)
        );
    }
}

#[test]
fn only_a_whole_encrypted_message_of_one_sender_is_opened() {
    let sealed = encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear));
    let sealed = String::from_utf8(sealed.content().to_vec()).unwrap();
    let bob = keys(&[&PEOPLE.bob]);
    let (_, entity) = sealed.split_once("MIME-Version: 1.0\r\n").unwrap();
    let joined = format!(
        "From: alice@example.org\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n\
         --o\r\nContent-Type: text/html\r\n\r\n<img src=\"http://mallory.example/\r\n--o\r\n{entity}\r\n--o--\r\n"
    );
    assert!(open(&message(joined), &bob).unwrap().is_none());
    for replacement in [
        "From: alice@example.org\r\nFrom: bob@example.org",
        "X-From: alice@example.org",
        "From: alice@example.org\r\nContent-Type: text/plain",
    ] {
        let content = sealed.replace("from: Alice <Alice@example.org>", replacement);
        let outcome = open(&message(content), &bob).unwrap_err();
        assert!(
            matches!(outcome, Closed::Ambiguous(_)),
            "{replacement}: {outcome}"
        );
    }
    let claimed = "From: a@example.org\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA\r\n";
    assert!(matches!(
        open(&message(claimed), &bob).unwrap_err(),
        Closed::Malformed(_)
    ));
    assert!(!ClientForm::of(&message(claimed)).is_encrypted_to(&trusted(&PEOPLE.bob)));
}

/// Encrypts these bytes to Bob as they are.
pub(super) fn sealed_bytes(name: &str, content: &[u8], cipher: &str) -> Message {
    let file = PEOPLE.file(name, content);
    let mail = openssl(&[
        "cms",
        "-encrypt",
        "-binary",
        "-in",
        text(&file),
        cipher,
        "-from",
        "a@example.org",
        "-subject",
        "outer",
        "-recip",
        text(&PEOPLE.bob.certificate_file),
    ]);
    message(with_crlf(&mail).into_owned())
}

#[test]
fn fields_within_the_encryption_prove_nothing() {
    let inner = b"From: ceo@example.org\r\nSubject: inner\r\nX-Postern-Verdict: pass\r\n\
                  Content-Type: text/plain\r\nContent-Language: en\r\n\r\nHi\n";
    let mail = sealed_bytes("inner.txt", inner, "-aes256");
    let opened = opened(&mail, &keys(&[&PEOPLE.bob])).reveal(true).message;
    let names: Vec<_> = opened
        .fields()
        .map(|field| field.name.escape_ascii().to_string())
        .collect();
    assert_eq!(
        names,
        [
            "From",
            "Subject",
            "MIME-Version",
            "Content-Type",
            "Content-Language"
        ]
    );
    assert_eq!(opened.subject().as_deref(), Some("outer"));
    assert_eq!(opened.body(), b"Hi\r\n");
}

#[test]
fn plaintext_that_is_no_entity_stays_closed() {
    for (name, content) in [
        ("text", &b"just text\r\n"[..]),
        ("no-type", b"X: y\r\n\r\ntext"),
        (
            "gadget",
            b"Content-Type: text/html\r\nX: \x93\xf1\x00\r\n\r\ntext",
        ),
        ("no-body", b"Content-Type: text/plain\r\n"),
        (
            "twice",
            b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\ntext",
        ),
        ("empty", b""),
    ] {
        let mail = sealed_bytes(name, content, "-aes256");
        let outcome = open(&mail, &keys(&[&PEOPLE.bob])).unwrap_err();
        assert_eq!(outcome, Closed::Undecryptable, "{name}");
    }
}

#[test]
fn an_ambiguous_message_is_not_signed() {
    let mail = message(MAIL.replace("X-Odd :", "Content-Type:"));
    let failure = sign(&mail, &*PEOPLE.alice, &profile(Form::Clear), now());
    assert_eq!(failure, Err(SmimeFailure::Ambiguous));
}

#[test]
fn what_may_be_body_is_never_left_outside_the_encryption() {
    let to = [trusted(&PEOPLE.bob)];
    for content in [
        "From: alice@example.org\r\nthe secret\r\n",
        "From: alice@example.org\r\n \r\nthe: secret\r\n\r\nbody\r\n",
        "the secret\r\n",
    ] {
        let failure = encrypt(&message(content), &to, &profile(Form::Clear));
        assert_eq!(failure, Err(SmimeFailure::Ambiguous), "{content:?}");
    }
    for content in [
        "\r\nthe secret\r\n",
        "From: a@b.example\r\n\r\nthe secret\r\n",
    ] {
        let mail = encrypt(&message(content), &to, &profile(Form::Clear)).unwrap();
        assert!(memchr::memmem::find(&mail, b"secret").is_none());
    }
}

#[test]
fn no_mutation_passes_with_another_content_or_panics() {
    let trust = PEOPLE.trust();
    let bob = keys(&[&PEOPLE.bob]);
    let original = contents(&signed(MAIL, Form::Clear))
        .into_iter()
        .take(2)
        .collect::<Vec<_>>();
    let seeds = [
        signed(MAIL, Form::Clear),
        signed(MAIL, Form::Opaque),
        encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear)),
    ]
    .map(|mail| mail.content().clone());
    for content in mutations(&seeds).take(1_200) {
        let Ok(mail) = Message::parse(content.into()) else {
            continue;
        };
        let verdict = verify(&mail, &trust, now());
        if verdict.result == VerdictResult::Pass && mail.content_type().is("multipart", "signed") {
            assert_eq!(
                contents(&mail).into_iter().take(2).collect::<Vec<_>>(),
                original
            );
        }
        if let Ok(Some(opened)) = open(&mail, &bob) {
            let verdict = opened.verify(&trust, now());
            assert_ne!(verdict.result, VerdictResult::Pass);
            let revealed = opened.reveal(false);
            assert!(revealed.message.content().len() < 2 * mail.content().len());
        }
        assert!(verdict_field(&verdict).ends_with(b"\r\n"));
        assert!(authentication_results("gw.example.org", &verdict).ends_with(b"\r\n"));
    }
}
