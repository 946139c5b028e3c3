//! Sockets, TLS and limits: what comes in is driven through the protocol and handed to an [`Intake`].

use std::sync::Arc;

use bytes::Bytes;
use policy::address::Address;

use crate::failure::Reply;
use crate::observe::QueueId;
use crate::smtp::Envelope;

/// A message as it came in, whole. The only way to make one is to receive it.
#[derive(Debug)]
pub struct Received {
    /// The id that it keeps.
    pub id: QueueId,
    /// Who sent it to whom.
    pub envelope: Envelope,
    /// The content after dot-unstuffing: strict CRLF lines, no bare CR or LF.
    pub content: Bytes,
}

/// What becomes of mail that came in. Owned here, implemented by a later module.
pub trait Intake: Send + Sync + 'static {
    /// Whether mail can be taken in now; the refusal is a 421 before the banner or a 452 at MAIL.
    ///
    /// # Errors
    /// The reply to give instead.
    fn ready(&self) -> Result<(), Reply>;

    /// Answers a RCPT whose syntax is right; `envelope` holds the recipients accepted so far.
    fn recipient(
        self: &Arc<Self>,
        id: QueueId,
        envelope: &Envelope,
        recipient: &Address,
    ) -> impl Future<Output = Reply> + Send;

    /// Takes a message: the reply is given to the client as it is, and a 2xx means that the mail is safe.
    fn message(self: &Arc<Self>, received: Received) -> impl Future<Output = Reply> + Send;
}
