//! What is not good about a signature is said in the words of the documentation, and the mail still arrives.

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

#[test]
fn each_fault_has_its_word() -> Result<()> {
    let pki = pki()?;
    let mail = mails::plain(BOB, ALICE);
    let entity = mime::entity(&mail.content);
    let by = |name: &str| openssl::sign(&entity, &pki.identity(name), &[]);
    let altered = String::from_utf8(by("bob")?)?.replace("Dear reader", "Dear victim");
    let partly = mixed(&by("bob")?);
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    for (number, (content, result, word)) in (1..).zip([
        (altered.into_bytes(), "fail", "altered"),
        (by("false-bob")?, "fail", "untrusted"),
        (by("bert")?, "fail", "address-mismatch"),
        (by("bob-before")?, "fail", "expired"),
        (by("bob-encrypt")?, "fail", "wrong-usage"),
        (partly, "neutral", "partly-signed"),
        (entity.clone(), "none", ""),
    ]) {
        let content = mime::dress(&mail.content, &content);
        gateway.send(BOB, &[ALICE], &content)?.accepted()?;
        let arrived = sink.wait(number)?.pop().context(word)?.content;
        let verdict = mime::values(&arrived, "Authentication-Results").concat();
        let expected = format!("smime={result}");
        let told = verdict.contains(&expected) && verdict.contains(word);
        assert!(told, "{number}: {expected} {word}, not {verdict}");
        // The body arrives as it came, whatever was found.
        assert_eq!(mime::split(&arrived).1, mime::split(&content).1, "{word}");
    }
    Ok(())
}

/// A mail of two parts, the first of which is signed: a mailing list's footer does this.
fn mixed(signed: &[u8]) -> Vec<u8> {
    let head = "Content-Type: multipart/mixed; boundary=\"=_list\"\r\n\r\n--=_list\r\n";
    let tail = "\r\n--=_list\r\nContent-Type: text/plain\r\n\r\nlist footer\r\n--=_list--\r\n";
    [head.as_bytes(), signed, tail.as_bytes()].concat()
}
