//! The way through the sources: asked one after the other, but none waits long for the one before it.
//!
//! Each has a head start over the next. A source that answers at once keeps those behind it from being asked at all; one
//! that takes its time is overtaken in asking, never in counting: answers are judged in the configured order.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use metrics::{counter, histogram};
use tokio::time::sleep;

use super::judge::Judge;
use super::{Explanation, Lookup, SourceOutcome, SourceReport};
use crate::selection::{Question, Selection};
use crate::source::{Found, Source, SourceFailure};

/// How long a source runs alone before the next one is asked, too.
const HEAD_START: Duration = Duration::from_millis(100);

/// What one source said, and how long it took.
struct Reply {
    answer: Result<Found, SourceFailure>,
    took: Duration,
}

impl Lookup {
    /// Asks the sources until the first one in their order has a usable certificate.
    pub(super) async fn walk(&self, question: &Question) -> Explanation {
        let sources = &self.sources;
        let mut judge = Judge::new(question.clone());
        let mut explanation = Explanation {
            selection: Selection {
                chosen: None,
                considered: Vec::new(),
            },
            sources: Vec::with_capacity(sources.len()),
        };
        let mut waiting = sources.iter().enumerate();
        let mut asked = FuturesUnordered::new();
        let mut early: Vec<(usize, Reply)> = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            let reply = loop {
                if let Some(at) = early.iter().position(|(other, _)| *other == place) {
                    break early.swap_remove(at).1;
                }
                // The one whose turn it is runs always; the others when their head start is over.
                if sources.len() - waiting.len() <= place {
                    asked.extend(
                        waiting
                            .next()
                            .map(|(at, next)| ask(at, next.as_ref(), question)),
                    );
                }
                tokio::select! {
                    Some(reply) = asked.next() => early.push(reply),
                    () = sleep(HEAD_START), if waiting.len() > 0 => {
                        asked.extend(waiting.next().map(|(at, next)| ask(at, next.as_ref(), question)));
                    }
                }
            };
            let report = self.hear(source.name(), reply, &mut judge, &mut explanation.selection);
            explanation.sources.push(report.await);
            if explanation.selection.chosen.is_some() {
                break;
            }
        }
        explanation
    }

    /// Judges a reply, adds what it brings to `selection`, and reports.
    async fn hear(
        &self,
        name: &str,
        reply: Reply,
        judge: &mut Judge,
        selection: &mut Selection,
    ) -> SourceReport {
        let mut note = String::new();
        let judged = match reply.answer {
            Err(failure) => Err(failure),
            Ok(mut found) => {
                note = std::mem::take(&mut found.note);
                self.decide(judge.take(found)).await
            }
        };
        let outcome = match judged {
            Err(failure) => SourceOutcome::Unavailable(failure.0),
            Ok(judged) => {
                let outcome = outcome(&judged);
                selection.chosen = judged.chosen;
                selection.considered.extend(judged.considered);
                outcome
            }
        };
        count(name, &outcome, reply.took);
        SourceReport {
            name: name.to_owned(),
            outcome,
            milliseconds: u64::try_from(reply.took.as_millis()).unwrap_or(u64::MAX),
            note,
        }
    }
}

/// A certificate that may be good after all is no reason to say that there is none.
fn outcome(selection: &Selection) -> SourceOutcome {
    let doubtful = selection.considered.iter().find(|one| one.is_temporary);
    match (&selection.chosen, doubtful) {
        (Some(_), _) => SourceOutcome::Found,
        (None, Some(doubtful)) => SourceOutcome::Unavailable(doubtful.reason.clone()),
        (None, None) => SourceOutcome::None,
    }
}

fn count(source: &str, outcome: &SourceOutcome, took: Duration) {
    let (source, outcome) = (source.to_owned(), outcome.as_str());
    histogram!("postern_lookup_seconds", "source" => source.clone()).record(took.as_secs_f64());
    counter!("postern_lookups_total", "source" => source, "outcome" => outcome).increment(1);
}

async fn ask(place: usize, source: &dyn Source, question: &Question) -> (usize, Reply) {
    let begun = Instant::now();
    let answer = source.find(&question.address).await;
    let took = begun.elapsed();
    (place, Reply { answer, took })
}
