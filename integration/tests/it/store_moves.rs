//! A store moves from SQLite to PostgreSQL and back, while a gateway runs.

use std::fs;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup, text};
use integration::pki::pki;
use integration::postgres::Postgres;
use integration::sink::Sink;
use integration::{mails, openssl};

use crate::{ALICE, BOB};

/// A gateway that is not started, with the vault key of `like`.
fn heir(setup: &Setup, like: &Gateway) -> Result<Gateway> {
    let gateway = setup.write()?;
    fs::copy(like.file("vault.key"), gateway.file("vault.key"))?;
    Ok(gateway)
}

#[test]
fn from_sqlite_to_postgresql_and_back() -> Result<()> {
    let server = Postgres::start().context("PostgreSQL is not installed")?;
    let sink = Sink::start()?;
    let plain = Setup::default().next_hop(sink.address());
    let on_server = plain.clone().tables(&format!(
        "[database]\nurl = \"{}\"\n",
        server.database("postern")
    ));
    let first = plain.start()?;
    let export = first.file("export");
    first.ask(&["store", "export", text(&export)?])?;
    assert!(first.id().is_some(), "it ran all the time");

    let mut second = heir(&on_server, &first)?;
    let imported = second.ask(&["store", "import", text(&export)?])?;
    assert!(imported["rows"].as_u64() >= Some(3), "{imported}");
    second.start()?;
    let mail = mails::plain(ALICE, BOB).content;
    second.send(ALICE, &[BOB], &mail)?.accepted()?;
    let arrived = sink.only()?.content;
    openssl::open(&arrived, &pki()?.bob(), &pki()?.ca())?;
    // What comes after the import gets numbers of its own.
    second.import_key(&pki()?.identity("carol"), "both")?;

    let sealed = second.file("sealed");
    let passphrase = second.file("passphrase");
    let words = [
        "store",
        "export",
        text(&sealed)?,
        "--passphrase-file",
        text(&passphrase)?,
    ];
    second.ask(&words)?;
    let third = heir(&plain, &first)?;
    let refused = third.try_to(&["store", "import", text(&sealed)?])?;
    assert_eq!(refused.code(), Some(65), "{}", refused.stderr);
    third.ask(&[
        "store",
        "import",
        text(&sealed)?,
        "--passphrase-file",
        text(&passphrase)?,
    ])?;
    for list in ["key", "cert", "trust"] {
        assert_eq!(
            third.ask(&[list, "list"])?,
            second.ask(&[list, "list"])?,
            "{list}"
        );
    }
    Ok(())
}

#[test]
fn a_file_for_another_vault_key_is_refused_and_none_is_overwritten() -> Result<()> {
    let first = Setup::default().write()?;
    first.import_key(&pki()?.alice(), "both")?;
    let export = first.file("export");
    let passphrase = first.file("passphrase");
    let words = [
        "store",
        "export",
        text(&export)?,
        "--passphrase-file",
        text(&passphrase)?,
    ];
    first.ask(&words)?;
    assert_eq!(first.try_to(&words)?.code(), Some(73));
    let stranger = Setup::default().write()?;
    let words = [
        "store",
        "import",
        text(&export)?,
        "--passphrase-file",
        text(&passphrase)?,
    ];
    let refused = stranger.try_to(&words)?;
    assert_eq!(refused.code(), Some(65));
    assert!(
        refused.stderr.contains("another vault key"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        stranger.ask(&["key", "list"])?.as_array().map(Vec::len),
        Some(0)
    );
    Ok(())
}
