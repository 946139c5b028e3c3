//! A policy file as it is written: which keys there are and which values they take. Left out: what they mean together.

mod orders;
mod test;
mod when;

use crate::diagnostic::{Diagnostics, Located, Place, Source};
use crate::document::{self, Table, Texts};

pub(crate) use orders::Orders;
pub(crate) use test::{Expectation, Given, Test};
pub(crate) use when::When;

/// A word or a text with its place, if it was written.
pub(crate) type Written<'s, T> = Option<Located<'s, T>>;

/// One file.
pub(crate) struct File<'s> {
    pub(crate) defaults: Option<Defaults<'s>>,
    pub(crate) lists: Vec<List<'s>>,
    pub(crate) rules: Vec<Rule<'s>>,
    pub(crate) tests: Vec<Test<'s>>,
}

/// `[defaults]`: what rules order that do not say otherwise.
pub(crate) struct Defaults<'s> {
    pub(crate) place: Place<'s>,
    pub(crate) time_zone: Written<'s, String>,
    pub(crate) orders: Orders<'s>,
}

/// One entry of `[lists]`.
pub(crate) struct List<'s> {
    pub(crate) name: Located<'s, String>,
    pub(crate) entries: Entries<'s>,
}

/// Where the entries of a list are.
pub(crate) enum Entries<'s> {
    Here(Texts<'s>),
    /// In a file of one entry a line.
    File(Located<'s, String>),
}

/// One `[[rule]]`.
pub(crate) struct Rule<'s> {
    pub(crate) place: Place<'s>,
    /// None if it is missing, which is reported.
    pub(crate) name: Written<'s, String>,
    pub(crate) extends: Written<'s, String>,
    pub(crate) when: Option<When<'s>>,
    pub(crate) orders: Orders<'s>,
}

/// Reads a file; none if it is not TOML.
pub(crate) fn read<'s>(source: &'s Source, diagnostics: &'s Diagnostics) -> Option<File<'s>> {
    let mut table = document::parse(source, diagnostics)?;
    let defaults = table.table("defaults").map(defaults);
    let lists = table.table("lists").map(lists).unwrap_or_default();
    let rules = table.tables("rule").unwrap_or_default();
    let tests = table.tables("test").unwrap_or_default();
    table.finish();
    Some(File {
        defaults,
        lists,
        rules: rules.into_iter().map(rule).collect(),
        tests: tests.into_iter().map(test::read).collect(),
    })
}

fn defaults(mut table: Table<'_>) -> Defaults<'_> {
    let place = table.place();
    let time_zone = table.string("time-zone");
    let orders = Orders::for_defaults(&mut table);
    table.finish();
    Defaults {
        place,
        time_zone,
        orders,
    }
}

fn lists(mut table: Table<'_>) -> Vec<List<'_>> {
    let mut lists = Vec::new();
    for name in table.keys() {
        let entries = if table.holds_table(&name.value) {
            table.table(&name.value).and_then(|mut table| {
                table.require("file");
                let file = table.string("file");
                table.finish();
                file.map(Entries::File)
            })
        } else {
            table.list_of_strings(&name.value).map(Entries::Here)
        };
        lists.extend(entries.map(|entries| List { name, entries }));
    }
    lists
}

fn rule(mut table: Table<'_>) -> Rule<'_> {
    let place = table.place();
    table.require("name");
    let name = table.string("name");
    let extends = table.string("extends");
    let when = table.table("when").map(When::read);
    let orders = Orders::for_rule(&mut table);
    table.finish();
    Rule {
        place,
        name,
        extends,
        when,
        orders,
    }
}

/// A table whose keys are free, each with one text or several.
fn texts_by_name(table: Option<Table<'_>>) -> Vec<(Located<'_, String>, Texts<'_>)> {
    let Some(mut table) = table else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for name in table.keys() {
        if let Some(values) = table.string_or_list(&name.value) {
            texts.push((name, values));
        }
    }
    texts
}
