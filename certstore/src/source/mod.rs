//! Where certificates come from: each source answers for an address with what it has, trusted or not.
//!
//! A source does not choose, does not trust and does not cache; `lookup` does all three. What a directory needs beside
//! its protocol (a time limit, a circuit breaker, metrics) is [`Framed`] around it.

mod association;
mod breaker;
mod framed;
pub mod http;
pub mod ldap;
mod local;
pub mod smimea;
pub mod tls;

use std::pin::Pin;

use policy::address::Address;

use crate::selection::Candidate;

pub use association::{Association, Matching, Selector, Usage};
pub use framed::{Framed, Limits};
pub use local::StoredCertificates;

/// Most certificates that one answer of a directory may bring; the rest is left out.
pub const MOST_CERTIFICATES: usize = 64;
/// Most bytes that one answer of a directory may take.
pub const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// What a source has for an address. No certificates is an answer, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Certificates, in any order; those of authorities help to find paths.
    pub candidates: Vec<Candidate>,
    /// What the domain of the address says of the address's certificates, whoever has them.
    pub associations: Vec<Association>,
    /// What an operator should know about the answer; empty if there is nothing.
    pub note: String,
}

impl FromIterator<Candidate> for Found {
    fn from_iter<I: IntoIterator<Item = Candidate>>(candidates: I) -> Self {
        Self {
            candidates: candidates.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// Why a source gave no answer; it may give one later. "It has nothing" is an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceFailure(pub String);

/// The answer of a source, on its way.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Found, SourceFailure>> + Send + 'a>>;

/// Somebody who may have certificates of an address.
pub trait Source: std::fmt::Debug + Send + Sync {
    /// Its name in explanations.
    fn name(&self) -> &str;

    /// What it has for `address`, in any order. It keeps to a time limit of its own.
    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a>;
}
