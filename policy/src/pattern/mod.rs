//! Patterns of rules: `*` for any text, `?` for any one character, every other character for itself, a bracket too;
//! or `~/…/` for a regular expression (syntax of the `regex` crate), which may match anywhere.
//!
//! ASCII case never counts; in a regular expression the case of other letters does not count either. Matching takes
//! time in proportion to the text, whatever the text.

mod addresses;
mod glob;

#[cfg(test)]
mod tests;

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::address::{Address, AddressError, canonical_domain};
use glob::{Glob, Reach};

pub use addresses::AddressSet;

/// Longest pattern, in bytes.
const LONGEST: usize = 1_000;
/// Most memory of one compiled regular expression, in bytes.
const LARGEST_EXPRESSION: usize = 1 << 20;
/// What stands for the sender of a message that has none.
pub const NULL_SENDER: &str = "<>";

/// A pattern that texts or addresses are matched with. Equal if it is written alike.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    Glob(Glob),
    Expression(Regex),
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has this many bytes.
    #[error("it has {0} bytes, more than the {LONGEST} that are allowed")]
    TooLong(usize),
    /// `~/` without the closing `/`, or nothing between.
    #[error("a regular expression is written ~/…/")]
    Unclosed,
    /// It is no regular expression, or one that needs too much memory.
    #[error("the regular expression is wrong: {0}")]
    Expression(String),
    /// No address matches it, since it has neither `@` nor a wildcard.
    #[error("an address has an @; all addresses of a domain are *@{0}")]
    NoAt(String),
    /// It has no wildcard and is no address.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// No address has white space outside of quotes.
    #[error("no address has white space outside of quotes")]
    Space,
    /// A label of the domain that has wildcards and letters beyond ASCII.
    #[error(
        "a wildcard cannot be in one label with letters beyond ASCII; write {0:?} as its xn-- form"
    )]
    WildLabel(String),
}

impl Pattern {
    /// A pattern for any text.
    ///
    /// # Errors
    /// [`PatternError`], if it is too long or no regular expression.
    pub fn text(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > LONGEST {
            return Err(PatternError::TooLong(pattern.len()));
        }
        let matcher = match pattern.strip_prefix("~/") {
            Some(rest) => Matcher::Expression(expression(rest)?),
            None => Matcher::Glob(Glob::new(pattern)),
        };
        Ok(Self { matcher })
    }

    /// A pattern for the canonical form of addresses: domains may be written in Unicode, quotes needlessly.
    ///
    /// # Errors
    /// [`PatternError`], also if no address can match it.
    pub fn address(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > LONGEST || pattern.starts_with("~/") {
            return Self::text(pattern);
        }
        if !pattern.contains(['*', '?']) {
            return match Address::parse(pattern) {
                Ok(address) => Self::text(address.canonical()),
                Err(AddressError::NoDomain) => Err(PatternError::NoAt(pattern.to_owned())),
                Err(error) => Err(error.into()),
            };
        }
        if pattern.contains(char::is_whitespace) && !pattern.contains('"') {
            return Err(PatternError::Space);
        }
        match pattern.rsplit_once('@') {
            Some((local_part, domain)) if !domain.is_ascii() => {
                Self::text(&format!("{local_part}@{}", domain_of_labels(domain)?))
            }
            _ => Self::text(pattern),
        }
    }

    /// As [`Self::address`], and `<>` for mail without a sender.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn sender(pattern: &str) -> Result<Self, PatternError> {
        if pattern == NULL_SENDER {
            return Self::text(pattern);
        }
        Self::address(pattern)
    }

    /// Whether it matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.matches(text),
            Matcher::Expression(expression) => expression.is_match(text),
        }
    }

    /// If it matches: what stands before and after the first text that it spells out.
    #[must_use]
    pub fn around<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str)> {
        match &self.matcher {
            Matcher::Glob(glob) => glob.around(text),
            Matcher::Expression(expression) => {
                let found = expression.find(text)?;
                Some((text.get(..found.start())?, text.get(found.end()..)?))
            }
        }
    }

    /// Whether it spells out any text, so that [`Self::around`] can find it.
    #[must_use]
    pub fn spells_out(&self) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.spells_out(),
            Matcher::Expression(_) => true,
        }
    }

    /// A domain that every address it matches lies in or under, if it spells one out.
    #[must_use]
    pub fn fixed_domain(&self) -> Option<&str> {
        match &self.matcher {
            Matcher::Glob(glob) => glob.fixed_domain(),
            Matcher::Expression(_) => None,
        }
    }

    /// The domain of every address that it matches, if it spells one out.
    fn exact_domain(&self) -> Option<&str> {
        match &self.matcher {
            Matcher::Glob(glob) => glob.exact_domain(),
            Matcher::Expression(_) => None,
        }
    }

    /// The addresses that it matches, if they are one, or those of one domain, or of everything below one.
    fn reach(&self) -> Option<Reach<'_>> {
        match &self.matcher {
            Matcher::Glob(glob) => glob.reach(),
            Matcher::Expression(_) => None,
        }
    }

    /// Whether it is nothing but stars, so that every text matches.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.matches_all(),
            Matcher::Expression(_) => false,
        }
    }

    /// Whether it surely matches every text that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.matcher, &other.matcher) {
            (Matcher::Glob(wide), Matcher::Glob(narrow)) => wide.covers(narrow),
            (Matcher::Glob(_), Matcher::Expression(_)) => self.matches_all(),
            (Matcher::Expression(wide), Matcher::Glob(narrow)) => {
                narrow.only_text().is_some_and(|text| wide.is_match(text))
            }
            (Matcher::Expression(wide), Matcher::Expression(narrow)) => {
                wide.as_str() == narrow.as_str()
            }
        }
    }
}

/// As it can be written again: in lower case, addresses in canonical form.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.matcher {
            Matcher::Glob(glob) => f.write_str(glob.text()),
            Matcher::Expression(expression) => write!(f, "~/{}/", expression.as_str()),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (&self.matcher, &other.matcher) {
            (Matcher::Glob(one), Matcher::Glob(another)) => one == another,
            (Matcher::Expression(one), Matcher::Expression(another)) => {
                one.as_str() == another.as_str()
            }
            _ => false,
        }
    }
}

impl Eq for Pattern {}

fn expression(rest: &str) -> Result<Regex, PatternError> {
    let inner = rest.strip_suffix('/').ok_or(PatternError::Unclosed)?;
    if inner.is_empty() {
        return Err(PatternError::Unclosed);
    }
    RegexBuilder::new(inner)
        .case_insensitive(true)
        .size_limit(LARGEST_EXPRESSION)
        .dfa_size_limit(LARGEST_EXPRESSION)
        .nest_limit(50)
        .build()
        .map_err(|error| {
            // The crate draws a picture over several lines; the last one says it in words.
            let text = error.to_string();
            let words = text.lines().last().unwrap_or_default();
            PatternError::Expression(words.trim_start_matches("error: ").to_owned())
        })
}

/// Each label without wildcards in canonical form.
fn domain_of_labels(domain: &str) -> Result<String, PatternError> {
    let mut labels = Vec::new();
    for label in domain.split('.') {
        labels.push(match label {
            _ if label.is_ascii() => label.to_owned(),
            _ if label.contains(['*', '?']) => {
                return Err(PatternError::WildLabel(label.to_owned()));
            }
            _ => canonical_domain(label)?,
        });
    }
    Ok(labels.join("."))
}
