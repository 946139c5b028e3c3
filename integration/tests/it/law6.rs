//! A key opens only for its owner: whoever sends somebody's ciphertext to somebody else, himself included, gets
//! ciphertext.

use anyhow::Result;
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB, CAROL};

#[test]
fn ciphertext_for_alice_stays_ciphertext_for_others() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let mut gateway = Setup::default().next_hop(sink.address()).write()?;
    gateway.import_key(&pki.alice(), "both")?;
    gateway.import_key(&pki.identity("carol"), "both")?;
    gateway.start()?;
    let mail = mails::utf8(BOB, ALICE);
    let entity = mime::entity(&mail.content);
    let sealed = openssl::encrypt(&entity, &[&pki.alice()], "-aes-256-cbc", &[])?;
    let sealed = mime::dress(&mail.content, &sealed);

    // Caught on the way by an outsider, or by carol herself, and sent on with any header that might help.
    for sender in ["mallory@evil.example", CAROL] {
        gateway.send(sender, &[CAROL], &sealed)?.accepted()?;
    }
    for arrived in sink.wait(2)? {
        assert_eq!(arrived.recipients, [CAROL]);
        assert_eq!(mime::split(&arrived.content).1, mime::split(&sealed).1);
        assert_eq!(openssl::decrypt(&arrived.content, &pki.alice())?, entity);
    }

    // The same bytes open for alice, and for her alone where both are asked at once.
    gateway.send(BOB, &[CAROL, ALICE], &sealed)?.accepted()?;
    for arrived in sink.wait(4)?.split_off(2) {
        let opened = mime::leaves(&arrived.content)? == mail.leaves;
        assert_eq!(opened, arrived.recipients == [ALICE], "{arrived:?}");
    }
    Ok(())
}
