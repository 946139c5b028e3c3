//! A circuit breaker: a directory that failed several times in a row is left alone for a while.
//!
//! Closed, it lets everybody through. Open, nobody, until a pause is over; then one question is a trial, and its outcome
//! closes the breaker or opens it again. It keeps no time of its own: callers say what time it is.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// State of one directory. All of it is atomic: no question waits for another here.
#[derive(Debug)]
pub(super) struct Breaker {
    /// What all times below are relative to.
    epoch: Instant,
    failures: AtomicU32,
    /// Milliseconds after `epoch` at which the next trial may be made; meaningful while open.
    next_trial: AtomicU64,
    threshold: u32,
    pause: Duration,
}

/// What an outcome changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Same,
    /// The directory counts as down from now on.
    Opened,
    /// It works again.
    Closed,
}

impl Breaker {
    /// Opens after `threshold` failures in a row, for `pause`.
    pub(super) fn new(threshold: u32, pause: Duration, now: Instant) -> Self {
        Self {
            epoch: now,
            failures: AtomicU32::new(0),
            next_trial: AtomicU64::new(0),
            threshold,
            pause,
        }
    }

    /// Whether a question may be asked now. While open, a yes makes the asker the one trial of this pause.
    pub(super) fn admits(&self, now: Instant) -> bool {
        if self.failures.load(Ordering::SeqCst) < self.threshold {
            return true;
        }
        let now = self.since_epoch(now);
        let due = self.next_trial.load(Ordering::SeqCst);
        // Whoever moves the time of the next trial makes this one. If it never ends, the next one comes all the same.
        now >= due
            && self
                .next_trial
                .compare_exchange(
                    due,
                    now.saturating_add(self.pause_length()),
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                )
                .is_ok()
    }

    /// It gave an answer.
    pub(super) fn succeeded(&self) -> Turn {
        if self.failures.swap(0, Ordering::SeqCst) >= self.threshold {
            Turn::Closed
        } else {
            Turn::Same
        }
    }

    /// It gave none.
    pub(super) fn failed(&self, now: Instant) -> Turn {
        let next = self.since_epoch(now).saturating_add(self.pause_length());
        self.next_trial.store(next, Ordering::SeqCst);
        if self.failures.fetch_add(1, Ordering::SeqCst) + 1 == self.threshold {
            Turn::Opened
        } else {
            Turn::Same
        }
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        milliseconds(now.saturating_duration_since(self.epoch))
    }

    fn pause_length(&self) -> u64 {
        milliseconds(self.pause)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_tries_once_a_pause_and_closes() {
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let breaker = Breaker::new(3, Duration::from_secs(10), start);
        assert_eq!(breaker.failed(second(0)), Turn::Same);
        assert_eq!(breaker.failed(second(0)), Turn::Same);
        assert!(breaker.admits(second(0)), "two failures are not enough");
        assert_eq!(breaker.failed(second(1)), Turn::Opened);
        assert!(!breaker.admits(second(2)));
        assert!(breaker.admits(second(11)), "the trial");
        assert!(!breaker.admits(second(12)), "one trial at a time");
        assert_eq!(breaker.failed(second(13)), Turn::Same);
        assert!(!breaker.admits(second(22)));
        assert!(breaker.admits(second(23)));
        // A trial that was given up midway does not keep the breaker open for ever.
        assert!(breaker.admits(second(33)));
        assert_eq!(breaker.succeeded(), Turn::Closed);
        assert!(breaker.admits(second(33)));
        assert_eq!(breaker.succeeded(), Turn::Same);
    }

    #[test]
    fn an_answer_between_failures_starts_the_count_anew() {
        let start = Instant::now();
        let breaker = Breaker::new(2, Duration::from_secs(10), start);
        for _ in 0..5 {
            assert_eq!(breaker.failed(start), Turn::Same);
            assert_eq!(breaker.succeeded(), Turn::Same);
        }
        assert!(breaker.admits(start));
    }
}
