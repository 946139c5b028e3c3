//! The outcomes of tests in the XML that pipelines read (JUnit).

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use policy::suite::Outcome;

use crate::cli::trouble::Trouble;

/// Writes the file.
pub(super) fn write(path: &Path, outcomes: &[Outcome]) -> Result<(), Trouble> {
    let written = File::create(path).and_then(|mut file| file.write_all(xml(outcomes).as_bytes()));
    written.map_err(|error| {
        Trouble::cannot_create(format!("{} cannot be written: {error}", path.display()))
    })
}

fn xml(outcomes: &[Outcome]) -> String {
    let failures = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"policy\" tests=\"{}\" failures=\"{failures}\">\n",
        outcomes.len()
    );
    for outcome in outcomes {
        let (name, file) = (escaped(&outcome.name), escaped(&outcome.file));
        // Writing to a text never fails.
        let _written = match &outcome.failure {
            None => writeln!(
                xml,
                "  <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\"/>",
                outcome.line
            ),
            Some(failure) => writeln!(
                xml,
                "  <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\">\n    \
                 <failure message=\"the policy decides otherwise\">{}</failure>\n  </testcase>",
                outcome.line,
                escaped(failure)
            ),
        };
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// A text as XML 1.0 holds it; characters that it cannot hold become question marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_written_as_text() {
        let outcome = |name: &str, failure: Option<&str>| Outcome {
            name: name.to_owned(),
            file: "p.toml".to_owned(),
            line: 3,
            failure: failure.map(str::to_owned),
        };
        let xml = xml(&[
            outcome("a", None),
            outcome("<\u{1}>", Some("- a = \"b\"\n")),
        ]);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"policy\" tests=\"2\" failures=\"1\">\n  \
             <testcase name=\"a\" classname=\"p.toml\" file=\"p.toml\" line=\"3\"/>\n  \
             <testcase name=\"&lt;?&gt;\" classname=\"p.toml\" file=\"p.toml\" line=\"3\">\n    \
             <failure message=\"the policy decides otherwise\">- a = &quot;b&quot;\n</failure>\n  \
             </testcase>\n</testsuite>\n"
        );
    }
}
