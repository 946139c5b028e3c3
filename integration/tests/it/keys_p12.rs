//! PKCS#12 files of today and of the past are imported, and what cannot be is refused with a reason.

use std::fs;

use anyhow::{Context, Result};
use integration::gateway::{Setup, text};
use integration::pki::{Identity, pki};
use integration::sink::Sink;
use integration::{mails, openssl};

use crate::{ALICE, BOB};

#[test]
fn each_kind_of_file_brings_a_key_that_signs() -> Result<()> {
    let pki = pki()?;
    let kinds: [(&str, &[&str]); 5] = [
        ("PBES2 with AES-256", &[]),
        ("RC2-40 and 3DES", &["-legacy"]),
        ("3DES", &["-legacy", "-descert"]),
        (
            "AES-128 with SHA-1",
            &[
                "-keypbe",
                "AES-128-CBC",
                "-certpbe",
                "AES-128-CBC",
                "-macalg",
                "sha1",
            ],
        ),
        ("certificates in clear", &["-certpbe", "NONE"]),
    ];
    for (name, options) in kinds {
        let sink = Sink::start()?;
        let mut gateway = Setup::default().next_hop(sink.address()).write()?;
        let p12 = gateway.file("key.p12");
        openssl::pkcs12(&pki.alice(), options, &p12)?;
        let alice = Identity { p12, ..pki.alice() };
        gateway.import_key(&alice, "both").context(name)?;
        gateway.import_certificate(&pki.bob().certificate)?;
        gateway.start()?;
        let mail = mails::plain(ALICE, BOB);
        gateway
            .send(ALICE, &[BOB], &mail.content)?
            .accepted()
            .context(name)?;
        openssl::open(&sink.only()?.content, &pki.bob(), &pki.ca()).context(name)?;
    }
    Ok(())
}

#[test]
fn importing_twice_changes_nothing() -> Result<()> {
    let pki = pki()?;
    let gateway = Setup::default().write()?;
    for _ in 0..2 {
        gateway.import_key(&pki.alice(), "both")?;
    }
    let keys = gateway.ask(&["key", "list"])?;
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys}");
    Ok(())
}

#[test]
fn what_cannot_be_imported_is_refused_with_a_reason() -> Result<()> {
    let pki = pki()?;
    let gateway = Setup::default().write()?;
    let alice = pki.alice();
    let (wrong, right) = (gateway.file("wrong"), gateway.file("passphrase"));
    fs::write(&wrong, "not this one")?;
    let garbage = gateway.file("garbage.p12");
    fs::write(&garbage, "0\u{1}garbage")?;
    for (name, address, file, passphrase) in [
        ("passphrase", ALICE, &alice.p12, &wrong),
        ("PKCS#12", ALICE, &garbage, &right),
        ("no such file", ALICE, &gateway.file("missing.p12"), &right),
        ("address", "no-address", &alice.p12, &right),
    ] {
        let words = [
            "key",
            "import",
            address,
            text(file)?,
            "--passphrase-file",
            text(passphrase)?,
        ];
        let refused = gateway.try_to(&words)?;
        assert!(!refused.status.success(), "{name}");
        let told = refused.stderr.to_lowercase();
        assert!(told.contains(&name.to_lowercase()), "{name}: {told}");
    }
    assert_eq!(
        gateway.ask(&["key", "list"])?.as_array().map(Vec::len),
        Some(0)
    );
    Ok(())
}
