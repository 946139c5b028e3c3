//! Why bytes could not be read as CMS.

use super::{BerError, Unsupported};

/// Why bytes could not be read as CMS, or a certificate could not be used with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// The bytes are not what the standard says.
    #[error("{structure} cannot be read: {reason}")]
    Malformed {
        /// The ASN.1 type at fault.
        structure: &'static str,
        /// What is wrong with it.
        reason: BerError,
    },
    /// More of something than anybody sends.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many would have been read.
        limit: usize,
    },
    /// Well-formed, but of a kind that is not supported.
    #[error("{0}")]
    Unsupported(Unsupported),
}

impl CmsError {
    /// For `map_err`: the ASN.1 type in which the reader failed.
    pub(super) fn in_structure(structure: &'static str) -> impl Fn(BerError) -> Self {
        move |reason| Self::Malformed { structure, reason }
    }
}
