//! "Already encrypted" is what can be read as such for that very recipient; a Content-Type alone proves nothing.

use anyhow::Result;
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

#[test]
fn what_is_encrypted_to_the_recipient_passes_as_it_is() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    for (number, cipher) in (1..).zip(["-aes-256-cbc", "-aes-128-gcm"]) {
        let entity = mime::entity(&mail.content);
        let sealed = openssl::encrypt(&entity, &[&pki.bob()], cipher, &[])?;
        let sealed = mime::dress(&mail.content, &sealed);
        gateway.send(ALICE, &[BOB], &sealed)?.accepted()?;
        let arrived = sink.wait(number)?.remove(number - 1).content;
        assert!(arrived.ends_with(&sealed), "{cipher}: it was changed");
    }
    Ok(())
}

#[test]
fn what_only_looks_encrypted_is_encrypted() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    let entity = mime::entity(&mail.content);
    let to_betty = openssl::encrypt(&entity, &[&pki.identity("betty")], "-aes-256-cbc", &[])?;
    let pretended = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\nMARKER-f3a91c=do-not-leak\r\n";
    for (number, content) in (1..).zip([&to_betty[..], pretended]) {
        let content = mime::dress(&mail.content, content);
        gateway.send(ALICE, &[BOB], &content)?.accepted()?;
        let arrived = sink.wait(number)?.remove(number - 1).content;
        let inside = openssl::decrypt(&arrived, &pki.bob())?;
        let inside = openssl::verify(&inside, &pki.ca()).unwrap_or(inside);
        assert_eq!(mime::split(&inside).1, mime::split(&content).1);
    }
    Ok(())
}
