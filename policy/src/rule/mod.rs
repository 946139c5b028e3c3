//! The conditions of a rule, and whether they hold: yes, no, or not known before the content is there.

mod cover;
mod gate;

#[cfg(test)]
mod tests;

use crate::facts::{Content, Direction, Facts};
use crate::pattern::{NULL_SENDER, Pattern};

pub use gate::Gate;

/// What must hold for a rule to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The mail goes this way.
    Direction(Direction),
    /// One of these matches the sender.
    Sender(Vec<Pattern>),
    /// One of these matches the recipient.
    Recipient(Vec<Pattern>),
    /// One of these matches the subject; without a subject it is the empty text.
    Subject(Vec<Pattern>),
    /// One of these matches a header field of this name; without such a field none does.
    Header(String, Vec<Pattern>),
    /// All hold; of none, all do.
    All(Vec<Self>),
    /// At least one holds; of none, none does.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not, whatever else becomes known.
    No,
    /// That depends on the content, which is not there yet.
    NotYet,
    /// It does, whatever else becomes known.
    Yes,
}

impl Condition {
    /// Whether it holds for what is known.
    #[must_use]
    pub fn holds(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::Direction(direction) => Truth::from(*direction == facts.direction),
            Self::Sender(patterns) => {
                let sender = facts
                    .sender
                    .map_or(NULL_SENDER, |sender| sender.canonical());
                any_matches(patterns, sender).into()
            }
            Self::Recipient(patterns) => any_matches(patterns, facts.recipient.canonical()).into(),
            Self::Subject(patterns) => from_content(facts, |content| {
                any_matches(patterns, content.subject.unwrap_or_default())
            }),
            Self::Header(name, patterns) => from_content(facts, |content| {
                content.headers.iter().any(|(field, value)| {
                    field.eq_ignore_ascii_case(name) && any_matches(patterns, value)
                })
            }),
            Self::All(conditions) => all_hold(conditions, facts),
            Self::Any(conditions) => any_holds(conditions, facts),
            Self::Not(condition) => condition.holds(facts).negated(),
        }
    }

    /// The subject's patterns that it asks for, those under `not` left out.
    #[must_use]
    pub fn subject_patterns(&self) -> Vec<&Pattern> {
        match self {
            Self::Subject(patterns) => patterns.iter().collect(),
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().flat_map(Self::subject_patterns).collect()
            }
            Self::Direction(_)
            | Self::Sender(_)
            | Self::Recipient(_)
            | Self::Header(..)
            | Self::Not(_) => Vec::new(),
        }
    }
}

impl Truth {
    const fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::NotYet => Self::NotYet,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Yes } else { Self::No }
    }
}

fn any_matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

fn from_content(facts: &Facts<'_>, look: impl FnOnce(Content<'_>) -> bool) -> Truth {
    facts
        .content
        .map_or(Truth::NotYet, |content| look(content).into())
}

/// The least true of all.
fn all_hold(conditions: &[Condition], facts: &Facts<'_>) -> Truth {
    let mut truth = Truth::Yes;
    for condition in conditions {
        truth = truth.min(condition.holds(facts));
        if truth == Truth::No {
            break;
        }
    }
    truth
}

/// The most true of all.
fn any_holds(conditions: &[Condition], facts: &Facts<'_>) -> Truth {
    let mut truth = Truth::No;
    for condition in conditions {
        truth = truth.max(condition.holds(facts));
        if truth == Truth::Yes {
            break;
        }
    }
    truth
}
