//! The orders of a rule, as they are written: in `[[rule]]`, in `[defaults]`, in what a test expects.

use std::time::Duration;

use super::{Written, texts_by_name};
use crate::decision::{
    AskThen, HeaderProtection, HiddenRecipients, Mixed, NoCertificate, NoSigner, NoTls,
    OnBadSignature, OnUnavailable, OnUndecryptable, Requirement,
};
use crate::diagnostic::{Located, Place};
use crate::document::{Table, Texts, Words};

/// Orders; all of them may be left out.
#[derive(Clone, Default)]
pub(crate) struct Orders<'s> {
    pub(crate) sign: Written<'s, Requirement>,
    pub(crate) signer: Written<'s, String>,
    pub(crate) no_signer: Written<'s, NoSigner>,
    pub(crate) encrypt: Written<'s, Requirement>,
    pub(crate) no_certificate: Written<'s, NoCertificate>,
    pub(crate) no_tls: Written<'s, NoTls>,
    pub(crate) ask_deadline: Written<'s, Duration>,
    pub(crate) ask_then: Written<'s, AskThen>,
    pub(crate) on_unavailable: Written<'s, OnUnavailable>,
    pub(crate) mixed: Written<'s, Mixed>,
    pub(crate) hidden_recipients: Written<'s, HiddenRecipients>,
    pub(crate) encrypt_to_self: Written<'s, bool>,
    pub(crate) header_protection: Written<'s, HeaderProtection>,
    pub(crate) strip_subject_tag: Written<'s, bool>,
    pub(crate) decrypt: Written<'s, Requirement>,
    pub(crate) on_undecryptable: Written<'s, OnUndecryptable>,
    pub(crate) verify: Written<'s, Requirement>,
    pub(crate) on_bad_signature: Written<'s, OnBadSignature>,
    pub(crate) strip_signature: Written<'s, bool>,
    pub(crate) rewrap: Written<'s, bool>,
    pub(crate) profile: Written<'s, String>,
    /// With the place of the key.
    pub(crate) add_header: Written<'s, Vec<(Located<'s, String>, Texts<'s>)>>,
    pub(crate) note: Written<'s, String>,
    pub(crate) reject: Written<'s, String>,
    pub(crate) hold: Written<'s, String>,
    pub(crate) pass: Written<'s, bool>,
}

impl<'s> Orders<'s> {
    pub(super) fn for_rule(table: &mut Table<'s>) -> Self {
        Self {
            strip_subject_tag: table.boolean("strip-subject-tag"),
            reject: table.string("reject"),
            hold: table.string("hold"),
            pass: table.boolean("pass"),
            ..Self::for_defaults(table)
        }
    }

    /// Those that make sense without a condition.
    pub(super) fn for_defaults(table: &mut Table<'s>) -> Self {
        Self {
            sign: table.word("sign"),
            signer: table.string("signer"),
            no_signer: table.word("no-signer"),
            encrypt: table.word("encrypt"),
            no_certificate: table.word("no-certificate"),
            no_tls: table.word("no-tls"),
            ask_deadline: table.duration("ask-deadline"),
            ask_then: table.word("ask-then"),
            on_unavailable: table.word("on-unavailable"),
            mixed: table.word("mixed"),
            hidden_recipients: table.word("hidden-recipients"),
            encrypt_to_self: table.boolean("encrypt-to-self"),
            header_protection: table.word("header-protection"),
            decrypt: table.word("decrypt"),
            on_undecryptable: table.word("on-undecryptable"),
            verify: table.word("verify"),
            on_bad_signature: table.word("on-bad-signature"),
            strip_signature: table.boolean("strip-signature"),
            rewrap: table.boolean("rewrap"),
            profile: table.string("profile"),
            add_header: added_header(table),
            note: table.string("note"),
            ..Self::default()
        }
    }

    /// These, and those of `base` where these are silent.
    pub(crate) fn or(&self, base: &Self) -> Self {
        let own = self.clone();
        let base = base.clone();
        Self {
            sign: own.sign.or(base.sign),
            signer: own.signer.or(base.signer),
            no_signer: own.no_signer.or(base.no_signer),
            encrypt: own.encrypt.or(base.encrypt),
            no_certificate: own.no_certificate.or(base.no_certificate),
            no_tls: own.no_tls.or(base.no_tls),
            ask_deadline: own.ask_deadline.or(base.ask_deadline),
            ask_then: own.ask_then.or(base.ask_then),
            on_unavailable: own.on_unavailable.or(base.on_unavailable),
            mixed: own.mixed.or(base.mixed),
            hidden_recipients: own.hidden_recipients.or(base.hidden_recipients),
            encrypt_to_self: own.encrypt_to_self.or(base.encrypt_to_self),
            header_protection: own.header_protection.or(base.header_protection),
            strip_subject_tag: own.strip_subject_tag.or(base.strip_subject_tag),
            decrypt: own.decrypt.or(base.decrypt),
            on_undecryptable: own.on_undecryptable.or(base.on_undecryptable),
            verify: own.verify.or(base.verify),
            on_bad_signature: own.on_bad_signature.or(base.on_bad_signature),
            strip_signature: own.strip_signature.or(base.strip_signature),
            rewrap: own.rewrap.or(base.rewrap),
            profile: own.profile.or(base.profile),
            add_header: own.add_header.or(base.add_header),
            note: own.note.or(base.note),
            reject: own.reject.or(base.reject),
            hold: own.hold.or(base.hold),
            pass: own.pass.or(base.pass),
        }
    }

    /// Each order that is written: its key, its value as text and its place.
    pub(crate) fn written(&self) -> Vec<(&'static str, Located<'s, String>)> {
        [
            ("sign", word(self.sign)),
            ("signer", self.signer.clone()),
            ("no-signer", word(self.no_signer)),
            ("encrypt", word(self.encrypt)),
            ("no-certificate", word(self.no_certificate)),
            ("no-tls", word(self.no_tls)),
            (
                "ask-deadline",
                self.ask_deadline.map(|d| d.map(crate::decision::in_units)),
            ),
            ("ask-then", word(self.ask_then)),
            ("on-unavailable", word(self.on_unavailable)),
            ("mixed", word(self.mixed)),
            ("hidden-recipients", word(self.hidden_recipients)),
            ("encrypt-to-self", flag(self.encrypt_to_self)),
            ("header-protection", word(self.header_protection)),
            ("strip-subject-tag", flag(self.strip_subject_tag)),
            ("decrypt", word(self.decrypt)),
            ("on-undecryptable", word(self.on_undecryptable)),
            ("verify", word(self.verify)),
            ("on-bad-signature", word(self.on_bad_signature)),
            ("strip-signature", flag(self.strip_signature)),
            ("rewrap", flag(self.rewrap)),
            ("profile", self.profile.clone()),
            (
                "add-header",
                self.add_header
                    .clone()
                    .map(|fields| fields.map(|fields| on_one_line(&fields))),
            ),
            ("note", self.note.clone()),
            ("reject", self.reject.clone()),
            ("hold", self.hold.clone()),
            ("pass", flag(self.pass)),
        ]
        .into_iter()
        .filter_map(|(key, written)| Some((key, written?)))
        .collect()
    }
}

fn word<'s, T: Words>(written: Written<'s, T>) -> Written<'s, String> {
    written.map(|located| located.map(|value| value.word().to_owned()))
}

fn flag(written: Written<'_, bool>) -> Written<'_, String> {
    written.map(|located| located.map(|value| value.to_string()))
}

fn on_one_line(fields: &[(Located<'_, String>, Texts<'_>)]) -> String {
    let fields = fields.iter().flat_map(|(name, values)| {
        let field = |value: &Located<'_, String>| format!("{}: {}", name.value, value.value);
        values.value.iter().map(field)
    });
    fields.collect::<Vec<_>>().join(", ")
}

fn added_header<'s>(table: &mut Table<'s>) -> Written<'s, Vec<(Located<'s, String>, Texts<'s>)>> {
    let fields = table.table("add-header")?;
    let place: Place<'s> = fields.place();
    let value = texts_by_name(Some(fields));
    Some(Located { value, place })
}
