//! Mail addresses: the only parser of them in the program.
//!
//! [`Address`] is one mailbox as SMTP knows it; [`mailboxes`] reads header fields that hold many. Both refuse whatever
//! they cannot read to the last byte: an address that two programs read differently lets one person speak as another.
//! Left out: whether a domain or a user exists, and Unicode normalisation of local parts, which belongs to whoever
//! hands out the mailboxes (RFC 6531, section 3.2).

mod header;
mod parts;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use header::{Mailbox, mailboxes};

/// Most octets of a whole address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const LONGEST_ADDRESS: usize = 254;

/// A mailbox (RFC 5321, section 4.1.2; RFC 6531), compared by its canonical form.
#[derive(Debug, Clone)]
pub struct Address {
    text: String,
    canonical: String,
}

impl Address {
    /// Parses a mailbox, as it stands between the angle brackets of a path.
    ///
    /// # Errors
    /// [`AddressError`], if any part of `text` is not of the form `local-part@domain`, or too long.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > LONGEST_ADDRESS {
            return Err(AddressError::TooLong(text.len()));
        }
        let (mut canonical, rest) = parts::local_part(text)?;
        let domain = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        canonical.push('@');
        canonical.push_str(&parts::domain(domain)?);
        if canonical.len() > LONGEST_ADDRESS {
            return Err(AddressError::TooLong(canonical.len()));
        }
        Ok(Self {
            text: text.to_owned(),
            canonical,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that is compared and looked up: ASCII in lower case, no needless quotes, the domain as A-labels.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The local part, in canonical form: in quotes only if it cannot be without.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.canonical_parts().0
    }

    /// The domain, in canonical form.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.canonical_parts().1
    }

    fn canonical_parts(&self) -> (&str, &str) {
        // A quoted local part may hold an @, a domain never does.
        self.canonical.rsplit_once('@').unwrap_or_default()
    }
}

/// The canonical form of a domain or address literal: A-labels in lower case.
///
/// # Errors
/// [`AddressError::Domain`] or [`AddressError::Literal`], if it can stand in no address.
pub fn canonical_domain(text: &str) -> Result<String, AddressError> {
    parts::domain(text)
}

/// Why a text is not an address, or a header field no list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It ends after the local part.
    #[error("an address needs a local part, @ and a domain")]
    NoDomain,
    /// Nothing stands before the `@`.
    #[error("the address has no local part before its @")]
    NoLocalPart,
    /// A character that a local part has only in quotes, or never.
    #[error("{0:?} may not stand in the local part of an address")]
    LocalPartCharacter(char),
    /// A dot at the start or the end, or two in a row.
    #[error("a dot of the local part must stand between other characters")]
    LocalPartDot,
    /// The local part has this many octets.
    #[error("the local part has {0} octets, more than the 64 that are allowed")]
    LocalPartTooLong(usize),
    /// A quoted string without its second quote.
    #[error("a quoted string is not closed")]
    OpenQuote,
    /// It is no host name by RFC 5321 and IDNA.
    #[error("the domain is not a valid host name")]
    Domain,
    /// What stands in brackets is no `[IPv4]` and no `[IPv6:…]`.
    #[error("the address literal in brackets is no IPv4 address and no IPv6: address")]
    Literal,
    /// The whole address has this many octets.
    #[error("the address has {0} octets, more than the 254 that are allowed")]
    TooLong(usize),
    /// The header field is not UTF-8 (RFC 6532).
    #[error("the field is neither ASCII nor UTF-8")]
    NotUtf8,
    /// A character that fits nowhere; its place in the unfolded field, counted from 1.
    #[error("{found:?} was not expected at character {position}")]
    Unexpected {
        /// The character.
        found: char,
        /// Its place in the unfolded field, counted from 1.
        position: usize,
    },
    /// The field ends within an address, a comment or a group.
    #[error("the field ends where more was expected")]
    UnexpectedEnd,
    /// Comments within comments, deeper than anybody writes them.
    #[error("comments are nested deeper than 16")]
    TooDeep,
    /// More addresses than any list that can be delivered.
    #[error("the field has more than 10,000 addresses")]
    TooMany,
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
