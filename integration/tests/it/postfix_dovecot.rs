//! Between a real Postfix and a real Dovecot: out as Postfix's relay host, in as the way to the mailbox.

use anyhow::{Context, Result};
use integration::dovecot::Dovecot;
use integration::gateway::{HOSTNAME, Setup};
use integration::pki::pki;
use integration::postfix::Postfix;
use integration::sink::Sink;
use integration::{mails, mime, openssl, process, smtp};

use crate::{ALICE, BOB};

#[test]
fn postfix_dovecot_mail_goes_out_encrypted_and_comes_in_opened() -> Result<()> {
    let pki = pki()?;
    let outside = Sink::start()?;
    let mailboxes = Dovecot::start()?;
    // Each needs to know the other's address before it starts, so the gateway's port is chosen first.
    let gateway_address = process::free_address()?;
    let postfix = Postfix::start(gateway_address, mailboxes.lmtp())?;
    let mut gateway = Setup::default()
        .address(gateway_address)
        .route("example.org", postfix.address())
        .route("*", outside.address())
        .write()?;
    gateway.import_key(&pki.alice(), "both")?;
    gateway.import_certificate(&pki.bob().certificate)?;
    gateway.start()?;

    let mail = mails::html_with_attachments(ALICE, BOB);
    smtp::send(postfix.address(), ALICE, &[BOB], &mail.content)?.accepted()?;
    let arrived = outside.only().with_context(|| postfix.log())?;
    let entity = openssl::open(&arrived.content, &pki.bob(), &pki.ca())?;
    assert_eq!(mime::leaves(&entity)?, mail.leaves);

    let answer = mails::utf8(BOB, ALICE);
    let signed = openssl::sign(&mime::entity(&answer.content), &pki.bob(), &[])?;
    let sealed = openssl::encrypt(&signed, &[&pki.alice()], "-aes-128-cbc", &[])?;
    let sealed = mime::dress(&answer.content, &sealed);
    gateway.send(BOB, &[ALICE], &sealed)?.accepted()?;
    let stored = mailboxes.only(ALICE).with_context(|| postfix.log())?;
    let verdict = mime::values(&stored, "Authentication-Results").concat();
    assert!(
        verdict.starts_with(HOSTNAME) && verdict.contains("smime=pass"),
        "{verdict}"
    );
    assert!(mime::leaves(&stored)?.starts_with(&answer.leaves));
    Ok(())
}
