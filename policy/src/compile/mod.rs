//! From policy files to a policy that can be used: every mistake in all files at once.
//!
//! What compiles is sound: no rule both demands encryption and lets mail go in clear, no rule is hidden behind another,
//! and every name that a test, a list or an order uses exists. Left out: reading the files, and asking the policy.

mod available;
mod condition;
mod contradiction;
mod expectation;
mod inherit;
mod lists;
mod needs;
mod orders;
mod reach;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::address::Address;
use crate::decision::Decision;
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place, Source};
use crate::facts::{Attachment, Direction, SessionTls};
use crate::rule::{Condition, Gate, NamedList, Property};
use crate::schedule::Moment;
use crate::syntax;

pub use needs::Needs;

/// The time zone of a policy that names none.
const UTC: &str = "UTC";

/// A policy without mistakes: rules in order, the first that matches decides.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<Test>,
    pub(crate) lists: Vec<Arc<NamedList>>,
    pub(crate) time_zone: String,
    needs: Needs,
}

/// What a policy may refer to outside of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompileOptions<'o> {
    /// The names of the profiles of algorithms.
    pub profiles: &'o [&'o str],
    /// The files that [`Policy::list_files`] asks for.
    pub list_files: &'o [ListFile],
    /// Conditions and orders that whoever runs the policy cannot do yet: a key and its word, or an empty word for all.
    pub unavailable: &'o [(&'o str, &'o str)],
    /// Whether a name is one of a time zone; without it every name is taken for one.
    pub is_time_zone: Option<fn(&str) -> bool>,
}

/// A file that a list is read from.
#[derive(Debug, Clone)]
pub struct ListFile {
    /// Its name, as the policy writes it.
    pub written: String,
    /// Its text, or why it cannot be read.
    pub source: Result<Source, String>,
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
    pub(crate) mail: TestMail,
    pub(crate) expect: Vec<Expectation>,
}

/// The mail of a test.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestMail {
    pub(crate) sender: Option<Address>,
    /// None if it follows from each recipient's domain.
    pub(crate) direction: Option<Direction>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) authenticated: Option<String>,
    pub(crate) tls: Option<SessionTls>,
    /// None if they could not be found out.
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) moment: Option<Moment>,
    pub(crate) subject: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) properties: Vec<Property>,
}

/// What must be decided for one recipient; what is none is not looked at.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) recipient: Address,
    pub(crate) rule: Option<String>,
    pub(crate) refused: Option<bool>,
    pub(crate) held: Option<bool>,
    pub(crate) deferred: Option<bool>,
    /// Keys of orders and the values expected there.
    pub(crate) orders: Vec<(&'static str, String)>,
}

impl Policy {
    /// The files that the lists of a policy are in, as the policy writes their names.
    #[must_use]
    pub fn list_files(files: &[Source]) -> Vec<String> {
        // What is wrong with the policy is said when it is compiled.
        let unheard = Diagnostics::default();
        let read = |file| syntax::read(file, &unheard);
        let lists = files.iter().filter_map(read).flat_map(|file| file.lists);
        let mut names: Vec<_> = lists.filter_map(|list| lists::file_of(&list)).collect();
        names.sort();
        names.dedup();
        names
    }

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
        available::check(&written, options, &diagnostics);
        let names = names(&written, &diagnostics);
        let lists = lists::compile(&written, options, &diagnostics);
        let time_zone = inherit::time_zone(&written, options, &diagnostics);
        let compiled = rules(&written, &lists, options, &diagnostics);
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
        let rules: Vec<Rule> = compiled.into_iter().map(|rule| rule.value).collect();
        let policy = Self {
            needs: Needs::of(rules.iter().map(|rule| &rule.condition)),
            rules,
            tests,
            lists: lists.into_values().collect(),
            time_zone: time_zone.unwrap_or_else(|| UTC.to_owned()),
        };
        Ok((policy, diagnostics.into_sorted()))
    }

    /// How many rules it has.
    #[must_use]
    pub const fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// What its rules order, in their order.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.rules.iter().map(|rule| rule.decision.as_ref())
    }

    /// Which facts that are dear to find out it asks for.
    #[must_use]
    pub const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The time zone that its times are in: a name of the IANA database.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }
}

fn rules<'s>(
    files: &[syntax::File<'s>],
    lists: &lists::Lists,
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) -> Vec<Located<'s, Rule>> {
    let rules = files.iter().flat_map(|file| &file.rules);
    let mut compiled = Vec::new();
    for (rule, orders) in rules.zip(inherit::orders(files, diagnostics)) {
        let condition = condition::compile(rule.when.as_ref(), lists, diagnostics);
        let decision = orders::compile(rule, &orders, &condition, options, diagnostics);
        let value = Rule {
            gate: Gate::of_condition(&condition),
            condition,
            decision: Box::new(decision),
        };
        let place = rule.place;
        compiled.push(Located { value, place });
    }
    compiled
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
