//! A decision as an operator would write it: every order by its key.

use std::borrow::Cow;
use std::time::Duration;

use super::{Decision, NoCertificate, SignerChoice};
use crate::document::Words;
use crate::facts::Direction;

/// What stands for an order that the profile of algorithms decides.
const BY_PROFILE: &str = "by profile";

impl Decision {
    /// Every order by its key in the policy, in the order in which it is documented.
    #[must_use]
    pub fn orders(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let word = Cow::Borrowed;
        let flag = |flag: bool| Cow::Borrowed(if flag { "true" } else { "false" });
        let text = |text: Option<&'_ String>| Cow::Owned(text.cloned().unwrap_or_default());
        vec![
            ("sign", word(self.sign.word())),
            ("signer", self.signer.text()),
            ("no-signer", word(self.no_signer.word())),
            ("encrypt", word(self.encrypt.word())),
            ("no-certificate", word(self.no_certificate.word())),
            ("no-tls", word(self.no_tls.word())),
            ("ask-deadline", Cow::Owned(in_units(self.ask_deadline))),
            ("ask-then", word(self.ask_then.word())),
            ("on-unavailable", word(self.on_unavailable.word())),
            ("mixed", word(self.mixed.word())),
            ("hidden-recipients", word(self.hidden_recipients.word())),
            (
                "encrypt-to-self",
                self.encrypt_to_self.map_or(word(BY_PROFILE), flag),
            ),
            (
                "header-protection",
                word(self.header_protection.map_or(BY_PROFILE, Words::word)),
            ),
            ("strip-subject-tag", flag(self.strip_subject_tag.is_some())),
            ("decrypt", word(self.decrypt.word())),
            ("on-undecryptable", word(self.on_undecryptable.word())),
            ("verify", word(self.verify.word())),
            ("on-bad-signature", word(self.on_bad_signature.word())),
            ("strip-signature", flag(self.strip_signature)),
            ("rewrap", flag(self.rewrap)),
            (
                "profile",
                word(self.profile.as_deref().unwrap_or("default")),
            ),
            ("add-header", Cow::Owned(fields(&self.add_header))),
            ("note", text(self.note.as_ref())),
            ("reject", text(self.refusal())),
            ("hold", text(self.held())),
            ("pass", flag(self.lets_pass())),
        ]
    }

    /// The orders that count for mail that goes this way; those that do nothing in this rule are left out.
    #[must_use]
    pub fn orders_for(&self, direction: Direction) -> Vec<(&'static str, Cow<'_, str>)> {
        let asks = self.no_certificate == NoCertificate::Ask;
        let may_use_tls = asks || self.no_certificate == NoCertificate::Tls;
        let counts = |key: &str, value: &str| match key {
            "no-certificate" | "on-unavailable" | "hidden-recipients" => self.encrypt.is_wanted(),
            "signer" | "no-signer" => self.sign.is_wanted(),
            "no-tls" => may_use_tls,
            "ask-deadline" | "ask-then" => asks,
            _ => !matches!(value, "" | "false" | BY_PROFILE),
        };
        let is_for = |key| direction_of(key).is_none_or(|only| only == direction);
        let mut orders = self.orders();
        orders.retain(|(key, value)| is_for(key) && counts(key, value));
        orders
    }

    /// Whether the mail passes as it came.
    #[must_use]
    pub fn lets_pass(&self) -> bool {
        let nothing = [self.sign, self.encrypt, self.decrypt, self.verify];
        nothing.iter().all(|order| !order.is_wanted()) && self.stop.is_none()
    }
}

impl SignerChoice {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Sender => Cow::Borrowed("sender"),
            Self::Domain => Cow::Borrowed("domain"),
            Self::Mailbox(address) => Cow::Borrowed(address.as_str()),
        }
    }
}

/// The direction that an order is for; none if for both.
pub(crate) fn direction_of(key: &str) -> Option<Direction> {
    match key {
        "decrypt" | "on-undecryptable" | "verify" | "on-bad-signature" | "strip-signature"
        | "rewrap" => Some(Direction::Inbound),
        "profile" | "add-header" | "note" | "reject" | "hold" | "pass" => None,
        _ => Some(Direction::Outbound),
    }
}

/// A time in the largest unit that it is a whole number of.
pub(crate) fn in_units(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fits = |(unit, _): &&(u64, &str)| seconds > 0 && seconds.is_multiple_of(*unit);
    units.iter().find(fits).map_or_else(
        || format!("{seconds}s"),
        |(unit, letter)| format!("{}{letter}", seconds / unit),
    )
}

/// Header fields on one line.
fn fields(fields: &[(String, String)]) -> String {
    let field = |(name, value): &(String, String)| format!("{name}: {value}");
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}
