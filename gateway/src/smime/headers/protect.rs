//! A message with its header fields inside (RFC 9788, section 5.2).
//!
//! Only the header of the root part changes: the content is signed or encrypted with the bytes that the client wrote, but
//! for the lines of a legacy display where one is asked for. What a client signed or encrypted itself is not touched.

use bytes::Bytes;

use super::is_of_the_way;
use super::legacy_display;
use crate::config::{HeaderPolicy, HeaderProtection};
use crate::message::{Entity, Field, Inside, Message, MessageError};
use crate::smime::pkcs7::is_pkcs7_mime;

/// Longest first line of a field that `HP-Outer: ` fits before.
const LONGEST_LINE: usize = 980;

/// A message whose header fields are to be protected.
#[derive(Debug, Clone)]
pub struct Protected {
    message: Message,
    fields: Vec<u8>,
    hp: &'static str,
    outer: Message,
}

impl Protected {
    /// The entity that is signed: the protected header fields, the content fields, and the content in a form that passes
    /// every hop.
    #[must_use]
    pub fn for_transport(&self) -> Entity<'_> {
        Entity::transportable(&self.message, Some(self.inside()))
    }

    /// The entity that is encrypted without being signed.
    #[must_use]
    pub fn as_written(&self) -> Entity<'_> {
        Entity::written(&self.message, Some(self.inside()))
    }

    /// A message without content that has the header fields which stay outside; those that are hidden say `[...]` or
    /// are gone.
    #[must_use]
    pub const fn outer(&self) -> &Message {
        &self.outer
    }

    fn inside(&self) -> Inside<'_> {
        Inside {
            fields: &self.fields,
            hp: self.hp,
        }
    }
}

/// Puts the header fields of `message` inside; `is_encrypted` says whether it will be encrypted, and only then anything
/// is hidden. None where there is nothing to put them into: the message is signed or encrypted already, or two readers may
/// see two messages in it.
///
/// # Errors
/// [`MessageError`] where it exceeds a bound with what was added.
pub fn protect(
    message: &Message,
    protection: &HeaderProtection,
    is_encrypted: bool,
) -> Result<Option<Protected>, MessageError> {
    if message.is_ambiguous() || has_protection_of_its_own(message) {
        return Ok(None);
    }
    let policy = if is_encrypted {
        protection.policy
    } else {
        HeaderPolicy::None
    };
    let sets = Sets::of(message, policy, is_encrypted);
    let message = if protection.legacy_display && !sets.hidden.is_empty() {
        legacy_display::added(message, &sets.hidden)?
    } else {
        message.clone()
    };
    Ok(Some(Protected {
        message,
        fields: sets.inner,
        hp: if is_encrypted { "cipher" } else { "clear" },
        outer: Message::parse(Bytes::from(sets.outer))?,
    }))
}

fn has_protection_of_its_own(message: &Message) -> bool {
    let kind = message.content_type();
    kind.is("multipart", "signed")
        || kind.is("multipart", "encrypted")
        || message.parts().first().is_some_and(is_pkcs7_mime)
}

/// The fields inside and outside.
struct Sets<'m> {
    inner: Vec<u8>,
    outer: Vec<u8>,
    /// Those that are not outside as they are inside.
    hidden: Vec<Field<'m>>,
}

impl<'m> Sets<'m> {
    fn of(message: &'m Message, policy: HeaderPolicy, is_encrypted: bool) -> Self {
        let length = message.header_block().len();
        let mut sets = Self {
            inner: Vec::with_capacity(2 * length),
            outer: Vec::with_capacity(length + 64),
            hidden: Vec::new(),
        };
        let mut shown = Vec::with_capacity(length);
        for field in message.fields() {
            if is_of_the_way(&field) {
                append(&mut sets.outer, field.raw);
                continue;
            }
            append(&mut sets.inner, field.raw);
            let start = sets.outer.len();
            match policy.outer_value(&field) {
                Some(value) if *value == *field.folded_value() => {
                    append(&mut sets.outer, field.raw);
                }
                Some(value) => {
                    let line = [field.name, b": ", &value, b"\r\n"].concat();
                    append(&mut sets.outer, &line);
                    sets.hidden.push(field);
                }
                None => sets.hidden.push(field),
            }
            let outer = sets.outer.get(start..).unwrap_or_default();
            append_outer(&mut shown, outer);
        }
        if is_encrypted {
            sets.inner.extend_from_slice(&shown);
        }
        sets.outer.extend_from_slice(b"\r\n");
        sets
    }
}

fn append(fields: &mut Vec<u8>, raw: &[u8]) {
    fields.extend_from_slice(raw);
    if !raw.ends_with(b"\n") {
        fields.extend_from_slice(b"\r\n");
    }
}

/// Writes an HP-Outer field (RFC 9788, section 2.2.1) for a field that stands outside.
fn append_outer(fields: &mut Vec<u8>, outer: &[u8]) {
    let Some(colon) = memchr::memchr(b':', outer) else {
        return;
    };
    let (name, value) = outer.split_at_checked(colon).unwrap_or_default();
    let value = value.get(1..).unwrap_or_default();
    let first = memchr::memchr(b'\n', outer).unwrap_or(outer.len());
    let fold: &[u8] = if first > LONGEST_LINE { b"\r\n" } else { b"" };
    fields.extend_from_slice(b"HP-Outer:");
    fields.extend_from_slice(fold);
    fields.push(b' ');
    fields.extend_from_slice(name.trim_ascii_end());
    fields.push(b':');
    if !value.starts_with(b" ") {
        fields.push(b' ');
    }
    fields.extend_from_slice(value);
}
