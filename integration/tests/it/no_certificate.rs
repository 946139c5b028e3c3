//! Where encryption is required and impossible, the answer is a 550 that says so, as early as it can be known.

use anyhow::Result;
use integration::gateway::Setup;
use integration::mails;
use integration::sink::Sink;

use crate::{ALICE, BOB};

const NOBODY: &str = "nobody@partner.example";

#[test]
fn a_rule_of_the_envelope_answers_at_rcpt() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    let sent = gateway.send(
        ALICE,
        &[NOBODY, BOB, "expired@partner.example"],
        &mail.content,
    )?;
    let [nobody, bob, expired] = &sent.recipients[..] else {
        panic!("{sent:?}");
    };
    assert!(nobody.text().starts_with("550 5.7.5 "), "{}", nobody.text());
    assert!(
        expired.text().starts_with("550 5.7.5 "),
        "{}",
        expired.text()
    );
    assert!(bob.is_positive());
    // Bob's copy goes on.
    assert_eq!(sent.message.map(|reply| reply.code), Some(250));
    assert_eq!(sink.only()?.recipients, [BOB]);
    Ok(())
}

#[test]
fn a_rule_of_the_content_answers_once_for_all() -> Result<()> {
    let policy = r#"
        [[rule]]
        name = "asked for"
        when = { direction = "outbound", subject = "[encrypt]*" }
        encrypt = "required"

        [[rule]]
        name = "the rest"
        when = { direction = "outbound" }
    "#;
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .policy(policy)
        .next_hop(sink.address())
        .start()?;
    let mail = format!(
        "{}\r\nsecret\r\n",
        mails::head("[encrypt] offer", ALICE, BOB)
    );
    let sent = gateway.send(ALICE, &[BOB, NOBODY], mail.as_bytes())?;
    assert!(sent.recipients.iter().all(|reply| reply.is_positive()));
    let reply = sent.message.map(|reply| reply.text()).unwrap_or_default();
    assert!(reply.starts_with("550 5.7.5 "), "{reply}");
    assert!(reply.contains(NOBODY) && !reply.contains(BOB), "{reply}");
    assert!(gateway.queue()?.is_empty());
    assert_eq!(sink.count(), 0);
    Ok(())
}
