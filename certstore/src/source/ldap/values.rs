//! The values of certificate attributes, in the three encodings that directories have: a certificate (RFC 4523), a
//! PKCS#7 bundle (RFC 2798, section 2.8) and Microsoft's security settings ([MS-OXOABK], section 2.2.4.36).
//!
//! All three stand in either attribute, whatever its definition says, so a value is known by its first byte. A value
//! that cannot be read is counted and hides no other.

use ldap3::asn1::{PL, StructureTag};

use crate::certificate::{Certificate, read_certificates};
use crate::selection::Candidate;
use crate::source::{Found, MOST_CERTIFICATES};

/// The first byte of everything that is ASN.1 here: a SEQUENCE.
const ASN1: u8 = 0x30;
/// The settings that hold a certificate: the one to encrypt to, and the one of signatures.
const CERTIFICATE_SETTINGS: [u16; 2] = [0x0003, 0x0008];
/// Tag and length of a setting, two octets each.
const SETTING_HEADER: usize = 4;

/// The certificates in one value, and how many of its parts could not be read.
#[must_use]
pub fn read_value(value: &[u8]) -> (Vec<Certificate>, usize) {
    if value.first() != Some(&ASN1) {
        return read_settings(value);
    }
    let mut certificates = Vec::new();
    let mut unreadable = 0;
    for found in read_certificates(value).into_iter().take(MOST_CERTIFICATES) {
        match found {
            Ok(certificate) => certificates.push(certificate),
            Err(_) => unreadable += 1,
        }
    }
    (certificates, unreadable)
}

/// Settings one after the other: tag, length of the whole setting, data; numbers with their low octet first.
fn read_settings(mut rest: &[u8]) -> (Vec<Certificate>, usize) {
    let mut certificates = Vec::new();
    let mut unreadable = 0;
    while let [tag_low, tag_high, length_low, length_high, ..] = rest {
        let tag = u16::from_le_bytes([*tag_low, *tag_high]);
        let length = usize::from(u16::from_le_bytes([*length_low, *length_high]));
        let Some((setting, others)) = rest.split_at_checked(length.max(SETTING_HEADER)) else {
            return (certificates, unreadable + 1);
        };
        rest = others;
        if !CERTIFICATE_SETTINGS.contains(&tag) {
            continue;
        }
        let data = setting.get(SETTING_HEADER..).unwrap_or_default();
        match Certificate::from_der(data) {
            Ok(certificate) if certificates.len() < MOST_CERTIFICATES => {
                certificates.push(certificate)
            }
            Ok(_) | Err(_) => unreadable += 1,
        }
    }
    (certificates, unreadable + usize::from(!rest.is_empty()))
}

/// What the entries of an answer hold.
pub(super) struct Collected<'a> {
    source: &'a str,
    wanted: Vec<String>,
    entries: usize,
    unreadable: usize,
    certificates: Vec<Certificate>,
}

impl<'a> Collected<'a> {
    /// For certificates in the attributes `wanted`.
    pub(super) fn new(source: &'a str, wanted: &[String]) -> Self {
        Self {
            source,
            wanted: wanted.iter().map(|name| bare(name)).collect(),
            entries: 0,
            unreadable: 0,
            certificates: Vec::new(),
        }
    }

    /// Takes a SearchResultEntry in (RFC 4511, section 4.5.2).
    pub(super) fn add(&mut self, entry: StructureTag) {
        self.entries += 1;
        let mut fields = children(entry).into_iter();
        let attributes = fields.nth(1).map(children).unwrap_or_default();
        for attribute in attributes {
            let mut parts = children(attribute).into_iter();
            let name = parts.next().and_then(octets).unwrap_or_default();
            let is_wanted =
                std::str::from_utf8(&name).is_ok_and(|name| self.wanted.contains(&bare(name)));
            let values = parts.next().map(children).unwrap_or_default();
            for value in values.into_iter().filter(|_| is_wanted).filter_map(octets) {
                let (certificates, unreadable) = read_value(&value);
                self.unreadable += unreadable;
                for certificate in certificates {
                    if !self.certificates.contains(&certificate) {
                        self.certificates.push(certificate);
                    }
                }
            }
        }
    }

    /// Whether there is as much as one answer may bring.
    pub(super) fn is_full(&self, entries: usize, certificates: usize) -> bool {
        self.entries >= entries || self.certificates.len() >= certificates
    }

    pub(super) fn into_found(self) -> Found {
        let candidates = self.certificates.into_iter().take(MOST_CERTIFICATES);
        let found = candidates.map(|certificate| Candidate {
            certificate,
            source: self.source.to_owned(),
        });
        let note = match self.unreadable {
            0 => String::new(),
            some => format!("{some} values of certificate attributes could not be read"),
        };
        Found {
            note,
            ..found.collect()
        }
    }
}

/// The name of an attribute without its options, in lower case.
fn bare(name: &str) -> String {
    name.split(';')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn children(tag: StructureTag) -> Vec<StructureTag> {
    match tag.payload {
        PL::C(children) => children,
        PL::P(_) => Vec::new(),
    }
}

fn octets(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(octets) => Some(octets),
        PL::C(_) => None,
    }
}

#[cfg(test)]
#[path = "values/tests.rs"]
mod tests;
