//! The way of a message through the gateway, from the socket to the next hop.
//!
//! Import order is mail order: each module imports only from those above it in the list below. Where an earlier one
//! must call a later one, it owns a small trait, and `app` plugs the implementation in.

pub mod config;
pub mod failure;
pub mod listen;
pub mod message;
pub mod observe;
pub mod smime;
pub mod smtp;
pub mod spool;
