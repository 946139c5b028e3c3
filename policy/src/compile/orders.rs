//! Orders of a rule: their defaults, and which of them contradict each other or do nothing.

use super::CompileOptions;
use crate::decision::{
    Decision, HiddenRecipients, NoCertificate, NoSigner, OnBadSignature, OnUnavailable,
    Requirement, RuleRef, SubjectTag,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place};
use crate::document;
use crate::facts::Direction;
use crate::rule::Condition;
use crate::syntax::{Orders, Rule, Written};

/// Longest text of a refusal, in bytes: an SMTP reply line has 512 (RFC 5321, section 4.5.3.1.5).
const LONGEST_REJECT: usize = 400;

/// What the rule orders, with a default for everything it leaves unsaid.
pub(super) fn compile(
    rule: &Rule<'_>,
    condition: &Condition,
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) -> Decision {
    check_encryption(&rule.orders, diagnostics);
    check_signing(&rule.orders, diagnostics);
    check_profile(&rule.orders.profile, options, diagnostics);
    check_reject(&rule.reject, diagnostics);
    warn_of_idle_orders(rule, condition, diagnostics);
    let orders = &rule.orders;
    let sign = value(orders.sign, Requirement::No);
    let encrypt = value(orders.encrypt, Requirement::No);
    let verify = value(orders.verify, Requirement::Preferred);
    Decision {
        rule: RuleRef {
            name: rule
                .name
                .as_ref()
                .map_or_else(String::new, |name| name.value.clone()),
            file: rule.place.file().to_owned(),
            line: rule.place.line(),
        },
        sign,
        encrypt,
        decrypt: value(orders.decrypt, Requirement::Preferred),
        verify,
        no_certificate: value(
            orders.no_certificate,
            match encrypt {
                Requirement::Preferred => NoCertificate::Clear,
                Requirement::Required | Requirement::No => NoCertificate::Reject,
            },
        ),
        no_signer: value(
            orders.no_signer,
            match sign {
                Requirement::Required => NoSigner::Reject,
                Requirement::Preferred | Requirement::No => NoSigner::Unsigned,
            },
        ),
        on_unavailable: value(orders.on_unavailable, OnUnavailable::Defer),
        on_bad_signature: value(
            orders.on_bad_signature,
            match verify {
                Requirement::Required => OnBadSignature::Reject,
                Requirement::Preferred => OnBadSignature::Mark,
                Requirement::No => OnBadSignature::Deliver,
            },
        ),
        hidden_recipients: value(orders.hidden_recipients, HiddenRecipients::Separate),
        strip_subject_tag: subject_tag(&rule.strip_subject_tag, condition, diagnostics),
        profile: orders.profile.as_ref().map(|profile| profile.value.clone()),
        reject: rule.reject.as_ref().map(|reject| reject.value.clone()),
    }
}

fn value<T>(written: Written<'_, T>, default: T) -> T {
    written.map_or(default, |located| located.value)
}

fn check_encryption(orders: &Orders<'_>, diagnostics: &Diagnostics) {
    let encrypt = value(orders.encrypt, Requirement::No);
    if let Some(Located { value, place }) = orders.no_certificate {
        match (encrypt, value) {
            (Requirement::Required, NoCertificate::Clear) => diagnostics.push(
                Diagnostic::error(
                    place,
                    "`no-certificate = \"clear\"` sends in clear what `encrypt = \"required\"` must encrypt",
                )
                .with_help("write encrypt = \"preferred\", or no-certificate = \"reject\""),
            ),
            (Requirement::Preferred, NoCertificate::Reject) => diagnostics.push(
                Diagnostic::error(
                    place,
                    "`no-certificate = \"reject\"` refuses what `encrypt = \"preferred\"` lets pass",
                )
                .with_help("write encrypt = \"required\", or leave no-certificate out"),
            ),
            (Requirement::No, _) => warn_without("no-certificate", "encrypt", place, diagnostics),
            _ => {}
        }
    }
    if let Some(Located { value, place }) = orders.on_unavailable {
        match (encrypt, value) {
            (Requirement::Required, OnUnavailable::Clear) => diagnostics.push(
                Diagnostic::error(
                    place,
                    "`on-unavailable = \"clear\"` sends in clear what `encrypt = \"required\"` must encrypt",
                )
                .with_help("write encrypt = \"preferred\", or on-unavailable = \"defer\" or \"next\""),
            ),
            (Requirement::No, _) => warn_without("on-unavailable", "encrypt", place, diagnostics),
            _ => {}
        }
    }
}

fn check_signing(orders: &Orders<'_>, diagnostics: &Diagnostics) {
    let Some(Located {
        value: no_signer,
        place,
    }) = orders.no_signer
    else {
        return;
    };
    match (value(orders.sign, Requirement::No), no_signer) {
        (Requirement::Preferred, NoSigner::Reject) => diagnostics.push(
            Diagnostic::error(
                place,
                "`no-signer = \"reject\"` refuses what `sign = \"preferred\"` lets pass",
            )
            .with_help("write sign = \"required\", or leave no-signer out"),
        ),
        (Requirement::No, _) => warn_without("no-signer", "sign", place, diagnostics),
        _ => {}
    }
}

fn warn_without(key: &str, needed: &str, place: Place<'_>, diagnostics: &Diagnostics) {
    let message = format!("`{key}` has no effect without `{needed}`");
    diagnostics.push(
        Diagnostic::warning(place, message)
            .with_help(format!("add {needed} = \"required\" or \"preferred\"")),
    );
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

fn check_reject(reject: &Written<'_, String>, diagnostics: &Diagnostics) {
    let Some(Located { value, place }) = reject else {
        return;
    };
    let is_wrong = |c: char| !c.is_ascii_graphic() && c != ' ';
    if value.trim().is_empty() || value.len() > LONGEST_REJECT || value.contains(is_wrong) {
        let message = format!(
            "`reject` must be a line of 1 to {LONGEST_REJECT} printable ASCII characters: it goes into an SMTP reply"
        );
        diagnostics.push(Diagnostic::error(*place, message));
    }
}

/// Orders that the rule's mail never meets.
fn warn_of_idle_orders(rule: &Rule<'_>, condition: &Condition, diagnostics: &Diagnostics) {
    let mut written: Vec<(&str, Place<'_>)> = Vec::new();
    written.extend(
        rule.orders
            .written()
            .into_iter()
            .map(|(key, word)| (key, word.place)),
    );
    written.extend(
        rule.strip_subject_tag
            .map(|tag| ("strip-subject-tag", tag.place)),
    );
    for (key, place) in written {
        let message = if rule.reject.is_some() {
            format!("`{key}` has no effect: the rule refuses all that it matches")
        } else {
            match direction_of(key).filter(|needed| !condition.may_hold(*needed)) {
                None => continue,
                Some(Direction::Outbound) => {
                    format!(
                        "`{key}` has no effect: it is for outbound mail, and the rule matches inbound mail alone"
                    )
                }
                Some(Direction::Inbound) => {
                    format!(
                        "`{key}` has no effect: it is for inbound mail, and the rule matches outbound mail alone"
                    )
                }
            }
        };
        diagnostics.push(Diagnostic::warning(place, message));
    }
    if let (Some(order), Some(verify)) = (rule.orders.on_bad_signature, rule.orders.verify)
        && verify.value == Requirement::No
    {
        warn_without("on-bad-signature", "verify", order.place, diagnostics);
    }
}

/// The direction that an order is for; none if for both.
fn direction_of(key: &str) -> Option<Direction> {
    match key {
        "decrypt" | "verify" | "on-bad-signature" => Some(Direction::Inbound),
        "profile" => None,
        _ => Some(Direction::Outbound),
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
