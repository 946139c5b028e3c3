//! From a table of other gateways, "pattern, sign, encrypt, fallback", to the text of a policy.
//!
//! Most of them let the most specific row win, and this language the first rule: rows are put in that order. What cannot
//! be said in this language is said in a warning, and becomes the stricter thing that can. Of two rows for
//! the same addresses the first counts.

mod row;

use std::collections::HashSet;
use std::fmt::Write;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};

use row::{Encrypt, Fallback, Row, Sign};

/// A policy that was made of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The policy.
    pub text: String,
    /// What could not be taken over as it was.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a policy of a table with comma, semicolon or tab between its columns; a first row with their names may be there.
///
/// # Errors
/// Every row that cannot be read.
pub fn import_csv(source: &Source) -> Result<Imported, Vec<Diagnostic>> {
    let diagnostics = Diagnostics::default();
    let mut rows = row::read(source, &diagnostics);
    if rows.is_empty() && !diagnostics.has_errors() {
        let text = "the table has no rows; columns are pattern, sign, encrypt, fallback";
        diagnostics.push(Diagnostic::error(source.place(0), text));
    }
    if diagnostics.has_errors() {
        return Err(diagnostics.into_sorted());
    }
    rows.sort_by_key(|row| row.reach);
    let mut known = HashSet::new();
    rows.retain(|row| known.insert(row.pattern.clone()));
    let mut text = format!(
        "# Made from {}. First match wins: exact addresses stand first, then domains, then what lies below them.\n",
        source.name
    );
    for (number, group) in (1..).zip(grouped(&rows)) {
        // Writing to a text never fails.
        let _written = write_rule(number, group, &mut text);
    }
    text.push_str(
        "\n# No match refuses. Mail to others and incoming mail need rules of their own, for example:\n#\n\
         # [[rule]]\n# name = \"incoming: decrypt and verify\"\n# when = { direction = \"inbound\" }\n",
    );
    let warnings = diagnostics.into_sorted();
    Ok(Imported { text, warnings })
}

/// Rows that one rule can stand for: equally specific, with the same orders.
fn grouped(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, other| one.reach == other.reach && one.orders == other.orders)
}

fn write_rule(number: usize, group: &[Row], to: &mut String) -> std::fmt::Result {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let patterns: Vec<String> = group
        .iter()
        .map(|row| format!("{:?}", row.pattern))
        .collect();
    let orders = first.orders;
    writeln!(to, "\n[[rule]]\nname = \"{number}: {}\"", name(group))?;
    match patterns.as_slice() {
        [_] if first.pattern == "*" => writeln!(to, "when = {{ direction = \"outbound\" }}")?,
        [pattern] => writeln!(
            to,
            "when = {{ direction = \"outbound\", recipient = {pattern} }}"
        )?,
        several => writeln!(
            to,
            "when = {{ direction = \"outbound\", recipient = [\n    {},\n] }}",
            several.join(",\n    ")
        )?,
    }
    match orders.sign {
        Sign::Required => writeln!(to, "sign = \"required\"")?,
        Sign::Preferred => writeln!(to, "sign = \"preferred\"")?,
        Sign::No => {}
    }
    match (orders.encrypt, orders.fallback) {
        (Encrypt::No, _) => Ok(()),
        (Encrypt::Required, Fallback::Reject) => writeln!(to, "encrypt = \"required\""),
        (Encrypt::Required, Fallback::Hold) => {
            writeln!(to, "encrypt = \"required\"\nno-certificate = \"hold\"")
        }
        (Encrypt::Required, Fallback::Ask) => {
            writeln!(to, "encrypt = \"required\"\nno-certificate = \"ask\"")
        }
        (Encrypt::Required, Fallback::Tls) => {
            writeln!(to, "encrypt = \"required\"\nno-certificate = \"tls\"")
        }
        (Encrypt::Preferred, Fallback::Tls) => {
            writeln!(to, "encrypt = \"preferred\"\nno-certificate = \"tls\"")
        }
        (Encrypt::Required | Encrypt::Preferred, _) => writeln!(to, "encrypt = \"preferred\""),
    }
}

/// What the rule is about, without characters that need care in a name.
fn name(group: &[Row]) -> String {
    let first = group.first().map_or("", |row| row.pattern.as_str());
    let plain: String = first.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    match group.len() {
        1 if plain == "*" => "everybody else".to_owned(),
        1 => plain,
        count => format!("{plain} and {} more", count - 1),
    }
}

#[cfg(test)]
mod tests;
