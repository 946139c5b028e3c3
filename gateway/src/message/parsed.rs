//! A message that was read, with its envelope: the first stage behind the final dot.

use bytes::Bytes;

use super::{Message, MessageError};
use crate::failure::Failure;
use crate::listen::{Permit, Received};
use crate::observe::QueueId;
use crate::smtp::Envelope;

/// More Received fields than this are a loop (RFC 5321, section 6.3).
const MOST_HOPS: usize = 30;

/// A message that was received and read. Only [`parse`] makes one.
#[derive(Debug)]
pub struct Parsed {
    received: Received,
    message: Message,
    subject: Option<String>,
    fields: Vec<(String, String)>,
}

/// What is kept of a message once its copies are made: its content is not.
#[derive(Debug)]
pub struct Origin {
    /// Its id.
    pub id: QueueId,
    /// Who sent it to whom.
    pub envelope: Envelope,
    /// Its share of the memory budget, which its copies take over.
    pub permit: Permit,
    /// Length of the content, in bytes.
    pub size: usize,
    /// The header block as it came, for a bounce.
    pub headers: Bytes,
    /// Message-ID, for the operator's list.
    pub message_id: Option<String>,
    /// The decoded subject, for the operator's list.
    pub subject: Option<String>,
}

/// Reads a received message.
///
/// # Errors
/// [`Failure::Loop`] if it has been through too many servers, [`Failure::Malformed`] if it exceeds a bound.
pub fn parse(received: Received) -> Result<Parsed, Failure> {
    let message = Message::parse(received.content.clone())
        .map_err(|error: MessageError| Failure::Malformed(error.to_string()))?;
    if message.received_count() > MOST_HOPS {
        return Err(Failure::Loop);
    }
    let subject = message.subject();
    let fields = message.decoded_fields();
    Ok(Parsed {
        received,
        message,
        subject,
        fields,
    })
}

impl Parsed {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.received.id
    }

    /// Who sent it to whom.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.received.envelope
    }

    /// The message as it came.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// The decoded subject.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Waits until its share of the memory budget covers `bytes` in all.
    pub async fn reserve(&mut self, bytes: u64) {
        self.received.permit.cover(bytes).await;
    }

    /// Lets go of the content.
    #[must_use]
    pub fn into_origin(self) -> Origin {
        Origin {
            id: self.received.id,
            size: self.message.content().len(),
            headers: Bytes::copy_from_slice(self.message.header_block()),
            message_id: self.message.message_id(),
            subject: self.subject,
            envelope: self.received.envelope,
            permit: self.received.permit,
        }
    }

    /// All header fields: names as written, decoded values.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}
