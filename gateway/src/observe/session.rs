//! Events of SMTP sessions, from the connection to the reply to a message.
//!
//! A session is known by its client's address and port, a message by its queue id. Content and subjects never appear.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use tracing::{error, info, warn};

use super::{QueueId, figures};

/// A listener accepts connections.
pub fn listening(address: SocketAddr) {
    info!(event = "listener.open", %address, "listening");
}

/// A listener accepts nothing any more; so many of its sessions are not over yet.
pub fn draining(address: SocketAddr, sessions: usize) {
    info!(event = "listener.closed", %address, sessions, "no new connections");
}

/// A connection could not be accepted.
pub fn accept_failed(address: SocketAddr, error: &dyn Display) {
    warn!(event = "listener.accept-failed", %address, %error, "connection not accepted");
}

/// A client connected.
pub fn opened(client: SocketAddr) {
    figures::connection("opened");
    figures::sessions(1.0);
    info!(event = "session.opened", %client, "connection opened");
}

/// A client was turned away before its session began.
pub fn refused(client: SocketAddr, reason: &dyn Display) {
    figures::connection("refused");
    warn!(event = "session.refused", %client, %reason, "connection refused");
}

/// A session is over.
pub fn closed(client: SocketAddr, reason: &dyn Display, messages: u32, duration: Duration) {
    figures::sessions(-1.0);
    let milliseconds = duration.as_millis();
    info!(event = "session.closed", %client, %reason, messages, milliseconds, "connection closed");
}

/// A session ended by a mistake of ours.
pub fn session_panicked(error: &dyn Display) {
    error!(event = "session.panicked", %error, "session ended by a bug");
}

/// A client broke the protocol, or asked for what it does not get.
pub fn mistake(client: SocketAddr, reply: &dyn Display) {
    warn!(event = "session.mistake", %client, %reply, "client's mistake");
}

/// A handshake failed.
pub fn tls_failed(client: SocketAddr, error: &dyn Display) {
    figures::tls_failure();
    warn!(event = "session.tls-failed", %client, %error, "TLS handshake failed");
}

/// A message was refused, since too much content was in flight for too long.
pub fn out_of_memory(client: SocketAddr, bytes: u64) {
    warn!(event = "session.out-of-memory", %client, bytes, "memory budget used up");
}

/// A recipient was not accepted.
pub fn recipient_refused(
    id: QueueId,
    client: SocketAddr,
    recipient: &dyn Display,
    reply: &dyn Display,
) {
    info!(event = "recipient.refused", %id, %client, %recipient, %reply, "recipient refused");
}

/// A message came in whole; `size` in bytes.
pub fn message_received(id: QueueId, client: SocketAddr, size: usize, recipients: usize) {
    info!(event = "message.received", %id, %client, size, recipients, "message received");
}

/// The client was told what became of its message.
pub fn message_answered(id: QueueId, client: SocketAddr, reply: &dyn Display) {
    info!(event = "message.answered", %id, %client, %reply, "message answered");
}

/// Work on a message ended by a mistake of ours; the client was told to try again.
pub fn intake_panicked(id: QueueId, client: SocketAddr) {
    error!(event = "message.panicked", %id, %client, "work on a message ended by a bug");
}
