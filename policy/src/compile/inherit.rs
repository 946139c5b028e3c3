//! What a rule takes over from the rule that it extends, and from `[defaults]`.

use std::collections::HashMap;

use super::CompileOptions;
use crate::decision::{NoCertificate, NoSigner, OnUnavailable, OnUndecryptable, Requirement};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document;
use crate::syntax::{Defaults, File, Orders, Rule, Written};

/// The orders of every rule, in order, with what they inherit.
pub(super) fn orders<'s>(files: &[File<'s>], diagnostics: &Diagnostics) -> Vec<Orders<'s>> {
    let defaults = defaults(files, diagnostics).map(|defaults| &defaults.orders);
    let rules: Vec<_> = files.iter().flat_map(|file| &file.rules).collect();
    let by_name: HashMap<&str, &Rule<'s>> = rules
        .iter()
        .filter_map(|rule| Some((rule.name.as_ref()?.value.as_str(), *rule)))
        .collect();
    let all = rules.iter().map(|rule| {
        let own = extended(rule, &by_name, diagnostics);
        defaults.map_or_else(|| own.clone(), |defaults| own.or(&fitting(defaults, &own)))
    });
    all.collect()
}

/// The time zone of `[defaults]`.
pub(super) fn time_zone(
    files: &[File<'_>],
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) -> Option<String> {
    let mut all = files.iter().filter_map(|file| file.defaults.as_ref());
    let zone = all.next()?.time_zone.as_ref()?;
    if options
        .is_time_zone
        .is_some_and(|is_one| !is_one(&zone.value))
    {
        let message = format!("there is no time zone {:?}", zone.value);
        diagnostics.push(
            Diagnostic::error(zone.place, message).with_help("write it as in \"Europe/Berlin\""),
        );
    }
    Some(zone.value.clone())
}

fn defaults<'f, 's>(files: &'f [File<'s>], diagnostics: &Diagnostics) -> Option<&'f Defaults<'s>> {
    let mut all = files.iter().filter_map(|file| file.defaults.as_ref());
    let first = all.next()?;
    for other in all {
        let message = format!("there are [defaults] already, at {}", first.place);
        diagnostics.push(Diagnostic::error(other.place, message));
    }
    Some(first)
}

/// A rule's orders, and where it is silent those of the rules that it extends.
fn extended<'s>(
    rule: &Rule<'s>,
    by_name: &HashMap<&str, &Rule<'s>>,
    diagnostics: &Diagnostics,
) -> Orders<'s> {
    let mut orders = rule.orders.clone();
    let mut extends = rule.extends.as_ref();
    let mut steps = 0;
    while let Some(base) = extends {
        let Some(found) = by_name.get(base.value.as_str()) else {
            // Said once, by the rule that names it.
            if steps == 0 {
                let mut names: Vec<_> = by_name.keys().copied().collect();
                names.sort_unstable();
                let help = document::help(&base.value, names.into_iter(), '"');
                let message = format!("there is no rule {:?}", base.value);
                diagnostics.push(Diagnostic::error(base.place, message).with_help(help));
            }
            break;
        };
        steps += 1;
        if steps > by_name.len() {
            let message = "the rules extend each other in a circle";
            diagnostics.push(Diagnostic::error(base.place, message));
            break;
        }
        orders = orders.or(&found.orders);
        extends = found.extends.as_ref();
    }
    orders
}

/// The defaults without those that a rule's own orders rule out: `[defaults]` speaks to rules of several kinds.
fn fitting<'s>(defaults: &Orders<'s>, own: &Orders<'s>) -> Orders<'s> {
    let mut fitting = defaults.clone();
    if own.pass.is_some_and(|pass| pass.value) || own.reject.is_some() || own.hold.is_some() {
        return Orders {
            note: fitting.note,
            add_header: fitting.add_header,
            ..Orders::default()
        };
    }
    let encrypt = requirement(own.encrypt.or(defaults.encrypt), Requirement::No);
    let sign = requirement(own.sign.or(defaults.sign), Requirement::No);
    let decrypt = requirement(own.decrypt.or(defaults.decrypt), Requirement::Preferred);
    fitting.no_certificate = fitting.no_certificate.filter(|order| match order.value {
        NoCertificate::Reject | NoCertificate::Hold | NoCertificate::Ask => {
            encrypt == Requirement::Required
        }
        NoCertificate::Tls => encrypt != Requirement::No,
        NoCertificate::Clear => encrypt == Requirement::Preferred,
    });
    fitting.on_unavailable = fitting
        .on_unavailable
        .filter(|order| order.value != OnUnavailable::Clear || encrypt == Requirement::Preferred);
    fitting.no_signer = fitting
        .no_signer
        .filter(|order| sign == Requirement::Required || order.value == NoSigner::Unsigned);
    fitting.on_undecryptable = fitting.on_undecryptable.filter(|order| match decrypt {
        Requirement::Required => order.value != OnUndecryptable::Deliver,
        Requirement::Preferred => order.value == OnUndecryptable::Deliver,
        Requirement::No => false,
    });
    if own.strip_signature.is_some() || own.rewrap.is_some() {
        // One of both alone.
        fitting.strip_signature = None;
        fitting.rewrap = None;
    }
    fitting
}

fn requirement(written: Written<'_, Requirement>, default: Requirement) -> Requirement {
    written.map_or(default, |written| written.value)
}
