//! Several gateways on one PostgreSQL server, and what happens when it is gone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::pki::pki;
use integration::postgres::Postgres;
use integration::sink::Sink;
use integration::{mails, openssl, process};

use crate::{ALICE, BOB};

const BETTY: &str = "betty@partner.example";

fn server() -> Result<Postgres> {
    Postgres::start().context("PostgreSQL is not installed: apt-get install postgresql")
}

fn setup(url: &str, sink: &Sink) -> Setup {
    Setup::default()
        .tables(&format!("[database]\nurl = \"{url}\"\n"))
        .next_hop(sink.address())
}

/// Two gateways that share a database, and therefore a vault key.
fn two(url: &str, sink: &Sink) -> Result<[Gateway; 2]> {
    let first = setup(url, sink).start()?;
    let mut second = setup(url, sink).write()?;
    std::fs::copy(first.file("vault.key"), second.file("vault.key"))?;
    second.start()?;
    Ok([first, second])
}

#[test]
fn a_gateway_on_postgresql_signs_encrypts_and_opens() -> Result<()> {
    let server = server()?;
    let sink = Sink::start()?;
    let gateway = setup(&server.database("postern"), &sink).start()?;
    let mail = mails::plain(ALICE, BOB).content;
    gateway.send(ALICE, &[BOB], &mail)?.accepted()?;
    let pki = pki()?;
    let sealed = sink.only()?.content;
    openssl::open(&sealed, &pki.bob(), &pki.ca())?;

    let entity = integration::mime::entity(&mails::plain(BOB, ALICE).content);
    let sealed = openssl::encrypt(&entity, &[&pki.alice()], "-aes256", &[])?;
    let back = integration::mime::dress(&mails::plain(BOB, ALICE).content, &sealed);
    gateway.send(BOB, &[ALICE], &back)?.accepted()?;
    let opened = sink.wait(2)?.pop().context("no mail")?.content;
    assert!(integration::mime::find(&opened, mails::MARKER.as_bytes()).is_some());
    // Nothing of it lies in a file beside.
    assert!(!gateway.file("data/certstore.db").exists());
    assert_eq!(gateway.readable_files()?, Vec::<PathBuf>::new());
    // Keys rest sealed there, too.
    let dump = server.sql(
        "postern",
        "SELECT encode(sealed, 'escape') FROM private_key",
    );
    assert!(!dump.is_empty() && !dump.contains("PRIVATE KEY"));
    Ok(())
}

#[test]
fn what_one_gateway_imports_counts_on_the_other_at_once() -> Result<()> {
    let server = server()?;
    let sink = Sink::start()?;
    let [first, second] = two(&server.database("postern"), &sink)?;
    let mail = mails::plain(ALICE, BETTY).content;
    let sent = second.send(ALICE, &[BETTY], &mail)?;
    assert!(
        sent.accepted().is_err(),
        "betty is unknown, and that is an answer to keep"
    );
    first.import_certificate(&pki()?.identity("betty").certificate)?;
    let begun = Instant::now();
    process::until(Duration::from_secs(20), "the other gateway", || {
        second.send(ALICE, &[BETTY], &mail).ok()?.accepted().ok()
    })?;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let arrived = sink.only()?.content;
    openssl::open(&arrived, &pki()?.identity("betty"), &pki()?.ca())?;
    Ok(())
}

#[test]
fn while_the_server_is_down_mail_is_deferred_and_none_is_lost() -> Result<()> {
    let mut server = server()?;
    let sink = Sink::start()?;
    // Nothing is remembered, so that each mail needs the server.
    let url = server.database("postern");
    let cache = "[cache]\nfound = \"1ms\"\nnone = \"1ms\"\nfailed = \"1ms\"\nrefresh = \"0s\"\nstale = \"0s\"\n";
    let gateway = setup(&url, &sink).tables(cache).start()?;
    let mail = mails::plain(ALICE, BOB).content;
    gateway.send(ALICE, &[BOB], &mail)?.accepted()?;
    sink.only()?;

    server.stop();
    let sent = gateway.send(ALICE, &[BOB], &mail)?;
    let last = sent.message.as_ref().or(sent.recipients.last());
    let reply = last.unwrap_or(&sent.sender).text();
    assert!(reply.starts_with("451 "), "{reply}");
    assert_eq!(sink.count(), 1);
    assert_eq!(gateway.readable_files()?, Vec::<PathBuf>::new());

    server.start_again();
    process::until(Duration::from_secs(60), "mail after the outage", || {
        gateway.send(ALICE, &[BOB], &mail).ok()?.accepted().ok()
    })?;
    let arrived = sink.wait(2)?.pop().context("no mail")?.content;
    openssl::open(&arrived, &pki()?.bob(), &pki()?.ca())?;
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_named_and_its_password_is_not() -> Result<()> {
    let sink = Sink::start()?;
    let url = "postgres://postern:s3cret@127.0.0.1:9/certs";
    let finished = setup(url, &sink).write()?.try_to(&["cert", "list"])?;
    assert_eq!(finished.code(), Some(69), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("postgres://127.0.0.1:9/certs"),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("s3cret"));
    Ok(())
}
