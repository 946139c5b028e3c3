//! Texts that reach the outside: replies, header fields, notes.

use crate::diagnostic::{Diagnostic, Diagnostics, Located};
use crate::syntax::Written;

/// Longest text of a refusal, in bytes: an SMTP reply line has 512 (RFC 5321, section 4.5.3.1.5).
const LONGEST_REPLY: usize = 400;
/// Longest value of a header field, in bytes: a line has 998 (RFC 5322, section 2.1.1).
const LONGEST_FIELD: usize = 800;

/// Fields that the structure, the way or the origin of a message depends on.
const RESERVED: [&str; 16] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "date",
    "message-id",
    "subject",
    "received",
    "return-path",
    "mime-version",
    "reply-to",
    "dkim-signature",
    "authentication-results",
    "in-reply-to",
    "references",
];

/// A text for an SMTP reply.
pub(super) fn check_reply(written: &Written<'_, String>, diagnostics: &Diagnostics) {
    let is_wrong = |c: char| !c.is_ascii_graphic() && c != ' ';
    if let Some(Located { value, place }) = written
        && (value.trim().is_empty() || value.len() > LONGEST_REPLY || value.contains(is_wrong))
    {
        let message = format!(
            "`reject` must be a line of 1 to {LONGEST_REPLY} printable ASCII characters: it goes into an SMTP reply"
        );
        diagnostics.push(Diagnostic::error(*place, message));
    }
}

/// A text for logs and lists.
pub(super) fn check_note(key: &str, written: &Written<'_, String>, diagnostics: &Diagnostics) {
    if let Some(Located { value, place }) = written
        && (value.trim().is_empty()
            || value.len() > LONGEST_REPLY
            || value.contains(char::is_control))
    {
        let message = format!("`{key}` must be a line of 1 to {LONGEST_REPLY} bytes");
        diagnostics.push(Diagnostic::error(*place, message));
    }
}

/// RFC 5322, section 3.6.8: printable ASCII without the colon.
pub(super) fn check_field_name(name: &Located<'_, String>, diagnostics: &Diagnostics) {
    let is_wrong = |c: char| !c.is_ascii_graphic() || c == ':';
    if name.value.is_empty() || name.value.contains(is_wrong) {
        let message = format!("{:?} is no name of a header field", name.value);
        diagnostics.push(Diagnostic::error(name.place, message));
    }
}

/// A field that is put on top of a message.
pub(super) fn check_added_field(
    name: &Located<'_, String>,
    value: &Located<'_, String>,
    diagnostics: &Diagnostics,
) {
    check_field_name(name, diagnostics);
    let lower = name.value.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("content-") {
        let message = format!("`add-header` cannot add {:?}", name.value);
        diagnostics.push(
            Diagnostic::error(name.place, message)
                .with_help("use a field of your own, such as X-Classification"),
        );
    }
    let is_wrong = |c: char| !c.is_ascii_graphic() && c != ' ';
    if value.value.len() > LONGEST_FIELD || value.value.contains(is_wrong) {
        let message = format!(
            "the value of a header field is at most {LONGEST_FIELD} printable ASCII characters"
        );
        diagnostics.push(Diagnostic::error(value.place, message));
    }
}
