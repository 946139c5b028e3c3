//! A quick no. Most rules of a large policy are for other domains or the other direction; a gate turns mail away from
//! them by two comparisons, without walking through their conditions.
//!
//! A gate that opens says nothing: the conditions decide.

use super::Condition;
use crate::facts::{Direction, Facts};
use crate::pattern::Pattern;

/// Sets of directions and of domains: what the mail has, or what a condition can be met by.
///
/// The domains are a set of 64 bits, one for each hash: different domains may share a bit, so that a gate opens too
/// often, but never too seldom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    directions: u8,
    domains: u64,
}

impl Gate {
    const OPEN: Self = Self {
        directions: u8::MAX,
        domains: u64::MAX,
    };
    const CLOSED: Self = Self {
        directions: 0,
        domains: 0,
    };

    /// What mail needs to have for a condition to hold, or not to be known yet.
    #[must_use]
    pub fn of_condition(condition: &Condition) -> Self {
        match condition {
            Condition::Direction(direction) => Self {
                directions: bit_of_direction(*direction),
                ..Self::OPEN
            },
            Condition::Recipient(addresses) => Self {
                domains: addresses
                    .patterns()
                    .map(bits_of_pattern)
                    .fold(0, |a, b| a | b),
                ..Self::OPEN
            },
            Condition::All(all) => all
                .iter()
                .map(Self::of_condition)
                .fold(Self::OPEN, Self::narrower),
            Condition::Any(any) => any
                .iter()
                .map(Self::of_condition)
                .fold(Self::CLOSED, Self::union),
            Condition::Sender(_)
            | Condition::Group(_)
            | Condition::Session(_)
            | Condition::Time(_)
            | Condition::Content(_)
            | Condition::Not(_) => Self::OPEN,
        }
    }

    /// What mail has: its direction, and the domain of its recipient with every domain above it.
    #[must_use]
    pub fn of_mail(facts: &Facts<'_>) -> Self {
        let mut domains = 0;
        let mut hash = Hash::default();
        for byte in facts.recipient.domain().bytes().rev() {
            if byte == b'.' {
                domains |= hash.bit();
            }
            hash.add(byte);
        }
        Self {
            directions: bit_of_direction(facts.direction),
            domains: domains | hash.bit(),
        }
    }

    /// Whether this condition may hold for that mail.
    #[must_use]
    pub const fn opens_for(self, mail: Self) -> bool {
        self.directions & mail.directions != 0 && self.domains & mail.domains != 0
    }

    const fn union(self, other: Self) -> Self {
        Self {
            directions: self.directions | other.directions,
            domains: self.domains | other.domains,
        }
    }

    /// Both must open. Bits of domains cannot say so: mail to a sub-domain has several. The smaller set stands for both.
    const fn narrower(self, other: Self) -> Self {
        Self {
            directions: self.directions & other.directions,
            domains: if self.domains.count_ones() <= other.domains.count_ones() {
                self.domains
            } else {
                other.domains
            },
        }
    }
}

const fn bit_of_direction(direction: Direction) -> u8 {
    match direction {
        Direction::Inbound => 1,
        Direction::Outbound => 2,
    }
}

fn bits_of_pattern(pattern: &Pattern) -> u64 {
    let Some(domain) = pattern.fixed_domain() else {
        return u64::MAX;
    };
    let mut hash = Hash::default();
    domain.bytes().rev().for_each(|byte| hash.add(byte));
    hash.bit()
}

/// FNV-1a, from the last byte to the first, so that one pass meets every domain above.
struct Hash(u64);

impl Hash {
    const fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3);
    }

    /// The last byte alone hardly moves the high bits of FNV; a second multiplication spreads it.
    const fn bit(&self) -> u64 {
        1 << (self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}
