//! What a rule may look at, for one recipient of one message. Left out: how any of it was learned.

use crate::address::Address;
use crate::document::Words;

/// Which way mail goes for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To one of our users.
    Inbound,
    /// To anybody else.
    Outbound,
}

impl Words for Direction {
    const WORDS: &'static [(&'static str, Self)] =
        &[("inbound", Self::Inbound), ("outbound", Self::Outbound)];
}

/// What is known of a message, for one of its recipients.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which way it goes for this recipient.
    pub direction: Direction,
    /// MAIL FROM; none is the null reverse-path `<>`.
    pub sender: Option<&'a Address>,
    /// RCPT TO.
    pub recipient: &'a Address,
    /// None as long as the envelope alone is known.
    pub content: Option<Content<'a>>,
}

/// What is known of a message once its content is there.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The subject, decoded; a message without the field has an empty one.
    pub subject: Option<&'a str>,
    /// Every header field: name, and value decoded and unfolded.
    pub headers: &'a [(String, String)],
}
