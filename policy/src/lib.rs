//! What operators order for mail: addresses, rules, decisions.
//!
//! Pure: no I/O, no clock, no async. Import order is the order of the modules below: each imports only from those above it.

pub mod address;
pub mod decision;
pub mod diagnostic;
pub mod document;
pub mod facts;
pub mod pattern;

#[cfg(test)]
mod mutation;
