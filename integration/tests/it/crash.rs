//! 250 means safe: killed at any moment under load, the gateway loses no mail that it acknowledged, and what lies on its
//! disk meanwhile cannot be read.
//!
//! `POSTERN_KILLS` says how often it is killed (default 30).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use integration::gateway::Setup;
use integration::sink::{Answer, Sink, Step};
use integration::{load, mime};

use crate::{ALICE, BOB};

#[test]
fn crash_at_any_moment_loses_no_acknowledged_mail() -> Result<()> {
    let kills: u64 = std::env::var("POSTERN_KILLS").map_or(Ok(30), |text| text.parse())?;
    let sink = Sink::start()?;
    // Every third delivery fails for now, so that there is always something in the queue.
    let deliveries = AtomicUsize::new(0);
    sink.answer(move |step| match step {
        Step::Content if deliveries.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) => {
            Answer::Reply("451 4.3.0 not now")
        }
        _ => Answer::Accept,
    });
    let mut gateway = Setup::default()
        .tables("[delivery]\nretry-first = \"1s\"\nretry-longest = \"2s\"\n")
        .next_hop(sink.address())
        .start()?;
    let address = gateway.address();
    let acknowledged = load::during(address, ALICE, BOB, || {
        for kill in 0..kills {
            // Anything from at once to a third of a second; 211 makes neighbours differ.
            thread::sleep(Duration::from_millis(kill * 211 % 331));
            gateway.kill()?;
            let shown = gateway.readable_files()?;
            ensure!(
                shown.is_empty(),
                "kill {kill}: mail can be read in {shown:?}"
            );
            gateway.start()?;
        }
        Ok(())
    })?;
    gateway.wait_until_empty()?;
    let arrived: BTreeSet<String> = sink
        .mails()
        .iter()
        .map(|mail| mime::values(&mail.content, "Message-ID").concat())
        .collect();
    let lost: Vec<_> = acknowledged.difference(&arrived).collect();
    println!(
        "{kills} kills, {} acknowledged, {} arrived",
        acknowledged.len(),
        arrived.len()
    );
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    assert!(
        acknowledged.len() > 2 * usize::try_from(kills)?,
        "hardly any load"
    );
    Ok(())
}
