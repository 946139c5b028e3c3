//! Rules that no mail ever reaches.

use super::Rule;
use crate::diagnostic::{Diagnostic, Diagnostics, Located};
use crate::facts::Direction;

/// Reports each rule all of whose mail is taken by earlier rules, for each direction one at least.
pub(super) fn check(rules: &[Located<'_, Rule>], diagnostics: &Diagnostics) {
    for (index, rule) in rules.iter().enumerate() {
        let (earlier, _) = rules.split_at(index);
        if let Some(message) = why_never(rule, earlier) {
            let name = &rule.value.decision.rule.name;
            let message = format!("rule {name:?} can never match: {message}");
            diagnostics.push(
                Diagnostic::error(rule.place, message)
                    .with_help("put the narrower rule first, or remove it"),
            );
        }
    }
}

fn why_never(rule: &Located<'_, Rule>, earlier: &[Located<'_, Rule>]) -> Option<String> {
    let condition = &rule.value.condition;
    let mut takers: Vec<&Located<'_, Rule>> = Vec::new();
    for direction in [Direction::Inbound, Direction::Outbound] {
        if !condition.may_hold(direction) {
            continue;
        }
        let takes_all =
            |first: &&Located<'_, Rule>| condition.implies(&first.value.condition, direction);
        takers.push(earlier.iter().find(takes_all)?);
    }
    takers.dedup_by_key(|taker| taker.place);
    let named: Vec<_> = takers
        .iter()
        .map(|taker| format!("{:?} ({})", taker.value.decision.rule.name, taker.place))
        .collect();
    Some(match named.len() {
        0 => "its conditions contradict each other".to_owned(),
        1 => format!("{} matches all of it before", named.concat()),
        _ => format!("{} match all of it before", named.join(" and ")),
    })
}
