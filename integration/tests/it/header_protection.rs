//! Header fields that were protected with the content (RFC 9788): given back where they were hidden, and believed only
//! under a good signature.

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

fn payload(hp: &str) -> Vec<u8> {
    let outer = if hp == "cipher" {
        format!("HP-Outer: From: {BOB}\r\nHP-Outer: Subject: [...]\r\n")
    } else {
        String::new()
    };
    format!(
        "From: Bob B. <{BOB}>\r\nSubject: the real subject\r\nX-Postern-Verdict: forged\r\n{outer}\
         Content-Type: text/plain; hp=\"{hp}\"\r\n\r\nHi\r\n"
    )
    .into_bytes()
}

/// A mail with this subject in its header and `entity` as its content.
fn dressed(subject: &str, entity: &[u8]) -> Result<Vec<u8>> {
    let mail = String::from_utf8(mails::plain(BOB, ALICE).content)?;
    let mail = mail.replace("Subject: plain", &format!("Subject: {subject}"));
    Ok(mime::dress(mail.as_bytes(), entity))
}

#[test]
fn a_hidden_subject_is_given_back_and_a_changed_one_is_told() -> Result<()> {
    let pki = pki()?;
    let opaque = &["-nodetach", "-binary"];
    let clear = openssl::sign(&payload("clear"), &pki.bob(), opaque)?;
    let signed = openssl::sign(&payload("cipher"), &pki.bob(), opaque)?;
    let seal = |entity: &[u8]| openssl::encrypt(entity, &[&pki.alice()], "-aes-256-gcm", &[]);
    let real = "the real subject";
    let plain_from = format!("<{BOB}>");
    let full_from = format!("Bob B. <{BOB}>");
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    for (number, (subject, entity, shown, from, verdict)) in (1..).zip([
        ("[...]", seal(&signed)?, real, &full_from, "smime=pass"),
        (
            "[...]",
            seal(&payload("cipher"))?,
            real,
            &plain_from,
            "smime=none",
        ),
        (real, clear.clone(), real, &plain_from, "smime=pass"),
        ("Pay now", clear, "Pay now", &plain_from, "smime=fail"),
        (
            "as it is",
            payload("clear"),
            "as it is",
            &plain_from,
            "smime=none",
        ),
    ]) {
        // Fields beside the content of an entity that nobody signed are those of the mail itself.
        let entity = match mime::find(&entity, b"Content-Type: text/plain; hp") {
            Some(start) if number == 5 => entity[start..].to_vec(),
            _ => entity,
        };
        let mail = dressed(subject, &entity)?;
        gateway.send(BOB, &[ALICE], &mail)?.accepted()?;
        let arrived = sink.wait(number)?.pop().context(verdict)?.content;
        assert_eq!(mime::values(&arrived, "Subject"), [shown], "{number}");
        assert_eq!(mime::values(&arrived, "From"), [from.as_str()], "{number}");
        let told = mime::values(&arrived, "Authentication-Results").concat();
        assert!(told.contains(verdict), "{number}: {told}");
        let plain = mime::values(&arrived, "X-Postern-Verdict");
        assert_eq!(plain.len(), 1, "{number}: {plain:?}");
        assert!(!plain[0].contains("forged"), "{number}: {plain:?}");
    }
    Ok(())
}
