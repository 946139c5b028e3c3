//! From policy files to a policy that can be used: every mistake in all files at once.
//!
//! What compiles is sound: no rule both demands encryption and lets mail go in clear, no rule is hidden behind another,
//! and every name that a test or an order uses exists. Left out: reading the files, and asking the policy.

mod condition;
mod expectation;
mod orders;
mod reach;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::address::Address;
use crate::decision::Decision;
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place, Source};
use crate::facts::Direction;
use crate::rule::{Condition, Gate};
use crate::syntax;

/// A policy without mistakes: rules in order, the first that matches decides.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<Test>,
}

/// What a policy may refer to outside of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompileOptions<'o> {
    /// The names of the profiles of algorithms.
    pub profiles: &'o [&'o str],
}

/// One rule: when it matches, and what it orders then.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) gate: Gate,
    pub(crate) condition: Condition,
    /// Apart, so that asking many rules reads little memory.
    pub(crate) decision: Box<Decision>,
}

/// One `[[test]]`: mail, and what must be decided for it.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) sender: Option<Address>,
    /// None if it follows from each recipient's domain.
    pub(crate) direction: Option<Direction>,
    pub(crate) subject: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) expect: Vec<Expectation>,
}

/// What must be decided for one recipient; what is none is not looked at.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) recipient: Address,
    pub(crate) rule: Option<String>,
    pub(crate) refused: Option<bool>,
    /// Keys of orders and the words expected there.
    pub(crate) orders: Vec<(&'static str, String)>,
}

impl Policy {
    /// Makes a policy of its files, in order; also gives the warnings.
    ///
    /// # Errors
    /// Everything that was found in any file, if any of it is an error.
    pub fn compile(
        files: &[Source],
        options: &CompileOptions<'_>,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let diagnostics = Diagnostics::default();
        let written: Vec<_> = files
            .iter()
            .filter_map(|file| syntax::read(file, &diagnostics))
            .collect();
        let names = names(&written, &diagnostics);
        let rules = written.iter().flat_map(|file| &file.rules);
        let mut compiled = Vec::new();
        for rule in rules {
            let condition = condition::compile(rule.when.as_ref(), &diagnostics);
            let decision = Box::new(orders::compile(rule, &condition, options, &diagnostics));
            let place = rule.place;
            let value = Rule {
                gate: Gate::of_condition(&condition),
                condition,
                decision,
            };
            compiled.push(Located { value, place });
        }
        let tests = written.iter().flat_map(|file| &file.tests);
        let tests = tests
            .map(|test| expectation::compile(test, &names, &diagnostics))
            .collect();
        if let (Some(first), true, false) =
            (files.first(), compiled.is_empty(), diagnostics.has_errors())
        {
            let text = "the policy has no [[rule]]: every mail would be refused";
            diagnostics.push(Diagnostic::error(first.place(0), text));
        }
        // With a rule that was not understood, reachability would be guesswork.
        if !diagnostics.has_errors() {
            reach::check(&compiled, &diagnostics);
        }
        if diagnostics.has_errors() {
            return Err(diagnostics.into_sorted());
        }
        let rules = compiled.into_iter().map(|rule| rule.value).collect();
        Ok((Self { rules, tests }, diagnostics.into_sorted()))
    }

    /// How many rules it has.
    #[must_use]
    pub const fn rule_count(&self) -> usize {
        self.rules.len()
    }
}

/// The places of all rules by their names, which must differ.
fn names<'f>(
    files: &'f [syntax::File<'_>],
    diagnostics: &Diagnostics,
) -> HashMap<&'f str, Place<'f>> {
    let mut names: HashMap<&str, Place<'_>> = HashMap::new();
    let rules = files.iter().flat_map(|file| &file.rules);
    for Located { value: name, place } in rules.filter_map(|rule| rule.name.as_ref()) {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let message = "a rule's name must have visible characters, and no control characters";
            diagnostics.push(Diagnostic::error(*place, message));
        }
        if let Some(first) = names.insert(name, *place) {
            let message = format!("there is a rule {name:?} already, at {first}");
            diagnostics.push(Diagnostic::error(*place, message));
        }
    }
    names
}
