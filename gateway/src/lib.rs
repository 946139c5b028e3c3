//! The way of a message through the gateway, from the socket to the next hop.
//!
//! Import order is mail order: each module imports only from those above it in the list below. Where an earlier one
//! must call a later one, it owns a small trait, and `app` plugs the implementation in.

pub mod failure;
pub mod observe;
pub mod config;
pub mod smtp;
pub mod listen;
pub mod message;
pub mod smime;
pub mod decide;
pub mod resolve;
pub mod transform;
pub mod spool;
pub mod deliver;
pub mod harvest;
pub mod intake;
pub mod publication;
pub mod app;
pub mod cli;
