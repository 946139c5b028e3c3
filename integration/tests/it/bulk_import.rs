//! Many certificates at once, some of them broken.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use encodify::base64;
use integration::gateway::{Gateway, Setup, text};
use integration::openssl;
use integration::pki::pki;
use serde_json::Value;

fn import(gateway: &Gateway, file: &Path) -> Result<(Option<i32>, Vec<Value>)> {
    let finished = gateway.try_to(&["cert", "import", text(file)?])?;
    let rows: Value =
        serde_json::from_slice(&finished.stdout).with_context(|| finished.stderr.clone())?;
    Ok((finished.code(), rows.as_array().context("no list")?.clone()))
}

fn outcomes(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["outcome"].as_str().unwrap_or_default())
        .collect()
}

#[test]
fn broken_rows_are_named_and_stop_nothing() -> Result<()> {
    let pki = pki()?;
    let der = |name: &str| openssl::der(&pki.identity(name).certificate);
    let encoded = |name: &str| anyhow::Ok(base64::STANDARD.encode(der(name)?));
    let folder = tempfile::tempdir()?;
    fs::copy(
        pki.identity("boris").certificate,
        folder.path().join("boris.pem"),
    )?;
    let csv = format!(
        "address,certificate\nbob@partner.example,{}\nbob@partner.example,{}\n\
         bert@partner.example,AAAA\nboris@partner.example,boris.pem\nnobody,boris.pem\n",
        encoded("bob")?,
        encoded("betty")?
    );
    fs::write(folder.path().join("1.csv"), csv)?;
    let ldif = format!(
        "dn: cn=betty\nmail: betty@partner.example\nuserCertificate;binary:: {}\n\n\
         dn: cn=broken\nuserCertificate;binary:: MIIB\n",
        encoded("betty")?
    );
    fs::write(folder.path().join("2.ldif"), ldif)?;
    fs::write(
        folder.path().join("3.sst"),
        sst(&[&der("bert")?, &der("bob")?]),
    )?;

    let gateway = Setup::default().write()?;
    let (code, rows) = import(&gateway, folder.path())?;
    assert_eq!(code, Some(65));
    let short: Vec<_> = outcomes(&rows)
        .iter()
        .map(|outcome| outcome.split(':').next().unwrap_or_default())
        .collect();
    let expected = [
        "imported",
        "refused",
        "refused",
        "imported",
        "refused", // 1.csv
        "imported",
        "refused", // 2.ldif
        "imported",
        "known already", // 3.sst
        "known already", // boris.pem
    ];
    assert_eq!(short, expected, "{rows:#?}");
    assert_eq!(rows[1]["place"], "line 3");
    let reason = rows[1]["outcome"].as_str().unwrap_or_default();
    assert!(
        reason.contains("does not name bob@partner.example"),
        "{reason}"
    );
    assert_eq!(rows[6]["place"], "line 6");

    // Again: nothing is left to do, and nothing is there twice.
    let (code, again) = import(&gateway, folder.path())?;
    assert_eq!(code, Some(65));
    assert!(!outcomes(&again).contains(&"imported"));
    let list = gateway.ask(&["cert", "list"])?;
    assert_eq!(list.as_array().map(Vec::len), Some(4));
    Ok(())
}

#[test]
fn a_large_file_is_read_to_its_end() -> Result<()> {
    let pki = pki()?;
    let certificate = base64::STANDARD.encode(openssl::der(&pki.bob().certificate)?);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("many.csv");
    let mut csv = String::new();
    for _ in 0..3000 {
        writeln!(csv, "bob@partner.example,{certificate}")?;
        writeln!(csv, "bob@partner.example,broken")?;
    }
    fs::write(&file, csv)?;
    let gateway = Setup::default().write()?;
    let (code, rows) = import(&gateway, &file)?;
    assert_eq!((code, rows.len()), (Some(65), 6000));
    assert_eq!(
        outcomes(&rows)
            .iter()
            .filter(|outcome| **outcome == "imported")
            .count(),
        1
    );
    assert_eq!(rows[5999]["place"], "line 6000");
    Ok(())
}

/// A serialized store of Microsoft's.
fn sst(certificates: &[&[u8]]) -> Vec<u8> {
    let mut store = b"\0\0\0\0CERT".to_vec();
    for der in certificates {
        let length = u32::try_from(der.len()).unwrap_or_default();
        store.extend([32, 1, length].map(u32::to_le_bytes).concat());
        store.extend(*der);
    }
    store.extend([0; 12]);
    store
}
