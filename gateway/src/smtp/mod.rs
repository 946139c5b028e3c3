//! The SMTP protocol (RFC 5321) without I/O: bytes in, replies and events out.

mod envelope;

pub use envelope::{Body, Client, Envelope};
