//! While the next hop is down, an operator sees what waits, has it tried again, and throws it away.

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, openssl, process};

use crate::{ALICE, BOB};

#[test]
fn the_queue_is_listed_shown_retried_and_dropped() -> Result<()> {
    let down = process::free_address()?;
    let gateway = Setup::default().next_hop(down).start()?;
    for _ in 0..3 {
        let mail = mails::plain(ALICE, BOB);
        gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    }
    let queue = gateway.queue()?;
    let ids: Vec<&str> = queue
        .iter()
        .filter_map(|entry| entry["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 3, "{queue:?}");

    let shown = gateway.ask(&["queue", "show", ids[0]])?;
    assert_eq!(shown["id"], ids[0], "{shown}");
    let text = shown.to_string();
    assert!(text.contains(ALICE) && text.contains(BOB), "{text}");
    assert!(!text.contains(mails::MARKER), "{text}");

    let unknown = gateway.try_to(&["queue", "show", "0000000000000000"])?;
    assert!(!unknown.status.success());
    assert!(!unknown.stderr.is_empty());

    gateway.ask(&["queue", "drop", ids[0]])?;
    assert_eq!(gateway.queue()?.len(), 2);

    let sink = Sink::start_at(down)?;
    gateway.ask(&["queue", "retry", ids[1]])?;
    sink.wait(1)?;
    let answer = gateway.ask(&["queue", "retry", "--all"])?;
    assert_eq!(answer["retried"], 1, "{answer}");
    for arrived in sink.wait(2)? {
        openssl::open(&arrived.content, &pki()?.bob(), &pki()?.ca()).context("retried")?;
    }
    gateway.wait_until_empty()
}
