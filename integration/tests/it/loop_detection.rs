//! A mail that has been through too many hands goes in circles, and is refused.

use anyhow::Result;
use integration::gateway::Setup;
use integration::mails;
use integration::sink::Sink;

use crate::{ALICE, BOB};

#[test]
fn thirty_one_received_fields_are_a_loop() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = String::from_utf8(mails::plain(ALICE, BOB).content)?;
    let hop = "Received: from a.example by b.example; Tue, 24 Nov 2026 12:00:00 +0000\r\n";
    let after = |hops: usize| format!("{}{mail}", hop.repeat(hops));
    gateway
        .send(ALICE, &[BOB], after(30).as_bytes())?
        .accepted()?;
    let sent = gateway.send(ALICE, &[BOB], after(31).as_bytes())?;
    let reply = sent.message.map(|reply| reply.text()).unwrap_or_default();
    assert!(reply.starts_with("554 5.4.6 "), "{reply}");
    sink.only()?;
    Ok(())
}
