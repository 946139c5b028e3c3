//! Header fields are put under protection as RFC 9788 says, and come back.

use policy::mutation::mutations;

use super::super::headers::{HeaderPolicy, HeaderProtection, protect};
use super::protected::sealed;
use super::*;
use crate::message::tests::corpus;
use crate::message::with_crlf;

const SHY: HeaderProtection = protection(HeaderPolicy::Shy, true);
const BASELINE: HeaderProtection = protection(HeaderPolicy::Baseline, false);

const fn protection(policy: HeaderPolicy, legacy_display: bool) -> HeaderProtection {
    HeaderProtection {
        policy,
        legacy_display,
    }
}

/// Unfolded header lines, and the body.
pub(super) fn lines(entity: &Message) -> (Vec<String>, String) {
    let lines = entity.fields().map(|field| {
        let name = field.name.escape_ascii();
        let value = field.decoded().replace('\t', " ");
        format!("{name}: {value}")
    });
    (
        lines.collect(),
        String::from_utf8(entity.body().to_vec()).unwrap(),
    )
}

fn protected(mail: &Message, how: HeaderProtection, is_encrypted: bool) -> (Message, Message) {
    let protected = protect(mail, &how, is_encrypted).unwrap().unwrap();
    let mut entity = Vec::new();
    protected.for_transport().append_to(&mut entity);
    let mut written = Vec::new();
    protected.as_written().append_to(&mut written);
    assert_eq!(entity.len(), protected.for_transport().len());
    assert!(message(written).content_type().parameter("hp").is_some());
    (message(entity), protected.outer().clone())
}

const LETTER: &str = "Received: by x; Mon, 1 Jan 2024 00:00:00 +0000\r\n\
    From: Alice <alice@example.org>\r\nTo: Bob\r\n <bob@example.org>\r\nBcc: hidden@example.org\r\n\
    Subject: Plans\r\nKeywords: secret\r\nDate: Sat, 20 Feb 2021 10:13:02 -0500\r\nMIME-Version: 1.0\r\n\
    Message-ID: <1@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHi\r\n";

#[test]
fn a_signed_message_has_every_field_inside_and_outside() {
    let mail = message(LETTER);
    for how in [SHY, BASELINE] {
        let (entity, outer) = protected(&mail, how, false);
        let (inside, body) = lines(&entity);
        let expected = [
            "From: Alice <alice@example.org>",
            "To: Bob <bob@example.org>",
            "Subject: Plans",
            "Keywords: secret",
            "Date: Sat, 20 Feb 2021 10:13:02 -0500",
            "Message-ID: <1@example.org>",
            "Content-Type: text/plain; charset=utf-8; hp=\"clear\"",
        ];
        assert_eq!(inside, expected);
        assert_eq!(body, "Hi\r\n");
        assert_eq!(outer.header_block(), mail.header_block());
    }
}

#[test]
fn an_encrypted_message_tells_inside_what_stands_outside() {
    let mail = message(LETTER);
    let common = |from: &str, to: &str, date: &str| {
        vec![
            format!("From: {from}"),
            format!("To: {to}"),
            "Subject: [...]".to_owned(),
            format!("Date: {date}"),
            "Message-ID: <1@example.org>".to_owned(),
        ]
    };
    let date = "Sat, 20 Feb 2021 10:13:02 -0500";
    let utc = "Sat, 20 Feb 2021 15:13:02 +0000";
    let (from, to) = ("Alice <alice@example.org>", "Bob <bob@example.org>");
    for (how, expected) in [
        (BASELINE, common(from, to, date)),
        (SHY, common("alice@example.org", "bob@example.org", utc)),
    ] {
        let (entity, outer) = protected(&mail, how, true);
        let (inside, _) = lines(&entity);
        let told: Vec<_> = inside
            .iter()
            .filter_map(|line| line.strip_prefix("HP-Outer: "))
            .collect();
        assert_eq!(told, expected);
        let (outside, _) = lines(&outer);
        let of_the_way = ["Received", "Bcc", "MIME-Version", "Content-Type"];
        let written: Vec<_> = outside
            .iter()
            .filter(|line| !of_the_way.iter().any(|name| line.starts_with(name)))
            .collect();
        assert_eq!(written, expected.iter().collect::<Vec<_>>());
        assert!(inside.contains(&"Subject: Plans".to_owned()), "{inside:?}");
        assert!(
            inside.contains(&"Keywords: secret".to_owned()),
            "{inside:?}"
        );
        assert!(
            !inside.iter().any(|line| line.contains("hidden@")),
            "{inside:?}"
        );
        assert_eq!(entity.content_type().parameter("hp"), Some("cipher"));
    }
    let none = protection(HeaderPolicy::None, true);
    let (entity, outer) = protected(&mail, none, true);
    assert_eq!(outer.header_block(), mail.header_block());
    assert_eq!(
        entity.body(),
        b"Hi\r\n",
        "nothing is hidden, so nothing is shown twice"
    );
}

#[test]
fn parts_keep_their_bytes() {
    let mail = message(MAIL);
    let (entity, _) = protected(&mail, BASELINE, true);
    assert_eq!(contents(&entity), contents(&mail));
    let mut unprotected = Vec::new();
    Entity::for_transport(&mail).append_to(&mut unprotected);
    assert_eq!(entity.body(), message(unprotected).body());
}

#[test]
fn what_is_protected_already_or_ambiguous_is_left_alone() {
    let sealed = encrypted(&message(MAIL), &[&PEOPLE.bob], &profile(Form::Clear));
    for mail in [
        signed(MAIL, Form::Clear),
        signed(MAIL, Form::Opaque),
        sealed,
        message(MAIL.replace("X-Odd :", "Content-Type:")),
    ] {
        assert!(protect(&mail, &BASELINE, true).unwrap().is_none());
    }
}

#[test]
fn a_clients_own_marks_do_not_count() {
    let mail = LETTER
        .replace("charset=utf-8", "HP=clear; charset=utf-8")
        .replace("Keywords:", "HP-Outer: Subject: x\r\nKeywords:");
    let (entity, _) = protected(&message(mail), BASELINE, true);
    let (inside, _) = lines(&entity);
    assert!(
        !inside.contains(&"HP-Outer: Subject: x".to_owned()),
        "{inside:?}"
    );
    assert_eq!(entity.content_type().parameter("hp"), Some("cipher"));
    assert!(!entity.is_ambiguous());
}

/// The message of RFC 9788, appendix C.3, before it was protected, becomes the payload that is printed there.
#[test]
fn the_payload_of_the_standard_is_made() {
    let Some(folder) = corpus("rfc9788") else {
        return;
    };
    let payload = std::fs::read(folder.join("expected-payload.eml")).unwrap();
    let payload = message(with_crlf(&payload).into_owned());
    let (mut expected, body) = lines(&payload);
    let (_, text) = body.split_once("\r\n\r\n").unwrap();
    let mut original: Vec<String> = expected.clone();
    original.retain(|line| !line.starts_with("HP-Outer") && !line.starts_with("Content-Type"));
    let original = format!(
        "{}\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\n{text}",
        original.join("\r\n")
    );
    let (entity, _) = protected(&message(original), SHY, true);
    let (mut inside, made) = lines(&entity);
    assert_eq!(made, body);
    // The standard's example writes it inside too, where it says nothing.
    expected.retain(|line| !line.starts_with("MIME-Version"));
    expected.sort();
    inside.sort();
    assert_eq!(inside, expected);
}

#[test]
fn what_we_protect_comes_back() {
    let mail = message(LETTER);
    for how in [SHY, BASELINE, protection(HeaderPolicy::None, false)] {
        let (entity, outer) = protected(&mail, how, true);
        let header = [outer.header_block(), b""].concat();
        let header = String::from_utf8(header).unwrap();
        let header = header.replace("Content-Type: text/plain; charset=utf-8\r\n", "");
        let header = header.replace("MIME-Version: 1.0\r\n", "");
        let sealed = sealed(&header, entity.content(), true, true);
        let opened = opened(&sealed, &keys(&[&PEOPLE.bob]));
        let verdict = opened.verify(&PEOPLE.trust(), now());
        assert_eq!(verdict.result, VerdictResult::Pass, "{}", verdict.text);
        assert_eq!(verdict.text, "");
        let revealed = opened.reveal(true).message;
        for name in ["From", "To", "Subject", "Keywords", "Date", "Message-ID"] {
            let of = |mail: &Message| {
                mail.fields_named(name)
                    .map(|f| f.raw.to_vec())
                    .collect::<Vec<_>>()
            };
            assert_eq!(of(&revealed), of(&mail), "{name} {how:?}");
        }
    }
}

#[test]
fn no_mutation_panics() {
    let seeds = [LETTER, MAIL].map(|mail| mail.as_bytes().to_vec());
    for content in mutations(&seeds).take(2_000) {
        let Ok(mail) = Message::parse(content.into()) else {
            continue;
        };
        for is_encrypted in [true, false] {
            if let Ok(Some(protected)) = protect(&mail, &SHY, is_encrypted) {
                let most = 4 * mail.content().len() + 10_000;
                assert!(protected.for_transport().len() < most);
            }
        }
    }
}
