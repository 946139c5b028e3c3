//! Orders of one rule that contradict each other, which is an error, or that do nothing, which is doubtful.

use super::orders::requirements;
use crate::decision::{
    AskThen, NoCertificate, NoSigner, OnBadSignature, OnUnavailable, OnUndecryptable, Requirement,
    direction_of,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place};
use crate::document::Words;
use crate::facts::Direction;
use crate::rule::Condition;
use crate::syntax::{Orders, Rule, Written};

/// Reports what is wrong with `orders`, those of the rule and those that it inherits; idle ones only if they are its own.
pub(super) fn check(
    rule: &Rule<'_>,
    orders: &Orders<'_>,
    condition: &Condition,
    diagnostics: &Diagnostics,
) {
    let checker = Checker { diagnostics };
    checker.stop(orders);
    checker.encryption(orders);
    checker.signing(orders);
    checker.decryption(orders);
    let is_stopped = orders.reject.is_some() || orders.hold.is_some();
    if is_stopped {
        checker.stopped(&rule.orders, orders.reject.is_some());
    } else if !checker.passes(&rule.orders, orders) {
        checker.other_direction(&rule.orders, condition);
        checker.idle(&rule.orders, orders);
    }
}

struct Checker<'d> {
    diagnostics: &'d Diagnostics,
}

impl Checker<'_> {
    fn stop(&self, orders: &Orders<'_>) {
        if let (Some(_), Some(hold)) = (&orders.reject, &orders.hold) {
            self.error(
                hold.place,
                "a rule either refuses mail or holds it",
                "leave `reject` or `hold` out",
            );
        }
    }

    fn encryption(&self, orders: &Orders<'_>) {
        let [_, encrypt, ..] = requirements(orders);
        if let Some(Located { value, place }) = orders.no_certificate {
            match (encrypt, value) {
                (Requirement::Required, NoCertificate::Clear) => self.error(
                    place,
                    "`no-certificate = \"clear\"` sends in clear what `encrypt = \"required\"` must encrypt",
                    "write encrypt = \"preferred\", or no-certificate = \"reject\"",
                ),
                (Requirement::Preferred, NoCertificate::Reject | NoCertificate::Hold | NoCertificate::Ask) => {
                    let does = match value {
                        NoCertificate::Hold => "holds",
                        NoCertificate::Ask => "keeps waiting",
                        NoCertificate::Reject | NoCertificate::Tls | NoCertificate::Clear => "refuses",
                    };
                    let word = value.word();
                    self.error(
                        place,
                        &format!("`no-certificate = {word:?}` {does} what `encrypt = \"preferred\"` lets pass"),
                        "write encrypt = \"required\", or leave no-certificate out",
                    );
                }
                _ => {}
            }
        }
        if let Some(Located {
            value: OnUnavailable::Clear,
            place,
        }) = orders.on_unavailable
            && encrypt == Requirement::Required
        {
            self.error(
                place,
                "`on-unavailable = \"clear\"` sends in clear what `encrypt = \"required\"` must encrypt",
                "write encrypt = \"preferred\", or on-unavailable = \"defer\" or \"next\"",
            );
        }
    }

    fn signing(&self, orders: &Orders<'_>) {
        let [sign, ..] = requirements(orders);
        if let Some(Located {
            value: NoSigner::Reject,
            place,
        }) = orders.no_signer
            && sign == Requirement::Preferred
        {
            self.error(
                place,
                "`no-signer = \"reject\"` refuses what `sign = \"preferred\"` lets pass",
                "write sign = \"required\", or leave no-signer out",
            );
        }
    }

    fn decryption(&self, orders: &Orders<'_>) {
        let [_, _, decrypt, _] = requirements(orders);
        let Some(Located { value, place }) = orders.on_undecryptable else {
            return;
        };
        match (decrypt, value) {
            (Requirement::Required, OnUndecryptable::Deliver) => self.error(
                place,
                "`on-undecryptable = \"deliver\"` delivers what `decrypt = \"required\"` must open",
                "write decrypt = \"preferred\", or on-undecryptable = \"hold\" or \"reject\"",
            ),
            (Requirement::Preferred, OnUndecryptable::Hold | OnUndecryptable::Reject) => self
                .error(
                    place,
                    "`on-undecryptable` stops what `decrypt = \"preferred\"` lets pass",
                    "write decrypt = \"required\", or leave on-undecryptable out",
                ),
            _ => {}
        }
    }

    /// Whether the rule lets mail pass as it is; then it orders nothing else.
    fn passes(&self, own: &Orders<'_>, orders: &Orders<'_>) -> bool {
        let Some(Located { value: true, .. }) = orders.pass else {
            return false;
        };
        for (key, written) in own.written() {
            if !["pass", "note", "add-header"].contains(&key) {
                let message =
                    format!("`pass = true` lets mail pass as it came, and `{key}` does not");
                self.error(written.place, &message, "leave one of them out");
            }
        }
        true
    }

    fn stopped(&self, own: &Orders<'_>, is_refused: bool) {
        let does = if is_refused { "refuses" } else { "holds" };
        for (key, written) in own.written() {
            if !["reject", "hold", "note"].contains(&key) {
                let message = format!("`{key}` has no effect: the rule {does} all that it matches");
                self.diagnostics
                    .push(Diagnostic::warning(written.place, message));
            }
        }
    }

    /// Orders that the rule's mail never meets.
    fn other_direction(&self, own: &Orders<'_>, condition: &Condition) {
        for (key, written) in own.written() {
            let needed = direction_of(key).filter(|needed| !condition.may_hold(*needed));
            let Some(needed) = needed else { continue };
            let (needed, met) = match needed {
                Direction::Outbound => ("outbound", "inbound"),
                Direction::Inbound => ("inbound", "outbound"),
            };
            let message = format!(
                "`{key}` has no effect: it is for {needed} mail, and the rule matches {met} mail alone"
            );
            self.diagnostics
                .push(Diagnostic::warning(written.place, message));
        }
    }

    /// Orders that only follow another one which is not given.
    fn idle(&self, own: &Orders<'_>, orders: &Orders<'_>) {
        let [sign, encrypt, decrypt, verify] = requirements(orders);
        let is = |requirement: Requirement| requirement != Requirement::No;
        self.warn_without(
            "no-certificate",
            &own.no_certificate,
            is(encrypt),
            "encrypt",
        );
        self.warn_without(
            "on-unavailable",
            &own.on_unavailable,
            is(encrypt),
            "encrypt",
        );
        self.warn_without(
            "encrypt-to-self",
            &own.encrypt_to_self,
            is(encrypt),
            "encrypt",
        );
        self.warn_without("no-signer", &own.no_signer, is(sign), "sign");
        self.warn_without("signer", &own.signer, is(sign), "sign");
        self.warn_without(
            "header-protection",
            &own.header_protection,
            is(sign) || is(encrypt),
            "encrypt",
        );
        self.warn_without(
            "on-undecryptable",
            &own.on_undecryptable,
            is(decrypt),
            "decrypt",
        );
        self.warn_without(
            "on-bad-signature",
            &own.on_bad_signature,
            is(verify),
            "verify",
        );
        let asks = value(orders.no_certificate) == Some(NoCertificate::Ask);
        let by_tls = value(orders.no_certificate) == Some(NoCertificate::Tls)
            || (asks && value(orders.ask_then) == Some(AskThen::Tls));
        self.warn_unless(
            "ask-deadline",
            &own.ask_deadline,
            asks,
            "no-certificate = \"ask\"",
        );
        self.warn_unless("ask-then", &own.ask_then, asks, "no-certificate = \"ask\"");
        self.warn_unless("no-tls", &own.no_tls, by_tls, "no-certificate = \"tls\"");
        self.doubtful(own, orders, verify);
    }

    fn doubtful(&self, own: &Orders<'_>, orders: &Orders<'_>, verify: Requirement) {
        if let Some(Located { value: true, place }) = own.strip_signature {
            if verify == Requirement::No {
                let message = "`strip-signature` takes off a signature that nobody has looked at";
                self.diagnostics.push(
                    Diagnostic::warning(place, message)
                        .with_help("add verify = \"required\" or \"preferred\""),
                );
            }
            if value(orders.rewrap) == Some(true) {
                let message = "`rewrap` has no effect: `strip-signature` takes the signature off";
                self.diagnostics.push(Diagnostic::warning(place, message));
            }
        }
        if let Some(Located {
            value: OnBadSignature::Deliver,
            place,
        }) = own.on_bad_signature
            && verify == Requirement::Required
        {
            let message =
                "`on-bad-signature = \"deliver\"` hides what `verify = \"required\"` finds out";
            self.diagnostics.push(
                Diagnostic::warning(place, message)
                    .with_help("write on-bad-signature = \"mark\", \"hold\" or \"reject\""),
            );
        }
    }

    fn warn_without<T>(&self, key: &str, own: &Written<'_, T>, is_met: bool, needed: &str) {
        let help = format!("add {needed} = \"required\" or \"preferred\"");
        self.warn(key, own, is_met, needed, &help);
    }

    fn warn_unless<T>(&self, key: &str, own: &Written<'_, T>, is_met: bool, needed: &str) {
        self.warn(key, own, is_met, needed, &format!("add {needed}"));
    }

    fn warn<T>(&self, key: &str, own: &Written<'_, T>, is_met: bool, needed: &str, help: &str) {
        if let (Some(order), false) = (own, is_met) {
            let message = format!("`{key}` has no effect without `{needed}`");
            self.diagnostics
                .push(Diagnostic::warning(order.place, message).with_help(help));
        }
    }

    fn error(&self, place: Place<'_>, message: &str, help: &str) {
        self.diagnostics
            .push(Diagnostic::error(place, message).with_help(help));
    }
}

fn value<T: Copy>(written: Written<'_, T>) -> Option<T> {
    written.map(|located| located.value)
}
