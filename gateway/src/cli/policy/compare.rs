//! `postern policy compare`: what another policy would have done with recorded mail.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use policy::compare::{Change, Changes, Comparison, Sample, compare as compare_policies};
use policy::recorded::RecordedFacts;
use serde_json::{Value, json};

use super::loaded;
use crate::app::load_policy_from;
use crate::cli::output::Output;
use crate::cli::trouble::Trouble;

/// Longest record, in bytes of a line.
const LONGEST: usize = 1 << 20;

pub(super) fn compare(
    given: Option<&Path>,
    new: &Path,
    facts: &Path,
    output: &Output,
) -> Result<(), Trouble> {
    let (config, old) = loaded(given)?;
    let new = load_policy_from(new, &config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    let mut broken = None;
    let records = records(facts)?.map_while(|record| match record {
        Ok(record) => Some(record),
        Err(trouble) => {
            broken = Some(trouble);
            None
        }
    });
    let bar = ProgressBar::no_length().with_style(style());
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let comparison = compare_policies(&old.policy, &new.policy, records, threads, |count| {
        bar.set_position(count);
    });
    bar.finish_and_clear();
    if let Some(trouble) = broken {
        return Err(trouble);
    }
    output.print(|| as_json(&comparison), || as_text(&comparison));
    if comparison.newly_clear.count == 0 {
        Ok(())
    } else {
        Err(Trouble::failed())
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner} {human_pos} records, {per_sec}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// One record a line.
fn records(
    path: &Path,
) -> Result<impl Iterator<Item = Result<RecordedFacts, Trouble>> + use<>, Trouble> {
    let name = path.display().to_string();
    let file = File::open(path);
    let file = file.map_err(|error| Trouble::data(format!("{name} cannot be read: {error}")))?;
    let lines = BufReader::new(file).split(b'\n');
    let wrong = move |number: usize, what: String| {
        Trouble::data(format!("{name}:{number}: no record of facts: {what}"))
    };
    let read = move |(number, line): (usize, std::io::Result<Vec<u8>>)| {
        let line = line.map_err(|error| wrong(number, error.to_string()))?;
        if line.len() > LONGEST {
            return Err(wrong(number, format!("it is longer than {LONGEST} bytes")));
        }
        serde_json::from_slice(&line).map_err(|error| wrong(number, error.to_string()))
    };
    let is_empty = |line: &std::io::Result<Vec<u8>>| {
        line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty())
    };
    Ok((1..)
        .zip(lines)
        .filter(move |(_, line)| !is_empty(line))
        .map(read))
}

fn as_json(comparison: &Comparison) -> Value {
    let changes = by_count(comparison).into_iter().map(|(change, changes)| {
        let orders = change.orders.iter();
        let orders = orders.map(|(key, old, new)| json!({ "order": key, "old": old, "new": new }));
        json!({
            "old_rule": change.old_rule, "new_rule": change.new_rule, "orders": orders.collect::<Vec<_>>(),
            "count": changes.count, "samples": samples_json(changes),
        })
    });
    let counted =
        |changes: &Changes| json!({ "count": changes.count, "samples": samples_json(changes) });
    json!({
        "records": comparison.records, "changed": comparison.changed,
        "newly_clear": counted(&comparison.newly_clear), "undecidable": counted(&comparison.undecidable),
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn samples_json(changes: &Changes) -> Vec<Value> {
    let sample = |sample: &Sample| json!({ "id": sample.id, "sender": sample.sender, "recipient": sample.recipient });
    changes.samples.iter().map(sample).collect()
}

fn as_text(comparison: &Comparison) -> String {
    let mut lines = vec![format!(
        "{} of {} records would be decided otherwise",
        comparison.changed, comparison.records
    )];
    for (change, changes) in by_count(comparison) {
        lines.push(format!("{:>8}  {}", changes.count, rules(change)));
        for (key, old, new) in &change.orders {
            lines.push(format!(
                "          - {key} = {old}\n          + {key} = {new}"
            ));
        }
        lines.extend(samples_text(changes));
    }
    for (changes, what) in [
        (
            &comparison.undecidable,
            "cannot be decided: a rule looks at what was not recorded",
        ),
        (
            &comparison.newly_clear,
            "would leave in clear and did not before",
        ),
    ] {
        if changes.count > 0 {
            lines.push(format!("{:>8}  {what}", changes.count));
            lines.extend(samples_text(changes));
        }
    }
    if comparison.newly_clear.count == 0 {
        lines.push("nothing would leave in clear that did not before".to_owned());
    }
    lines.join("\n")
}

fn rules(change: &Change) -> String {
    let name = |rule: &Option<String>| match rule {
        Some(rule) => format!("{rule:?}"),
        None => "no rule, refused".to_owned(),
    };
    let (old, new) = (name(&change.old_rule), name(&change.new_rule));
    if old == new {
        format!("by {old}, with other orders")
    } else {
        format!("by {new} instead of {old}")
    }
}

fn samples_text(changes: &Changes) -> impl Iterator<Item = String> {
    let show = |sample: &Sample| {
        let Sample {
            id,
            sender,
            recipient,
            ..
        } = sample;
        format!("          {id} {sender} -> {recipient}")
    };
    changes.samples.iter().map(show)
}

/// The most frequent first.
fn by_count(comparison: &Comparison) -> Vec<(&Change, &Changes)> {
    let mut changes: Vec<_> = comparison.changes.iter().collect();
    changes.sort_by_key(|(_, changes)| std::cmp::Reverse(changes.count));
    changes
}
