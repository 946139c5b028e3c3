//! Why a certificate is not trusted: a word for headers and rules, a sentence for people.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Why a certificate is not trusted for an address, a purpose and a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The certificate is somebody else's.
    #[error("address-mismatch: the certificate is for {}, not for {wanted}", list(.named, .odd))]
    AddressMismatch {
        /// The address asked for.
        wanted: String,
        /// The addresses in the certificate.
        named: Vec<String>,
        /// Entries in it that are no proper address and so match nothing.
        odd: Vec<String>,
    },
    /// No way leads from it to an anchor that counts for the address.
    #[error("untrusted: {0}")]
    Untrusted(PathProblem),
    /// It, or a CA above it, is no longer valid.
    #[error("expired: {} was valid until {}", whose(.subject), date(.on))]
    Expired {
        /// Whose certificate.
        subject: String,
        /// The last moment of its validity.
        on: SystemTime,
    },
    /// It, or a CA above it, is not valid yet.
    #[error("not-yet-valid: {} is valid from {} on", whose(.subject), date(.from))]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// The first moment of its validity.
        from: SystemTime,
    },
    /// Its extensions, or those of a CA above it, do not allow the purpose.
    #[error("wrong-usage: {} {because}", whose(.subject))]
    WrongUsage {
        /// Whose certificate.
        subject: String,
        /// What stands against it.
        because: &'static str,
    },
    /// A key or a signature in the path is too weak to mean anything.
    #[error("weak: {} {because}", whose(.subject))]
    Weak {
        /// Whose certificate.
        subject: String,
        /// What is weak.
        because: Weakness,
    },
    /// It, or a CA above it, was revoked.
    #[error("revoked: {} was revoked on {} ({because}): ask its holder for a new one", whose(.subject), date(.on))]
    Revoked {
        /// Whose certificate.
        subject: String,
        /// When.
        on: SystemTime,
        /// Why, in the words of RFC 5280, section 5.3.1.
        because: &'static str,
    },
    /// It must be known not to be revoked, and is not.
    #[error("revocation-unknown: whether {} was revoked cannot be found out: {because}", whose(.subject))]
    RevocationUnknown {
        /// Whose certificate.
        subject: String,
        /// What stands in the way.
        because: String,
        /// Whether it may be found out later.
        is_temporary: bool,
    },
    /// Something in the path breaks the rules of its format.
    #[error("malformed: {} breaks the rules of X.509: ask its issuer for a new one", whose(.subject))]
    Malformed {
        /// Whose certificate.
        subject: String,
    },
}

/// What is wrong between a certificate and the anchors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// Nobody known issued it.
    #[error("no path to a trusted root; issuer is {0}")]
    NoPath(String),
    /// Its issuer is not known, and could not be fetched from where the certificate says that it is.
    #[error(
        "no path to a trusted root; issuer is {issuer}, whose certificate is not to be had: {because}"
    )]
    IssuerUnavailable {
        /// The issuer.
        issuer: String,
        /// Why.
        because: String,
        /// Whether it may be there later.
        is_temporary: bool,
    },
    /// The operator distrusts this certificate.
    #[error("{} is on the distrust list", whose(.0))]
    Distrusted(String),
    /// It vouches for itself.
    #[error("self-signed and not trusted by itself; pin it to trust it for its address")]
    SelfSigned,
    /// There are anchors above it, but not for this address.
    #[error("its root {0} is not trusted for this address")]
    OutOfScope(String),
    /// The signature on this certificate is not its issuer's.
    #[error("the signature on {} is wrong", whose(.0))]
    BadSignature(String),
    /// The signature on this certificate is of a kind that nobody here can check.
    #[error("the signature on {} is of a kind that cannot be checked here", whose(.0))]
    UnknownSignature(String),
    /// This certificate issued another without being a CA.
    #[error("{} is not a certificate authority", whose(.0))]
    NotAuthority(String),
    /// More CAs below one another than one of them allows.
    #[error("too many authorities below one another at {}", whose(.0))]
    PathLength(String),
    /// A name outside of what a CA above may certify.
    #[error("the names of {} are outside of what its issuers may certify", whose(.0))]
    NameConstraints(String),
    /// Name constraints above, and a local part beyond ASCII that they cannot be compared with.
    #[error("its issuers are limited to certain names, which cannot be compared with {0}")]
    UncheckedNameConstraints(String),
    /// A CA demands certificate policies that the path does not have.
    #[error("the path lacks a certificate policy that one of its authorities demands")]
    Policy,
    /// A critical extension that nobody here understands.
    #[error("{} has a critical extension that is not understood here", whose(.0))]
    CriticalExtension(String),
    /// So many possible paths that the search was given up.
    #[error("too many possible paths to a root; the search was given up")]
    TooManyPaths,
    /// Anything else that path validation found.
    #[error("its path does not validate")]
    Other,
}

impl Distrust {
    /// The word that stands in verdict headers and rules.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::AddressMismatch { .. } => "address-mismatch",
            Self::Untrusted(_) => "untrusted",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::WrongUsage { .. } => "wrong-usage",
            Self::Weak { .. } => "weak",
            Self::Revoked { .. } => "revoked",
            Self::RevocationUnknown { .. } => "revocation-unknown",
            Self::Malformed { .. } => "malformed",
        }
    }

    /// Whether the answer may be another one soon, with nothing changed but the network: an outage, no judgement.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Untrusted(PathProblem::IssuerUnavailable {
                is_temporary: true,
                ..
            }) | Self::RevocationUnknown {
                is_temporary: true,
                ..
            }
        )
    }
}

/// What is too weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// An RSA key shorter than 2048 bits; its length.
    #[error("has an RSA key of {0} bits; 2048 are needed")]
    RsaKey(u32),
    /// A signature over a digest that can be forged.
    #[error("is signed with {0}, which can be forged")]
    Digest(&'static str),
}

fn whose(name: &str) -> &str {
    match name {
        "" => "the certificate (without a name)",
        name => name,
    }
}

fn list(named: &[String], odd: &[String]) -> String {
    match (named, odd) {
        ([], []) => "no address".to_owned(),
        ([], odd) => format!("no proper address ({:?} cannot be one)", odd.join(", ")),
        (named, _) => named.join(", "),
    }
}

/// The day in UTC.
pub(super) fn date(time: &SystemTime) -> impl fmt::Display {
    Timestamp::try_from(*time)
        .unwrap_or(Timestamp::MAX)
        .to_zoned(TimeZone::UTC)
        .date()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_sentence_begins_with_the_word() {
        let expired = Distrust::Expired {
            subject: "CN=a".into(),
            on: UNIX_EPOCH + Duration::from_secs(1_767_312_000),
        };
        assert_eq!(
            expired.to_string(),
            "expired: CN=a was valid until 2026-01-02"
        );
        for distrust in [
            expired,
            Distrust::Untrusted(PathProblem::NoPath("CN=x".into())),
            Distrust::Malformed {
                subject: String::new(),
            },
            Distrust::AddressMismatch {
                wanted: "a@b".into(),
                named: vec![],
                odd: vec![" a@b".into()],
            },
        ] {
            let start = format!("{}: ", distrust.word());
            assert!(distrust.to_string().starts_with(&start), "{distrust}");
        }
    }
}
