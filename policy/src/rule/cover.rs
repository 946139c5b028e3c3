//! Whether one condition holds wherever another does, as far as that shows from how they are written.
//!
//! Never wrong when it says yes; a no may only mean that it does not see it.

use super::Condition;
use crate::facts::Direction;
use crate::pattern::Pattern;

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
            (Self::Sender(own), Self::Sender(wide))
            | (Self::Recipient(own), Self::Recipient(wide))
            | (Self::Subject(own), Self::Subject(wide)) => covers(wide, own),
            (Self::Header(name, own), Self::Header(wide_name, wide)) => {
                name.eq_ignore_ascii_case(wide_name) && covers(wide, own)
            }
            (_, Self::Sender(wide) | Self::Recipient(wide) | Self::Subject(wide)) => {
                wide.iter().any(Pattern::matches_all)
            }
            (Self::Not(own), Self::Not(wide)) if wide.implies(own, direction) => true,
            (_, Self::Not(wide)) => !wide.may_hold(direction),
            (_, Self::Header(..)) => false,
        }
    }
}

/// Whether each narrow pattern is covered by a wide one.
fn covers(wide: &[Pattern], narrow: &[Pattern]) -> bool {
    narrow
        .iter()
        .all(|narrow| wide.iter().any(|wide| wide.covers(narrow)))
}
