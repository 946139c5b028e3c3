//! CSV: an address and its certificate in each row, the certificate in base64, as PEM, or as the name of a file.
//!
//! A first row with `address` in its first field is a heading. A certificate that does not name the address beside it is
//! refused: mail to that address could never use it.

use std::fs;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use policy::address::Address;

use super::{Row, RowError};
use crate::certificate::{Certificate, CertificateError, read_certificates};

/// The largest file that a row may name.
const LARGEST_FILE: u64 = 1024 * 1024;

/// The rows of a CSV; file names in it start at `folder`.
pub(super) fn rows<'a>(folder: &'a Path, bytes: &'a [u8]) -> impl Iterator<Item = Row> + 'a {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut is_first = true;
    std::iter::from_fn(move || {
        loop {
            let was_first = std::mem::take(&mut is_first);
            let read = reader.read_byte_record(&mut record);
            let line = record.position().map_or(0, csv::Position::line);
            let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
            let row = |certificate| Row {
                place: format!("line {line}"),
                certificate,
                end,
            };
            match read {
                Ok(false) if was_first => {
                    return Some(row(Err(CertificateError::NoneFound.into())));
                }
                Ok(false) => return None,
                Ok(true) if was_first && is_heading(&record) => {}
                Ok(true) => return Some(row(certificate(folder, &record))),
                Err(_) => return Some(row(Err(RowError::Structure("it is no CSV")))),
            }
        }
    })
}

fn is_heading(record: &ByteRecord) -> bool {
    record
        .get(0)
        .is_some_and(|field| field.eq_ignore_ascii_case(b"address"))
}

fn certificate(folder: &Path, record: &ByteRecord) -> Result<Certificate, RowError> {
    let text = |field| {
        record
            .get(field)
            .and_then(|field| std::str::from_utf8(field).ok())
    };
    let (Some(address), Some(value)) = (text(0), text(1)) else {
        return Err(RowError::Structure(
            "two fields are needed, address and certificate",
        ));
    };
    let address = Address::parse(address)
        .map_err(|_| RowError::Structure("the first field is no mail address"))?;
    let mut found = read_certificates(value.as_bytes());
    if matches!(&found[..], [Err(CertificateError::NoneFound)]) {
        found = read_certificates(&file(folder, value)?);
    }
    let mut reason = RowError::OtherAddress(address.to_string());
    for certificate in found {
        match certificate {
            Ok(certificate) if certificate.addresses().contains(&address) => {
                return Ok(certificate);
            }
            // Authorities of a chain.
            Ok(_) => {}
            Err(error) => reason = error.into(),
        }
    }
    Err(reason)
}

fn file(folder: &Path, name: &str) -> Result<Vec<u8>, RowError> {
    let failed = |reason: String| RowError::File {
        file: name.chars().take(200).collect(),
        reason,
    };
    let path = folder.join(name);
    let facts = fs::metadata(&path).map_err(|error| failed(error.to_string()))?;
    if !facts.is_file() || facts.len() > LARGEST_FILE {
        return Err(failed("it is no file of at most 1 MiB".to_owned()));
    }
    fs::read(&path).map_err(|error| failed(error.to_string()))
}
