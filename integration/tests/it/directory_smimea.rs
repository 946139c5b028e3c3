//! Certificates from DNS: believed with DNSSEC, not without, and an outage if the signatures do not hold.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use integration::bind::{Bind, Signing};
use integration::gateway::{Setup, text};
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, openssl, process};
use serde_json::Value;

use crate::ALICE;

/// Nobody here trusts her authority; only her domain speaks for her.
const MALLORY: &str = "mallory@evil.example";
const BETTY: &str = "betty@partner.example";

/// An SMIMEA record for a local part: "3 0 0" is usage, selector, matching type.
fn record(local_part: &str, numbers: &str, data: &[u8]) -> Result<String> {
    let digest = process::run(
        std::process::Command::new("openssl").args(["dgst", "-sha256", "-r"]),
        local_part.as_bytes(),
    )?;
    let digest = String::from_utf8(digest)?;
    let label = digest.get(..56).context("a digest")?;
    let mut record = format!("{label}._smimecert IN SMIMEA {numbers} ");
    for octet in data {
        write!(record, "{octet:02x}")?;
    }
    Ok(record + "\n")
}

fn directory(bind: &Bind) -> Result<String> {
    Ok(format!(
        "[[directory]]\nkind = \"smimea\"\nresolver = \"{}\"\ntrust-anchor = \"{}\"\ntimeout = \"2s\"\nfailures = 100\n",
        bind.address(),
        text(&bind.trust_anchor())?
    ))
}

#[test]
fn a_record_counts_as_much_as_its_signature() -> Result<()> {
    let pki = pki()?;
    let mallory = openssl::der(&pki.identity("mallory").certificate)?;
    let betty = openssl::der(&pki.identity("betty").certificate)?;
    let mut bind = Bind::start(&[
        (
            "evil.example",
            Signing::Secure,
            record("mallory", "3 0 0", &mallory)?,
        ),
        (
            "partner.example",
            Signing::Insecure,
            record("betty", "3 0 0", &betty)?,
        ),
        (
            "bogus.example",
            Signing::Bogus,
            record("x", "3 0 0", &mallory)?,
        ),
    ])?;
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .next_hop(sink.address())
        .tables(&directory(&bind)?)
        .start()?;
    let mail = mails::plain(ALICE, MALLORY).content;
    gateway.send(ALICE, &[MALLORY], &mail)?.accepted()?;
    openssl::decrypt(&sink.only()?.content, &pki.identity("mallory"))?;
    for (to, reply) in [
        ("nobody@evil.example", "550 5.7.5 "),
        (BETTY, "550 5.7.5 "),
        ("x@bogus.example", "451 4.4.3 "),
    ] {
        let sent = gateway.send(ALICE, &[to], &mail)?;
        let said = sent.recipients[0].text();
        assert!(said.starts_with(reply), "{to}: {said}");
    }
    let answer: Value = serde_json::from_slice(&gateway.try_to(&["cert", "find", BETTY])?.stdout)?;
    let reason = answer["sources"][2]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("not signed"), "{answer}");

    bind.take_away()?;
    let sent = gateway.send(ALICE, &["other@evil.example"], &mail)?;
    let said = sent.recipients[0].text();
    assert!(said.starts_with("451 4.4.3 "), "{said}");
    assert_eq!(sink.count(), 1, "nothing else left");
    bind.bring_back()?;
    process::until(Duration::from_secs(40), "DNS", || {
        let sent = gateway.send(ALICE, &["other@evil.example"], &mail).ok()?;
        sent.recipients[0]
            .text()
            .starts_with("550 5.7.5 ")
            .then_some(())
    })
}

#[test]
fn a_digest_in_dns_vouches_for_a_certificate_from_elsewhere() -> Result<()> {
    let pki = pki()?;
    let mallory = pki.identity("mallory").certificate;
    let digest = openssl::fingerprint(&mallory)?;
    let octets: Vec<u8> = digest
        .as_bytes()
        .chunks(2)
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect::<Result<_>>()?;
    let bind = Bind::start(&[(
        "evil.example",
        Signing::Secure,
        record("mallory", "3 0 1", &octets)?,
    )])?;
    let gateway = Setup::default().tables(&directory(&bind)?).write()?;
    let untrusted = gateway.try_to(&["cert", "find", MALLORY])?;
    assert_eq!(untrusted.code(), Some(1), "there is nothing but a digest");
    gateway.import_certificate(&mallory)?;
    let found = gateway.ask(&["cert", "find", MALLORY])?;
    assert_eq!(found["certificate"]["sha256"], digest, "{found}");
    Ok(())
}

#[test]
fn what_is_published_is_found() -> Result<()> {
    let ours = Setup::default().write()?;
    ours.import_key(&pki()?.alice(), "both")?;
    let records = ours.ask(&["cert", "publish", "smimea", "--domain", "example.org"])?;
    let record = records[0]["record"].as_str().context("no record")?;
    assert_eq!(records[0]["address"], ALICE);
    let bind = Bind::start(&[("example.org", Signing::Secure, record.to_owned())])?;
    let theirs = Setup::default().tables(&directory(&bind)?).write()?;
    let found = theirs.ask(&["cert", "find", ALICE])?;
    assert_eq!(found["certificate"]["source"], "smimea", "{found}");
    assert_eq!(found["certificate"]["sha256"], records[0]["id"]);
    Ok(())
}
