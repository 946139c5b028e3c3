//! What a mail program has signed itself is not signed again, but encrypted, and inside it is the same byte for byte.

use anyhow::{Context, Result};
use integration::gateway::{SIGN_AND_ENCRYPT, Setup};
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

#[test]
fn a_clients_signature_is_kept_and_encrypted() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mut number = 0;
    for mail in mails::small(ALICE, BOB) {
        for form in [&[][..], &["-nodetach", "-binary"]] {
            let signed = openssl::sign(&mime::entity(&mail.content), &pki.alice(), form)?;
            let signed = mime::dress(&mail.content, &signed);
            gateway.send(ALICE, &[BOB], &signed)?.accepted()?;
            number += 1;
            let arrived = sink.wait(number)?.pop().context(mail.name)?.content;
            let inside = openssl::decrypt(&arrived, &pki.bob())?;
            assert_eq!(
                mime::entity(&inside),
                mime::entity(&signed),
                "{}",
                mail.name
            );
            openssl::verify(&inside, &pki.ca()).context(mail.name)?;
        }
    }
    Ok(())
}

#[test]
fn a_clients_signature_passes_as_it_is_where_nothing_is_encrypted() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let policy = SIGN_AND_ENCRYPT.replace("encrypt = \"required\"", "encrypt = \"no\"");
    let gateway = Setup::default()
        .policy(&policy)
        .next_hop(sink.address())
        .start()?;
    let mail = mails::html_with_attachments(ALICE, BOB);
    let signed = openssl::sign(&mime::entity(&mail.content), &pki.alice(), &[])?;
    let signed = mime::dress(&mail.content, &signed);
    gateway.send(ALICE, &[BOB], &signed)?.accepted()?;
    // Below the trace header, not a byte differs.
    assert!(sink.only()?.content.ends_with(&signed));
    Ok(())
}
