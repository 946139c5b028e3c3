//! The words that verdicts are made of: results (RFC 7281, section 3) and reasons.

use std::fmt;

use certstore::cms::SignatureFault;
use certstore::trust::Distrust;
use serde::{Serialize, Serializer};

/// The result (RFC 7281, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictResult {
    /// Signed by whom the From names, with a certificate that is trusted.
    Pass,
    /// Signed, and the signature or its certificate is not right.
    Fail,
    /// Signed in a way of which nothing can be said.
    Neutral,
    /// Signed rightly, in a way that is not accepted.
    Policy,
    /// It cannot be said now; it may be later.
    TempError,
    /// It can never be said.
    PermError,
    /// Not signed.
    None,
}

/// Why it is no pass: the words that stand in verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The content, or a header field that was signed with it, is not what was signed.
    Altered,
    /// The certificate is not for the address in From.
    AddressMismatch,
    /// No path leads to an anchor.
    Untrusted,
    /// A certificate is past its time.
    Expired,
    /// A certificate is before its time.
    NotYetValid,
    /// A certificate was taken back by its issuer.
    Revoked,
    /// Nobody says now whether a certificate was taken back.
    RevocationUnknown,
    /// A certificate is not for signing mail.
    WrongUsage,
    /// A key, digest or cipher is too weak.
    Weak,
    /// An algorithm is not supported.
    Unsupported,
    /// Something is not what the standard says.
    Malformed,
    /// Others may read another message than we do.
    Ambiguous,
    /// Only a part is signed.
    PartlySigned,
    /// The encryption did not protect the content against changes.
    Unauthenticated,
}

impl VerdictResult {
    /// Result and reason of a right signature whose certificate is not trusted.
    pub(super) const fn of_distrust(distrust: &Distrust) -> (Self, Reason) {
        match distrust {
            Distrust::AddressMismatch { .. } => (Self::Fail, Reason::AddressMismatch),
            Distrust::Untrusted(_) => (Self::Fail, Reason::Untrusted),
            Distrust::Expired { .. } => (Self::Fail, Reason::Expired),
            Distrust::NotYetValid { .. } => (Self::Fail, Reason::NotYetValid),
            Distrust::Revoked { .. } => (Self::Fail, Reason::Revoked),
            Distrust::RevocationUnknown {
                is_temporary: true, ..
            } => (Self::TempError, Reason::RevocationUnknown),
            Distrust::RevocationUnknown { .. } => (Self::Policy, Reason::RevocationUnknown),
            Distrust::WrongUsage { .. } => (Self::Fail, Reason::WrongUsage),
            Distrust::Weak { .. } => (Self::Policy, Reason::Weak),
            Distrust::Malformed { .. } => (Self::PermError, Reason::Malformed),
        }
    }

    /// Result and reason of a signature that does not count.
    pub(super) const fn of_fault(fault: &SignatureFault) -> (Self, Reason) {
        match fault {
            SignatureFault::Altered | SignatureFault::BadSignature => (Self::Fail, Reason::Altered),
            SignatureFault::NoSignerCertificate => (Self::Neutral, Reason::Untrusted),
            SignatureFault::Unsupported(_) => (Self::Neutral, Reason::Unsupported),
            SignatureFault::Attributes(_)
            | SignatureFault::ContentConflict
            | SignatureFault::NoContent
            | SignatureFault::Malformed(_) => (Self::PermError, Reason::Malformed),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Neutral => "neutral",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
            Self::None => "none",
        }
    }
}

impl Reason {
    /// Every word, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::Altered,
        Self::AddressMismatch,
        Self::Untrusted,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::RevocationUnknown,
        Self::WrongUsage,
        Self::Weak,
        Self::Unsupported,
        Self::Malformed,
        Self::Ambiguous,
        Self::PartlySigned,
        Self::Unauthenticated,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::AddressMismatch => "address-mismatch",
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation-unknown",
            Self::WrongUsage => "wrong-usage",
            Self::Weak => "weak",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Ambiguous => "ambiguous",
            Self::PartlySigned => "partly-signed",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

impl fmt::Display for VerdictResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for VerdictResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_paragraph_in_the_documentation() {
        let page = include_str!("../../../../docs/verdicts.md");
        for word in Reason::ALL.map(|reason| format!("- **{reason}**")) {
            assert!(page.contains(&word), "{word}");
        }
    }
}
