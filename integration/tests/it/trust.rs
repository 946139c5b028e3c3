//! Whom an operator trusts: a partner's CA for the partner alone, roots of others, whom nobody shall believe, and issuers
//! that are fetched.

use std::fs;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::openssl;
use integration::pki::pki;
use integration::revocation::{Authority, Points};

use crate::BOB;

fn reason(gateway: &Gateway, address: &str) -> Result<String> {
    let finished = gateway.try_to(&["cert", "find", address])?;
    let found: serde_json::Value = serde_json::from_slice(&finished.stdout)?;
    let considered = found["considered"][0]["reason"].as_str();
    Ok(considered.context("nothing considered")?.to_owned())
}

#[test]
fn a_partners_authority_counts_for_the_partner_alone() -> Result<()> {
    let authority = Authority::new()?;
    let own = authority.issue("own", "own@partner.example", Points::default())?;
    let foreign = authority.issue("foreign", "foreign@other.example", Points::default())?;
    let gateway = Setup::default()
        .tables(&format!(
            "[[trust.partner]]\ndomains = [\"partner.example\"]\nanchors = [\"{}\"]",
            authority.file("ca.pem").display()
        ))
        .write()?;
    for person in [&own, &foreign] {
        gateway.import_certificate(&person.certificate)?;
    }
    assert!(reason(&gateway, own.address)?.starts_with("trusted"));
    let why = reason(&gateway, foreign.address)?;
    assert!(why.contains("is not trusted for this address"), "{why}");
    Ok(())
}

#[test]
fn what_is_distrusted_is_believed_of_nobody() -> Result<()> {
    let pki = pki()?;
    let gateway = Setup::default().start()?;
    assert!(reason(&gateway, BOB)?.starts_with("trusted"));
    for file in [pki.bob().certificate, pki.ca()] {
        let sha256 = openssl::fingerprint(&file)?;
        gateway.ask(&["trust", "distrust", &sha256])?;
        let why = reason(&gateway, BOB)?;
        assert!(
            why.starts_with("untrusted: ") && why.ends_with("is on the distrust list"),
            "{why}"
        );
        let listed = gateway.ask(&["trust", "list"])?;
        assert!(listed.to_string().contains(&sha256), "{listed}");
        gateway.ask(&["trust", "distrust", "--undo", &sha256])?;
        assert!(reason(&gateway, BOB)?.starts_with("trusted"));
    }
    let sha256 = openssl::fingerprint(&pki.ca())?;
    let configured = Setup::default()
        .tables(&format!("distrust = [\"{sha256}\"]"))
        .write()?;
    configured.import_certificate(&pki.bob().certificate)?;
    assert!(reason(&configured, BOB)?.ends_with("is on the distrust list"));
    Ok(())
}

#[test]
fn an_unknown_issuer_is_fetched() -> Result<()> {
    let authority = Authority::new()?;
    authority.intermediate("between")?;
    let points = Points {
        issuer: true,
        ..Points::default()
    };
    let dora = authority.issue_under("between", "dora", "dora@partner.example", points)?;
    for (keys, expected) in [
        ("fetch-private = [\"127.0.0.0/8\"]", "trusted"),
        (
            "fetch-private = [\"127.0.0.0/8\"]\nfetch-issuers = false",
            "untrusted: no path",
        ),
    ] {
        let group = format!(
            "[[trust.group]]\nanchors = [\"{}\"]",
            authority.file("ca.pem").display()
        );
        let gateway = Setup::default().tables(keys).tables(&group).write()?;
        gateway.import_certificate(&dora.certificate)?;
        let why = reason(&gateway, dora.address)?;
        assert!(why.starts_with(expected), "{keys}: {why}");
    }
    Ok(())
}

#[test]
fn mozillas_roots_for_mail_are_imported() -> Result<()> {
    let gateway = Setup::default().write()?;
    let imported = gateway.ask(&["trust", "import", "mozilla"])?;
    let for_mail = imported.as_array().context("a list")?.len();
    assert!(for_mail >= 20, "{for_mail}");
    // Where no module says what a root is for, all are taken, and that is said.
    let folder = tempfile::tempdir()?;
    fs::copy(pki()?.ca(), folder.path().join("root.crt"))?;
    let folder = integration::gateway::text(folder.path())?;
    let words = [
        "trust", "import", "mozilla", "--module", "/nowhere", "--folder", folder,
    ];
    let finished = gateway.try_to(&words)?;
    assert!(finished.status.success(), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("is not known there"),
        "{}",
        finished.stderr
    );
    Ok(())
}

#[test]
fn check_looks_into_the_files() -> Result<()> {
    let gateway = Setup::default()
        .tables("crls = [\"lists/*.crl\"]")
        .write()?;
    assert!(gateway.try_to(&["check"])?.status.success());
    fs::create_dir(gateway.file("lists"))?;
    fs::write(gateway.file("lists/bad.crl"), "no CRL")?;
    let finished = gateway.try_to(&["check"])?;
    assert_eq!(finished.code(), Some(78), "{}", finished.stderr);
    assert!(finished.stderr.contains("bad.crl"), "{}", finished.stderr);
    Ok(())
}
