//! Who writes a signed mail can be answered encrypted; who takes somebody's address over waits for an operator's word.

use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup, text};
use integration::pki::{Identity, pki};
use integration::sink::Sink;
use integration::{mails, mime, openssl, process};
use serde_json::Value;

use crate::{ALICE, BOB};

const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that knows alice's key and nobody's certificate.
fn gateway(sink: &Sink, tables: &str) -> Result<Gateway> {
    let mut gateway = Setup::default()
        .tables(tables)
        .next_hop(sink.address())
        .write()?;
    gateway.import_key(&pki()?.alice(), "both")?;
    let other_ca = pki()?.file("other-ca.pem");
    gateway.ask(&["trust", "add", text(&other_ca)?])?;
    gateway.start()?;
    Ok(gateway)
}

/// Brings alice a mail that `signer` signed.
fn bring(gateway: &Gateway, signer: &Identity) -> Result<()> {
    let mail = mails::plain(BOB, ALICE).content;
    let signed = openssl::sign(&mime::entity(&mail), signer, &[])?;
    let mail = mime::dress(&mail, &signed);
    gateway.send(BOB, &[ALICE], &mail)?.accepted().map(drop)
}

fn certificates(gateway: &Gateway, words: &[&str]) -> Result<Vec<Value>> {
    let list = gateway.ask(&[&["cert", "list"], words].concat())?;
    let list = list.as_array().context("no list")?;
    let of_bob = |one: &&Value| one["addresses"][0] == BOB;
    Ok(list.iter().filter(of_bob).cloned().collect())
}

fn wait_for_one(gateway: &Gateway, words: &[&str]) -> Result<Value> {
    process::until(PATIENCE, "a certificate of bob's", || {
        certificates(gateway, words).ok()?.pop()
    })
}

#[test]
fn an_answer_is_encrypted_to_whom_signed() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = gateway(&sink, "")?;
    let answer = mails::plain(ALICE, BOB).content;
    let sent = gateway.send(ALICE, &[BOB], &answer)?;
    assert!(sent.accepted().is_err(), "nothing is known of bob yet");

    bring(&gateway, &pki()?.bob())?;
    let kept = wait_for_one(&gateway, &[])?;
    assert_eq!(kept["source"], "harvested");
    assert_eq!(kept["id"], openssl::fingerprint(&pki()?.bob().certificate)?);
    assert_eq!(kept["message_id"], "<plain.1@example.org>");
    // Told by a change in the store: the answer "none" of before is forgotten.
    process::until(PATIENCE, "an encrypted answer", || {
        gateway.send(ALICE, &[BOB], &answer).ok()?.accepted().ok()
    })?;
    let arrived = sink.wait(2)?.pop().context("no answer")?.content;
    openssl::open(&arrived, &pki()?.bob(), &pki()?.ca())?;
    Ok(())
}

#[test]
fn another_issuers_key_for_a_known_address_is_kept_aside() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = gateway(&sink, "")?;
    bring(&gateway, &pki()?.bob())?;
    wait_for_one(&gateway, &[])?;
    let false_bob = pki()?.identity("false-bob");
    bring(&gateway, &false_bob)?;
    let pending = wait_for_one(&gateway, &["--pending"])?;
    let id = pending["id"].as_str().context("no id")?;
    assert_eq!(id, openssl::fingerprint(&false_bob.certificate)?);
    let reason = pending["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("another issuer"), "{pending}");
    assert_eq!(certificates(&gateway, &[])?.len(), 1);

    let answer = mails::plain(ALICE, BOB).content;
    gateway.send(ALICE, &[BOB], &answer)?.accepted()?;
    let arrived = sink.wait(3)?.pop().context("no answer")?.content;
    openssl::open(&arrived, &pki()?.bob(), &pki()?.ca())?;
    assert!(openssl::decrypt(&arrived, &false_bob).is_err());

    gateway.ask(&["cert", "accept", id])?;
    assert_eq!(certificates(&gateway, &["--pending"])?.len(), 0);
    assert_eq!(certificates(&gateway, &[])?.len(), 2);
    assert_eq!(gateway.try_to(&["cert", "accept", id])?.code(), Some(1));
    Ok(())
}

#[test]
fn what_is_switched_off_is_not_kept() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = gateway(&sink, "[harvest]\nenabled = false\n")?;
    bring(&gateway, &pki()?.bob())?;
    sink.wait(1)?;
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(certificates(&gateway, &[])?.len(), 0);
    Ok(())
}
