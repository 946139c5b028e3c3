//! Many patterns of addresses, asked at once: whole addresses, domains and everything below a domain cost one hash each,
//! however many there are.

use std::collections::HashSet;

use super::Pattern;
use super::glob::Reach;

/// So many patterns are asked one by one faster than they are hashed.
const FEW: usize = 4;

/// Patterns of addresses; one of them must match. Equal if it holds the same patterns in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSet {
    patterns: Vec<Pattern>,
    index: Option<Box<Index>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Index {
    addresses: HashSet<Box<str>>,
    domains: HashSet<Box<str>>,
    /// Domains that what lies below matches.
    above: HashSet<Box<str>>,
    /// What can only be tried.
    others: Vec<Pattern>,
}

impl AddressSet {
    /// A set of patterns that [`Pattern::address`] or [`Pattern::sender`] made.
    #[must_use]
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let index = (patterns.len() > FEW).then(|| Box::new(Index::new(&patterns)));
        Self { patterns, index }
    }

    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether one of them matches an address in canonical form, or `<>`.
    #[must_use]
    pub fn matches(&self, address: &str) -> bool {
        match &self.index {
            Some(index) => index.matches(address),
            None => self.patterns.iter().any(|pattern| pattern.matches(address)),
        }
    }

    /// Whether they surely match every address that `other` does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other
            .patterns
            .iter()
            .all(|pattern| self.covers_one(pattern))
    }

    /// Whether one of them surely matches every address.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        match &self.index {
            Some(index) => index.others.iter().any(Pattern::matches_all),
            None => self.patterns.iter().any(Pattern::matches_all),
        }
    }

    fn covers_one(&self, narrow: &Pattern) -> bool {
        match &self.index {
            Some(index) => index.covers(narrow),
            None => self.patterns.iter().any(|pattern| pattern.covers(narrow)),
        }
    }
}

impl Index {
    fn new(patterns: &[Pattern]) -> Self {
        let mut index = Self::default();
        for pattern in patterns {
            let (set, text) = match pattern.reach() {
                Some(Reach::Address(address)) => (&mut index.addresses, address),
                Some(Reach::Domain(domain)) => (&mut index.domains, domain),
                Some(Reach::Below(domain)) => (&mut index.above, domain),
                None => {
                    index.others.push(pattern.clone());
                    continue;
                }
            };
            set.insert(text.into());
        }
        index
    }

    fn matches(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        self.addresses.contains(address)
            || domain.is_some_and(|domain| self.holds_domain(domain))
            || self.others.iter().any(|pattern| pattern.matches(address))
    }

    fn holds_domain(&self, domain: &str) -> bool {
        self.domains.contains(domain) || self.is_below(domain)
    }

    fn is_below(&self, domain: &str) -> bool {
        !self.above.is_empty() && above(domain).any(|above| self.above.contains(above))
    }

    fn covers(&self, narrow: &Pattern) -> bool {
        let is_held = match narrow.reach() {
            Some(Reach::Address(address)) => return self.matches(address),
            Some(Reach::Domain(domain)) => self.holds_domain(domain),
            Some(Reach::Below(domain)) => self.above.contains(domain) || self.is_below(domain),
            None => {
                narrow
                    .exact_domain()
                    .is_some_and(|domain| self.holds_domain(domain))
                    || narrow
                        .fixed_domain()
                        .is_some_and(|domain| self.is_below(domain))
            }
        };
        is_held || self.others.iter().any(|pattern| pattern.covers(narrow))
    }
}

/// Every domain above this one.
fn above(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| {
        domain.split_once('.').map(|(_, above)| above)
    })
    .skip(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        let parse = |text: &&str| Pattern::sender(text).unwrap();
        texts.iter().map(parse).collect()
    }

    fn text() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "<>",
            "a@x",
            "b@x",
            "*@x",
            "*@*.x",
            "*.x",
            "*@y.x",
            "*@*.y.x",
            "?@x",
            "a*",
            "*",
            "~/^b@/",
            "\"a@y\"@x",
            "*@\"x\"",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn an_index_says_what_the_patterns_say(
            texts in prop::collection::vec(text(), 0..8),
            narrow in prop::collection::vec(text(), 0..3),
            address in prop::sample::select(vec!["<>", "a@x", "b@x", "c@y.x", "a@z.y.x", "a@y", "\"a@y\"@x"]),
        ) {
            let patterns = patterns(&texts);
            let indexed = AddressSet { index: Some(Box::new(Index::new(&patterns))), patterns };
            let plain = AddressSet { index: None, ..indexed.clone() };
            prop_assert_eq!(indexed.matches(address), plain.matches(address));
            prop_assert_eq!(indexed.matches_all(), plain.matches_all());
            let narrow = AddressSet::new(self::patterns(&narrow));
            if indexed.covers(&narrow) && narrow.matches(address) {
                prop_assert!(plain.matches(address));
            }
            prop_assert!(!plain.covers(&narrow) || indexed.covers(&narrow));
        }
    }

    #[test]
    fn a_hundred_thousand_entries_cost_a_hash() {
        let texts: Vec<String> = (0..100_000).map(|n| format!("*@d{n}.example")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let set = AddressSet::new(patterns(&texts));
        let start = std::time::Instant::now();
        for _ in 0..1_000 {
            assert!(set.matches("bob@d99999.example") && !set.matches("bob@other.example"));
        }
        assert!(set.covers(&set.clone()));
        // One by one it would be a hundred million comparisons.
        assert!(start.elapsed() < std::time::Duration::from_secs(2));
    }
}
