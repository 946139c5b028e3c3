//! Why an encrypted message stays as it came.

use certstore::certificate::describe_recipient;
use certstore::cms::{DecryptFailure, RecipientId};
use serde::{Serialize, Serializer};

use super::verdict::Reason;

/// So many recipients are named where none is ours.
const MOST_NAMED: usize = 3;

/// Why an encrypted message stays as it came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// No recipient that its CMS names is one of the decryptors.
    #[error("{}", no_key(.recipients))]
    NoKey {
        /// For whom it is.
        recipients: Vec<RecipientId>,
    },
    /// It is from nobody, or two readers may see two messages in it: it is opened for nobody.
    #[error("the message can be read in two ways: {0}")]
    Ambiguous(String),
    /// The CMS cannot be read.
    #[error("the encrypted content is malformed: {0}")]
    Malformed(String),
    /// An algorithm that is not supported: "unsupported: 1.2.3 name".
    #[error("{0}")]
    Unsupported(String),
    /// A cipher that can be broken, and that nobody allowed for this mail.
    #[error("weak: {0}; a profile with weak-ciphers opens it")]
    Weak(String),
    /// The key does not open it, it was changed, or there is no MIME entity inside. Which of these it is would help whoever
    /// sends the same ciphertext in many variants.
    #[error(
        "the encrypted content cannot be opened: wrong key, changed on its way, or no MIME content inside"
    )]
    Undecryptable,
    /// The key cannot be reached now; try again later.
    #[error("the private key cannot be reached now: {0}")]
    KeyUnavailable(String),
}

impl Closed {
    /// The word for it in verdicts, if one says it.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Ambiguous(_) => Some(Reason::Ambiguous),
            Self::Malformed(_) => Some(Reason::Malformed),
            Self::Unsupported(_) => Some(Reason::Unsupported),
            Self::Weak(_) => Some(Reason::Weak),
            Self::NoKey { .. } | Self::Undecryptable | Self::KeyUnavailable(_) => None,
        }
    }
}

fn no_key(recipients: &[RecipientId]) -> String {
    let named: Vec<String> = recipients
        .iter()
        .take(MOST_NAMED)
        .map(describe_recipient)
        .collect();
    match recipients.len().saturating_sub(MOST_NAMED) {
        0 if named.is_empty() => {
            "the message is encrypted for nobody with a certificate".to_owned()
        }
        0 => format!("no key for {}", named.join(", nor for ")),
        more => format!(
            "no key for {}, nor for {more} others",
            named.join(", nor for ")
        ),
    }
}

impl From<DecryptFailure> for Closed {
    fn from(failure: DecryptFailure) -> Self {
        match failure {
            DecryptFailure::NotForUs { recipients } => Self::NoKey { recipients },
            DecryptFailure::Unsupported(unsupported) => Self::Unsupported(unsupported.to_string()),
            DecryptFailure::Weak { name, .. } => Self::Weak(name.to_owned()),
            DecryptFailure::Malformed(error) => Self::Malformed(error.to_string()),
            DecryptFailure::Undecryptable => Self::Undecryptable,
            DecryptFailure::KeyUnavailable(text) => Self::KeyUnavailable(text),
        }
    }
}

impl Serialize for Closed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
