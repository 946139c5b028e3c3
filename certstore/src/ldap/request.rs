//! What a client asks (RFC 4511, sections 4.1.1 to 4.12).

use super::LdapError;
use super::filter::{Filter, name};
use crate::cms::BerError;
use crate::cms::ber::{Element, Tag};

/// Most attributes that a search may ask for by name.
const MOST_ATTRIBUTES: usize = 64;

/// One message from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The number by which answers name it.
    pub id: u32,
    /// What is asked.
    pub operation: Operation,
    /// Whether a control comes with it that must be understood.
    pub has_critical_control: bool,
}

/// What a client may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// To be known as somebody.
    Bind {
        /// The protocol's version; 3 is the one in use.
        version: u32,
        /// As whom: a distinguished name, or nobody.
        name: String,
        /// How it is proved.
        authentication: Authentication,
    },
    /// To end the connection.
    Unbind,
    /// For entries.
    Search(Search),
    /// Not to be answered any more.
    Abandon,
    /// Something beside the core; the object identifier in dotted form.
    Extended(String),
    /// A change, a comparison or something unknown: the tag number of the answer to it.
    Other(u8),
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// By nothing: an empty password.
    Anonymous,
    /// By a password. It is not kept.
    Password,
    /// By SASL.
    Sasl,
}

/// Which entries a search is for, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The distinguished name where it begins.
    pub base: String,
    /// How far it goes.
    pub scope: Scope,
    /// Most entries that the client wants; 0 for as many as there are.
    pub size_limit: u32,
    /// Whether only names of attributes are wanted, without values.
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter,
    /// Which attributes, in lower case; none for all.
    pub attributes: Vec<String>,
}

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The entry itself.
    Base,
    /// What is directly below it.
    One,
    /// It and everything below.
    Subtree,
}

/// Reads one whole message.
///
/// # Errors
/// [`LdapError::Malformed`].
pub fn read_request(message: &[u8]) -> Result<Request, LdapError> {
    let message = Element::only(message)?;
    if message.tag() != Tag::SEQUENCE {
        return Err(LdapError::NotLdap);
    }
    let mut fields = message.children()?;
    let id = fields.expect(Tag::INTEGER)?.small_integer()?;
    let operation = read_operation(&fields.element()?)?;
    let controls = fields.optional(Tag::context(0))?;
    fields.finish()?;
    let has_critical_control = controls.map_or(Ok(false), |list| any_critical(&list))?;
    Ok(Request {
        id,
        operation,
        has_critical_control,
    })
}

fn read_operation(element: &Element<'_>) -> Result<Operation, BerError> {
    let tag = element.tag();
    if tag == Tag::application(0) {
        return read_bind(element);
    }
    if tag == Tag::application(3) {
        return read_search(element).map(Operation::Search);
    }
    if tag == Tag::application(23) {
        return read_extended(element);
    }
    element.check_inside()?;
    Ok(match tag {
        unbind if unbind == Tag::application(2) => Operation::Unbind,
        abandon if abandon == Tag::application(16) => Operation::Abandon,
        // Each of the others is answered under the next number: modify 6, add 8, delete 10, rename 12, compare 14.
        other => Operation::Other(
            [6, 8, 10, 12, 14]
                .into_iter()
                .find(|number| other == Tag::application(*number))
                .ok_or(BerError::UnexpectedTag)?
                + 1,
        ),
    })
}

fn read_bind(element: &Element<'_>) -> Result<Operation, BerError> {
    let mut fields = element.children()?;
    let version = fields.expect(Tag::INTEGER)?.small_integer()?;
    let name = text(&fields.expect(Tag::OCTET_STRING)?)?;
    let proof = fields.element()?;
    fields.finish()?;
    let authentication = if proof.tag() == Tag::context(0) {
        match proof.primitive()? {
            [] => Authentication::Anonymous,
            _ => Authentication::Password,
        }
    } else {
        proof.check_inside()?;
        Authentication::Sasl
    };
    Ok(Operation::Bind {
        version,
        name,
        authentication,
    })
}

fn read_search(element: &Element<'_>) -> Result<Search, BerError> {
    let mut fields = element.children()?;
    let base = text(&fields.expect(Tag::OCTET_STRING)?)?;
    let scope = match fields.expect(Tag::ENUMERATED)?.small_integer()? {
        0 => Scope::Base,
        1 => Scope::One,
        2 => Scope::Subtree,
        _ => return Err(BerError::InvalidValue),
    };
    // What aliases mean does not matter where there are none, and our answer does not take long.
    let _alias_handling = fields.expect(Tag::ENUMERATED)?.small_integer()?;
    let size_limit = fields.expect(Tag::INTEGER)?.small_integer()?;
    let _time_limit = fields.expect(Tag::INTEGER)?.small_integer()?;
    let types_only = boolean(&fields.expect(Tag::BOOLEAN)?)?;
    let filter = Filter::read(&fields.element()?)?;
    let mut names = fields.expect(Tag::SEQUENCE)?.children()?;
    fields.finish()?;
    let mut attributes = Vec::new();
    while let Some(attribute) = names.next_element()? {
        if attributes.len() == MOST_ATTRIBUTES {
            return Err(BerError::OutOfRange);
        }
        attributes.push(name(attribute.primitive()?)?);
    }
    Ok(Search {
        base,
        scope,
        size_limit,
        types_only,
        filter,
        attributes,
    })
}

fn read_extended(element: &Element<'_>) -> Result<Operation, BerError> {
    let mut fields = element.children()?;
    let name = text(&fields.expect(Tag::context(0))?)?;
    Ok(Operation::Extended(name))
}

fn any_critical(controls: &Element<'_>) -> Result<bool, BerError> {
    let mut list = controls.children()?;
    let mut any = false;
    while let Some(control) = list.next_element()? {
        let mut fields = control.children()?;
        fields.expect(Tag::OCTET_STRING)?.primitive()?;
        let criticality = fields.optional(Tag::BOOLEAN)?;
        any |= criticality.map_or(Ok(false), |flag| boolean(&flag))?;
    }
    Ok(any)
}

fn boolean(element: &Element<'_>) -> Result<bool, BerError> {
    match element.primitive()? {
        [octet] => Ok(*octet != 0),
        _ => Err(BerError::InvalidValue),
    }
}

fn text(element: &Element<'_>) -> Result<String, BerError> {
    let octets = element.primitive()?.to_vec();
    String::from_utf8(octets).map_err(|_| BerError::InvalidValue)
}

#[cfg(test)]
#[path = "request/tests.rs"]
mod tests;
