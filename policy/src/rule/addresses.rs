//! Whom a condition names: patterns of its own, and lists that several rules share.

use std::sync::Arc;

use crate::pattern::{AddressSet, Pattern};

/// Addresses; one of the patterns or of the lists must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    own: AddressSet,
    lists: Vec<Arc<NamedList>>,
}

/// One entry of `[lists]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedList {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub addresses: AddressSet,
}

impl Addresses {
    /// These patterns and lists.
    #[must_use]
    pub fn new(patterns: Vec<Pattern>, lists: Vec<Arc<NamedList>>) -> Self {
        Self {
            own: AddressSet::new(patterns),
            lists,
        }
    }

    /// Whether an address in canonical form, or `<>`, is named.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        self.own.matches(address)
            || self
                .lists
                .iter()
                .any(|list| list.addresses.matches(address))
    }

    /// Whether they surely name everybody whom `other` names.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.sets_of(other)
            .all(|narrow| self.sets().any(|wide| wide.covers(narrow)))
    }

    /// Whether they surely name everybody.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        self.sets().any(AddressSet::matches_all)
    }

    /// The patterns that stand in the rule itself.
    #[must_use]
    pub fn own(&self) -> &[Pattern] {
        self.own.patterns()
    }

    /// The lists.
    #[must_use]
    pub fn lists(&self) -> &[Arc<NamedList>] {
        &self.lists
    }

    /// All patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.sets().flat_map(AddressSet::patterns)
    }

    fn sets(&self) -> impl Iterator<Item = &AddressSet> {
        std::iter::once(&self.own).chain(self.lists.iter().map(|list| &list.addresses))
    }

    /// Those of `other`, without lists that are here too.
    fn sets_of<'o>(&'o self, other: &'o Self) -> impl Iterator<Item = &'o AddressSet> {
        let is_shared = |set: &&AddressSet| !self.sets().any(|own| std::ptr::eq(own, *set));
        other.sets().filter(is_shared)
    }
}
