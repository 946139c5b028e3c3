//! Entities that come out of CMS, and messages that get them for their content.

use std::borrow::Cow;

use bytes::Bytes;

use super::outer;
use crate::message::{Field, Message, with_crlf};

/// The bytes as an entity that a sender wrote; None if they are none, or exceed a bound of messages. What is not authentic
/// may have been put together by somebody else, block by block: its header has to be whole, and plain to the last byte.
pub(super) fn entity(bytes: Vec<u8>, is_authentic: bool) -> Option<Message> {
    let lines = match with_crlf(&bytes) {
        Cow::Owned(lines) => Some(lines),
        Cow::Borrowed(_) => None,
    };
    let entity = Message::parse(Bytes::from(lines.unwrap_or(bytes))).ok()?;
    let is_written = has_blank_line(&entity)
        && !entity.is_ambiguous()
        && (is_authentic || has_plain_header(&entity));
    is_written.then_some(entity)
}

/// `message` with `entity` as its content: the content fields and the body of `entity`, nothing else of it. None if it
/// exceeds a bound of messages.
pub(super) fn with_content_of(message: &Message, entity: &Message) -> Option<Message> {
    let mut whole = outer::header(&[], message, entity.content().len());
    for field in entity.fields().filter(Field::is_content) {
        whole.extend_from_slice(field.raw);
    }
    whole.extend_from_slice(b"\r\n");
    whole.extend_from_slice(entity.body());
    Message::parse(Bytes::from(whole)).ok()
}

fn has_blank_line(entity: &Message) -> bool {
    entity.body_range().start > entity.header_range().end
}

fn has_plain_header(entity: &Message) -> bool {
    let header = entity.header_block();
    let is_plain = header
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
    let has_type =
        entity.fields_named("Content-Type").next().is_some() && !entity.content_type().is_default();
    // No header at all is plain text (RFC 2045, section 5.2), which carries nothing away.
    is_plain && (has_type || header.is_empty())
}
