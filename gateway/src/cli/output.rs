//! Standard output: text for people, JSON for programs.

use std::io::{self, Write};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::Value;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// JSON instead of text.
    pub(super) json: bool,
}

impl Output {
    /// Prints the JSON value, or the text.
    pub(super) fn print(self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) {
        if self.json {
            line(&json().to_string())
        } else {
            line(&text())
        }
    }

    /// Prints a list: an array of objects, or the rows under their heads.
    pub(super) fn list(self, objects: &[Value], heads: &[&str], rows: &[Vec<String>]) {
        if self.json {
            line(&Value::Array(objects.to_vec()).to_string());
        } else if !rows.is_empty() {
            line(&table(heads, rows));
        }
    }
}

/// Prints a line.
pub(super) fn line(text: &str) {
    let mut to = io::stdout().lock();
    // Whoever closed the pipe has read enough.
    let _unread = writeln!(to, "{text}");
}

/// A moment as RFC 3339 writes it, in UTC, to the second.
pub(super) fn time(moment: SystemTime) -> String {
    let timestamp = Timestamp::try_from(moment).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Columns as wide as what is in them, the last one free.
fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads = heads
        .iter()
        .map(|head| (*head).to_owned())
        .collect::<Vec<_>>();
    let all: Vec<&Vec<String>> = std::iter::once(&heads).chain(rows).collect();
    let width = |column: usize| {
        all.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}
