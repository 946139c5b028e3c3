//! What a rule may order. Made by `compile` alone, which refuses orders that contradict each other.

use crate::document::Words;
use crate::pattern::Pattern;

/// What one rule orders for the mail that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The rule that ordered it.
    pub rule: RuleRef,
    /// Whether our user's key signs; outbound mail only.
    pub sign: Requirement,
    /// Whether the recipient's certificate encrypts; outbound mail only.
    pub encrypt: Requirement,
    /// Whether mail is decrypted; inbound mail only.
    pub decrypt: Requirement,
    /// Whether signatures are verified; inbound mail only.
    pub verify: Requirement,
    /// What happens if there is no usable certificate. Never [`NoCertificate::Clear`] where encryption is required.
    pub no_certificate: NoCertificate,
    /// What happens if there is no usable signing key.
    pub no_signer: NoSigner,
    /// What happens if a source of certificates does not answer. [`OnUnavailable::Clear`] only where encryption is
    /// preferred.
    pub on_unavailable: OnUnavailable,
    /// What happens to mail whose verification did not end well.
    pub on_bad_signature: OnBadSignature,
    /// Whether recipients that no header names get copies of their own.
    pub hidden_recipients: HiddenRecipients,
    /// The tag that is taken out of the subject, if any.
    pub strip_subject_tag: Option<SubjectTag>,
    /// The profile of algorithms; none is the default one.
    pub profile: Option<String>,
    /// If present, the mail is refused with this text.
    pub reject: Option<String>,
}

impl Decision {
    /// Whether the mail is refused whatever else is ordered.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        self.reject.is_some()
    }

    /// Every order that has a word, by its key in the policy.
    #[must_use]
    pub fn orders(&self) -> [(&'static str, &str); 10] {
        [
            ("sign", self.sign.word()),
            ("no-signer", self.no_signer.word()),
            ("encrypt", self.encrypt.word()),
            ("no-certificate", self.no_certificate.word()),
            ("on-unavailable", self.on_unavailable.word()),
            ("hidden-recipients", self.hidden_recipients.word()),
            ("decrypt", self.decrypt.word()),
            ("verify", self.verify.word()),
            ("on-bad-signature", self.on_bad_signature.word()),
            ("profile", self.profile.as_deref().unwrap_or("default")),
        ]
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

/// How much something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// Without it the mail does not pass.
    Required,
    /// It is done where it can be.
    Preferred,
    /// It is not done.
    No,
}

/// What happens without a usable certificate of the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoCertificate {
    /// The mail is refused.
    Reject,
    /// It goes unencrypted.
    Clear,
}

/// What happens without a usable signing key of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoSigner {
    /// The mail is refused.
    Reject,
    /// It goes unsigned.
    Unsigned,
}

/// What happens if a source of certificates does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnUnavailable {
    /// The sending server is asked to try again.
    Defer,
    /// The next source is asked, as if this one had no certificate.
    Next,
    /// The mail goes unencrypted.
    Clear,
}

/// What happens to mail whose verification did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnBadSignature {
    /// It is delivered, and says so.
    Mark,
    /// It is refused.
    Reject,
    /// It is delivered as if nothing had been looked at.
    Deliver,
}

/// What happens to recipients that no header field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HiddenRecipients {
    /// Each gets an encrypted copy of its own, so that no other copy tells of it.
    Separate,
    /// They share a copy with the others.
    Together,
}

impl Words for Requirement {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("required", Self::Required),
        ("preferred", Self::Preferred),
        ("no", Self::No),
    ];
}

impl Words for NoCertificate {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("clear", Self::Clear)];
    const LATER: &'static [&'static str] = &["hold", "ask", "tls"];
}

impl Words for NoSigner {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("unsigned", Self::Unsigned)];
}

impl Words for OnUnavailable {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("defer", Self::Defer),
        ("next", Self::Next),
        ("clear", Self::Clear),
    ];
}

impl Words for OnBadSignature {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mark", Self::Mark),
        ("reject", Self::Reject),
        ("deliver", Self::Deliver),
    ];
    const LATER: &'static [&'static str] = &["hold"];
}

impl Words for HiddenRecipients {
    const WORDS: &'static [(&'static str, Self)] =
        &[("separate", Self::Separate), ("together", Self::Together)];
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
