//! Microsoft's serialized certificate store (`.sst`): what `certmgr` and PowerShell export many certificates as.
//!
//! A header, and then elements of an id, an encoding and a length, each a little-endian 32-bit number, and so many bytes.
//! Properties of a certificate stand before it, and are passed over, as are CRLs and CTLs.

use super::{Row, RowError};
use crate::certificate::Certificate;

/// Version 0 and the letters `CERT`.
const HEADER: &[u8] = b"\0\0\0\0CERT";
const END: u32 = 0;
const CERTIFICATE: u32 = 32;

/// Whether this is such a store.
pub(super) fn is_store(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

/// Its certificates.
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    whole: usize,
    number: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes.get(HEADER.len()..).unwrap_or_default(),
            whole: bytes.len(),
            number: 0,
        }
    }

    /// The id and the value of the next element; none where the file ends within it.
    fn element(&mut self) -> Option<(u32, &'a [u8])> {
        let (id, rest) = self.rest.split_first_chunk()?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((u32::from_le_bytes(*id), value))
    }

    fn row(&self, certificate: Result<Certificate, RowError>) -> Row {
        Row {
            place: format!("certificate {}", self.number),
            certificate,
            end: self.whole - self.rest.len(),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while !self.rest.is_empty() {
            match self.element() {
                Some((END, _)) => self.rest = &[],
                Some((CERTIFICATE, der)) => {
                    self.number += 1;
                    return Some(self.row(Certificate::from_der(der).map_err(RowError::from)));
                }
                Some(_) => {}
                None => {
                    self.rest = &[];
                    self.number += 1;
                    return Some(self.row(Err(RowError::Structure("an element is cut off"))));
                }
            }
        }
        if self.number > 0 {
            return None;
        }
        self.number = 1;
        Some(self.row(Err(crate::certificate::CertificateError::NoneFound.into())))
    }
}
