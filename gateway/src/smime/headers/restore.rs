//! Header fields of an opened message as their sender wrote them (RFC 9788, sections 4 and 4.4).
//!
//! A message that was encrypted gets its subject back, and what else was hidden. Who wrote it is another matter: what
//! speaks of the sender is taken from within under a good signature alone, and never the address in From.

use std::ops::Range;

use bytes::Bytes;

use super::legacy_display;
use super::read::{HeaderScheme, Within};
use crate::message::{Message, spliced, with_crlf};
use crate::smime::Opened;
use crate::smime::form::{SmimeForm, recognise};

/// Taken from within whoever encrypted it.
const HIDDEN: [&str; 6] = ["Subject", "To", "Cc", "Date", "Keywords", "Comments"];
/// Taken from within only if the verdict is a pass.
const SIGNED: [&str; 8] = [
    "From",
    "Sender",
    "Reply-To",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Followup-To",
    "Mail-Followup-To",
];

/// An opened message with the header that its sender wrote.
#[derive(Debug, Clone)]
pub struct Revealed {
    /// The message.
    pub message: Message,
    /// The fields that were taken from within.
    pub fields: Vec<String>,
}

impl Opened {
    /// The message with its header fields as they were within. `is_proven` says whether the verdict on it is a pass.
    #[must_use]
    pub fn reveal(self, is_proven: bool) -> Revealed {
        let form = recognise(&self.message);
        let is_signed = form != SmimeForm::None;
        let within = self
            .payload(&form)
            .and_then(|payload| Within::find(&self.message, &payload, true))
            .filter(|within| within.hides);
        let unchanged = || Revealed {
            message: self.message.clone(),
            fields: Vec::new(),
        };
        let Some(within) = within else {
            return unchanged();
        };
        let mut names = HIDDEN.to_vec();
        names.extend(SIGNED.iter().filter(|_| is_proven));
        let (content, fields) = restored(&self.message, &within, &names);
        let Ok(message) = Message::parse(content) else {
            return unchanged();
        };
        // What a signature covers keeps its bytes.
        let is_shown_twice = within.scheme == HeaderScheme::Hp && !is_signed;
        let shorter = is_shown_twice
            .then(|| legacy_display::removed(&message))
            .flatten()
            .and_then(|content| Message::parse(content).ok());
        Revealed {
            message: shorter.unwrap_or(message),
            fields,
        }
    }
}

/// The message with the fields of these names as they are within, and the names of those that differ. A field that stands
/// twice within stays as it is.
fn restored(message: &Message, within: &Within, names: &[&str]) -> (Bytes, Vec<String>) {
    let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    let mut restored = Vec::new();
    let end = message.header_range().end;
    for name in names {
        let mut inner = within.named(name);
        let (Some(field), None) = (inner.next(), inner.next()) else {
            continue;
        };
        let raw = with_crlf(field.raw).into_owned();
        let mut places = places(message, name).into_iter();
        match places.next() {
            Some(place) if message.slice(&place) == raw => continue,
            Some(place) => edits.push((place, raw)),
            None => edits.push((end..end, raw)),
        }
        edits.extend(places.map(|further| (further, Vec::new())));
        restored.push((*name).to_owned());
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    (spliced(message.content(), &edits), restored)
}

/// Where the fields of this name lie.
fn places(message: &Message, name: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    message
        .fields()
        .filter_map(|field| {
            let range = start..start + field.raw.len();
            start = range.end;
            field.is(name).then_some(range)
        })
        .collect()
}
