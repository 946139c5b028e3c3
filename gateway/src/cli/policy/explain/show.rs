//! An explanation for people, and for programs.

use policy::decision::Decision;
use policy::document::Words;
use policy::evaluate;
use policy::explain::{Considered, Explained};
use policy::rule::Truth;
use serde_json::{Value, json};

use super::Answer;
use crate::cli::cert::{found_json, found_text};

pub(super) fn json(answers: &[Answer<'_>]) -> Value {
    json!({ "recipients": answers.iter().map(recipient_json).collect::<Vec<_>>() })
}

fn recipient_json(answer: &Answer<'_>) -> Value {
    let decision = decision(answer);
    let rule = decision.map(|decision| &decision.rule);
    let earlier = earlier(answer).iter().map(|one| {
        json!({
            "rule": one.rule.name, "file": one.rule.file, "line": one.rule.line, "because": one.why.because(),
            "conditions": explained_json(&one.why),
        })
    });
    let found = answer.consequence.certificates.as_ref();
    let found = found.map(|found| found_json(&answer.recipient, found));
    let part = |key: &str| {
        found
            .as_ref()
            .map_or(Value::Null, |found| found[key].clone())
    };
    let orders = decision.map(Decision::orders).unwrap_or_default();
    json!({
        "address": answer.recipient.as_str(),
        "direction": answer.direction.word(),
        "rule": rule.map(|rule| &rule.name),
        "file": rule.map(|rule| &rule.file),
        "line": rule.map(|rule| rule.line),
        "sign": decision.map(|decision| decision.sign.word()),
        "encrypt": decision.map(|decision| decision.encrypt.word()),
        "orders": orders.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "certificate": part("certificate"),
        "considered": part("considered"),
        "algorithms": answer.consequence.algorithms,
        "fates": answer.consequence.fates.iter().map(|fate| fate.words()).collect::<Vec<_>>(),
        "reply": answer.consequence.reply,
        "earlier": earlier.collect::<Vec<_>>(),
    })
}

fn explained_json(explained: &Explained) -> Value {
    json!({
        "condition": explained.condition,
        "holds": holds(explained.truth),
        "found": explained.found,
        "parts": explained.parts.iter().map(explained_json).collect::<Vec<_>>(),
    })
}

pub(super) fn text(answers: &[Answer<'_>]) -> String {
    answers
        .iter()
        .map(recipient_text)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn recipient_text(answer: &Answer<'_>) -> String {
    let mut lines = vec![format!(
        "{} ({})",
        answer.recipient,
        answer.direction.word()
    )];
    for one in earlier(answer) {
        lines.push(format!("  not {}", named(one)));
        tree(&one.why, 2, &mut lines);
    }
    match (
        &answer.explanation.answer,
        answer.explanation.considered.last(),
    ) {
        (evaluate::Answer::NoRule, _) | (_, None) => {
            lines.push("  no rule matches, and what no rule allows is refused".to_owned());
        }
        (_, Some(last)) => {
            lines.push(format!("  decided by {}", named(last)));
            tree(&last.why, 2, &mut lines);
        }
    }
    let orders = decision(answer).map(Decision::orders).unwrap_or_default();
    let said = orders.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<_> = said
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    if !said.is_empty() {
        lines.push(format!("  orders: {}", said.join(", ")));
    }
    let consequence = &answer.consequence;
    if let Some(found) = &consequence.certificates {
        let certificates = found_text(found, true);
        lines.extend(
            certificates
                .lines()
                .map(|line| format!("  certificate: {line}")),
        );
    }
    lines.extend(
        consequence
            .algorithms
            .iter()
            .map(|text| format!("  algorithms: {text}")),
    );
    let fates: Vec<_> = consequence.fates.iter().map(|fate| fate.words()).collect();
    if !fates.is_empty() {
        lines.push(format!("  the copy {}", fates.join(", or ")));
    }
    lines.push(match &consequence.reply {
        Some(reply) => format!("  reply: {reply}"),
        None => "  reply: depends on keys, certificates or signatures".to_owned(),
    });
    lines.join("\n")
}

/// Each condition on a line of its own, the inner ones further in.
fn tree(explained: &Explained, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let Explained {
        condition,
        truth,
        found,
        parts,
    } = explained;
    if condition == "all" && parts.is_empty() {
        return;
    }
    let found = found
        .as_ref()
        .map_or_else(String::new, |found| format!(": it is {found}"));
    lines.push(format!("{indent}{}: {condition}{found}", holds(*truth)));
    parts.iter().for_each(|part| tree(part, depth + 1, lines));
}

fn named(considered: &Considered<'_>) -> String {
    let rule = considered.rule;
    format!("{:?}, {}:{}", rule.name, rule.file, rule.line)
}

const fn holds(truth: Truth) -> &'static str {
    match truth {
        Truth::Yes => "yes",
        Truth::No => "no",
        Truth::NotYet => "not yet",
        Truth::Unavailable => "not known",
    }
}

/// The rules that did not match.
fn earlier<'a, 'p>(answer: &'a Answer<'p>) -> &'a [Considered<'p>] {
    let considered = &answer.explanation.considered;
    match considered.split_last() {
        Some((last, earlier)) if last.why.truth != Truth::No => earlier,
        _ => considered,
    }
}

const fn decision<'p>(answer: &Answer<'p>) -> Option<&'p Decision> {
    match answer.explanation.answer {
        evaluate::Answer::Decided(decision) => Some(decision),
        evaluate::Answer::NotYet | evaluate::Answer::Unavailable(_) | evaluate::Answer::NoRule => {
            None
        }
    }
}
