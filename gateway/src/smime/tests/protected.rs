//! Protected header fields are believed only where they may be.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::headers::HeaderScheme;
use super::attacks::sealed_bytes;
use super::headers::lines;
use super::people::{certificate_of, openssl, text, trust_in};
use super::*;
use crate::message::tests::corpus;
use crate::message::with_crlf;

/// A person of RFC 9216 who decrypts, and the trust in who vouches for him.
fn lamps(folder: &Path) -> (Arc<Person>, certstore::trust::Trust) {
    let keys = folder.with_file_name("rfc9216-keys");
    let bob = Person::from_files(keys.join("bob.encrypt.crt"), keys.join("bob.decrypt.key"));
    (
        Arc::new(bob),
        trust_in(&certificate_of(&keys.join("ca-rsa.crt"))),
    )
}

fn example(folder: &Path, name: &str) -> Message {
    let content = std::fs::read(folder.join(name)).unwrap();
    message(with_crlf(&content).into_owned())
}

#[test]
fn the_encrypted_examples_of_the_standard_get_their_header_back() {
    let Some(folder) = corpus("rfc9788") else {
        return;
    };
    let (bob, trust) = lamps(&folder);
    for name in ["cbc", "gcm"] {
        let name = format!("smime-signed-enc-hp-shy-legacy.{name}.eml");
        let opened = opened(&example(&folder, &name), &keys(&[&bob]));
        let verdict = opened.verify(&trust, now());
        assert_eq!(verdict.result, VerdictResult::Pass, "{}", verdict.text);
        assert_eq!(verdict.covered, Coverage::HeadersAndContent);
        let report = verdict.headers.unwrap();
        assert_eq!((report.scheme, report.changed), (HeaderScheme::Hp, vec![]));
        let revealed = opened.clone().reveal(true);
        assert_eq!(revealed.fields, ["Subject", "To", "Date", "From"]);
        let (header, _) = lines(&revealed.message);
        for line in [
            "Subject: smime-signed-enc-hp-shy-legacy",
            "From: Alice <alice@smime.example>",
            "To: Bob <bob@smime.example>",
            "Date: Sat, 20 Feb 2021 10:13:02 -0500",
        ] {
            assert!(header.contains(&line.to_owned()), "{header:?}");
        }
        // The bytes that were signed are those that arrive.
        assert_eq!(revealed.message.body(), opened.message.body());
        assert_eq!(opened.reveal(false).fields, ["Subject", "To", "Date"]);
    }
}

/// A field of the header, what stands in its place, the verdict then, and which fields are told to be changed.
type Change = (
    &'static str,
    &'static str,
    (VerdictResult, Option<Reason>),
    &'static str,
);

fn changes() -> [Change; 10] {
    let subject = "Subject: smime-multipart-hp\r\n";
    let from = "From: Alice <alice@smime.example>\r\n";
    let to = "To: Bob <bob@smime.example>\r\n";
    let pass = (VerdictResult::Pass, None);
    let altered = (VerdictResult::Fail, Some(Reason::Altered));
    let mismatch = (VerdictResult::Fail, Some(Reason::AddressMismatch));
    [
        (subject, subject, pass, ""),
        (
            subject,
            "subject:\r\n =?utf-8?q?smime-multipart-hp?=\r\n",
            pass,
            "",
        ),
        (
            subject,
            "Subject: [list] smime-multipart-hp\r\n",
            altered,
            "Subject",
        ),
        (
            subject,
            "Subject: Re: smime-multipart-hp\r\nSubject: smime-multipart-hp\r\n",
            altered,
            "Subject",
        ),
        (subject, "", altered, "Subject"),
        (
            from,
            "From: \"Alice (via list)\" <ALICE@smime.example>\r\n",
            pass,
            "",
        ),
        (from, "From: Bob <bob@smime.example>\r\n", mismatch, "From"),
        (to, "To: list@smime.example\r\n", pass, "To"),
        (
            to,
            "Received: by x\r\nList-Id: <x>\r\nTo: bob@smime.example\r\n",
            pass,
            "",
        ),
        (
            to,
            "Reply-To: mallory@evil.example\r\nTo: bob@smime.example\r\n",
            pass,
            "Reply-To",
        ),
    ]
}

#[test]
fn what_was_changed_outside_a_signature_is_told() {
    let Some(folder) = corpus("rfc9788") else {
        return;
    };
    let (_, trust) = lamps(&folder);
    let mail = example(&folder, "smime-multipart-hp.eml");
    let mail = String::from_utf8(mail.content().to_vec()).unwrap();
    for (field, replacement, expected, changed) in changes() {
        let verdict = verify(
            &message(mail.replacen(field, replacement, 1)),
            &trust,
            now(),
        );
        assert_eq!((verdict.result, verdict.reason), expected, "{replacement}");
        let report = verdict.headers.as_ref().unwrap();
        assert_eq!(report.changed.join(","), changed, "{replacement}");
        let told = String::from_utf8(authentication_results("gw.example.org", &verdict)).unwrap();
        assert_eq!(told.contains("reason="), !changed.is_empty(), "{told}");
    }
    let invalid = verify(
        &example(&folder, "smime-multipart-hp-invalid.eml"),
        &trust,
        now(),
    );
    assert_eq!(
        (invalid.result, invalid.reason),
        (VerdictResult::Fail, Some(Reason::Altered))
    );
}

/// A file name that no other test has.
fn unique() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("headers-{}.txt", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The payload signed (opaquely) by Alice, and encrypted to Bob or not, below this header.
pub(super) fn sealed(header: &str, payload: &[u8], is_signed: bool, is_encrypted: bool) -> Message {
    let mut entity = payload.to_vec();
    if is_signed {
        let file = PEOPLE.file(&unique(), &entity);
        let (certificate, key) = (&PEOPLE.alice.certificate_file, &PEOPLE.alice.key_file);
        entity = openssl(&[
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-in",
            text(&file),
            "-signer",
            text(certificate),
            "-inkey",
            text(key),
        ]);
    }
    if is_encrypted {
        let file = PEOPLE.file(&unique(), &entity);
        let recipient = &PEOPLE.bob.certificate_file;
        entity = openssl(&[
            "cms",
            "-encrypt",
            "-binary",
            "-aes256",
            "-in",
            text(&file),
            text(recipient),
        ]);
    }
    message([header.as_bytes(), &with_crlf(&entity)].concat())
}

/// The result, and what stands in From, Subject and Reply-To afterwards.
fn read(mail: &Message) -> (VerdictResult, Vec<String>) {
    let opened = opened(mail, &keys(&[&PEOPLE.bob]));
    let verdict = opened.verify(&PEOPLE.trust(), now());
    let revealed = opened.reveal(verdict.result == VerdictResult::Pass);
    let shown = ["From", "Subject", "Reply-To"]
        .into_iter()
        .flat_map(|name| {
            let fields = revealed.message.fields_named(name);
            fields.map(|field| field.decoded()).collect::<Vec<_>>()
        });
    (verdict.result, shown.collect())
}

#[test]
fn who_wrote_it_is_taken_from_within_a_good_signature_alone() {
    let outer = "From: alice@example.org\r\nSubject: [...]\r\n";
    let payload = b"From: Alice A. <alice@example.org>\r\nSubject: =?utf-8?q?K=C3=B6ln?=\r\n\
        Reply-To: alice@home.example\r\nX-Postern-Verdict: pass\r\n\
        Authentication-Results: gw.example.org; smime=pass\r\nHP-Outer: From: alice@example.org\r\n\
        HP-Outer: Subject: [...]\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n";
    let as_it_came = "alice@example.org";
    let all = ["Alice A. <alice@example.org>", "Köln", "alice@home.example"];
    for (header, is_signed, result, shown) in [
        (outer, true, VerdictResult::Pass, &all[..]),
        (outer, false, VerdictResult::None, &[as_it_came, "Köln"]),
        (
            "From: bob@example.org\r\nSubject: [...]\r\n",
            true,
            VerdictResult::Fail,
            &["bob@example.org", "Köln"],
        ),
        (
            "From: alice@example.org\r\nSubject: [EXTERNAL] [...]\r\nSubject: x\r\n",
            true,
            VerdictResult::Pass,
            &all,
        ),
    ] {
        let mail = sealed(header, payload, is_signed, true);
        let (found, fields) = read(&mail);
        assert_eq!(
            (found, &fields[..]),
            (
                result,
                &shown.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]
            )
        );
        let revealed = opened(&mail, &keys(&[&PEOPLE.bob])).reveal(true).message;
        for name in ["X-Postern-Verdict", "Authentication-Results", "HP-Outer"] {
            assert_eq!(revealed.fields_named(name).count(), 0, "{name}");
        }
    }
}

#[test]
fn another_author_inside_is_told_and_not_shown() {
    let outer = "From: alice@example.org\r\nSubject: [...]\r\n";
    let payload =
        b"From: CEO <ceo@example.org>\r\nSubject: Pay\r\nHP-Outer: From: alice@example.org\r\n\
        HP-Outer: Subject: [...]\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n";
    // What HP-Outer says of From is no excuse.
    for (is_signed, result) in [(true, VerdictResult::Fail), (false, VerdictResult::None)] {
        let mail = sealed(outer, payload, is_signed, true);
        let (found, shown) = read(&mail);
        assert_eq!(
            (found, shown),
            (
                result,
                vec!["alice@example.org".to_owned(), "Pay".to_owned()]
            )
        );
        let opened = opened(&mail, &keys(&[&PEOPLE.bob]));
        let report = opened.verify(&PEOPLE.trust(), now()).headers.unwrap();
        assert_eq!(report.changed, ["From"]);
    }
}

#[test]
fn older_forms_are_read() {
    let outer = "From: alice@example.org\r\nSubject: [...]\r\n";
    let field = "From: Alice <alice@example.org>\r\nSubject: Plans\r\n";
    let restored = vec!["Alice <alice@example.org>".to_owned(), "Plans".to_owned()];
    let kept = vec!["alice@example.org".to_owned(), "[...]".to_owned()];
    for (payload, expected) in [
        (format!("{field}Content-Type: text/plain; protected-headers=\"v1\"\r\n\r\nHi\r\n"), &restored),
        (format!("Content-Type: message/rfc822\r\n\r\n{field}\r\nHi\r\n"), &restored),
        (format!("Content-Type: message/rfc822; forwarded=no\r\n\r\n{field}\r\nHi\r\n"), &restored),
        // A message of somebody else that was forwarded, and headers where no standard puts them.
        ("Content-Type: message/rfc822\r\n\r\nFrom: bob@example.org\r\nSubject: Plans\r\n\r\nHi\r\n".to_owned(), &kept),
        (format!("{field}Content-Type: text/plain\r\n\r\nHi\r\n"), &kept),
        (format!("{field}Content-Type: text/plain; hp=\"other\"\r\n\r\nHi\r\n"), &kept),
        (format!("{field}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{field}Content-Type: text/plain; hp=cipher\r\n\r\nHi\r\n--b--\r\n"), &kept),
        (format!("{field}Content-Type: text/plain; hp=\"clear\"\r\n\r\nHi\r\n"), &kept),
        (format!("{field}{field}Content-Type: text/plain; hp=\"cipher\"\r\n\r\nHi\r\n"), &kept),
    ] {
        let (_, shown) = read(&sealed(outer, payload.as_bytes(), true, true));
        assert_eq!(shown, *expected, "{payload}");
    }
}

#[test]
fn headers_without_a_signature_or_encryption_around_them_do_nothing() {
    let mail = "From: alice@example.org\r\nSubject: x\r\nHP-Outer: Subject: y\r\n\
        Content-Type: text/plain; hp=\"clear\"; protected-headers=v1\r\n\r\nHi\r\n";
    let verdict = judge(&message(mail));
    assert_eq!(
        (verdict.result, verdict.headers),
        (VerdictResult::None, None)
    );
    assert!(
        open(&message(mail), &keys(&[&PEOPLE.bob]))
            .unwrap()
            .is_none()
    );
    // A broken signature is none.
    let payload = b"From: Alice <alice@example.org>\r\nSubject: Plans\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nHi\r\n";
    let forged = sealed(
        "From: carol@example.org\r\nSubject: x\r\n",
        payload,
        true,
        false,
    );
    let verdict = judge(&forged);
    assert_eq!(verdict.reason, Some(Reason::AddressMismatch));
    assert_eq!(verdict.signer, None);
}

#[test]
fn a_legacy_display_is_not_shown_twice_where_no_signature_covers_it() {
    let payload = b"Subject: Plans\r\nHP-Outer: Subject: [...]\r\n\
        Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\r\n\r\nSubject: Plans\r\n\r\nHi\r\n";
    let mail = sealed_bytes("legacy-display.txt", payload, "-aes256");
    let revealed = opened(&mail, &keys(&[&PEOPLE.bob])).reveal(false);
    assert_eq!(revealed.message.subject().as_deref(), Some("Plans"));
    assert_eq!(revealed.message.body(), b"Hi\r\n");
}
