//! What operators order for mail: addresses, rules, decisions.
//!
//! Pure: no I/O, no clock, no async. Import order is the order of the modules below: each imports only from those above it.

#[cfg(any(test, feature = "mutation"))]
pub mod mutation;

pub mod address;
pub mod diagnostic;
pub mod document;
pub mod network;
pub mod schedule;
pub mod facts;
pub mod pattern;
pub mod decision;
pub mod fate;
pub mod recorded;
pub mod rule;
mod syntax;
pub mod compile;
pub mod print;
pub mod evaluate;
pub mod explain;
pub mod suite;
pub mod compare;
pub mod import;
pub mod schema;

#[cfg(test)]
mod generated;
