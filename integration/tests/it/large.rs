//! A mail with an attachment of 20 MB goes through both ways, and its bytes are the same.

use anyhow::Result;
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

const SIZE: usize = 20_000_000;

#[test]
fn large_mail_goes_out_and_comes_in() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::large(ALICE, BOB, SIZE);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let arrived = sink.only()?.content;
    let entity = openssl::open(&arrived, &pki.bob(), &pki.ca())?;
    assert!(mime::leaves(&entity)? == mail.leaves, "the film differs");

    let answer = mails::large(BOB, ALICE, SIZE);
    let signed = openssl::sign(&mime::entity(&answer.content), &pki.bob(), &[])?;
    let sealed = openssl::encrypt(&signed, &[&pki.alice()], "-aes-256-gcm", &[])?;
    let sealed = mime::dress(&answer.content, &sealed);
    gateway.send(BOB, &[ALICE], &sealed)?.accepted()?;
    let arrived = sink.wait(2)?.remove(1).content;
    assert!(
        mime::leaves(&arrived)?.starts_with(&answer.leaves),
        "the film differs"
    );
    Ok(())
}
