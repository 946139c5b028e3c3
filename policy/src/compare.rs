//! Two policies over recorded facts: what would change, and above all what would leave in clear and did not before.
//!
//! Records are asked on several threads; the report does not depend on how many. Left out: reading the records.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use crate::compile::Policy;
use crate::decision::Decision;
use crate::evaluate::Answer;
use crate::fate::{Availability, Fate, World};
use crate::recorded::RecordedFacts;

/// Records that a thread gets at once.
const BATCH: usize = 512;
/// Batches that wait for a thread.
const WAITING: usize = 4;
/// Samples of each change that are kept.
const SAMPLES: usize = 5;

/// What would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Records that were looked at.
    pub records: u64,
    /// Records that a different rule decides, or the same rule differently.
    pub changed: u64,
    /// Records that would leave in clear and did not before.
    pub newly_clear: Changes,
    /// Records of every kind of change, the most frequent first is up to whoever shows them.
    pub changes: BTreeMap<Change, Changes>,
    /// Records that one of the policies cannot decide, since a fact that it asks for was not recorded.
    pub undecidable: Changes,
}

/// A kind of change: the rules, and the orders that differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The rule before; none if none matched.
    pub old_rule: Option<String>,
    /// The rule after.
    pub new_rule: Option<String>,
    /// Orders that differ: key, before, after.
    pub orders: Vec<(&'static str, String, String)>,
}

/// How many records, and some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Its number, counted from 0.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// Its sender; `<>` if it had none.
    pub sender: String,
    /// Its recipient.
    pub recipient: String,
}

/// Asks both policies about every record, on `threads` threads; `progress` hears how many records were handed out.
#[must_use]
pub fn compare(
    old: &Policy,
    new: &Policy,
    records: impl Iterator<Item = RecordedFacts>,
    threads: usize,
    mut progress: impl FnMut(u64),
) -> Comparison {
    thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..threads.max(1) {
            let (sender, batches) = mpsc::sync_channel::<(u64, Vec<RecordedFacts>)>(WAITING);
            senders.push(sender);
            workers.push(scope.spawn(move || {
                let mut part = Comparison::default();
                for (first, batch) in batches {
                    for (number, record) in (first..).zip(&batch) {
                        part.add(number, record, old, new);
                    }
                }
                part
            }));
        }
        let mut records = records.peekable();
        let mut first = 0;
        let mut turns = senders.iter().cycle();
        while records.peek().is_some() {
            let batch: Vec<_> = records.by_ref().take(BATCH).collect();
            let count = u64::try_from(batch.len()).unwrap_or_default();
            let sent = turns.next().map(|sender| sender.send((first, batch)));
            if !matches!(sent, Some(Ok(()))) {
                break;
            }
            first += count;
            progress(first);
        }
        drop(senders);
        let mut whole = Comparison::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => whole.merge(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        whole
    })
}

impl Comparison {
    fn add(&mut self, number: u64, record: &RecordedFacts, old: &Policy, new: &Policy) {
        self.records += 1;
        let facts = record.facts();
        let (old, new) = (old.evaluate(&facts), new.evaluate(&facts));
        let sample = || Sample::of(number, record);
        if [old, new]
            .iter()
            .any(|answer| matches!(answer, Answer::Unavailable(_)))
        {
            self.undecidable.add(sample());
        }
        let change = Change::between(old, new);
        if change.is_none() && !is_newly_clear(record, old, new) {
            return;
        }
        if is_newly_clear(record, old, new) {
            self.newly_clear.add(sample());
        }
        if let Some(change) = change {
            self.changed += 1;
            self.changes.entry(change).or_default().add(sample());
        }
    }

    fn merge(&mut self, other: Self) {
        self.records += other.records;
        self.changed += other.changed;
        self.newly_clear.merge(other.newly_clear);
        self.undecidable.merge(other.undecidable);
        for (change, changes) in other.changes {
            self.changes.entry(change).or_default().merge(changes);
        }
    }
}

impl Change {
    /// None if both decide alike. Names of rules count, since operators know them.
    fn between(old: Answer<'_>, new: Answer<'_>) -> Option<Self> {
        let (old, new) = (decision(old), decision(new));
        let name =
            |decision: Option<&Decision>| decision.map(|decision| decision.rule.name.clone());
        if let (Some(old), Some(new)) = (old, new)
            && old.rule.name == new.rule.name
            && old.orders() == new.orders()
        {
            return None;
        }
        let change = Self {
            old_rule: name(old),
            new_rule: name(new),
            orders: match (old, new) {
                (Some(old), Some(new)) => differing(old, new),
                _ => Vec::new(),
            },
        };
        (old.is_some() || new.is_some()).then_some(change)
    }
}

impl Changes {
    fn add(&mut self, sample: Sample) {
        self.count += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(sample);
        }
    }

    /// Every thread keeps its first samples, so that the first of all are among them.
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.samples.extend(other.samples);
        self.samples.sort();
        self.samples.truncate(SAMPLES);
    }
}

impl Sample {
    fn of(number: u64, record: &RecordedFacts) -> Self {
        let sender = record.sender.as_ref();
        Self {
            number,
            id: record.id.clone(),
            sender: sender.map_or_else(|| "<>".to_owned(), ToString::to_string),
            recipient: record.recipient.to_string(),
        }
    }
}

const fn decision(answer: Answer<'_>) -> Option<&Decision> {
    match answer {
        Answer::Decided(decision) => Some(decision),
        Answer::NotYet | Answer::Unavailable(_) | Answer::NoRule => None,
    }
}

fn differing(old: &Decision, new: &Decision) -> Vec<(&'static str, String, String)> {
    let pairs = old.orders().into_iter().zip(new.orders());
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((key, before), (_, after))| (key, before.into_owned(), after.into_owned()))
        .collect()
}

/// Whether it may leave in clear under the new policy, in a world in which it did not under the old one. Where nobody
/// knows what the world was like, every one of them counts.
fn is_newly_clear(record: &RecordedFacts, old: Answer<'_>, new: Answer<'_>) -> bool {
    let leaves = |answer, world| {
        decision(answer)
            .is_some_and(|decision| decision.fate(record.direction, world) == Fate::Clear)
    };
    let is_possible = |world: &World| {
        record
            .certificate
            .is_none_or(|known: Availability| known == world.certificate)
            && record
                .verified_tls
                .is_none_or(|known| known == world.verified_tls)
    };
    let mut worlds = World::ALL.into_iter().filter(is_possible);
    worlds.any(|world| leaves(new, world) && !leaves(old, world))
}

#[cfg(test)]
mod tests;
