//! The shapes of what goes into the queue, what comes out of it, and what is said about it afterwards.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use bytes::Bytes;
use policy::address::Address;

use super::held::Lease;
use crate::observe::{QueueId, QueueIdError};

/// One copy of a message: the message's id and the copy's number in it. Ids sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CopyId {
    /// The message.
    pub message: QueueId,
    /// The copy, counted from 1.
    pub number: u16,
}

impl fmt::Display for CopyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.message, self.number)
    }
}

impl FromStr for CopyId {
    type Err = QueueIdError;

    fn from_str(text: &str) -> Result<Self, QueueIdError> {
        let (message, number) = text.split_once('.').ok_or(QueueIdError)?;
        let id = Self {
            message: message.parse()?,
            number: number.parse().map_err(|_| QueueIdError)?,
        };
        // One spelling per id: it is a key in the database and a file name.
        (id.to_string() == text).then_some(id).ok_or(QueueIdError)
    }
}

/// Which connections a copy may leave by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// Any that the route allows.
    #[default]
    Any,
    /// Loopback or verified TLS alone: what was decrypted here, or what policy lets go in clear under `tls`.
    Private,
}

/// A copy to be stored.
#[derive(Debug, Clone)]
pub struct NewCopy {
    /// Its id, never used before.
    pub id: CopyId,
    /// MAIL FROM towards the next hop; none is the null reverse-path `<>`.
    pub reverse_path: Option<Address>,
    /// RCPT TO; never empty.
    pub recipients: Vec<Address>,
    /// What is sent after DATA, before dot-stuffing.
    pub content: Bytes,
    /// Whether the message needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// Which connections it may leave by.
    pub transport: Transport,
    /// The outer header block of the message as it came in. A bounce gives this back, and nothing else of it.
    pub original_headers: Bytes,
    /// Message-ID, for the operator's list.
    pub message_id: Option<String>,
    /// Subject as it came in, for the operator's list.
    pub subject: Option<String>,
}

/// All copies of a message are on disk: its 250 may be given. Made by the spool alone.
#[derive(Debug)]
pub struct Stored {
    pub(super) copies: usize,
}

impl Stored {
    /// How many copies were stored.
    #[must_use]
    pub const fn copies(&self) -> usize {
        self.copies
    }
}

/// What is known of a copy besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// MAIL FROM towards the next hop.
    pub reverse_path: Option<Address>,
    /// All recipients; an [`Outcome`] names one by its place here.
    pub recipients: Vec<Recipient>,
    /// Whether the content has bytes above 127 (RFC 6152).
    pub needs_eight_bit: bool,
    /// Whether the content has a CR or an LF outside of CRLF, with which it cannot be sent.
    pub has_bare_line_end: bool,
    /// Whether the message needs SMTPUTF8.
    pub smtputf8: bool,
    /// Which connections it may leave by.
    pub transport: Transport,
    /// Message-ID.
    pub message_id: Option<String>,
    /// Subject.
    pub subject: Option<String>,
}

/// A recipient of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: Address,
    /// How far its delivery is.
    pub state: RecipientState,
    /// The last reply that concerned it, of the next hop or our own.
    pub reply: Option<String>,
}

impl Recipient {
    /// A recipient that was not tried yet.
    pub(super) const fn new(address: Address) -> Self {
        Self {
            address,
            state: RecipientState::Waiting,
            reply: None,
        }
    }
}

/// How far the delivery to one recipient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientState {
    /// To be tried, for the first time or again.
    Waiting,
    /// The next hop has it.
    Delivered,
    /// Given up; the sender was told, if he can be.
    Failed,
}

/// A copy that is due. While this value lives nobody else is given the copy.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: CopyId,
    /// When it was stored.
    pub stored: SystemTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Length of the content, in bytes.
    pub size: u64,
    /// Whether an operator asked for it: back-off does not count then.
    pub urgent: bool,
    /// Envelope and what is shown of it.
    pub details: Details,
    pub(super) _lease: Lease,
}

/// What one attempt did for a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The copy.
    pub id: CopyId,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When those that were deferred are tried again.
    pub retry_at: SystemTime,
    /// The result for each recipient that was tried.
    pub outcomes: Vec<Outcome>,
}

/// What one attempt did for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its place in [`Details::recipients`].
    pub recipient: usize,
    /// What became of it.
    pub fate: Fate,
    /// The reply that said so.
    pub reply: String,
}

/// What became of one recipient's copy in an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The next hop has it.
    Delivered,
    /// It stays in the queue.
    Deferred,
    /// Given up.
    Failed,
}

impl Fate {
    /// Whether nothing remains to be done.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed)
    }
}

/// An entry as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The copy's id, as it stands in the database.
    pub id: String,
    /// When it was stored.
    pub stored: SystemTime,
    /// When it is tried next.
    pub due: SystemTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Length of the content, in bytes.
    pub size: u64,
    /// Envelope and what is shown of it; none if the entry is damaged and was set aside.
    pub details: Option<Details>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_ids_have_one_spelling() {
        let id: CopyId = "0123456789abcdef.1".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef.1");
        for text in [
            "",
            "0123456789abcdef",
            "0123456789abcdef.",
            "0123456789abcdef.01",
            "0123456789abcdef.+1",
            "0123456789abcdef.65536",
            "0123456789abcdef.1.1",
            "../456789abcdef.1",
        ] {
            assert_eq!(text.parse::<CopyId>(), Err(QueueIdError), "{text}");
        }
    }
}
