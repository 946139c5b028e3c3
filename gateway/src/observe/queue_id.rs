//! The id that a message carries from MAIL to its last delivery.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Crockford's base 32, lower case: sorts like the numbers it stands for, and is easy to read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 16;

/// Sixteen characters: nine of time (milliseconds since 1970), seven of chance. Ids sort by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId([u8; LENGTH]);

/// The text is not a queue id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a queue id has 16 characters of 0-9 and a-z (without i, l, o, u)")]
pub struct QueueIdError;

impl QueueId {
    /// A new id: `now`, and 35 bits of `chance`.
    #[must_use]
    pub fn new(now: SystemTime, chance: u64) -> Self {
        let milliseconds = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        let mut number = (milliseconds << 35) | u128::from(chance & ((1 << 35) - 1));
        let mut text = [0; LENGTH];
        for place in text.iter_mut().rev() {
            let digit = usize::try_from(number & 31).unwrap_or(0);
            *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
            number >>= 5;
        }
        Self(text)
    }

    /// The sixteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The alphabet is ASCII, so this cannot fail.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for QueueId {
    type Err = QueueIdError;

    fn from_str(text: &str) -> Result<Self, QueueIdError> {
        let bytes = <[u8; LENGTH]>::try_from(text.as_bytes()).map_err(|_| QueueIdError)?;
        let known = bytes.iter().all(|byte| ALPHABET.contains(byte));
        known.then_some(Self(bytes)).ok_or(QueueIdError)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn later_ids_sort_later() {
        let early = QueueId::new(
            UNIX_EPOCH + Duration::from_millis(1_795_536_000_000),
            u64::MAX,
        );
        let late = QueueId::new(UNIX_EPOCH + Duration::from_millis(1_795_536_000_001), 0);
        assert!(early.as_str() < late.as_str());
    }

    #[test]
    fn reads_back_what_it_wrote_and_nothing_else() {
        let id = QueueId::new(UNIX_EPOCH + Duration::from_secs(1), 7);
        assert_eq!(id.as_str().parse(), Ok(id));
        for text in [
            "",
            "short",
            "0123456789abcdeI",
            "0123456789abcdef0",
            "../../etc/passwd",
        ] {
            assert_eq!(text.parse::<QueueId>(), Err(QueueIdError), "{text}");
        }
    }
}
