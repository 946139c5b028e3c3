//! What a server answers (RFC 4511, sections 4.1.9 to 4.12): written, and checked before somebody less careful reads it.

use super::LdapError;
use crate::cms::BerError;
use crate::cms::ber::{Element, Tag};

/// What became of an operation (RFC 4511, appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultCode {
    /// Done.
    Success = 0,
    /// It was not what the protocol allows here.
    ProtocolError = 2,
    /// There are more entries than one answer may have.
    SizeLimitExceeded = 4,
    /// No such way to authenticate.
    AuthenticationMethodNotSupported = 7,
    /// More than may be asked here.
    AdminLimitExceeded = 11,
    /// A control that must be understood is not.
    UnavailableCriticalExtension = 12,
    /// The base of the search is not here.
    NoSuchObject = 32,
    /// Such credentials do nothing here.
    InvalidCredentials = 49,
    /// Too many questions.
    Busy = 51,
    /// It does not work now.
    Unavailable = 52,
    /// Not done here, whoever asks.
    UnwillingToPerform = 53,
}

/// One entry of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its distinguished name (RFC 4514).
    pub name: String,
    /// Its attributes: name and values.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const EXTENDED_RESPONSE: u8 = 0x78;
const RESPONSE_NAME: u8 = 0x8a;

/// The answer to a bind.
#[must_use]
pub fn bind_response(id: u32, code: ResultCode, text: &str) -> Vec<u8> {
    message(id, &element(BIND_RESPONSE, &[&result(code, text)]))
}

/// One entry that a search found.
#[must_use]
pub fn entry(id: u32, entry: &Entry) -> Vec<u8> {
    let attributes: Vec<u8> = entry
        .attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values
                .iter()
                .flat_map(|value| element(OCTET_STRING, &[value]))
                .collect();
            let name = element(OCTET_STRING, &[name.as_bytes()]);
            element(SEQUENCE, &[&name, &element(SET, &[&values])])
        })
        .collect();
    let name = element(OCTET_STRING, &[entry.name.as_bytes()]);
    let attributes = element(SEQUENCE, &[&attributes]);
    message(id, &element(SEARCH_ENTRY, &[&name, &attributes]))
}

/// The end of the answer to a search.
#[must_use]
pub fn search_done(id: u32, code: ResultCode, text: &str) -> Vec<u8> {
    message(id, &element(SEARCH_DONE, &[&result(code, text)]))
}

/// The answer to an extended operation; id 0 and the right name make it a notice of disconnection (section 4.4.1).
#[must_use]
pub fn extended_response(id: u32, code: ResultCode, text: &str, name: Option<&str>) -> Vec<u8> {
    let name = name.map_or(Vec::new(), |name| {
        element(RESPONSE_NAME, &[name.as_bytes()])
    });
    message(
        id,
        &element(EXTENDED_RESPONSE, &[&result(code, text), &name]),
    )
}

/// The answer under `tag_number` to an operation that is not done here.
#[must_use]
pub fn refusal(id: u32, tag_number: u8, code: ResultCode, text: &str) -> Vec<u8> {
    message(id, &element(0x60 | tag_number, &[&result(code, text)]))
}

fn message(id: u32, operation: &[u8]) -> Vec<u8> {
    // A leading zero octet keeps every number positive.
    let number = [&[0][..], &id.to_be_bytes()].concat();
    let significant = number
        .iter()
        .zip(number.iter().skip(1))
        .take_while(|(first, second)| **first == 0 && **second < 0x80)
        .count();
    let id = element(INTEGER, &[number.get(significant..).unwrap_or_default()]);
    element(SEQUENCE, &[&id, operation])
}

fn result(code: ResultCode, text: &str) -> Vec<u8> {
    [
        element(ENUMERATED, &[&[code as u8]]),
        element(OCTET_STRING, &[]),
        element(OCTET_STRING, &[text.as_bytes()]),
    ]
    .concat()
}

/// Identifier, length and contents, which are `pieces` one after the other.
fn element(identifier: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let octets = length.to_be_bytes();
    let significant: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
    let mut bytes = Vec::with_capacity(length + 2 + significant.len());
    bytes.push(identifier);
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => bytes.push(short),
        _ => {
            bytes.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            bytes.extend_from_slice(&significant);
        }
    }
    for piece in pieces {
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// Whether a message from a server is built as the answers to a bind, a search or an extended operation are, in every
/// place that a reader must go to.
pub(crate) fn check_response(message: &[u8]) -> Result<(), LdapError> {
    let message = Element::only(message)?;
    message.check_inside()?;
    let mut fields = message.children()?;
    fields.expect(Tag::INTEGER)?.small_integer()?;
    let operation = fields.element()?;
    let tag = operation.tag();
    let is_result = [1, 5, 24].map(Tag::application).contains(&tag);
    let is_data = [4, 19].map(Tag::application).contains(&tag);
    if is_result {
        check_result(&operation)?;
    } else if !is_data {
        return Err(BerError::UnexpectedTag.into());
    }
    if let Some(controls) = fields.optional(Tag::context(0))? {
        check_controls(&controls)?;
    }
    fields.finish()?;
    Ok(())
}

/// The result code of an extended response: 0 is success.
pub(crate) fn extended_result(message: &[u8]) -> Result<u32, LdapError> {
    check_response(message)?;
    let mut fields = Element::only(message)?.children()?;
    fields.element()?;
    let mut operation = fields.expect(Tag::application(24))?.children()?;
    let code = operation.expect(Tag::ENUMERATED)?;
    Ok(code.small_integer()?)
}

fn check_result(operation: &Element<'_>) -> Result<(), BerError> {
    let mut fields = operation.children()?;
    fields.expect(Tag::ENUMERATED)?.small_integer()?;
    for _ in ["matchedDN", "diagnosticMessage"] {
        check_text(&fields.expect(Tag::OCTET_STRING)?)?;
    }
    while let Some(field) = fields.next_element()? {
        if field.tag() == Tag::context(3) {
            let mut referrals = field.children()?;
            while let Some(referral) = referrals.next_element()? {
                check_text(&referral)?;
            }
        } else if field.tag() == Tag::context(10) {
            check_text(&field)?;
        } else {
            field.primitive()?;
        }
    }
    Ok(())
}

fn check_controls(controls: &Element<'_>) -> Result<(), BerError> {
    let mut list = controls.children()?;
    while let Some(control) = list.next_element()? {
        let mut fields = control.children()?;
        check_text(&fields.expect(Tag::OCTET_STRING)?)?;
        if let Some(criticality) = fields.optional(Tag::BOOLEAN)? {
            criticality.primitive()?;
        }
        if let Some(value) = fields.optional(Tag::OCTET_STRING)? {
            // Those that are asked for here hold one element (paged results, RFC 2696, section 2).
            let mut page = Element::only(value.primitive()?)?.children()?;
            page.expect(Tag::INTEGER)?.primitive()?;
            page.expect(Tag::OCTET_STRING)?.primitive()?;
            page.finish()?;
        }
        fields.finish()?;
    }
    Ok(())
}

fn check_text(element: &Element<'_>) -> Result<(), BerError> {
    match std::str::from_utf8(element.primitive()?) {
        Ok(_) => Ok(()),
        Err(_) => Err(BerError::InvalidValue),
    }
}

#[cfg(test)]
#[path = "response/tests.rs"]
mod tests;
