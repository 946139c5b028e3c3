//! When mail that was deferred is tried again, and when it is given up. Pure.

use std::time::{Duration, SystemTime};

use crate::config::DeliveryConfig;

/// How long an unreachable next hop is left alone at first, and at most.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);

/// The configured patience.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    first: Duration,
    longest: Duration,
    expire: Duration,
}

impl Schedule {
    pub(super) const fn new(config: &DeliveryConfig) -> Self {
        Self {
            first: config.retry_first,
            longest: config.retry_longest,
            expire: config.expire,
        }
    }

    /// How long to wait after `attempts` attempts: doubling, up to the longest, and by `chance` up to an eighth more or less,
    /// so that what failed together does not come back together.
    pub(super) fn wait(&self, attempts: u32, chance: u32) -> Duration {
        let wait = doubled(self.first, attempts.saturating_sub(1), self.longest);
        let jitter = wait.mul_f64(f64::from(chance) / f64::from(u32::MAX) / 4.0);
        wait - wait / 8 + jitter
    }

    /// When a message stored at `stored` is tried after `attempts` attempts: after the wait, but once at its end.
    pub(super) fn retry_at(
        &self,
        now: SystemTime,
        stored: SystemTime,
        attempts: u32,
        chance: u32,
    ) -> SystemTime {
        let next = now + self.wait(attempts, chance);
        next.min((stored + self.expire).max(now))
    }

    /// Whether a message stored at `stored` is given up if it cannot be delivered now.
    pub(super) fn is_expired(&self, now: SystemTime, stored: SystemTime) -> bool {
        stored + self.expire <= now
    }
}

/// How long a next hop is left alone after it could not be reached `failures` times in a row.
pub(super) fn pause(failures: u32) -> Duration {
    doubled(PAUSE_FIRST, failures.saturating_sub(1), PAUSE_LONGEST)
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
    first.checked_mul(factor).unwrap_or(longest).min(longest)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const SCHEDULE: Schedule = Schedule {
        first: Duration::from_secs(64),
        longest: Duration::from_secs(3600),
        expire: Duration::from_secs(86_400),
    };

    #[test]
    fn waits_double_up_to_the_longest() {
        for (attempts, seconds) in [
            (0, 64),
            (1, 64),
            (2, 128),
            (6, 2048),
            (7, 3600),
            (40, 3600),
            (u32::MAX, 3600),
        ] {
            let middle = Duration::from_secs(seconds);
            assert_eq!(SCHEDULE.wait(attempts, 0), middle - middle / 8);
            let most = SCHEDULE.wait(attempts, u32::MAX);
            assert!(most <= middle + middle / 8 && most > middle, "{attempts}");
        }
    }

    #[test]
    fn the_last_try_is_at_the_end() {
        let stored = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let end = stored + SCHEDULE.expire;
        let before = end - Duration::from_secs(10);
        assert_eq!(SCHEDULE.retry_at(before, stored, 9, 0), end);
        assert!(!SCHEDULE.is_expired(before, stored));
        assert!(SCHEDULE.is_expired(end, stored));
        // Long after the end, as when the gateway was off: now, not in the past.
        let late = end + Duration::from_secs(500);
        assert_eq!(SCHEDULE.retry_at(late, stored, 9, 0), late);
    }

    #[test]
    fn pauses_stay_short() {
        for (failures, seconds) in [(1, 1), (2, 2), (6, 32), (7, 60), (1000, 60)] {
            assert_eq!(pause(failures), Duration::from_secs(seconds));
        }
    }
}
