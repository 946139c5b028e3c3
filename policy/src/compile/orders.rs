//! Orders of a rule: a default for everything that it leaves unsaid.

use std::time::Duration;

use super::{CompileOptions, contradiction, text};
use crate::address::Address;
use crate::decision::{
    ASK_DEADLINE, AskThen, Decision, HiddenRecipients, Mixed, NoCertificate, NoSigner, NoTls,
    OnBadSignature, OnUnavailable, OnUndecryptable, Requirement, RuleRef, SignerChoice, Stop,
    SubjectTag,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Located};
use crate::document;
use crate::rule::Condition;
use crate::syntax::{Orders, Rule, Written};

/// Shortest and longest deadline.
const DEADLINES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(90 * 86_400));

/// What the rule orders; `orders` are its own and those that it inherits.
pub(super) fn compile(
    rule: &Rule<'_>,
    orders: &Orders<'_>,
    condition: &Condition,
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) -> Decision {
    contradiction::check(rule, orders, condition, diagnostics);
    check_profile(&orders.profile, options, diagnostics);
    text::check_reply(&orders.reject, diagnostics);
    text::check_note("hold", &orders.hold, diagnostics);
    text::check_note("note", &orders.note, diagnostics);
    let [sign, encrypt, decrypt, verify] = requirements(orders);
    Decision {
        rule: reference(rule),
        sign,
        signer: signer(&orders.signer, diagnostics),
        no_signer: value(orders.no_signer, NoSigner::usual(sign)),
        encrypt,
        no_certificate: value(orders.no_certificate, NoCertificate::usual(encrypt)),
        no_tls: value(orders.no_tls, NoTls::Reject),
        ask_deadline: deadline(orders.ask_deadline, diagnostics),
        ask_then: value(orders.ask_then, AskThen::Reject),
        on_unavailable: value(orders.on_unavailable, OnUnavailable::Defer),
        mixed: value(orders.mixed, Mixed::Reject),
        hidden_recipients: value(orders.hidden_recipients, HiddenRecipients::Separate),
        encrypt_to_self: orders.encrypt_to_self.map(|order| order.value),
        header_protection: orders.header_protection.map(|order| order.value),
        strip_subject_tag: subject_tag(&orders.strip_subject_tag, condition, diagnostics),
        decrypt,
        on_undecryptable: value(orders.on_undecryptable, OnUndecryptable::usual(decrypt)),
        verify,
        on_bad_signature: value(orders.on_bad_signature, OnBadSignature::usual(verify)),
        strip_signature: value(orders.strip_signature, false),
        rewrap: value(orders.rewrap, false),
        profile: orders.profile.as_ref().map(|profile| profile.value.clone()),
        add_header: added_fields(orders, diagnostics),
        note: orders.note.as_ref().map(|note| note.value.clone()),
        stop: stop(orders),
    }
}

fn reference(rule: &Rule<'_>) -> RuleRef {
    let name = rule.name.as_ref().map(|name| name.value.clone());
    RuleRef {
        name: name.unwrap_or_default(),
        file: rule.place.file().to_owned(),
        line: rule.place.line(),
    }
}

/// Sign, encrypt, decrypt, verify; `pass` is none of them.
pub(super) fn requirements(orders: &Orders<'_>) -> [Requirement; 4] {
    if value(orders.pass, false) {
        return [Requirement::No; 4];
    }
    [
        value(orders.sign, Requirement::No),
        value(orders.encrypt, Requirement::No),
        value(orders.decrypt, Requirement::Preferred),
        value(orders.verify, Requirement::Preferred),
    ]
}

fn value<T>(written: Written<'_, T>, default: T) -> T {
    written.map_or(default, |located| located.value)
}

fn stop(orders: &Orders<'_>) -> Option<Stop> {
    let reject = orders
        .reject
        .as_ref()
        .map(|text| Stop::Reject(text.value.clone()));
    reject.or_else(|| {
        orders
            .hold
            .as_ref()
            .map(|text| Stop::Hold(text.value.clone()))
    })
}

fn signer(written: &Written<'_, String>, diagnostics: &Diagnostics) -> SignerChoice {
    let Some(Located { value, place }) = written else {
        return SignerChoice::Sender;
    };
    match value.as_str() {
        "sender" => SignerChoice::Sender,
        "domain" => SignerChoice::Domain,
        address => match Address::parse(address) {
            Ok(address) => SignerChoice::Mailbox(address),
            Err(error) => {
                let message = format!("`signer` cannot be {value:?}: {error}");
                diagnostics.push(
                    Diagnostic::error(*place, message)
                        .with_help("allowed: \"sender\", \"domain\", the address of a mailbox"),
                );
                SignerChoice::Sender
            }
        },
    }
}

/// Whole seconds.
fn deadline(written: Written<'_, Duration>, diagnostics: &Diagnostics) -> Duration {
    let Some(Located { value, place }) = written else {
        return ASK_DEADLINE;
    };
    let (shortest, longest) = DEADLINES;
    if value < shortest || value > longest {
        let message = "`ask-deadline` must be between 1 minute and 90 days";
        diagnostics.push(Diagnostic::error(place, message));
    }
    Duration::from_secs(value.as_secs())
}

fn added_fields(orders: &Orders<'_>, diagnostics: &Diagnostics) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let written = orders.add_header.iter().flat_map(|written| &written.value);
    for (name, values) in written {
        for value in &values.value {
            text::check_added_field(name, value, diagnostics);
            fields.push((name.value.clone(), value.value.clone()));
        }
    }
    fields
}

fn check_profile(
    profile: &Written<'_, String>,
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) {
    let Some(Located { value, place }) = profile else {
        return;
    };
    if !options.profiles.contains(&value.as_str()) {
        let help = document::help(value, options.profiles.iter().copied(), '"');
        let message = format!("there is no profile {value:?}");
        diagnostics.push(Diagnostic::error(*place, message).with_help(help));
    }
}

fn subject_tag(
    written: &Written<'_, bool>,
    condition: &Condition,
    diagnostics: &Diagnostics,
) -> Option<SubjectTag> {
    let place = written.filter(|tag| tag.value)?.place;
    let mut patterns = condition.subject_patterns();
    patterns.retain(|pattern| pattern.spells_out());
    if patterns.is_empty() {
        let message = "`strip-subject-tag` needs a `subject` pattern that spells out a tag";
        diagnostics.push(
            Diagnostic::error(place, message).with_help("for example subject = \"[encrypt]*\""),
        );
    }
    Some(SubjectTag::new(patterns.into_iter().cloned().collect()))
}
