//! `[lists]`: names for many addresses, written in the policy or in a file of one entry a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CompileOptions, ListFile};
use crate::address::canonical_domain;
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Source};
use crate::pattern::{AddressSet, Pattern, PatternError};
use crate::rule::NamedList;
use crate::syntax::{Entries, File, List};

/// Most entries of one list.
const MOST: usize = 1_000_000;

/// Lists by their names.
pub(super) type Lists = BTreeMap<String, Arc<NamedList>>;

pub(super) fn file_of(list: &List<'_>) -> Option<String> {
    match &list.entries {
        Entries::File(file) => Some(file.value.clone()),
        Entries::Here(_) => None,
    }
}

pub(super) fn compile(
    files: &[File<'_>],
    options: &CompileOptions<'_>,
    diagnostics: &Diagnostics,
) -> Lists {
    let mut lists = Lists::new();
    for list in files.iter().flat_map(|file| &file.lists) {
        let Located { value: name, place } = &list.name;
        let is_wrong = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.contains(is_wrong) {
            let message = "a list's name is made of letters, digits, hyphens, underscores and dots";
            diagnostics.push(Diagnostic::error(*place, message));
        }
        let patterns = match &list.entries {
            Entries::Here(texts) => patterns(
                texts
                    .value
                    .iter()
                    .map(|text| text.as_ref().map(String::as_str)),
                diagnostics,
            ),
            Entries::File(file) => match source(file, options) {
                Ok(source) => patterns(entries(source), diagnostics),
                Err(why) => {
                    let message = format!("the list {:?} cannot be read: {why}", file.value);
                    diagnostics.push(Diagnostic::error(file.place, message));
                    Vec::new()
                }
            },
        };
        if patterns.is_empty() && !diagnostics.has_errors() {
            let message = format!("the list {name:?} is empty, so that nothing matches");
            diagnostics.push(Diagnostic::error(*place, message));
        }
        if patterns.len() > MOST {
            let message = format!("the list has more than {MOST} entries");
            diagnostics.push(Diagnostic::error(*place, message));
        }
        let addresses = AddressSet::new(patterns);
        let list = Arc::new(NamedList {
            name: name.clone(),
            addresses,
        });
        if lists.insert(name.clone(), list).is_some() {
            let message = format!("there is a list {name:?} already");
            diagnostics.push(Diagnostic::error(*place, message));
        }
    }
    lists
}

fn source<'o>(
    file: &Located<'_, String>,
    options: &CompileOptions<'o>,
) -> Result<&'o Source, &'o str> {
    let is_own = |found: &&ListFile| found.written == file.value;
    match options.list_files.iter().find(is_own) {
        Some(found) => found.source.as_ref().map_err(String::as_str),
        None => Err("it was not given"),
    }
}

/// One entry a line; white space around it, empty lines and what follows a `#` do not count.
fn entries(source: &Source) -> impl Iterator<Item = Located<'_, &str>> {
    let mut start = 0;
    source.text.split('\n').filter_map(move |line| {
        let line_start = start;
        start += line.len() + 1;
        let entry = line.split('#').next().unwrap_or_default().trim();
        let indent = line.len() - line.trim_start().len();
        (!entry.is_empty()).then(|| Located {
            value: entry,
            place: source.place(line_start + indent),
        })
    })
}

fn patterns<'s>(
    entries: impl Iterator<Item = Located<'s, &'s str>>,
    diagnostics: &Diagnostics,
) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for Located { value, place } in entries {
        match pattern(value) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let message = format!("a list cannot hold {value:?}: {error}");
                diagnostics.push(Diagnostic::error(place, message));
            }
        }
    }
    patterns
}

/// As in a rule; and lists that other programs write often have domains by themselves.
fn pattern(entry: &str) -> Result<Pattern, PatternError> {
    match Pattern::sender(entry) {
        Err(PatternError::NoAt(domain)) => match canonical_domain(&domain) {
            Ok(domain) => Pattern::address(&format!("*@{domain}")),
            Err(_) => Err(PatternError::NoAt(domain)),
        },
        read => read,
    }
}
