//! LDIF (RFC 2849): the certificates of a directory's entries.
//!
//! Attributes `userCertificate`, `userSMIMECertificate` and `cACertificate` are read, with their options (`;binary`). What
//! an entry says of mail addresses does not count: a certificate names its own.

use encodify::base64;
use memchr::memchr;

use super::{Row, RowError, plain_rows};
use crate::certificate::CertificateError;

/// Lower case, without options.
const ATTRIBUTES: [&[u8]; 3] = [
    b"usercertificate",
    b"usersmimecertificate",
    b"cacertificate",
];

/// The certificates of an LDIF file.
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    position: usize,
    line: usize,
    /// Several certificates of one value.
    ready: std::vec::IntoIter<Row>,
    is_empty: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            line: 0,
            ready: Vec::new().into_iter(),
            is_empty: true,
        }
    }

    /// The next physical line, without its end.
    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self
            .bytes
            .get(self.position..)
            .filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest);
        let line = rest.get(..end.unwrap_or(rest.len()))?;
        self.position += end.map_or(rest.len(), |end| end + 1);
        self.line += 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn is_continued(&self) -> bool {
        self.bytes.get(self.position) == Some(&b' ')
    }

    /// The value behind `attribute` that begins in `first`, folded lines joined.
    fn value(&mut self, first: &[u8]) -> Result<Vec<u8>, RowError> {
        let mut text = first.to_vec();
        while self.is_continued() {
            text.extend_from_slice(
                self.line()
                    .and_then(|line| line.get(1..))
                    .unwrap_or_default(),
            );
        }
        match text.split_first() {
            Some((b':', encoded)) => base64::LENIENT
                .decode(encoded.trim_ascii())
                .map_err(|_| RowError::Structure("the value is no base64")),
            Some((b'<', _)) => Err(RowError::Structure("a value in another file is not read")),
            _ => Err(CertificateError::NoneFound.into()),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.ready.next() {
                return Some(row);
            }
            let Some(line) = self.line() else {
                let nothing = std::mem::take(&mut self.is_empty);
                return nothing.then(|| Row {
                    place: String::new(),
                    certificate: Err(CertificateError::NoneFound.into()),
                    end: self.position,
                });
            };
            let Some(value) = value_of_attribute(line) else {
                continue;
            };
            self.is_empty = false;
            let place = format!("line {}", self.line);
            match self.value(value) {
                Ok(value) => self.ready = plain_rows(&value, self.position, &place),
                Err(error) => {
                    return Some(Row {
                        place,
                        certificate: Err(error),
                        end: self.position,
                    });
                }
            }
        }
    }
}

/// What stands behind the first colon of a line, if the line is one of our attributes.
fn value_of_attribute(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr(b':', line)?;
    let name = line.get(..colon)?;
    let name = name.split(|&byte| byte == b';').next()?;
    let is_ours = ATTRIBUTES
        .iter()
        .any(|ours| name.eq_ignore_ascii_case(ours));
    is_ours.then_some(line.get(colon + 1..)?)
}
