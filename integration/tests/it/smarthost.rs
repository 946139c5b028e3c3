//! First light: what a mail program without S/MIME hands over arrives signed and encrypted.

use std::fs;
use std::process::Command;

use anyhow::Result;
use integration::gateway::{Setup, text};
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl, process};

use crate::{ALICE, BOB};

#[test]
fn a_mail_sent_with_curl_arrives_signed_and_encrypted() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::html_with_attachments(ALICE, BOB);
    let file = gateway.file("mail.eml");
    // As people have it on disk; --crlf makes it mail again.
    fs::write(
        &file,
        String::from_utf8(mail.content.clone())?.replace("\r\n", "\n"),
    )?;
    let mut curl = Command::new(process::program("curl", "curl")?);
    curl.args(["--silent", "--show-error", "--crlf"]);
    curl.args(["--mail-from", ALICE, "--mail-rcpt", BOB]);
    curl.args(["--upload-file", text(&file)?]);
    curl.arg(format!("smtp://{}", gateway.address()));
    process::run(&mut curl, b"")?;

    let arrived = sink.only()?;
    assert_eq!(arrived.sender, ALICE);
    assert_eq!(arrived.recipients, [BOB]);
    let pki = pki()?;
    let entity = openssl::open(&arrived.content, &pki.bob(), &pki.ca())?;
    assert_eq!(mime::leaves(&entity)?, mail.leaves);
    Ok(())
}

#[test]
fn the_outside_of_the_mail_keeps_its_addressing_and_shows_no_content() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let arrived = sink.only()?.content;
    for name in ["From", "To", "Subject", "Date", "Message-ID"] {
        let expected = mime::values(&mail.content, name);
        assert_eq!(mime::values(&arrived, name), expected, "{name}");
    }
    assert_eq!(mime::values(&arrived, "MIME-Version"), ["1.0"]);
    assert!(!mime::values(&arrived, "Received").is_empty());
    for form in mails::readable_markers() {
        assert_eq!(mime::find(&arrived, &form), None);
    }
    Ok(())
}

#[test]
fn a_mail_that_no_rule_matches_is_refused() -> Result<()> {
    let sink = Sink::start()?;
    let policy = "[[rule]]\nname = \"partners\"\nwhen = { recipient = \"*@partner.example\" }\n";
    let gateway = Setup::default()
        .policy(policy)
        .next_hop(sink.address())
        .start()?;
    let mail = mails::plain(ALICE, "x@elsewhere.example");
    let sent = gateway.send(ALICE, &["x@elsewhere.example"], &mail.content)?;
    let reply = sent.recipients[0].text();
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
    Ok(())
}
