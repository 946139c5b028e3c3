//! Stopped and started again, the gateway goes on where it was; asked to stop, it finishes what it is at.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::pki::pki;
use integration::sink::{Answer, Sink, Step};
use integration::smtp::Client;
use integration::{mails, openssl, process};

use crate::{ALICE, BOB};

#[test]
fn what_waits_is_delivered_after_a_restart() -> Result<()> {
    let down = process::free_address()?;
    let mut gateway = Setup::default()
        .tables("[delivery]\nretry-first = \"1s\"\nretry-longest = \"1s\"\n")
        .next_hop(down)
        .start()?;
    let large = mails::large(ALICE, BOB, 200_000);
    for content in [&mails::plain(ALICE, BOB).content, &large.content] {
        gateway.send(ALICE, &[BOB], content)?.accepted()?;
    }
    let status = gateway.stop()?;
    assert!(status.success(), "{status}");
    assert_eq!(gateway.readable_files()?, Vec::<std::path::PathBuf>::new());

    let sink = Sink::start_at(down)?;
    gateway.start()?;
    for arrived in sink.wait(2)? {
        openssl::open(&arrived.content, &pki()?.bob(), &pki()?.ca())?;
    }
    gateway.wait_until_empty()
}

#[test]
fn a_session_within_data_is_finished_before_the_end() -> Result<()> {
    let sink = Sink::start()?;
    let mut gateway = Setup::default().next_hop(sink.address()).start()?;
    let mut client = Client::connect(gateway.address())?;
    client.expect(250, &format!("MAIL FROM:<{ALICE}>"))?;
    client.expect(250, &format!("RCPT TO:<{BOB}>"))?;
    client.expect(354, "DATA")?;
    let stopping = thread::spawn(move || gateway.stop().map(|status| (gateway, status)));
    thread::sleep(Duration::from_millis(300));
    client.write(&mails::plain(ALICE, BOB).content)?;
    client.write(b".\r\n")?;
    let reply = client.reply()?;
    assert_eq!(reply.code, 250, "{}", reply.text());
    let (mut gateway, status) = stopping.join().ok().context("panicked")??;
    assert!(status.success(), "{status}");
    gateway.start()?;
    sink.only()?;
    Ok(())
}

#[test]
fn a_delivery_that_hangs_does_not_keep_it_from_stopping() -> Result<()> {
    let sink = Sink::start()?;
    sink.answer(|step| match step {
        Step::Content => Answer::Hang,
        _ => Answer::Accept,
    });
    let mut gateway = Setup::default().next_hop(sink.address()).start()?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    thread::sleep(Duration::from_millis(500));
    gateway.stop()?;
    sink.answer(|_| Answer::Accept);
    gateway.start()?;
    sink.only()?;
    Ok(())
}
