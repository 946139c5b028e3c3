//! Why bytes are not a private key that can be used.

use crate::cms::ber::BerError;

/// Why bytes are not a private key that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRejection {
    /// A key of another kind; its algorithm or curve as an object identifier.
    #[error(
        "the private key is of a kind that is not supported ({0}): RSA, EC keys on P-256, P-384 and P-521, Ed25519, X25519, ML-DSA and ML-KEM are"
    )]
    Unsupported(String),
    /// An RSA key that is too short or too long, or whose numbers do not fit together, or the like for EC.
    #[error(
        "the private key is refused: RSA keys need 2048 to 8192 bits, and every key must be a valid one"
    )]
    Refused,
    /// Not the structure of a private key.
    #[error("the private key cannot be read: it is damaged, or of an unknown form")]
    Damaged,
}

impl From<BerError> for KeyRejection {
    fn from(_: BerError) -> Self {
        Self::Damaged
    }
}
