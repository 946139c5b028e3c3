//! The SMTP protocol (RFC 5321) without I/O: bytes in, replies and events out.
//!
//! A [`Session`] is fed the client's bytes and says what to do next as [`Action`]s. It decides about syntax, order and
//! limits of the protocol; whether a recipient or a message is wanted, it asks its caller. It knows neither sockets,
//! nor time, nor policy. Verbs that take more than a line have a file each; every reply leaves through [`encode`].
//!
//! Not offered: AUTH, CHUNKING (BDAT), DSN.

mod command;
mod content;
mod data;
mod encode;
mod envelope;
mod hello;
mod line;
mod mail;
mod mistake;
mod path;
mod rcpt;
mod session;
mod starttls;

#[cfg(test)]
mod tests;

pub use data::{DataReader, Progress};
pub use encode::encode;
pub use envelope::{Body, Client, Envelope};
pub use session::{Action, Arrival, Session, Settings};
pub use starttls::StartTls;
