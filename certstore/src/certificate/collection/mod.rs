//! Many certificates in one file: what people move from one program to another, read row by row.
//!
//! PEM, DER and PKCS#7 as in [`read_certificates`], Microsoft's serialized stores (SST), LDIF of a directory, and CSV of
//! addresses and certificates. A broken row is reported in its place and hides no other; nothing is held but the row that
//! is read.

mod csv;
mod ldif;
mod sst;

use std::path::Path;

use memchr::memmem;

use super::file::{BEGIN, read_pem_block};
use super::{Certificate, CertificateError, read_certificates};

/// One certificate of a file, or what is there in its place.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where it stands in the file, such as `line 7`; empty where it is the only one.
    pub place: String,
    /// The certificate.
    pub certificate: Result<Certificate, RowError>,
    /// How far the file is read with it, in bytes.
    pub end: usize,
}

/// Why a row brings no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// What stands there is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The file ends within the row, or its structure is not that of its format.
    #[error("the file is damaged here: {0}")]
    Structure(&'static str),
    /// The row names a file that cannot be read.
    #[error("{file} cannot be read: {reason}")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The certificate is not the address's that stands beside it.
    #[error("the certificate does not name {0}")]
    OtherAddress(String),
}

/// The rows of the file at `path`, which holds `bytes`. Files that a CSV names are read from the folder of `path`.
pub fn read_rows<'a>(path: &'a Path, bytes: &'a [u8]) -> Box<dyn Iterator<Item = Row> + 'a> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_ascii_lowercase).unwrap_or_default();
    match extension.as_str() {
        "csv" => Box::new(csv::rows(path.parent().unwrap_or(Path::new("")), bytes)),
        "ldif" | "ldf" => Box::new(ldif::Rows::new(bytes)),
        _ if sst::is_store(bytes) => Box::new(sst::Rows::new(bytes)),
        _ if memmem::find(bytes, BEGIN).is_some() => Box::new(pem_rows(bytes)),
        _ => Box::new(plain_rows(bytes, bytes.len(), "")),
    }
}

/// The certificates of a PEM file, however many.
fn pem_rows(bytes: &[u8]) -> impl Iterator<Item = Row> + '_ {
    let mut starts = memmem::find_iter(bytes, BEGIN).peekable();
    let mut number = 0_usize;
    let blocks = std::iter::from_fn(move || {
        let start = starts.next()?;
        let end = starts.peek().copied().unwrap_or(bytes.len());
        Some((bytes.get(start..end)?, end))
    });
    blocks.flat_map(move |(block, end)| {
        number += 1;
        let place = format!("block {number}");
        rows_of(read_pem_block(block), end, &place)
    })
}

/// What [`read_certificates`] makes of `value`, as rows that end at `end`.
fn plain_rows(value: &[u8], end: usize, place: &str) -> std::vec::IntoIter<Row> {
    rows_of(read_certificates(value), end, place)
}

fn rows_of(
    found: Vec<Result<Certificate, CertificateError>>,
    end: usize,
    place: &str,
) -> std::vec::IntoIter<Row> {
    let rows = found.into_iter().map(|found| Row {
        place: place.to_owned(),
        certificate: found.map_err(RowError::from),
        end,
    });
    rows.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests;
