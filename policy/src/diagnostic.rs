//! What is wrong with a text that an operator wrote, and where: `FILE:LINE:COL: error: …`, many at once.
//!
//! Generic: the policy and the program's configuration speak through it. Left out: reading the text (see `document`).

use std::cell::RefCell;
use std::fmt;

/// The longest line that is shown, in bytes.
const LONGEST_LINE: usize = 400;

/// A text with the name that messages call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Usually the file's name, as the operator gave it.
    pub name: String,
    /// All of its text.
    pub text: String,
}

impl Source {
    /// A text and its name.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Line and column of the character at a byte offset, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, byte_offset: usize) -> (usize, usize) {
        // An offset within a character means that character.
        let end = self.text.floor_char_boundary(byte_offset);
        let (before, _) = self.text.split_at(end);
        let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
        let last_line = before.rsplit_once('\n').map_or(before, |(_, rest)| rest);
        (line, 1 + last_line.chars().count())
    }

    /// The line with this number, counted from 1, as far as it is worth showing.
    fn line(&self, number: usize) -> &str {
        let line = self.text.split('\n').nth(number.saturating_sub(1));
        let line = line.unwrap_or_default().trim_end();
        line.get(..line.floor_char_boundary(LONGEST_LINE))
            .unwrap_or(line)
    }

    /// The place at a byte offset.
    #[must_use]
    pub const fn place(&self, byte_offset: usize) -> Place<'_> {
        Place {
            source: self,
            byte_offset,
        }
    }
}

/// A place in a source. Displayed as `FILE:LINE`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'s> {
    source: &'s Source,
    byte_offset: usize,
}

impl<'s> Place<'s> {
    /// The name of the source.
    #[must_use]
    pub fn file(&self) -> &'s str {
        &self.source.name
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.position(self.byte_offset).0
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.line())
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, Copy)]
pub struct Located<'s, T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place<'s>,
}

impl<'s, T> Located<'s, T> {
    /// The same place with a reference to the value.
    #[must_use]
    pub const fn as_ref(&self) -> Located<'s, &T> {
        Located {
            value: &self.value,
            place: self.place,
        }
    }

    /// The same place with another value.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Located<'s, U> {
        Located {
            value: change(self.value),
            place: self.place,
        }
    }
}

/// Whether a text can be used in spite of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but hardly means what it says.
    Warning,
}

/// One thing that is wrong with a text. Orders by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The source's name.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Whether it stops the text from being used.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What is allowed, or what to do.
    pub help: Option<String>,
    /// The line that it was found in.
    pub text: String,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(place: Place<'_>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, place, message.into())
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(place: Place<'_>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, place, message.into())
    }

    /// Adds what is allowed, or what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn new(severity: Severity, place: Place<'_>, message: String) -> Self {
        let (line, column) = place.source.position(place.byte_offset);
        Self {
            file: place.source.name.clone(),
            line,
            column,
            severity,
            message,
            help: None,
            text: place.source.line(line).to_owned(),
        }
    }

    /// As it is displayed, with the line that it was found in and a mark under the place.
    #[must_use]
    pub fn shown(&self) -> String {
        let said = self.to_string();
        let indent = self.column.saturating_sub(1);
        if self.text.trim().is_empty() || indent >= self.text.chars().count() {
            return said;
        }
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // Tabs stay, so that the mark stands where the text does.
        let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
        let before: String = self.text.chars().take(indent).map(blank).collect();
        let line: String = self
            .text
            .chars()
            .map(|c| if c.is_control() && c != '\t' { '?' } else { c })
            .collect();
        let mark = "^".repeat(self.width());
        let excerpt = format!("{number} | {line}\n{gutter} | {before}{mark}");
        match said.split_once('\n') {
            Some((first, help)) => format!("{first}\n{excerpt}\n{help}"),
            None => format!("{said}\n{excerpt}"),
        }
    }

    /// How many characters of the line are meant: a text in quotes, or a word.
    fn width(&self) -> usize {
        let mut rest = self
            .text
            .chars()
            .skip(self.column.saturating_sub(1))
            .peekable();
        let quote = rest.next_if(|c| matches!(c, '"' | '\''));
        let count = match quote {
            Some(quote) => 2 + rest.take_while(|c| *c != quote).count(),
            None => rest
                .take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
                .count(),
        };
        count.max(1)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}")?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// Everything found so far. Readers share it, so that one mistake does not hide the next.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: RefCell<Vec<Diagnostic>>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let found = self.found.borrow();
        found.iter().any(|d| d.severity == Severity::Error)
    }

    /// All, by file and place.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let source = Source::new("f", "aü\n\nx");
        for (offset, position) in [
            (0, (1, 1)),
            (1, (1, 2)),
            (2, (1, 2)),
            (3, (1, 3)),
            (4, (2, 1)),
            (5, (3, 1)),
            (6, (3, 2)),
            (99, (3, 2)),
        ] {
            assert_eq!(source.position(offset), position, "offset {offset}");
        }
    }

    #[test]
    fn many_are_sorted_by_place_and_shown_with_their_help() {
        let source = Source::new("p.toml", "one\ntwo");
        let diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::error(source.place(4), "second").with_help("do it so"));
        diagnostics.push(Diagnostic::warning(source.place(1), "first"));
        assert!(diagnostics.has_errors());
        let shown: Vec<_> = diagnostics
            .into_sorted()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "p.toml:1:2: warning: first",
                "p.toml:2:1: error: second\n  help: do it so"
            ]
        );
    }

    #[test]
    fn the_place_is_marked() {
        let source = Source::new("p", "a = \"b c\"\n\tkey = 1 ü\n\n");
        for (offset, excerpt) in [
            (4, "1 | a = \"b c\"\n  |     ^^^^^"),
            (11, "2 | \tkey = 1 ü\n  | \t^^^"),
            (15, "2 | \tkey = 1 ü\n  | \t    ^"),
            (99, ""),
        ] {
            let found = Diagnostic::error(source.place(offset), "x").with_help("y");
            let said = found.to_string();
            let (first, help) = said.split_once('\n').unwrap();
            let lines: Vec<_> = [first, excerpt, help]
                .into_iter()
                .filter(|line| !line.is_empty())
                .collect();
            assert_eq!(found.shown(), lines.join("\n"));
        }
    }

    #[test]
    fn warnings_alone_are_no_errors() {
        let source = Source::new("p.toml", "");
        let diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::warning(source.place(0), "odd"));
        assert!(!diagnostics.has_errors());
    }
}
