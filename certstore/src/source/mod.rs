//! Where certificates come from: each source answers for an address with what it has, trusted or not.
//!
//! A source does not choose, does not trust and does not cache; `lookup` does all three.

mod local;

use std::pin::Pin;

use policy::address::Address;

use crate::selection::Candidate;

pub use local::StoredCertificates;

/// Why a source gave no answer; it may give one later. "It has nothing" is an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceFailure(pub String);

/// The answer of a source, on its way.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Candidate>, SourceFailure>> + Send + 'a>>;

/// Somebody who may have certificates of an address.
pub trait Source: std::fmt::Debug + Send + Sync {
    /// Its name in explanations.
    fn name(&self) -> &str;

    /// What it has for `address`, in any order. It keeps to a time limit of its own.
    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a>;
}
