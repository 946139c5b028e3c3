//! Sockets, TLS and limits: what comes in is driven through the protocol and handed to an [`Intake`].
//!
//! First [`bind`] each listener, so that a mistake is found before anything runs; then [`serve`] them all. One set of
//! limits holds for all listeners together. What becomes of a message is not known here.

mod admission;
mod bind;
mod connection;
mod ending;
mod memory;
mod serve;
mod transport;

use std::sync::Arc;

use bytes::Bytes;
use policy::address::Address;

use crate::failure::Reply;
use crate::observe::QueueId;
use crate::smtp::Envelope;

pub use bind::{Bound, ListenError, bind};
pub(crate) use bind::{acceptor, open_socket};
pub use memory::Permit;
pub use serve::{Settings, serve};

/// A message as it came in, whole. The only way to make one is to receive it.
#[derive(Debug)]
pub struct Received {
    /// The id that it keeps.
    pub id: QueueId,
    /// Who sent it to whom.
    pub envelope: Envelope,
    /// The content after dot-unstuffing: strict CRLF lines, no bare CR or LF.
    pub content: Bytes,
    /// Its share of the memory budget, given back when it is dropped: keep it as long as `content`. Only a session
    /// makes one, and so only a session makes a `Received`.
    pub permit: Permit,
}

impl Received {
    /// A message that no session brought, outside the memory budget.
    #[cfg(test)]
    #[must_use]
    pub fn made_up_for_a_test(id: QueueId, envelope: Envelope, content: Bytes) -> Self {
        Self {
            id,
            envelope,
            content,
            permit: Permit::made_up_for_a_test(),
        }
    }
}

/// What becomes of mail that came in. Owned here, implemented by a later module.
pub trait Intake: Send + Sync + 'static {
    /// Whether mail can be taken in now; the refusal is a 421 before the banner or a 452 at MAIL.
    ///
    /// # Errors
    /// The reply to give instead; its code becomes 421 or 452.
    fn ready(&self) -> Result<(), Reply>;

    /// Answers a RCPT whose syntax is right; `envelope` holds the recipients accepted so far.
    fn recipient(
        self: &Arc<Self>,
        id: QueueId,
        envelope: &Envelope,
        recipient: &Address,
    ) -> impl Future<Output = Reply> + Send;

    /// Takes a message: the reply is given to the client as it is, and a 2xx means that the mail is safe.
    ///
    /// It runs to its end even if the client goes away. A panic becomes a 451.
    fn message(self: &Arc<Self>, received: Received) -> impl Future<Output = Reply> + Send;
}
