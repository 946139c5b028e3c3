//! Reads a TOML text key by key and reports every mistake in it at once, each with its place.
//!
//! A reader asks a [`Table`] for the keys it knows and ends with [`Table::finish`], which reports the others. Whatever is
//! missing or wrong is pushed to the shared [`Diagnostics`] and read as absent: callers need no error handling of their
//! own, and use what they read only if the list has no errors at the end. Left out: what the values mean.

mod quantity;

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place, Source};

pub use quantity::size as parse_size;

/// Several strings, each with its place; the whole list with its own.
pub type Texts<'s> = Located<'s, Vec<Located<'s, String>>>;

/// A type whose values are written as words.
pub trait Words: Copy + PartialEq + 'static {
    /// Each word and its value.
    const WORDS: &'static [(&'static str, Self)];

    /// The word for a value.
    fn word(self) -> &'static str {
        let is_own = |(_, value): &&(_, Self)| *value == self;
        Self::WORDS.iter().find(is_own).map_or("", |(word, _)| word)
    }
}

/// Reads the TOML of `source`. None if it is not TOML: the errors say where.
#[must_use]
pub fn parse<'s>(source: &'s Source, diagnostics: &'s Diagnostics) -> Option<Table<'s>> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    let mut last_line = 0;
    for error in &errors {
        let place = source.place(error.span().map_or(0, |span| span.start));
        // What follows a broken spot on its line is broken by it.
        if place.line() != last_line {
            diagnostics.push(Diagnostic::error(place, error.message()));
        }
        last_line = place.line();
    }
    let table = Table::new(
        source,
        diagnostics,
        source.place(0),
        "the file".to_owned(),
        document.into_inner(),
    );
    errors.is_empty().then_some(table)
}

/// A table of a document, read key by key.
#[derive(Debug)]
pub struct Table<'s> {
    source: &'s Source,
    diagnostics: &'s Diagnostics,
    place: Place<'s>,
    name: String,
    entries: Vec<Entry<'s>>,
    known: Vec<String>,
}

#[derive(Debug)]
struct Entry<'s> {
    key: Located<'s, String>,
    /// None once it was read.
    value: Option<Located<'s, DeValue<'s>>>,
}

impl<'s> Table<'s> {
    /// Where it begins.
    #[must_use]
    pub const fn place(&self) -> Place<'s> {
        self.place
    }

    /// Its keys, in the order they are written.
    #[must_use]
    pub fn keys(&self) -> Vec<Located<'s, String>> {
        self.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// Reports an error at a place of this document.
    pub fn error(&self, place: Place<'s>, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(place, message));
    }

    /// Reports that `key` is missing, if it is.
    pub fn require(&self, key: &str) {
        if !self.entries.iter().any(|entry| entry.key.value == key) {
            self.error(self.place, format!("{} has no `{key}`", self.name));
        }
    }

    /// Refuses a key that a later version will know.
    pub fn not_yet(&mut self, key: &str) {
        let found = self.entries.iter_mut().find(|entry| entry.key.value == key);
        if let Some(entry) = found {
            entry.value = None;
            let place = entry.key.place;
            self.error(place, format!("`{key}` is not available in this version"));
        }
    }

    /// A string.
    pub fn string(&mut self, key: &str) -> Option<Located<'s, String>> {
        let value = self.take(key)?;
        self.text(key, value)
    }

    /// A string that `parse` makes something of; its error is reported.
    pub fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<'s, T>> {
        let Located { value, place } = self.string(key)?;
        match parse(&value) {
            Ok(value) => Some(Located { value, place }),
            Err(error) => {
                self.error(place, format!("`{key}` cannot be {value:?}: {error}"));
                None
            }
        }
    }

    /// A list of strings.
    pub fn list_of_strings(&mut self, key: &str) -> Option<Texts<'s>> {
        let value = self.take(key)?;
        self.texts(key, "a list of strings", value)
    }

    /// One string, or a list of them.
    pub fn string_or_list(&mut self, key: &str) -> Option<Texts<'s>> {
        let value = self.take(key)?;
        if matches!(value.value, DeValue::String(_)) {
            let text = self.text(key, value)?;
            let place = text.place;
            let value = vec![text];
            return Some(Located { value, place });
        }
        self.texts(key, "a string or a list of strings", value)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str) -> Option<Located<'s, bool>> {
        let Located { value, place } = self.take(key)?;
        let DeValue::Boolean(value) = value else {
            self.wrong_type(place, key, "true or false", &value);
            return None;
        };
        Some(Located { value, place })
    }

    /// A whole number within `allowed`.
    pub fn integer(&mut self, key: &str, allowed: RangeInclusive<u64>) -> Option<Located<'s, u64>> {
        let Located { value, place } = self.take(key)?;
        let DeValue::Integer(integer) = value else {
            self.wrong_type(place, key, "a whole number", &value);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.filter(|number| allowed.contains(number)) {
            Some(value) => Some(Located { value, place }),
            None => {
                let (least, most) = allowed.into_inner();
                let message = format!("`{key}` cannot be {integer}: {least} to {most} is allowed");
                self.error(place, message);
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<Located<'s, T>> {
        self.choice_or_later(key, words, &[])
    }

    /// One of a few words; those in `later` are known, but not available yet.
    pub fn choice_or_later<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
        later: &[&str],
    ) -> Option<Located<'s, T>> {
        let text = self.string(key)?;
        self.chosen(key, &text, words, later)
    }

    /// One of a few words, or a list of them; never an empty one.
    pub fn choices<T: Copy>(
        &mut self,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<Vec<Located<'s, T>>> {
        let texts = self.string_or_list(key)?;
        if texts.value.is_empty() {
            self.error(texts.place, format!("`{key}` cannot be empty"));
        }
        let chosen = texts
            .value
            .iter()
            .filter_map(|text| self.chosen(key, text, words, &[]));
        let chosen: Vec<_> = chosen.collect();
        (!chosen.is_empty()).then_some(chosen)
    }

    fn chosen<T: Copy>(
        &self,
        key: &str,
        text: &Located<'s, String>,
        words: &[(&str, T)],
        later: &[&str],
    ) -> Option<Located<'s, T>> {
        let Located { value, place } = text;
        if let Some((_, chosen)) = words.iter().find(|(word, _)| word == value) {
            return Some(Located {
                value: *chosen,
                place: *place,
            });
        }
        let message = if later.contains(&value.as_str()) {
            format!("`{key} = {value:?}` is not available in this version")
        } else {
            format!("`{key}` cannot be {value:?}")
        };
        let help = help(value, words.iter().map(|(word, _)| *word), '"');
        self.diagnostics
            .push(Diagnostic::error(*place, message).with_help(help));
        None
    }

    /// One of the words of a type.
    pub fn word<T: Words>(&mut self, key: &str) -> Option<Located<'s, T>> {
        self.choice(key, T::WORDS)
    }

    /// One of the words of a type, or a list of them.
    pub fn words<T: Words>(&mut self, key: &str) -> Option<Vec<Located<'s, T>>> {
        let texts = self.string_or_list(key)?.value;
        let chosen = texts.into_iter();
        Some(
            chosen
                .filter_map(|text| self.chosen(key, &text, T::WORDS, &[]))
                .collect(),
        )
    }

    /// Whether the value of a key is a table.
    #[must_use]
    pub fn holds_table(&self, key: &str) -> bool {
        let is_table = |value: &Located<'_, DeValue<'_>>| matches!(value.value, DeValue::Table(_));
        let mut values = self.entries.iter().filter(|entry| entry.key.value == key);
        values.any(|entry| entry.value.as_ref().is_some_and(is_table))
    }

    /// A time such as `"500ms"`, `"10s"`, `"5m"`, `"1h"` or `"2d"`.
    pub fn duration(&mut self, key: &str) -> Option<Located<'s, Duration>> {
        self.parsed(key, quantity::duration)
    }

    /// A number of bytes such as `"25 MiB"` or `1048576`.
    pub fn size(&mut self, key: &str) -> Option<Located<'s, u64>> {
        let is_number = |entry: &Entry<'_>| {
            entry.key.value == key
                && matches!(&entry.value, Some(v) if matches!(v.value, DeValue::Integer(_)))
        };
        if self.entries.iter().any(is_number) {
            return self.integer(key, 0..=u64::MAX);
        }
        self.parsed(key, quantity::size)
    }

    /// A table within this one.
    pub fn table(&mut self, key: &str) -> Option<Self> {
        let value = self.take(key)?;
        self.inner(key, format!("`{key}`"), value)
    }

    /// An array of tables, `[[key]]` or `key = [{…}]`.
    pub fn tables(&mut self, key: &str) -> Option<Vec<Self>> {
        let Located { value, place } = self.take(key)?;
        let DeValue::Array(values) = value else {
            self.wrong_type(place, key, "a list of tables", &value);
            return None;
        };
        self.each(values, |value| self.inner(key, format!("[[{key}]]"), value))
    }

    /// Reports every key that was not asked for.
    pub fn finish(self) {
        let is_unknown = |entry: &&Entry<'_>| !self.known.contains(&entry.key.value);
        for entry in self
            .entries
            .iter()
            .filter(|e| e.value.is_some())
            .filter(is_unknown)
        {
            let key = &entry.key.value;
            let message = format!("unknown key `{key}` in {}", self.name);
            let help = help(key, self.known.iter().map(String::as_str), '`');
            self.diagnostics
                .push(Diagnostic::error(entry.key.place, message).with_help(help));
        }
    }

    fn new(
        source: &'s Source,
        diagnostics: &'s Diagnostics,
        place: Place<'s>,
        name: String,
        table: DeTable<'s>,
    ) -> Self {
        let mut spanned: Vec<_> = table.into_iter().collect();
        spanned.sort_by_key(|(key, _)| key.span().start);
        let entries = spanned
            .into_iter()
            .map(|(key, value)| Entry {
                key: located(source, key).map(std::borrow::Cow::into_owned),
                value: Some(located(source, value)),
            })
            .collect();
        Self {
            source,
            diagnostics,
            place,
            name,
            entries,
            known: Vec::new(),
        }
    }

    fn take(&mut self, key: &str) -> Option<Located<'s, DeValue<'s>>> {
        self.known.push(key.to_owned());
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.key.value == key)?;
        entry.value.take()
    }

    fn inner(&self, key: &str, name: String, value: Located<'s, DeValue<'s>>) -> Option<Self> {
        let Located { value, place } = value;
        let DeValue::Table(table) = value else {
            self.wrong_type(place, key, "a table", &value);
            return None;
        };
        Some(Self::new(self.source, self.diagnostics, place, name, table))
    }

    fn text(&self, key: &str, value: Located<'s, DeValue<'s>>) -> Option<Located<'s, String>> {
        let Located { value, place } = value;
        let DeValue::String(text) = value else {
            self.wrong_type(place, key, "a string", &value);
            return None;
        };
        let value = text.into_owned();
        Some(Located { value, place })
    }

    fn texts(
        &self,
        key: &str,
        expected: &str,
        value: Located<'s, DeValue<'s>>,
    ) -> Option<Texts<'s>> {
        let Located { value, place } = value;
        let DeValue::Array(values) = value else {
            self.wrong_type(place, key, expected, &value);
            return None;
        };
        let value = self.each(values, |value| self.text(key, value))?;
        Some(Located { value, place })
    }

    /// What `read` makes of each value. None if it makes nothing of any: such a list is wrong, not empty.
    fn each<T>(
        &self,
        values: DeArray<'s>,
        read: impl Fn(Located<'s, DeValue<'s>>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = values.len();
        let values = values.into_iter().map(|value| located(self.source, value));
        let values: Vec<_> = values.filter_map(read).collect();
        (count == 0 || !values.is_empty()).then_some(values)
    }

    fn wrong_type(&self, place: Place<'s>, key: &str, expected: &str, found: &DeValue<'_>) {
        let found = match found {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(place, format!("`{key}` must be {expected}, not {found}"));
    }
}

fn located<T>(source: &Source, spanned: Spanned<T>) -> Located<'_, T> {
    let place = source.place(spanned.span().start);
    let value = spanned.into_inner();
    Located { value, place }
}

/// Names the word that was probably meant, and all that are allowed.
#[must_use]
pub fn help<'w>(found: &str, allowed: impl Iterator<Item = &'w str>, quote: char) -> String {
    let allowed: Vec<_> = allowed.collect();
    if allowed.is_empty() {
        return "nothing may be here".to_owned();
    }
    let quoted = |word: &&str| format!("{quote}{word}{quote}");
    let list = allowed.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let nearest = allowed
        .iter()
        .map(|word| (strsim::osa_distance(found, word), word))
        .filter(|(distance, word)| is_near(*distance, word))
        .min();
    nearest.map_or_else(
        || format!("allowed: {list}"),
        |(_, word)| format!("did you mean {}? allowed: {list}", quoted(word)),
    )
}

/// One letter in three may be wrong.
fn is_near(distance: usize, word: &str) -> bool {
    let length = word.chars().count();
    distance < length && distance <= length.max(3) / 3
}
