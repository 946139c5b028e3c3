//! The conditions of a rule, and whether they hold: yes, no, not known before the content is there, or not to be found
//! out at all.

mod addresses;
mod content;
mod cover;
mod gate;
mod session;
mod truth;
mod values;

#[cfg(test)]
mod tests;

use crate::facts::{Direction, Facts};
use crate::pattern::{NULL_SENDER, Pattern};
use crate::schedule::Period;

pub use addresses::{Addresses, NamedList};
pub use content::ContentCondition;
pub use gate::Gate;
pub use session::SessionCondition;
pub use truth::Truth;
pub use values::{Property, SizeRange, TlsKind};

/// What must hold for a rule to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The mail goes this way.
    Direction(Direction),
    /// The recipient is named.
    Recipient(Addresses),
    /// The sender is named; `<>` is one.
    Sender(Addresses),
    /// One of these matches a group of our user.
    Group(Vec<Pattern>),
    /// The session is so.
    Session(SessionCondition),
    /// The mail came in one of these periods.
    Time(Vec<Period>),
    /// The content is so.
    Content(ContentCondition),
    /// All hold; of none, all do.
    All(Vec<Self>),
    /// At least one holds; of none, none does.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

impl Condition {
    /// Whether it holds for what is known.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Direction(direction) => (*direction == facts.direction).into(),
            Self::Recipient(addresses) => addresses.matches(facts.recipient.canonical()).into(),
            Self::Sender(addresses) => {
                let sender = facts
                    .sender
                    .map_or(NULL_SENDER, |sender| sender.canonical());
                addresses.matches(sender).into()
            }
            Self::Group(patterns) => {
                let is_in =
                    |groups: &[String]| groups.iter().any(|group| any_matches(patterns, group));
                facts.groups.map(is_in).into()
            }
            Self::Session(condition) => facts
                .session
                .map(|session| condition.holds(&session))
                .into(),
            Self::Time(periods) => {
                let is_in = |moment| periods.iter().any(|period| period.contains(moment));
                facts.moment.map(is_in).into()
            }
            Self::All(conditions) => Truth::of_all(conditions.iter().map(|c| c.holds(facts))),
            Self::Any(conditions) => Truth::of_any(conditions.iter().map(|c| c.holds(facts))),
            Self::Not(condition) => condition.holds(facts).negated(),
            Self::Content(condition) => facts
                .content
                .map_or(Truth::NotYet, |content| condition.holds(&content)),
        }
    }

    /// The subject's patterns that it asks for, those under `not` left out.
    #[must_use]
    pub fn subject_patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Content(ContentCondition::Subject(patterns)) => patterns.iter().collect(),
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().flat_map(Self::subject_patterns).collect()
            }
            Self::Direction(_)
            | Self::Recipient(_)
            | Self::Sender(_)
            | Self::Group(_)
            | Self::Session(_)
            | Self::Time(_)
            | Self::Content(_)
            | Self::Not(_) => Vec::new(),
        }
    }
}

fn any_matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

/// Whether each of `narrow` is covered by one of `wide`.
fn each_in_one<T>(narrow: &[T], wide: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    narrow
        .iter()
        .all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
}
