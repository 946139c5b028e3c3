//! A disk that takes nothing more: mail is put off with a 4xx, nothing is lost, and all goes on when there is room again.
//!
//! The disk is full for the gateway alone: its files may not grow (RLIMIT_FSIZE).

use std::process::Command;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::sink::{Answer, Sink};
use integration::{mails, process};

use crate::{ALICE, BOB};

#[test]
fn a_full_disk_defers_mail_and_loses_none() -> Result<()> {
    let sink = Sink::start()?;
    sink.answer(|_| Answer::Reply("451 4.3.0 not now"));
    let gateway = Setup::default()
        .tables("[delivery]\nretry-first = \"1s\"\nretry-longest = \"1s\"\n")
        .next_hop(sink.address())
        .start()?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;

    let large = mails::large(ALICE, BOB, 300_000);
    limit_files(&gateway, "1024")?;
    for content in [&mail.content, &large.content] {
        let reply = match gateway.send(ALICE, &[BOB], content) {
            Ok(sent) => {
                let last = sent.message.as_ref().or(sent.recipients.last());
                last.unwrap_or(&sent.sender).text()
            }
            // Once it knows, it says so in place of the banner.
            Err(refused) => refused.to_string(),
        };
        assert!(reply.starts_with('4'), "{reply}");
    }

    limit_files(&gateway, "unlimited")?;
    let accepted = process::until(std::time::Duration::from_secs(30), "room", || {
        let sent = gateway.send(ALICE, &[BOB], &large.content).ok()?;
        sent.accepted().ok()
    });
    accepted?;
    sink.answer(|_| Answer::Accept);
    // The one from before and the one from after, and nothing of those that were put off.
    assert_eq!(sink.wait(2)?.len(), 2);
    gateway.wait_until_empty()
}

fn limit_files(gateway: &Gateway, bytes: &str) -> Result<()> {
    let id = gateway.id().context("it is not running")?;
    let mut prlimit = Command::new(process::program("prlimit", "util-linux")?);
    prlimit.arg("--pid").arg(id.to_string());
    process::run(prlimit.arg(format!("--fsize={bytes}:unlimited")), b"").map(drop)
}
