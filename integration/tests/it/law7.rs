//! A key signs only for the entitled: an authorised client, and exactly one From, in a domain of ours.

use anyhow::Result;
use integration::gateway::Setup;
use integration::mails;
use integration::pki::pki;
use integration::sink::Sink;

use crate::{ALICE, BOB};

#[test]
fn signing_needs_exactly_one_from_of_ours() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = String::from_utf8(mails::plain(ALICE, BOB).content)?;
    let from = format!("From: <{ALICE}>\r\n");
    let with = |replacement: &str| mail.replace(&from, replacement);
    for (name, content) in [
        ("two fields", with(&format!("{from}{from}"))),
        (
            "two mailboxes",
            with(&format!("From: <{ALICE}>, <carol@example.org>\r\n")),
        ),
        ("a stranger", with("From: <zoe@elsewhere.example>\r\n")),
        (
            "a stranger who looks like alice",
            with(&format!("From: \"{ALICE}\" <zoe@elsewhere.example>\r\n")),
        ),
        ("nobody", with("")),
        (
            "garbage",
            with(&format!("From: <{ALICE}> <zoe@elsewhere.example>\r\n")),
        ),
    ] {
        let sent = gateway.send(ALICE, &[BOB], content.as_bytes())?;
        let reply = sent.message.map(|reply| reply.text()).unwrap_or_default();
        assert!(reply.starts_with("550 5.7.0 "), "{name}: {reply}");
    }
    assert_eq!(sink.count(), 0);
    Ok(())
}

#[test]
fn what_a_front_server_brings_is_never_signed() -> Result<()> {
    let sink = Sink::start()?;
    let mut gateway = Setup::default()
        .listener("relay-from = [\"127.0.0.0/8\"]\ninbound-from = [\"127.0.0.0/8\"]")
        .next_hop(sink.address())
        .write()?;
    gateway.import_key(&pki()?.alice(), "both")?;
    gateway.import_certificate(&pki()?.bob().certificate)?;
    gateway.start()?;
    let mail = mails::plain(ALICE, BOB);
    let sent = gateway.send(ALICE, &[BOB], &mail.content)?;
    let refused = sent.accepted().unwrap_err().to_string();
    assert!(refused.contains("550 5.7."), "{refused}");
    Ok(())
}

#[test]
fn a_client_that_may_not_relay_is_refused() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .listener("relay-from = [\"192.0.2.0/24\"]")
        .next_hop(sink.address())
        .start()?;
    let mail = mails::plain(ALICE, BOB);
    let sent = gateway.send(ALICE, &[BOB], &mail.content)?;
    let reply = sent.recipients[0].text();
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
    // Mail to users of ours needs no leave.
    let mail = mails::plain(BOB, ALICE);
    gateway.send(BOB, &[ALICE], &mail.content)?.accepted()?;
    assert_eq!(sink.only()?.recipients, [ALICE]);
    Ok(())
}
