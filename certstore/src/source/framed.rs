//! What every directory needs beside its protocol: a time limit, a limit on questions at once, a circuit breaker, and
//! metrics and log lines about all three.

use std::time::{Duration, Instant};

use policy::address::Address;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{info, warn};

use super::breaker::{Breaker, Turn};
use super::{Answer, Found, Source, SourceFailure};

/// How a directory is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one question may take, waiting for its turn included.
    pub timeout: Duration,
    /// Questions at once; further ones wait.
    pub concurrency: usize,
    /// Failures in a row after which the directory is left alone.
    pub failures: u32,
    /// How long it is left alone before it is tried again.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Less than a recipient may wait for the answer to RCPT, so that an outage is told there.
            timeout: Duration::from_secs(4),
            concurrency: 16,
            failures: 5,
            pause: Duration::from_secs(15),
        }
    }
}

/// A directory within its limits.
#[derive(Debug)]
pub struct Framed<S> {
    directory: S,
    limits: Limits,
    turns: Semaphore,
    breaker: Breaker,
}

impl<S: Source> Framed<S> {
    /// Puts `limits` around a directory.
    #[must_use]
    pub fn new(directory: S, limits: Limits) -> Self {
        Self {
            turns: Semaphore::new(limits.concurrency),
            breaker: Breaker::new(limits.failures, limits.pause, Instant::now()),
            directory,
            limits,
        }
    }

    async fn ask(&self, address: &Address) -> Result<Found, SourceFailure> {
        if !self.breaker.admits(Instant::now()) {
            self.count("left-alone");
            let after = self.limits.failures;
            return Err(SourceFailure(format!(
                "left alone after {after} failures in a row; it is tried again every {} s",
                self.limits.pause.as_secs()
            )));
        }
        let begun = Instant::now();
        let answer = timeout(self.limits.timeout, self.in_turn(address)).await;
        let answer = answer.unwrap_or_else(|_| {
            let seconds = self.limits.timeout.as_secs_f64();
            Err(SourceFailure(format!("no answer within {seconds} s")))
        });
        self.note(&answer, begun.elapsed());
        answer
    }

    async fn in_turn(&self, address: &Address) -> Result<Found, SourceFailure> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|closed| SourceFailure(closed.to_string()))?;
        self.directory.find(address).await
    }

    /// Tells breaker, metrics and log what came of a question.
    fn note(&self, answer: &Result<Found, SourceFailure>, took: Duration) {
        let name = self.directory.name();
        metrics::histogram!("postern_directory_seconds", "directory" => name.to_owned())
            .record(took.as_secs_f64());
        match answer {
            Ok(found) => {
                let is_none = found.candidates.is_empty() && found.associations.is_empty();
                self.count(if is_none { "none" } else { "found" });
                if self.breaker.succeeded() == Turn::Closed {
                    tell_up(name);
                }
            }
            Err(failure) => {
                self.count("unavailable");
                if self.breaker.failed(Instant::now()) == Turn::Opened {
                    tell_down(name, failure);
                }
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        let name = self.directory.name().to_owned();
        metrics::counter!("postern_directory_answers_total", "directory" => name, "outcome" => outcome)
            .increment(1);
    }
}

fn tell_down(name: &str, failure: &SourceFailure) {
    metrics::gauge!("postern_directory_down", "directory" => name.to_owned()).set(1.0);
    warn!(event = "directory.down", directory = name, reason = %failure, "directory is down");
}

fn tell_up(name: &str) {
    metrics::gauge!("postern_directory_down", "directory" => name.to_owned()).set(0.0);
    info!(
        event = "directory.up",
        directory = name,
        "directory answers again"
    );
}

impl<S: Source> Source for Framed<S> {
    fn name(&self) -> &str {
        self.directory.name()
    }

    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a> {
        Box::pin(self.ask(address))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::samples::address;

    /// A directory that takes its time, works or not, and counts who is inside at once.
    #[derive(Debug, Default)]
    struct Slow {
        works: AtomicBool,
        takes: Duration,
        asked: AtomicUsize,
        inside: AtomicUsize,
        most_inside: AtomicUsize,
    }

    impl Source for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        fn find<'a>(&'a self, _: &'a Address) -> Answer<'a> {
            Box::pin(async move {
                self.asked.fetch_add(1, Ordering::SeqCst);
                let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
                self.most_inside.fetch_max(inside, Ordering::SeqCst);
                tokio::time::sleep(self.takes).await;
                self.inside.fetch_sub(1, Ordering::SeqCst);
                if self.works.load(Ordering::SeqCst) {
                    Ok(Found::default())
                } else {
                    Err(SourceFailure("broken".to_owned()))
                }
            })
        }
    }

    fn framed(takes: Duration, limits: Limits) -> Framed<Slow> {
        let slow = Slow {
            takes,
            ..Slow::default()
        };
        Framed::new(slow, limits)
    }

    #[tokio::test]
    async fn a_directory_that_fails_is_left_alone_and_tried_again() {
        let limits = Limits {
            failures: 2,
            pause: Duration::from_millis(50),
            ..Limits::default()
        };
        let framed = framed(Duration::ZERO, limits);
        let alice = address("alice@example.org");
        for _ in 0..4 {
            framed.find(&alice).await.unwrap_err();
        }
        assert_eq!(framed.directory.asked.load(Ordering::SeqCst), 2);
        framed.directory.works.store(true, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(60)).await;
        framed.find(&alice).await.unwrap();
        framed.find(&alice).await.unwrap();
        assert_eq!(framed.directory.asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn no_question_takes_longer_than_it_may() {
        let limits = Limits {
            timeout: Duration::from_millis(20),
            ..Limits::default()
        };
        let framed = framed(Duration::from_secs(3600), limits);
        let failure = framed.find(&address("alice@example.org")).await;
        let expected = SourceFailure("no answer within 0.02 s".to_owned());
        assert_eq!(failure, Err(expected));
    }

    #[tokio::test]
    async fn no_more_questions_at_once_than_may_be() {
        let limits = Limits {
            concurrency: 3,
            failures: 1_000,
            ..Limits::default()
        };
        let framed = framed(Duration::from_millis(2), limits);
        let alice = address("alice@example.org");
        let all = (0..20).map(|_| framed.find(&alice));
        futures_util::future::join_all(all).await;
        assert_eq!(framed.directory.asked.load(Ordering::SeqCst), 20);
        assert_eq!(framed.directory.most_inside.load(Ordering::SeqCst), 3);
    }
}
