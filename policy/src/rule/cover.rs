//! Whether one condition holds wherever another does, as far as that shows from how they are written.
//!
//! Never wrong when it says yes; a no may only mean that it does not see it.

use super::{Condition, each_in_one};
use crate::facts::Direction;
use crate::pattern::Pattern;
use crate::schedule::Period;

const EVERYTHING: Condition = Condition::All(Vec::new());
const NOTHING: Condition = Condition::Any(Vec::new());

impl Condition {
    /// Whether it can hold for mail that goes this way; yes if in doubt.
    #[must_use]
    pub fn may_hold(&self, direction: Direction) -> bool {
        !self.implies(&NOTHING, direction)
    }

    /// Whether `wide` surely holds for all mail that goes this way and that this condition holds for.
    #[must_use]
    pub fn implies(&self, wide: &Self, direction: Direction) -> bool {
        match (self, wide) {
            // What never holds implies all.
            (Self::Direction(own), _) if *own != direction => true,
            (Self::Not(own), _) if EVERYTHING.implies(own, direction) => true,
            (Self::Any(own), _) => own.iter().all(|own| own.implies(wide, direction)),
            (_, Self::All(wide)) => wide.iter().all(|wide| self.implies(wide, direction)),
            (Self::All(own), _) if own.iter().any(|own| own.implies(wide, direction)) => true,
            (_, Self::Any(wide)) => wide.iter().any(|wide| self.implies(wide, direction)),
            (_, Self::Direction(wide)) => *wide == direction,
            (Self::Not(own), Self::Not(wide)) if wide.implies(own, direction) => true,
            (_, Self::Not(wide)) => !wide.may_hold(direction),
            _ => wide.always_holds() || self.is_narrower(wide),
        }
    }

    fn always_holds(&self) -> bool {
        match self {
            Self::Sender(wide) | Self::Recipient(wide) => wide.matches_all(),
            Self::Content(wide) => wide.always_holds(),
            Self::Direction(_)
            | Self::Group(_)
            | Self::Session(_)
            | Self::Time(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Not(_) => false,
        }
    }

    /// Whether both look at the same thing, and `wide` takes all that this one takes.
    fn is_narrower(&self, wide: &Self) -> bool {
        match (self, wide) {
            (Self::Sender(own), Self::Sender(wide))
            | (Self::Recipient(own), Self::Recipient(wide)) => wide.covers(own),
            (Self::Group(own), Self::Group(wide)) => each_in_one(own, wide, Pattern::covers),
            (Self::Session(own), Self::Session(wide)) => own.is_narrower(wide),
            (Self::Time(own), Self::Time(wide)) => each_in_one(own, wide, Period::covers),
            (Self::Content(own), Self::Content(wide)) => own.is_narrower(wide),
            _ => false,
        }
    }
}
