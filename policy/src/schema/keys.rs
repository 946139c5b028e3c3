//! Every key of a policy file, with what it takes and what it is for.

use crate::decision::{
    AskThen, HeaderProtection, HiddenRecipients, Mixed, NoCertificate, NoSigner, NoTls,
    OnBadSignature, OnUnavailable, OnUndecryptable, Requirement,
};
use crate::document::Words;
use crate::facts::{Direction, TlsVersion};
use crate::rule::TlsKind;

/// A key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) about: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Words(fn() -> Vec<&'static str>),
    WordOrWords(fn() -> Vec<&'static str>),
    TextOrTexts,
    Texts,
    TextsByName,
    Attachments,
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, about }
}

fn words<T: Words>() -> Vec<&'static str> {
    T::WORDS.iter().map(|(word, _)| *word).collect()
}

pub(super) const CONDITIONS: &[Key] = &[
    key(
        "direction",
        Kind::Words(words::<Direction>),
        "Inbound is mail to internal domains.",
    ),
    key(
        "recipient",
        Kind::TextOrTexts,
        "Patterns of the envelope recipient, or list:NAME.",
    ),
    key(
        "sender",
        Kind::TextOrTexts,
        "Patterns of the envelope sender, <> for none, or list:NAME.",
    ),
    key(
        "group",
        Kind::TextOrTexts,
        "Patterns of a group of our user in this mail.",
    ),
    key(
        "authenticated",
        Kind::TextOrTexts,
        "Patterns of the identity that the client proved.",
    ),
    key(
        "client",
        Kind::TextOrTexts,
        "Networks that the client is in.",
    ),
    key(
        "tls",
        Kind::WordOrWords(words::<TlsKind>),
        "TLS of the session.",
    ),
    key(
        "time",
        Kind::TextOrTexts,
        "Such as mon-fri 08:00-18:00, in the time zone of [defaults].",
    ),
    key(
        "subject",
        Kind::TextOrTexts,
        "Patterns of the decoded subject.",
    ),
    key(
        "header",
        Kind::TextsByName,
        "Patterns of header fields, by their names.",
    ),
    key("size", Kind::Text, "Such as > 10 MB."),
    key(
        "attachment",
        Kind::TextOrTexts,
        "Patterns of the name of an attachment.",
    ),
    key(
        "attachment-type",
        Kind::TextOrTexts,
        "Patterns of the type of an attachment.",
    ),
    key("signed", Kind::Flag, "The client signed it."),
    key("encrypted", Kind::Flag, "It came encrypted."),
    key("calendar", Kind::Flag, "It is a calendar message."),
    key(
        "in-reply-to-encrypted",
        Kind::Flag,
        "It answers a mail that came encrypted.",
    ),
];

pub(super) const ORDERS: &[Key] = &[
    key(
        "sign",
        Kind::Words(words::<Requirement>),
        "Sign outbound mail.",
    ),
    key(
        "signer",
        Kind::Text,
        "sender, domain, or the address of a function mailbox.",
    ),
    key(
        "no-signer",
        Kind::Words(words::<NoSigner>),
        "Without a usable key.",
    ),
    key(
        "encrypt",
        Kind::Words(words::<Requirement>),
        "Encrypt outbound mail.",
    ),
    key(
        "no-certificate",
        Kind::Words(words::<NoCertificate>),
        "Without a usable certificate.",
    ),
    key(
        "no-tls",
        Kind::Words(words::<NoTls>),
        "Where only verified TLS would do, and there is none.",
    ),
    key(
        "ask-deadline",
        Kind::Text,
        "How long an asked recipient has, such as 3d.",
    ),
    key(
        "ask-then",
        Kind::Words(words::<AskThen>),
        "When the recipient did not answer.",
    ),
    key(
        "on-unavailable",
        Kind::Words(words::<OnUnavailable>),
        "When a directory gives no answer.",
    ),
    key(
        "mixed",
        Kind::Words(words::<Mixed>),
        "What a refused recipient means for the others.",
    ),
    key(
        "hidden-recipients",
        Kind::Words(words::<HiddenRecipients>),
        "Recipients that no header names.",
    ),
    key(
        "encrypt-to-self",
        Kind::Flag,
        "The sender can open the copy too.",
    ),
    key(
        "header-protection",
        Kind::Words(words::<HeaderProtection>),
        "Which header fields are hidden.",
    ),
    key(
        "decrypt",
        Kind::Words(words::<Requirement>),
        "Decrypt inbound mail.",
    ),
    key(
        "on-undecryptable",
        Kind::Words(words::<OnUndecryptable>),
        "Encrypted mail that cannot be opened.",
    ),
    key(
        "verify",
        Kind::Words(words::<Requirement>),
        "Verify signatures of inbound mail.",
    ),
    key(
        "on-bad-signature",
        Kind::Words(words::<OnBadSignature>),
        "Anything but a good signature.",
    ),
    key(
        "strip-signature",
        Kind::Flag,
        "Take a verified signature off.",
    ),
    key(
        "rewrap",
        Kind::Flag,
        "Deliver opaque signatures in clear form.",
    ),
    key("profile", Kind::Text, "The profile of algorithms."),
    key(
        "add-header",
        Kind::TextsByName,
        "Header fields that are put on top.",
    ),
    key("note", Kind::Text, "What the log says beside the rule."),
];

/// Orders that make sense in a rule alone.
pub(super) const RULE_ORDERS: &[Key] = &[
    key(
        "strip-subject-tag",
        Kind::Flag,
        "Take out what the subject pattern spells out.",
    ),
    key("reject", Kind::Text, "Refuse with this text."),
    key(
        "hold",
        Kind::Text,
        "Keep for somebody to look at; the text says why.",
    ),
    key("pass", Kind::Flag, "Let it pass as it came."),
];

pub(super) const GIVEN: &[Key] = &[
    key("sender", Kind::Text, "MAIL FROM; empty or <> for none."),
    key("recipients", Kind::Texts, "RCPT TO."),
    key(
        "direction",
        Kind::Words(words::<Direction>),
        "Otherwise by the recipient's domain.",
    ),
    key("client", Kind::Text, "The client's IP address."),
    key(
        "authenticated",
        Kind::Text,
        "The identity that the client proved.",
    ),
    key(
        "tls",
        Kind::Words(words::<TlsVersion>),
        "The TLS version of the session.",
    ),
    key(
        "client-certificate",
        Kind::Flag,
        "The client showed a certificate.",
    ),
    key("groups", Kind::TextOrTexts, "The groups of our user."),
    key(
        "groups-unavailable",
        Kind::Flag,
        "The groups cannot be found out.",
    ),
    key("time", Kind::Text, "Such as mon 08:30."),
    key("subject", Kind::Text, "The subject."),
    key("headers", Kind::TextsByName, "Header fields."),
    key("size", Kind::Text, "Such as 25 MiB."),
    key("attachments", Kind::Attachments, "Attachments."),
    key("signed", Kind::Flag, "The client signed it."),
    key("encrypted", Kind::Flag, "It came encrypted."),
    key("calendar", Kind::Flag, "It is a calendar message."),
    key(
        "in-reply-to-encrypted",
        Kind::Flag,
        "It answers a mail that came encrypted.",
    ),
];

pub(super) const EXPECTED: &[Key] = &[
    key("rule", Kind::Text, "The rule that decides."),
    key("refused", Kind::Flag, "Refused, by a rule or by none."),
    key("held", Kind::Flag, "Kept for somebody to look at."),
    key(
        "deferred",
        Kind::Flag,
        "Must wait, since a fact is not known.",
    ),
];
