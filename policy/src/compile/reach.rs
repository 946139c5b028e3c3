//! Rules that no mail ever reaches.

use super::Rule;
use crate::diagnostic::{Diagnostic, Diagnostics, Located};
use crate::facts::Direction;

const NARROWER: &str = "put the narrower rule first, or remove it";

/// Reports each rule all of whose mail is taken by earlier rules, for each direction one at least.
pub(super) fn check(rules: &[Located<'_, Rule>], diagnostics: &Diagnostics) {
    for (index, rule) in rules.iter().enumerate() {
        let (earlier, _) = rules.split_at(index);
        let Some(takers) = takers(rule, earlier) else {
            continue;
        };
        let (why, help) = match takers.len() {
            0 => (
                "its conditions contradict each other".to_owned(),
                "remove it, or one of them",
            ),
            1 => (
                format!("{} matches all of it before", takers.concat()),
                NARROWER,
            ),
            _ => (
                format!("{} match all of it before", takers.join(" and ")),
                NARROWER,
            ),
        };
        let name = &rule.value.decision.rule.name;
        let message = format!("rule {name:?} can never match: {why}");
        diagnostics.push(Diagnostic::error(rule.place, message).with_help(help));
    }
}

/// The rules that take all the mail of a rule, if it gets none; without any, no mail meets its conditions.
fn takers(rule: &Located<'_, Rule>, earlier: &[Located<'_, Rule>]) -> Option<Vec<String>> {
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
    let named = |taker: &&Located<'_, Rule>| {
        format!("{:?} ({})", taker.value.decision.rule.name, taker.place)
    };
    Some(takers.iter().map(named).collect())
}
