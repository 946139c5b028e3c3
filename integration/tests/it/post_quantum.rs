//! ML-DSA signatures and ML-KEM recipients, with an independent implementation on the other side, beside a correspondent
//! whose key is RSA.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, HOSTNAME, Setup, text};
use integration::pki::pki;
use integration::sink::Sink;
use integration::{mails, mime, openssl, post_quantum};

use crate::{ALICE, BOB};

const QUENTIN: &str = "quentin@partner.example";

#[test]
fn one_mail_reaches_a_classic_and_a_post_quantum_reader() -> Result<()> {
    let (pki, sink) = (pki()?, Sink::start()?);
    for (dsa, kem) in [
        ("ml-dsa-44", "ml-kem-768"),
        ("ml-dsa-65", "ml-kem-1024"),
        ("ml-dsa-87", "ml-kem-768"),
    ] {
        let before = sink.count();
        let mut gateway = Setup::default().next_hop(sink.address()).write()?;
        gateway.ask(&["ca", "init"])?;
        let alice = issue(&gateway, ALICE, dsa)?;
        let quentin = partner(&gateway, kem)?;
        gateway.import_certificate(&quentin.certificate)?;
        gateway.import_certificate(&pki.bob().certificate)?;
        gateway.start()?;

        let mail = mails::html_with_attachments(ALICE, &format!("{BOB}>, <{QUENTIN}"));
        gateway
            .send(ALICE, &[BOB, QUENTIN], &mail.content)?
            .accepted()?;
        let arrived = sink.wait(before + 1)?.pop().context("no mail")?;
        assert_eq!(arrived.recipients, [BOB, QUENTIN]);
        let for_bob = openssl::decrypt(&arrived.content, &pki.bob())?;
        let for_quentin = post_quantum::decrypt(&arrived.content, &quentin.key)?;
        assert_eq!(mime::crlf(&for_bob), mime::crlf(&for_quentin));
        let entity = post_quantum::verify(&for_quentin, &alice.certificate)?;
        assert_eq!(mime::leaves(&entity)?, mail.leaves);
    }
    Ok(())
}

#[test]
fn what_others_encrypt_and_sign_is_opened_and_verified() -> Result<()> {
    let sink = Sink::start()?;
    for (number, (dsa, kem, digest, material)) in (1..).zip([
        ("ml-dsa-44", "ml-kem-768", "256", "-"),
        ("ml-dsa-65", "ml-kem-1024", "256", "0badcafe"),
        ("ml-dsa-87", "ml-kem-1024", "384", "-"),
        ("ml-dsa-65", "ml-kem-768", "512", "00"),
    ]) {
        let mut gateway = Setup::default().next_hop(sink.address()).write()?;
        gateway.ask(&["ca", "init", "--algorithm", "ml-dsa-65"])?;
        let alice = issue(&gateway, ALICE, kem)?;
        let quentin = partner(&gateway, dsa)?;
        gateway.start()?;

        let mail = mails::plain(QUENTIN, ALICE);
        let entity = mime::entity(&mail.content);
        let signed = post_quantum::sign(&entity, &quentin.certificate, &quentin.key)?;
        let sealed = post_quantum::encrypt(&signed, &alice.certificate, digest, material)?;
        let sealed = mime::dress(&mail.content, &sealed);
        gateway.send(QUENTIN, &[ALICE], &sealed)?.accepted()?;
        let arrived = sink.wait(number)?.pop().context("no mail")?.content;
        let verdict = mime::values(&arrived, "Authentication-Results").concat();
        let good = verdict.starts_with(HOSTNAME) && verdict.contains("smime=pass");
        assert!(good, "{dsa} {kem}: {verdict}");
    }
    Ok(())
}

#[test]
fn a_key_is_not_issued_for_what_is_unknown() -> Result<()> {
    let gateway = Setup::default().write()?;
    gateway.ask(&["ca", "init"])?;
    for words in [
        &["ca", "issue", ALICE, "--algorithm", "ml-dsa-66"][..],
        &["ca", "init", "--algorithm", "ml-kem-768"],
    ] {
        assert!(!gateway.try_to(words)?.status.success(), "{words:?}");
    }
    Ok(())
}

/// Files with somebody's certificate and key.
struct Person {
    certificate: PathBuf,
    key: PathBuf,
}

/// Quentin, whose certificate is from the authority of another house, which the gateway trusts.
fn partner(gateway: &Gateway, algorithm: &str) -> Result<Person> {
    let house = Setup::default().write()?;
    let authority = house.ask(&["ca", "init", "--subject", "CN=Partner CA"])?;
    let file = gateway.file("partner-ca.pem");
    fs::write(&file, authority["pem"].as_str().context("no certificate")?)?;
    gateway.ask(&["trust", "add", text(&file)?, "--domain", "partner.example"])?;
    issue_by(&house, gateway, QUENTIN, algorithm)
}

fn issue(gateway: &Gateway, address: &str, algorithm: &str) -> Result<Person> {
    issue_by(gateway, gateway, address, algorithm)
}

/// Issues a certificate by the authority of `house`, and puts its files where `gateway` has its own.
fn issue_by(house: &Gateway, gateway: &Gateway, address: &str, algorithm: &str) -> Result<Person> {
    let file = gateway.file(&format!("{address}.pem"));
    let out = text(&file)?;
    house.ask(&[
        "ca",
        "issue",
        address,
        "--algorithm",
        algorithm,
        "--out",
        out,
    ])?;
    let pem = fs::read_to_string(&file)?;
    let part = |label: &str, name: &str| -> Result<PathBuf> {
        let end = format!("-----END {label}-----\n");
        let begin = pem
            .find(&format!("-----BEGIN {label}"))
            .context("no block")?;
        let length = pem[begin..].find(&end).context("no end")? + end.len();
        let part = gateway.file(name);
        fs::write(&part, &pem[begin..begin + length])?;
        Ok(part)
    };
    Ok(Person {
        certificate: part("CERTIFICATE", &format!("{address}.crt"))?,
        key: part("PRIVATE KEY", &format!("{address}.key"))?,
    })
}
