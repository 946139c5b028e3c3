//! Nobody learns from a mail that it also went to somebody else: not from its header, and not from its RecipientInfos.

use anyhow::Result;
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, openssl};

use crate::{ALICE, BOB};

const BETTY: &str = "betty@partner.example";
const BERT: &str = "bert@partner.example";

#[test]
fn a_hidden_recipient_gets_a_copy_of_her_own() -> Result<()> {
    let pki = pki()?;
    let (bob, bert, betty) = (pki.bob(), pki.identity("bert"), pki.identity("betty"));
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    gateway.import_certificate(&bert.certificate)?;
    gateway.import_certificate(&betty.certificate)?;
    let visible = format!("{BOB}>, <{BERT}");
    let mail = mails::plain(ALICE, &visible);
    gateway
        .send(ALICE, &[BOB, BETTY, BERT], &mail.content)?
        .accepted()?;

    let copies = sink.wait(2)?;
    let to = |address: &str| {
        let copy = copies
            .iter()
            .find(|copy| copy.recipients.contains(&address.to_owned()));
        copy.unwrap_or_else(|| panic!("no copy to {address}"))
    };
    let serial = |identity: &integration::pki::Identity| openssl::serial(&identity.certificate);
    assert_eq!(to(BOB).recipients, [BOB, BERT]);
    assert_eq!(openssl::recipient_count(&to(BOB).content)?, 2);
    let structure = openssl::structure(&to(BOB).content)?;
    assert!(!structure.contains(&serial(&betty)?));
    openssl::open(&to(BOB).content, &bob, &pki.ca())?;
    openssl::open(&to(BOB).content, &bert, &pki.ca())?;

    assert_eq!(to(BETTY).recipients, [BETTY]);
    assert_eq!(openssl::recipient_count(&to(BETTY).content)?, 1);
    openssl::open(&to(BETTY).content, &betty, &pki.ca())?;
    for copy in &copies {
        let text = String::from_utf8(copy.content.clone())?;
        assert!(!text.contains("betty"), "{text}");
    }
    Ok(())
}
