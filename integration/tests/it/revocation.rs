//! Revocation by OCSP and by CRL, with OpenSSL's responder and a CRL over HTTP: revoked ones are refused, and under `hard`
//! nothing is believed that cannot be looked up. What must be encrypted waits for that with a 451, and never leaves in clear.

use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::revocation::{Authority, Points};
use integration::sink::Sink;
use integration::{mails, mime, openssl, process};

use crate::ALICE;

const BY_CRL: Points = Points {
    crl: true,
    ocsp: false,
    issuer: false,
};
const BY_OCSP: Points = Points {
    crl: false,
    ocsp: true,
    issuer: false,
};
const BY_BOTH: Points = Points {
    crl: true,
    ocsp: true,
    issuer: false,
};
const NOWHERE: Points = Points {
    crl: false,
    ocsp: false,
    issuer: false,
};
const DORA: &str = "dora@partner.example";

/// A gateway that trusts `authority` under `mode`, and may ask it.
fn setup(authority: &Authority, mode: &str, sink: &Sink) -> Setup {
    Setup::default()
        .tables("fetch-private = [\"127.0.0.0/8\"]")
        .tables(&format!(
            "[[trust.group]]\nanchors = [\"{}\"]\nrevocation = \"{mode}\"",
            authority.file("ca.pem").display()
        ))
        .next_hop(sink.address())
}

fn reply(gateway: &Gateway, to: &str) -> Result<String> {
    let sent = gateway.send(ALICE, &[to], &mails::plain(ALICE, to).content)?;
    let last = sent.message.as_ref().or(sent.recipients.last());
    Ok(last.context("no reply")?.text())
}

/// Why the only certificate of an address is refused, or that it is not.
fn reason(gateway: &Gateway, address: &str) -> Result<String> {
    let finished = gateway.try_to(&["cert", "find", address])?;
    let found: serde_json::Value = serde_json::from_slice(&finished.stdout)?;
    let considered = found["considered"][0]["reason"].as_str();
    Ok(considered.context("nothing considered")?.to_owned())
}

/// Who they are, where they can be looked up, and how the reason begins under `hard` and under `soft`; under `off`
/// everybody is trusted.
const PEOPLE: [(&str, &str, Points, &str, &str); 5] = [
    (
        "good",
        "good@partner.example",
        BY_OCSP,
        "trusted",
        "trusted",
    ),
    (
        "revoked",
        "revoked@partner.example",
        BY_OCSP,
        "revoked: CN=revoked,O=Postern-tests was revoked on ",
        "revoked: ",
    ),
    (
        "unknown",
        "unknown@partner.example",
        BY_OCSP,
        "revocation-unknown: ",
        "trusted",
    ),
    (
        "listed",
        "listed@partner.example",
        BY_CRL,
        "revoked: ",
        "revoked: ",
    ),
    (
        "silent",
        "silent@partner.example",
        NOWHERE,
        "revocation-unknown: ",
        "trusted",
    ),
];

#[test]
fn each_answer_has_its_reason() -> Result<()> {
    let authority = Authority::new()?;
    let mut certificates = Vec::new();
    for (name, address, points, ..) in PEOPLE {
        certificates.push(authority.issue(name, address, points)?.certificate);
    }
    authority.revoke("revoked")?;
    authority.revoke("listed")?;
    authority.publish_crl("-crldays 1")?;
    authority.forget("unknown")?;
    authority.start_responder()?;
    let sink = Sink::start()?;
    for mode in ["hard", "soft", "off"] {
        let gateway = setup(&authority, mode, &sink).write()?;
        for certificate in &certificates {
            gateway.import_certificate(certificate)?;
        }
        for (_, address, _, hard, soft) in PEOPLE {
            let reason = reason(&gateway, address)?;
            let expected = match mode {
                "hard" => hard,
                "soft" => soft,
                _ => "trusted",
            };
            assert!(reason.starts_with(expected), "{mode} {address}: {reason}");
        }
    }
    Ok(())
}

#[test]
fn what_must_be_encrypted_waits_while_the_responder_is_away() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_OCSP)?;
    let sink = Sink::start()?;
    let gateway = setup(&authority, "hard", &sink).start()?;
    gateway.import_certificate(&dora.certificate)?;
    let away = reply(&gateway, DORA)?;
    assert!(away.starts_with("451 4.4.3 "), "{away}");
    assert_eq!(sink.count(), 0);

    authority.start_responder()?;
    process::until(Duration::from_secs(60), "mail that flows again", || {
        reply(&gateway, DORA)
            .is_ok_and(|reply| reply.starts_with("250"))
            .then_some(())
    })?;
    let content = sink.wait(1)?.pop().context("a mail")?.content;
    openssl::decrypt(&content, &dora)?;
    Ok(())
}

#[test]
fn an_outage_is_no_revocation_under_soft() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_BOTH)?;
    authority.web().set_up(false);
    let sink = Sink::start()?;
    let gateway = setup(&authority, "soft", &sink).start()?;
    gateway.import_certificate(&dora.certificate)?;
    assert!(reply(&gateway, DORA)?.starts_with("250"));
    openssl::decrypt(&sink.only()?.content, &dora)?;
    Ok(())
}

#[test]
fn a_crl_serves_where_the_responder_does_not_and_survives_a_restart() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_BOTH)?;
    let sink = Sink::start()?;
    let mut gateway = setup(&authority, "hard", &sink).start()?;
    gateway.import_certificate(&dora.certificate)?;
    assert!(reply(&gateway, DORA)?.starts_with("250"));
    let requests = authority.web().requests();
    assert_eq!(requests, 1);
    authority.web().set_up(false);
    gateway.stop()?;
    gateway.start()?;
    // The responder is asked again, and the CRL is in the database.
    assert!(reply(&gateway, DORA)?.starts_with("250"));
    assert_eq!(authority.web().requests(), requests);
    Ok(())
}

#[test]
fn an_old_crl_says_nothing() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_CRL)?;
    authority.publish_crl("-crl_lastupdate 20240101000000Z -crl_nextupdate 20240201000000Z")?;
    let sink = Sink::start()?;
    let gateway = setup(&authority, "hard", &sink).write()?;
    gateway.import_certificate(&dora.certificate)?;
    let why = reason(&gateway, DORA)?;
    assert!(
        why.starts_with("revocation-unknown: ") && why.contains("was valid until 2024-02-01"),
        "{why}"
    );
    Ok(())
}

#[test]
fn the_signature_of_a_revoked_key_is_no_pass() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_CRL)?;
    let dirk = authority.issue("dirk", "dirk@partner.example", BY_CRL)?;
    authority.revoke("dora")?;
    authority.publish_crl("-crldays 1")?;
    let sink = Sink::start()?;
    let gateway = setup(&authority, "hard", &sink).start()?;
    for (number, (signer, expected)) in (1..).zip([
        (&dora, "smime=fail reason=\"revoked: "),
        (&dirk, "smime=pass"),
    ]) {
        let mail = mails::plain(signer.address, ALICE);
        let signed = openssl::sign(&mime::entity(&mail.content), signer, &[])?;
        let signed = mime::dress(&mail.content, &signed);
        gateway
            .send(signer.address, &[ALICE], &signed)?
            .accepted()?;
        let arrived = sink.wait(number)?.pop().context("a mail")?.content;
        let verdict = mime::values(&arrived, "Authentication-Results").concat();
        let verdict = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(verdict.contains(expected), "{verdict}");
    }
    // One CRL for both.
    assert_eq!(authority.web().requests(), 1);
    Ok(())
}

#[test]
fn a_private_network_is_not_asked_unless_listed() -> Result<()> {
    let authority = Authority::new()?;
    let dora = authority.issue("dora", DORA, BY_CRL)?;
    let gateway = Setup::default()
        .tables(&format!(
            "[[trust.group]]\nanchors = [\"{}\"]\nrevocation = \"hard\"",
            authority.file("ca.pem").display()
        ))
        .write()?;
    gateway.import_certificate(&dora.certificate)?;
    let why = reason(&gateway, DORA)?;
    assert!(why.contains("private network"), "{why}");
    assert_eq!(authority.web().requests(), 0);
    Ok(())
}
