//! A message with another MIME entity: the fields that stay outside keep their bytes.

use crate::message::{Entity, Message};

/// `trace`, the message's own header fields, `MIME-Version`, and then `entity` (content fields, blank line, body).
#[must_use]
pub fn with_entity(trace: &[u8], message: &Message, entity: &Entity<'_>) -> Vec<u8> {
    let mut whole = header(trace, message, entity.len());
    entity.append_to(&mut whole);
    whole
}

/// `trace`, and every field but those of the content and MIME-Version, which is written anew at the end. `rest` is how many bytes
/// will follow.
pub(super) fn header(trace: &[u8], message: &Message, rest: usize) -> Vec<u8> {
    const VERSION: &[u8] = b"MIME-Version: 1.0\r\n";
    let length = trace.len() + message.header_block().len() + 2 + VERSION.len() + rest;
    let mut header = Vec::with_capacity(length);
    header.extend_from_slice(trace);
    for field in message
        .fields()
        .filter(|field| !field.is_content() && !field.is("MIME-Version"))
    {
        header.extend_from_slice(field.raw);
    }
    if !header.is_empty() && !header.ends_with(b"\n") {
        header.extend_from_slice(b"\r\n");
    }
    header.extend_from_slice(VERSION);
    header
}
