//! What conditions compare with, where that is neither a text nor a number.

use std::fmt;
use std::str::FromStr;

use crate::document::{Words, parse_size};
use crate::facts::{Content, SessionTls, TlsVersion};

/// Something that a message is or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// The client signed it.
    Signed,
    /// It came encrypted.
    Encrypted,
    /// It is a calendar message.
    Calendar,
    /// It answers a mail that came encrypted.
    AnswersEncrypted,
}

impl Words for Property {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("signed", Self::Signed),
        ("encrypted", Self::Encrypted),
        ("calendar", Self::Calendar),
        ("in-reply-to-encrypted", Self::AnswersEncrypted),
    ];
}

impl Property {
    /// Whether a message has it; none if nobody could find out.
    #[must_use]
    pub const fn of(self, content: &Content<'_>) -> Option<bool> {
        match self {
            Self::Signed => Some(content.is_signed),
            Self::Encrypted => Some(content.is_encrypted),
            Self::Calendar => Some(content.is_calendar),
            Self::AnswersEncrypted => content.answers_encrypted,
        }
    }
}

/// Kinds of sessions, by their TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsKind {
    /// In clear.
    None,
    /// Encrypted.
    Any,
    /// By TLS 1.2.
    V1_2,
    /// By TLS 1.3.
    V1_3,
    /// With a certificate of the client.
    ClientCertificate,
}

impl Words for TlsKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("any", Self::Any),
        ("1.2", Self::V1_2),
        ("1.3", Self::V1_3),
        ("client-certificate", Self::ClientCertificate),
    ];
}

impl TlsKind {
    /// Whether a session with this TLS is of this kind.
    #[must_use]
    pub fn holds(self, tls: Option<SessionTls>) -> bool {
        match self {
            Self::None => tls.is_none(),
            Self::Any => tls.is_some(),
            Self::V1_2 => tls.is_some_and(|tls| tls.version == TlsVersion::V1_2),
            Self::V1_3 => tls.is_some_and(|tls| tls.version == TlsVersion::V1_3),
            Self::ClientCertificate => tls.is_some_and(|tls| tls.client_certificate),
        }
    }

    /// Whether every session of the kind `other` is of this kind.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self == other || (self == Self::Any && other != Self::None)
    }
}

/// Sizes from one to another, in bytes. Written `> 10 MB`, `>= 1 KiB`, `< 500 B` or `<= 25 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SizeRange {
    least: u64,
    most: u64,
}

impl SizeRange {
    /// Whether a size, in bytes, is one of them.
    #[must_use]
    pub const fn contains(self, bytes: u64) -> bool {
        self.least <= bytes && bytes <= self.most
    }

    /// Whether every size of `other` is one of them.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.least <= other.least && other.most <= self.most
    }
}

impl FromStr for SizeRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "a size is compared with >, >=, < or <=, such as \"> 10 MB\"";
        const NONE: &str = "no size is so";
        let digits = text.find(|c: char| c.is_ascii_digit()).ok_or(WRONG)?;
        let (comparison, size) = text.split_at_checked(digits).ok_or(WRONG)?;
        let size = parse_size(size)?;
        let (least, most) = match comparison.trim() {
            ">" => (size.checked_add(1).ok_or(NONE)?, u64::MAX),
            ">=" => (size, u64::MAX),
            "<" => (0, size.checked_sub(1).ok_or(NONE)?),
            "<=" => (0, size),
            _ => return Err(WRONG),
        };
        Ok(Self { least, most })
    }
}

impl fmt::Display for SizeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.most == u64::MAX {
            write!(f, ">= {} B", self.least)
        } else {
            write!(f, "<= {} B", self.most)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_compared() {
        for (text, bytes, is_inside) in [
            ("> 10 MB", 10_000_000, false),
            ("> 10 MB", 10_000_001, true),
            (">=10 MB", 10_000_000, true),
            ("< 1 KiB", 1_024, false),
            ("<1KiB", 1_023, true),
            ("<= 1 KiB", 1_024, true),
            (">= 0 B", u64::MAX, true),
        ] {
            let range: SizeRange = text.parse().unwrap();
            assert_eq!(range.contains(bytes), is_inside, "{bytes} {text}");
            assert_eq!(range.to_string().parse(), Ok(range), "{text}");
        }
        for text in [
            "",
            "10 MB",
            "= 10 MB",
            "> 10",
            "> MB",
            "< 0 B",
            ">> 1 B",
            "> 18446744073709551615 B",
        ] {
            assert!(text.parse::<SizeRange>().is_err(), "{text:?}");
        }
    }
}
