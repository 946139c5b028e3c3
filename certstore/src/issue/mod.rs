//! Issuing certificates to users. Here: the built-in CA.

mod name;
mod certificate;
pub mod ca;

pub use crate::vault::KeyAlgorithm;
pub use ca::{Authority, IssueRequest, Issued, Usage};

use crate::certificate::CertificateError;
use crate::cms::KeyFailure;

/// Why nothing was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The subject is no distinguished name; what is wrong with it.
    #[error("{0}; write a subject as \"CN=Example CA,O=Example,C=DE\"")]
    Subject(&'static str),
    /// A common name longer than RFC 5280 allows.
    #[error("a common name has at most 64 characters; give a shorter one")]
    CommonNameTooLong,
    /// A validity of nothing, or beyond what dates can hold.
    #[error("a certificate is valid for at least an hour and at most 50 years")]
    Validity,
    /// The certificate of the CA is not one of a CA.
    #[error("the certificate {0} may not issue others")]
    NotAuthority(String),
    /// The CA is not valid now.
    #[error("the certificate of the CA is not valid now: make a new one with `postern ca init`")]
    AuthorityNotValid,
    /// The CA's key is of a kind that certificates are not signed with here.
    #[error(
        "the built-in CA cannot issue with the key of this certificate: it needs RSA, a NIST curve or ML-DSA"
    )]
    UnsupportedAuthority,
    /// The key is of a kind that cannot do what it is wanted for.
    #[error("{0}: choose another algorithm or another use")]
    Usage(&'static str),
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Key(&'static str),
    /// The CA's key did not sign.
    #[error("the key of the CA did not sign: {0}")]
    Signing(KeyFailure),
    /// The certificate could not be encoded.
    #[error("the certificate could not be encoded: {0}")]
    Encoding(String),
    /// What was encoded does not read as a certificate.
    #[error("the new certificate cannot be read: {0}")]
    Unreadable(#[from] CertificateError),
}

impl From<der::Error> for IssueError {
    fn from(error: der::Error) -> Self {
        Self::Encoding(error.to_string())
    }
}
