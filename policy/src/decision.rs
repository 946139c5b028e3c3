//! What a rule may order. Made by `compile` alone, which refuses orders that contradict each other.

mod orders;
mod words;

use std::time::Duration;

use crate::address::Address;
use crate::pattern::Pattern;

pub(crate) use orders::{direction_of, in_units};
pub use words::{
    AskThen, HeaderProtection, HiddenRecipients, Mixed, NoCertificate, NoSigner, NoTls,
    OnBadSignature, OnUnavailable, OnUndecryptable, Requirement,
};

/// How long an asked recipient has, if the rule does not say it.
pub(crate) const ASK_DEADLINE: Duration = Duration::from_secs(3 * 86_400);

/// What one rule orders for the mail that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule that ordered it.
    pub rule: RuleRef,
    /// Whether a key of ours signs; outbound mail only.
    pub sign: Requirement,
    /// Whose key signs.
    pub signer: SignerChoice,
    /// What happens if there is no usable signing key.
    pub no_signer: NoSigner,
    /// Whether the recipient's certificate encrypts; outbound mail only.
    pub encrypt: Requirement,
    /// What happens if there is no usable certificate. Never [`NoCertificate::Clear`] where encryption is required.
    pub no_certificate: NoCertificate,
    /// What happens where mail may go in clear over verified TLS alone, and there is none.
    pub no_tls: NoTls,
    /// How long an asked recipient has for the answer.
    pub ask_deadline: Duration,
    /// What happens when the recipient did not answer in time.
    pub ask_then: AskThen,
    /// What happens if a source of certificates does not answer. [`OnUnavailable::Clear`] only where encryption is
    /// preferred.
    pub on_unavailable: OnUnavailable,
    /// Whether one refused recipient refuses the message for the others too.
    pub mixed: Mixed,
    /// Whether recipients that no header names get copies of their own.
    pub hidden_recipients: HiddenRecipients,
    /// Whether the sender's own certificate can open the copy too; none is as the profile says.
    pub encrypt_to_self: Option<bool>,
    /// Which header fields are protected; none is as the profile says.
    pub header_protection: Option<HeaderProtection>,
    /// The tag that is taken out of the subject, if any.
    pub strip_subject_tag: Option<SubjectTag>,
    /// Whether mail is decrypted; inbound mail only.
    pub decrypt: Requirement,
    /// What happens to encrypted mail that cannot be opened.
    pub on_undecryptable: OnUndecryptable,
    /// Whether signatures are verified; inbound mail only.
    pub verify: Requirement,
    /// What happens to mail whose verification did not end well.
    pub on_bad_signature: OnBadSignature,
    /// Whether a verified signature is taken off.
    pub strip_signature: bool,
    /// Whether an opaque signature is delivered as one that every program can read.
    pub rewrap: bool,
    /// The profile of algorithms; none is the default one.
    pub profile: Option<String>,
    /// Header fields that are put on top: names and values.
    pub add_header: Vec<(String, String)>,
    /// What the log and the trace of the mail say beside the rule.
    pub note: Option<String>,
    /// What happens to the mail instead of all this.
    pub stop: Option<Stop>,
}

/// Mail that does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It is refused with this text.
    Reject(String),
    /// It is accepted and waits, sealed, for somebody to look at it; the text says why.
    Hold(String),
}

/// Whose key signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerChoice {
    /// The one of the From address.
    Sender,
    /// The one of this function mailbox.
    Mailbox(Address),
    /// The one of the From address's domain.
    Domain,
}

impl Decision {
    /// Whether the mail is refused whatever else is ordered.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        self.refusal().is_some()
    }

    /// Why the mail waits for somebody to look at it, whatever else is ordered.
    #[must_use]
    pub const fn held(&self) -> Option<&String> {
        match &self.stop {
            Some(Stop::Hold(text)) => Some(text),
            Some(Stop::Reject(_)) | None => None,
        }
    }

    /// The text that the mail is refused with whatever else is ordered.
    #[must_use]
    pub const fn refusal(&self) -> Option<&String> {
        match &self.stop {
            Some(Stop::Reject(text)) => Some(text),
            Some(Stop::Hold(_)) | None => None,
        }
    }
}

/// A rule, as messages and traces name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line of its `[[rule]]`, counted from 1.
    pub line: usize,
}

/// What is taken out of a subject: the part that made the rule match, such as `[encrypt]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectTag {
    patterns: Vec<Pattern>,
}

impl SubjectTag {
    /// The tag that these patterns of the subject describe.
    #[must_use]
    pub const fn new(patterns: Vec<Pattern>) -> Self {
        Self { patterns }
    }

    /// The subject without its tag and the space around it; none if it has no tag.
    #[must_use]
    pub fn strip(&self, subject: &str) -> Option<String> {
        let (before, after) = self.patterns.iter().find_map(|p| p.around(subject))?;
        let mut stripped = before.trim_end().to_owned();
        let after = after.trim_start();
        if !stripped.is_empty() && !after.is_empty() {
            stripped.push(' ');
        }
        stripped.push_str(after);
        Some(stripped)
    }
}
