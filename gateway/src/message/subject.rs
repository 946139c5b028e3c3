//! A message with another subject: every other byte stays.

use bytes::Bytes;

use super::Message;
use super::lookalike::{spliced, subject_field};

/// The message with `subject` in its Subject fields.
#[must_use]
pub fn with_subject(message: &Message, subject: &str) -> Bytes {
    let mut edits = Vec::new();
    let mut start = 0;
    for field in message.fields() {
        let range = start..start + field.raw.len();
        start = range.end;
        if field.is("Subject") {
            edits.push((range, subject_field(subject)));
        }
    }
    spliced(message.content(), &edits)
}
