//! Policies as files: what they decide (`cases/`), and what is said of those that are wrong (`bad/`).
//!
//! `BLESS=1 cargo test -p policy` writes what is found as what is expected; read the difference before you keep it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a file that cannot be read must fail the test"
)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use policy::address::Address;
use policy::compile::{CompileOptions, Policy};
use policy::diagnostic::{Diagnostic, Diagnostics, Source};
use policy::document::{self, Table};
use policy::evaluate::Answer;
use policy::facts::{Content, Direction, Facts};

const OPTIONS: CompileOptions<'_> = CompileOptions {
    profiles: &["default", "strong", "legacy"],
};

#[test]
fn policies_decide_as_expected() {
    let cases = entries("cases");
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let differences: Vec<_> = cases
        .iter()
        .filter_map(|case| difference(&case.join("expected.txt"), &decided(case)))
        .collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn mistakes_are_reported_as_expected() {
    let policies: Vec<_> = entries("bad")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    assert!(policies.len() >= 25, "{} policies", policies.len());
    let differences: Vec<_> = policies
        .iter()
        .filter_map(|path| difference(&path.with_extension("expected"), &mistakes(path)))
        .collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// What the policy of a case decides for each recipient of its facts, and the warnings it draws.
fn decided(case: &Path) -> String {
    let source = source(&case.join("policy.toml"));
    let (policy, warnings) = Policy::compile(&[source], &OPTIONS)
        .unwrap_or_else(|found| panic!("{}: {}", case.display(), shown(&found)));
    let given = Given::read(&case.join("facts.toml"));
    let mut text = shown(&warnings);
    for recipient in &given.recipients {
        let is_ours = given
            .internal_domains
            .iter()
            .any(|d| d == recipient.domain());
        let facts = Facts {
            direction: if is_ours {
                Direction::Inbound
            } else {
                Direction::Outbound
            },
            sender: given.sender.as_ref(),
            recipient,
            content: None,
        };
        let content = Content {
            subject: given.subject.as_deref(),
            headers: &given.headers,
        };
        let whole = Facts {
            content: Some(content),
            ..facts
        };
        let early = answer(policy.evaluate(&facts), &content);
        let late = answer(policy.evaluate(&whole), &content);
        if early == late {
            write!(text, "{recipient} at RCPT: {late}").unwrap();
        } else {
            assert_eq!(early, "not yet\n", "{}", case.display());
            write!(text, "{recipient} at DATA: {late}").unwrap();
        }
    }
    for outcome in policy.run_tests(&given.internal_domains) {
        let result = outcome.failure.as_deref().unwrap_or("passed\n");
        write!(
            text,
            "test {:?} (line {}): {result}",
            outcome.name, outcome.line
        )
        .unwrap();
    }
    text
}

fn answer(answer: Answer<'_>, content: &Content<'_>) -> String {
    let decision = match answer {
        Answer::NotYet => return "not yet\n".to_owned(),
        Answer::NoRule => return "no rule matches, refused\n".to_owned(),
        Answer::Decided(decision) => decision,
    };
    let mut text = format!(
        "rule {:?} of line {}\n",
        decision.rule.name, decision.rule.line
    );
    if let Some(reject) = &decision.reject {
        writeln!(text, "  reject: {reject}").unwrap();
        return text;
    }
    for (key, word) in decision.orders() {
        writeln!(text, "  {key} = {word}").unwrap();
    }
    if let Some(tag) = &decision.strip_subject_tag {
        let subject = content.subject.unwrap_or_default();
        writeln!(text, "  subject becomes {:?}", tag.strip(subject)).unwrap();
    }
    text
}

fn mistakes(path: &Path) -> String {
    match Policy::compile(&[source(path)], &OPTIONS) {
        Ok((_, warnings)) => format!("{}it compiles\n", shown(&warnings)),
        Err(found) => shown(&found),
    }
}

/// What `facts.toml` says.
struct Given {
    internal_domains: Vec<String>,
    sender: Option<Address>,
    recipients: Vec<Address>,
    subject: Option<String>,
    headers: Vec<(String, String)>,
}

impl Given {
    fn read(path: &Path) -> Self {
        let source = source(path);
        let diagnostics = Diagnostics::default();
        let mut table = document::parse(&source, &diagnostics).expect("facts are TOML");
        let given = Self {
            internal_domains: vec!["example.org".to_owned()],
            sender: table
                .parsed("sender", Address::parse)
                .map(|sender| sender.value),
            recipients: texts(&mut table, "recipients")
                .iter()
                .map(|text| Address::parse(text).unwrap())
                .collect(),
            subject: table.string("subject").map(|subject| subject.value),
            headers: texts(&mut table, "headers")
                .iter()
                .filter_map(|field| field.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        table.finish();
        assert_eq!(shown(&diagnostics.into_sorted()), "");
        given
    }
}

fn texts(table: &mut Table<'_>, key: &str) -> Vec<String> {
    let texts = table.list_of_strings(key).map(|texts| texts.value);
    let texts = texts.unwrap_or_default().into_iter();
    texts.map(|text| text.value).collect()
}

fn shown(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{d}\n")).collect()
}

fn source(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy();
    Source::new(name, fs::read_to_string(path).unwrap())
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// None if the file holds `found`; with BLESS it is made to.
fn difference(expected: &Path, found: &str) -> Option<String> {
    if std::env::var_os("BLESS").is_some() {
        write_file(expected, found);
        return None;
    }
    let wanted = fs::read_to_string(expected).unwrap_or_default();
    if wanted == found {
        return None;
    }
    let mut text = format!("{} differs:\n", expected.display());
    let lines = wanted.lines().count().max(found.lines().count());
    for number in 0..lines {
        let (old, new) = (wanted.lines().nth(number), found.lines().nth(number));
        if old != new {
            for (sign, line) in [('-', old), ('+', new)] {
                if let Some(line) = line {
                    writeln!(text, "{sign} {line}").unwrap();
                }
            }
        }
    }
    Some(text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an expectation in the source tree, not state"
)]
fn write_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}
