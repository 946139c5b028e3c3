//! Certificates from files as people have them: PEM, DER, base64 without armour, PKCS#7 bundles.
//!
//! What is broken is reported in its place and never hides the rest. Keys and other PEM blocks beside the certificates
//! are passed over.

use encodify::{base64, pem};
use memchr::memmem;

use super::{Certificate, CertificateError};
use crate::cms;

/// The most certificates that are read from one file.
pub const MAX_CERTIFICATES: usize = 10_000;

pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
/// The first octet of every certificate in DER and of every PKCS#7 bundle.
const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const INTEGER: u8 = 0x02;

type Found = Result<Certificate, CertificateError>;

/// Reads every certificate in the bytes of a file, in their order; never gives an empty list.
#[must_use]
pub fn read_certificates(bytes: &[u8]) -> Vec<Found> {
    let mut found = if memmem::find(bytes, BEGIN).is_some() {
        read_pem(bytes)
    } else if bytes.first() == Some(&SEQUENCE) {
        read_der(bytes)
    } else {
        read_bare_base64(bytes)
    };
    if found.is_empty() {
        found.push(Err(CertificateError::NoneFound));
    }
    if found.len() > MAX_CERTIFICATES {
        found.truncate(MAX_CERTIFICATES);
        found.push(Err(CertificateError::TooMany));
    }
    found
}

/// Each block is cut off before the next begins, so that one without an end does not swallow its neighbour.
fn read_pem(bytes: &[u8]) -> Vec<Found> {
    let starts: Vec<usize> = memmem::find_iter(bytes, BEGIN)
        .take(MAX_CERTIFICATES + 1)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&start, end)| bytes.get(start..end))
        .flat_map(read_pem_block)
        .collect()
}

pub(super) fn read_pem_block(text: &[u8]) -> Vec<Found> {
    let block = match pem::STANDARD.decode(text) {
        Ok(block) => block,
        Err(error) => return vec![Err(CertificateError::Pem(error))],
    };
    match block.label {
        "CERTIFICATE" | "X509 CERTIFICATE" => vec![Certificate::from_der(&block.contents)],
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => read_pkcs7(&block.contents),
        "TRUSTED CERTIFICATE" => vec![Err(CertificateError::OpensslTrusted)],
        _ => Vec::new(),
    }
}

/// A certificate, and what is mistaken for one, differ in the tag of their first field.
fn read_der(der: &[u8]) -> Vec<Found> {
    match first_field_tag(der) {
        // The contentType of a ContentInfo (RFC 5652, section 3).
        Some(OBJECT_IDENTIFIER) => read_pkcs7(der),
        // The version of a PKCS#12 file (RFC 7292, section 4) or of a private key (RFC 5958, section 2).
        Some(INTEGER) => vec![Err(CertificateError::PrivateKey)],
        Some(_) | None => vec![Certificate::from_der(der)],
    }
}

/// The octet after the header of the outer sequence, whose length may have any form.
fn first_field_tag(der: &[u8]) -> Option<u8> {
    let length = *der.get(1)?;
    let more_octets = match length > 0x80 {
        true => usize::from(length & 0x7f),
        false => 0,
    };
    der.get(2 + more_octets).copied()
}

fn read_pkcs7(bytes: &[u8]) -> Vec<Found> {
    match cms::certificates(bytes) {
        Ok(certificates) => certificates
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect(),
        Err(error) => vec![Err(error.into())],
    }
}

fn read_bare_base64(bytes: &[u8]) -> Vec<Found> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Vec::new();
    }
    match base64::LENIENT.decode(text) {
        Ok(der) if der.first() == Some(&SEQUENCE) => read_der(&der),
        Ok(_) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
