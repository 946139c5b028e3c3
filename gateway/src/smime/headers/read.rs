//! Protected header fields as they are found (RFC 9788, section 4; RFC 8551, section 3.1; the drafts before).
//!
//! They are looked for at the root of what is signed or encrypted as a whole, nowhere else. Whether anybody may believe
//! them is for the verdict to say.

use std::collections::BTreeSet;

use policy::address::mailboxes;
use serde::Serialize;

use super::is_of_the_way;
use crate::message::{Field, Message, PartKind};
use crate::smime::form::{SmimeForm, recognise};
use crate::smime::verdict::{Coverage, Reason, Verdict, VerdictResult};

/// What readers are shown, and what is compared.
const SHOWN: [&str; 6] = ["From", "Subject", "To", "Cc", "Date", "Reply-To"];

/// How header fields were protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderScheme {
    /// The `hp` parameter (RFC 9788).
    Hp,
    /// A whole message within (RFC 8551, section 3.1).
    Message,
    /// `protected-headers="v1"` (draft-autocrypt-lamps-protected-headers).
    Draft,
}

/// What is said about protected header fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderReport {
    /// How they were protected.
    pub scheme: HeaderScheme,
    /// Fields that say something else outside than their sender put there.
    pub changed: Vec<String>,
    /// Fields that stand in the header now as they stood within.
    pub restored: Vec<String>,
}

/// A header that came within the protection of the content.
#[derive(Debug, Clone)]
pub(super) struct Within {
    pub(super) scheme: HeaderScheme,
    /// Its fields are the protected ones.
    pub(super) header: Message,
    /// Whether its sender means fields to be hidden outside.
    pub(super) hides: bool,
}

/// Adds to the verdict on `message` what its protected header fields tell. `payload` is the root of what is signed or
/// encrypted.
pub(in crate::smime) fn examine(
    verdict: &mut Verdict,
    message: &Message,
    payload: &Message,
    is_encrypted: bool,
) {
    let Some(within) = Within::find(message, payload, is_encrypted) else {
        return;
    };
    let changed = within.changed(message);
    if verdict.covered == Coverage::Content {
        verdict.covered = Coverage::HeadersAndContent;
    }
    if verdict.result == VerdictResult::Pass {
        let is_restored = is_encrypted && within.hides;
        object(verdict, &changed, is_restored);
    }
    verdict.headers = Some(HeaderReport {
        scheme: within.scheme,
        changed: changed.into_iter().map(str::to_owned).collect(),
        restored: Vec::new(),
    });
}

impl Within {
    /// Finds the protected header at the root of `payload`; None where there is none, or none that can be read in one way
    /// alone.
    pub(super) fn find(message: &Message, payload: &Message, is_encrypted: bool) -> Option<Self> {
        if payload.is_ambiguous() {
            return None;
        }
        let kind = payload.content_type();
        let within = |scheme, hides| Self {
            scheme,
            header: payload.clone(),
            hides,
        };
        match kind.parameter("hp") {
            Some("clear") => return Some(within(HeaderScheme::Hp, false)),
            Some("cipher") => return Some(within(HeaderScheme::Hp, true)),
            Some(_) => return None,
            None => {}
        }
        if kind.parameter("protected-headers") == Some("v1") {
            return Some(within(HeaderScheme::Draft, is_encrypted));
        }
        Self::of_message_within(message, payload, is_encrypted)
    }

    /// RFC 9788, section 4.10.1. An attached message of somebody else is no header protection: From has to agree.
    fn of_message_within(message: &Message, payload: &Message, is_encrypted: bool) -> Option<Self> {
        let root = payload.parts().first()?;
        if root.kind != PartKind::Message {
            return None;
        }
        let content = payload.content().slice_ref(payload.slice(&root.body));
        let inner = Message::parse(content).ok()?;
        let is_plain = !inner.is_ambiguous()
            && recognise(&inner) == SmimeForm::None
            && inner.content_type().parameter("hp").is_none();
        let is_of_the_same = || match (inner.from_addresses(), message.from_addresses()) {
            (Ok(inner), Ok(outer)) => inner == outer,
            _ => false,
        };
        (is_plain && is_of_the_same()).then(|| Self {
            scheme: HeaderScheme::Message,
            header: inner,
            hides: is_encrypted,
        })
    }

    /// The protected fields of this name.
    pub(super) fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = Field<'m>> {
        self.header
            .fields_named(name)
            .filter(|field| !is_of_the_way(field))
    }

    /// Fields that readers are shown and that say something else outside than their sender put there: the same as within,
    /// or what an HP-Outer field tells (RFC 9788, section 2.2). Where no such field can tell, only From is compared.
    fn changed(&self, outer: &Message) -> Vec<&'static str> {
        let is_known = !self.hides || self.scheme == HeaderScheme::Hp;
        SHOWN
            .into_iter()
            .filter(|name| is_known || *name == "From")
            .filter(|name| {
                let shown: Vec<Meaning> = outer
                    .fields_named(name)
                    .map(|f| meaning(name, &f))
                    .collect();
                let within: Vec<Meaning> = self.named(name).map(|f| meaning(name, &f)).collect();
                let is_silent = within.is_empty() && self.scheme != HeaderScheme::Hp;
                // The address in From is never hidden (RFC 9788, section 3.1.1).
                let may_differ = self.hides && *name != "From";
                !is_silent && shown != within && !(may_differ && shown == self.told(name))
            })
            .collect()
    }

    /// What the HP-Outer fields say of this name.
    fn told(&self, name: &str) -> Vec<Meaning> {
        let outers: Vec<u8> = self
            .header
            .fields_named("HP-Outer")
            .flat_map(|field| [field.value().trim_ascii_start(), b"\r\n"].concat())
            .chain(*b"\r\n")
            .collect();
        let Ok(outers) = Message::parse(outers.into()) else {
            return Vec::new();
        };
        outers
            .fields_named(name)
            .map(|field| meaning(name, &field))
            .collect()
    }
}

/// A pass that its reader would misread is none; another change is told beside it.
fn object(verdict: &mut Verdict, changed: &[&str], is_restored: bool) {
    if changed.contains(&"From") {
        let text = "the From that was signed is not the one in the header";
        verdict.refuse(VerdictResult::Fail, Reason::AddressMismatch, text);
    } else if changed.contains(&"Subject") && !is_restored {
        let text = "the Subject was changed after it was signed";
        verdict.refuse(VerdictResult::Fail, Reason::Altered, text);
    } else if !changed.is_empty() {
        verdict.text = format!("{} changed outside of the signature", changed.join(", "));
    }
}

/// What a field says, however it is written.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Addresses(BTreeSet<String>),
    Text(String),
}

fn meaning(name: &str, field: &Field<'_>) -> Meaning {
    let value = field.value();
    if !matches!(name, "Subject" | "Date")
        && let Ok(mailboxes) = mailboxes(&value)
    {
        let addresses = mailboxes
            .iter()
            .map(|mailbox| mailbox.address.canonical().to_owned());
        return Meaning::Addresses(addresses.collect());
    }
    let words: Vec<String> = field
        .decoded()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    Meaning::Text(words.join(" "))
}
