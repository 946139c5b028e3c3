//! Whether something holds: yes, no, not before the content is there, or not to be found out.

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It does not, whatever else becomes known.
    No,
    /// Nobody could find out.
    Unavailable,
    /// That depends on the content, which is not there yet.
    NotYet,
    /// It does, whatever else becomes known.
    Yes,
}

impl Truth {
    /// Whether the opposite holds. What is not known stays so.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unavailable | Self::NotYet => self,
            Self::Yes => Self::No,
        }
    }

    /// Whether all hold; those after the first that does not are not asked. The content may still say no, so that to
    /// wait for it weighs more than what was not found out.
    pub(super) fn of_all(truths: impl Iterator<Item = Self>) -> Self {
        Self::decided_by(Self::No, truths)
    }

    /// Whether one holds at least; those after the first that does are not asked.
    pub(super) fn of_any(truths: impl Iterator<Item = Self>) -> Self {
        Self::decided_by(Self::Yes, truths)
    }

    fn decided_by(decisive: Self, mut truths: impl Iterator<Item = Self>) -> Self {
        let mut undecided = decisive.negated();
        for truth in &mut truths {
            match truth {
                _ if truth == decisive => return decisive,
                Self::NotYet => undecided = Self::NotYet,
                Self::Unavailable if undecided != Self::NotYet => undecided = Self::Unavailable,
                Self::Unavailable | Self::No | Self::Yes => {}
            }
        }
        undecided
    }
}

impl From<bool> for Truth {
    fn from(is_true: bool) -> Self {
        if is_true { Self::Yes } else { Self::No }
    }
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        known.map_or(Self::Unavailable, Self::from)
    }
}
