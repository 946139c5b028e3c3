//! Mail that was made to cost much, or to be read by the letter.

use std::time::Duration;

use super::people::{openssl, text};
use super::*;
use crate::message::with_crlf;

/// Runs `openssl cms` on a small entity; the mail that it makes, from Alice.
fn made(name: &str, options: &[&str]) -> Message {
    let file = PEOPLE.file(name, b"Content-Type: text/plain\r\n\r\nHi\r\n");
    let start = [
        "cms",
        "-binary",
        "-from",
        "alice@example.org",
        "-in",
        text(&file),
    ];
    let mail = openssl(&[&start[..], options].concat());
    message(with_crlf(&mail).into_owned())
}

#[test]
fn many_recipients_are_read_and_the_key_is_found() {
    let others = text(&PEOPLE.alice.certificate_file);
    let mut options = vec!["-encrypt", "-aes256"];
    options.extend(std::iter::repeat_n(others, 2_000));
    options.push(text(&PEOPLE.bob.certificate_file));
    let mail = made("recipients.txt", &options);
    let opened = opened(&mail, &keys(&[&PEOPLE.bob]));
    assert_eq!(opened.message.body(), b"Hi\r\n");
    let closed = open(&mail, &keys(&[&PEOPLE.carol]))
        .unwrap_err()
        .to_string();
    assert!(
        closed.ends_with(" others") && closed.len() < 1_000,
        "{closed}"
    );
}

#[test]
fn many_signers_are_bounded() {
    let alice = [
        "-signer",
        text(&PEOPLE.alice.certificate_file),
        "-inkey",
        text(&PEOPLE.alice.key_file),
    ];
    let mut options = vec!["-sign", "-nodetach", "-nocerts", "-certfile", alice[1]];
    options.extend(alice.into_iter().cycle().take(4 * 1_000));
    let verdict = judge(&made("signers.txt", &options));
    let field = verdict_field(&verdict);
    assert!(field.len() < 2_000, "{}", field.escape_ascii());
    assert_ne!(verdict.covered, Coverage::Part);
}

#[test]
fn a_certificate_of_tomorrow_is_not_valid_yet() {
    let mail = signed(MAIL, Form::Clear);
    let before = now()
        .checked_sub(Duration::from_secs(40 * 24 * 3600))
        .unwrap();
    let verdict = verify(&mail, &PEOPLE.trust(), before);
    assert_eq!(
        (verdict.result, verdict.reason),
        (VerdictResult::Fail, Some(Reason::NotYetValid))
    );
    assert_eq!(verdict.signers.len(), 1);
    assert_eq!(verdict.layers.len(), 1);
}

#[test]
fn the_sender_is_told_from_the_author() {
    let mail = String::from_utf8(signed(MAIL, Form::Clear).content().to_vec()).unwrap();
    let from = "from: Alice <Alice@example.org>";
    for (header, named_as) in [
        (from, Match::From),
        (
            "From: bob@example.org\r\nSender: alice@example.org",
            Match::Sender,
        ),
        ("From: bob@example.org", Match::Nobody),
        (
            "From: bob@example.org\r\nSender: alice@example.org\r\nSender: bob@example.org",
            Match::Nobody,
        ),
    ] {
        let verdict = judge(&message(mail.replace(from, header)));
        let signer = verdict.signers.first().unwrap();
        assert_eq!(signer.named_as, named_as, "{header}");
        assert_eq!(
            verdict.result == VerdictResult::Pass,
            named_as == Match::From
        );
        let is_told = verdict
            .text
            .ends_with("it is the certificate of the Sender");
        assert_eq!(is_told, named_as == Match::Sender, "{}", verdict.text);
    }
}
