//! Orders that are one of a few words.

use crate::document::Words;

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

impl Requirement {
    /// Whether it is to be done, if it can be.
    #[must_use]
    pub const fn is_wanted(self) -> bool {
        matches!(self, Self::Required | Self::Preferred)
    }
}

impl Words for Requirement {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("required", Self::Required),
        ("preferred", Self::Preferred),
        ("no", Self::No),
    ];
}

/// What happens without a usable certificate of the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoCertificate {
    /// The mail is refused.
    Reject,
    /// It waits, sealed, until a certificate is there or somebody decides.
    Hold,
    /// It waits, sealed, and the recipient is asked for a signed mail, which brings the certificate.
    Ask,
    /// It goes unencrypted, but only over TLS whose other end was verified.
    Tls,
    /// It goes unencrypted.
    Clear,
}

impl NoCertificate {
    /// What a rule means that does not say it.
    #[must_use]
    pub const fn usual(encrypt: Requirement) -> Self {
        match encrypt {
            Requirement::Preferred => Self::Clear,
            Requirement::Required | Requirement::No => Self::Reject,
        }
    }
}

impl Words for NoCertificate {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("reject", Self::Reject),
        ("hold", Self::Hold),
        ("ask", Self::Ask),
        ("tls", Self::Tls),
        ("clear", Self::Clear),
    ];
}

/// What happens where only verified TLS would do, and there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoTls {
    /// The mail is refused.
    Reject,
    /// It waits, sealed, for somebody to decide.
    Hold,
}

impl Words for NoTls {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("hold", Self::Hold)];
}

/// What happens when an asked recipient did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskThen {
    /// The sender gets the mail back.
    Reject,
    /// It waits, sealed, for somebody to decide.
    Hold,
    /// It goes over verified TLS.
    Tls,
}

impl Words for AskThen {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("reject", Self::Reject),
        ("hold", Self::Hold),
        ("tls", Self::Tls),
    ];
}

/// What happens without a usable signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoSigner {
    /// The mail is refused.
    Reject,
    /// It goes unsigned.
    Unsigned,
}

impl NoSigner {
    /// What a rule means that does not say it.
    #[must_use]
    pub const fn usual(sign: Requirement) -> Self {
        match sign {
            Requirement::Required => Self::Reject,
            Requirement::Preferred | Requirement::No => Self::Unsigned,
        }
    }
}

impl Words for NoSigner {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("unsigned", Self::Unsigned)];
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

impl Words for OnUnavailable {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("defer", Self::Defer),
        ("next", Self::Next),
        ("clear", Self::Clear),
    ];
}

/// What a refused recipient means for the other recipients of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mixed {
    /// The whole message is refused.
    Reject,
    /// The others get their copies, and the sender a report on this one.
    Split,
}

impl Words for Mixed {
    const WORDS: &'static [(&'static str, Self)] =
        &[("reject", Self::Reject), ("split", Self::Split)];
}

/// What happens to recipients that no header field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HiddenRecipients {
    /// Each gets an encrypted copy of its own, so that no other copy tells of it.
    Separate,
    /// They share a copy with the others.
    Together,
}

impl Words for HiddenRecipients {
    const WORDS: &'static [(&'static str, Self)] =
        &[("separate", Self::Separate), ("together", Self::Together)];
}

/// Which header fields are hidden in encrypted mail (RFC 9788, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderProtection {
    /// The subject and other fields for people; addresses lose their names.
    Shy,
    /// The subject and other fields for people.
    Baseline,
    /// None: every field stays outside as well.
    No,
}

impl Words for HeaderProtection {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("shy", Self::Shy),
        ("baseline", Self::Baseline),
        ("no", Self::No),
    ];
}

/// What happens to encrypted mail that cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnUndecryptable {
    /// It waits, sealed, until the key is there or somebody decides.
    Hold,
    /// It is refused.
    Reject,
    /// It is delivered as it came, and says so.
    Deliver,
}

impl OnUndecryptable {
    /// What a rule means that does not say it.
    #[must_use]
    pub const fn usual(decrypt: Requirement) -> Self {
        match decrypt {
            Requirement::Required => Self::Hold,
            Requirement::Preferred | Requirement::No => Self::Deliver,
        }
    }
}

impl Words for OnUndecryptable {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("hold", Self::Hold),
        ("reject", Self::Reject),
        ("deliver", Self::Deliver),
    ];
}

/// What happens to mail whose verification did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnBadSignature {
    /// It is delivered, and says so.
    Mark,
    /// It waits, sealed, for somebody to decide.
    Hold,
    /// It is refused.
    Reject,
    /// It is delivered as if nothing had been looked at.
    Deliver,
}

impl OnBadSignature {
    /// What a rule means that does not say it.
    #[must_use]
    pub const fn usual(verify: Requirement) -> Self {
        match verify {
            Requirement::Required => Self::Reject,
            Requirement::Preferred => Self::Mark,
            Requirement::No => Self::Deliver,
        }
    }
}

impl Words for OnBadSignature {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mark", Self::Mark),
        ("hold", Self::Hold),
        ("reject", Self::Reject),
        ("deliver", Self::Deliver),
    ];
}
