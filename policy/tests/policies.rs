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
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use policy::address::Address;
use policy::compile::{CompileOptions, ListFile, Policy};
use policy::diagnostic::{Diagnostic, Diagnostics, Source};
use policy::document::{self, Table};
use policy::evaluate::Answer;
use policy::facts::{Attachment, Content, Direction, Facts, Session, SessionTls};
use policy::schedule::Moment;

const OPTIONS: CompileOptions<'_> = CompileOptions {
    profiles: &["default", "strong", "legacy"],
    list_files: &[],
    unavailable: &[],
    is_time_zone: Some(|name| name.contains('/')),
};

/// What a program cannot do that runs the policy called `not-available`.
const UNAVAILABLE: &[(&str, &str)] = &[
    ("group", ""),
    ("tls", "client-certificate"),
    ("no-certificate", "hold"),
    ("rewrap", ""),
];

/// The domain that is ours.
const INTERNAL: &str = "example.org";

#[test]
fn policies_decide_as_expected() {
    let cases = entries("cases");
    assert!(cases.len() >= 80, "{} cases", cases.len());
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
    assert!(policies.len() >= 40, "{} policies", policies.len());
    let differences: Vec<_> = policies
        .iter()
        .filter_map(|path| difference(&path.with_extension("expected"), &mistakes(path)))
        .collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// What the policy of a case decides for each recipient of its facts, and the warnings it draws.
fn decided(case: &Path) -> String {
    let (policy, warnings) = compile(&case.join("policy.toml"))
        .unwrap_or_else(|found| panic!("{}: {}", case.display(), shown(&found)));
    let given = Given::read(&case.join("facts.toml"));
    let mut text = shown(&warnings);
    for recipient in &given.recipients {
        let facts = given.envelope(recipient);
        let content = given.content();
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
    for outcome in policy.run_tests(&[INTERNAL.to_owned()]) {
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
        Answer::Unavailable(rule) => {
            return format!("rule {:?} needs what is not known, deferred\n", rule.name);
        }
        Answer::Decided(decision) => decision,
    };
    let mut text = format!(
        "rule {:?} of line {}\n",
        decision.rule.name, decision.rule.line
    );
    let empty = Source::new("", "[[rule]]\nname = \"r\"\n");
    let (usual, _) = Policy::compile(&[empty], &OPTIONS).unwrap();
    let usual = usual.decisions().next().unwrap();
    for ((key, value), (_, usual)) in decision.orders().into_iter().zip(usual.orders()) {
        if value != usual {
            writeln!(text, "  {key} = {value}").unwrap();
        }
    }
    if let Some(tag) = &decision.strip_subject_tag {
        let subject = content.subject.unwrap_or_default();
        writeln!(text, "  subject becomes {:?}", tag.strip(subject)).unwrap();
    }
    text
}

fn mistakes(path: &Path) -> String {
    match compile(path) {
        Ok((_, warnings)) => format!("{}it compiles\n", shown(&warnings)),
        Err(found) => shown(&found),
    }
}

/// Compiles a policy; its lists lie beside it. Orders that a name says are not available are not.
fn compile(path: &Path) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
    let files = [source(path)];
    let read = |written: String| {
        let file = path.with_file_name(&written);
        let text = fs::read_to_string(&file);
        ListFile {
            source: text
                .map(|text| Source::new(written.clone(), text))
                .map_err(|_| "it is not there".to_owned()),
            written,
        }
    };
    let list_files: Vec<_> = Policy::list_files(&files).into_iter().map(read).collect();
    let is_small = path.ends_with("not-available.toml");
    let options = CompileOptions {
        list_files: &list_files,
        unavailable: if is_small { UNAVAILABLE } else { &[] },
        ..OPTIONS
    };
    Policy::compile(&files, &options)
}

/// What `facts.toml` says.
struct Given {
    sender: Option<Address>,
    recipients: Vec<Address>,
    client: Option<IpAddr>,
    authenticated: Option<String>,
    tls: Option<SessionTls>,
    groups: Option<Vec<String>>,
    moment: Option<Moment>,
    subject: Option<String>,
    headers: Vec<(String, String)>,
    size: u64,
    attachments: Vec<Attachment>,
    is: Vec<String>,
}

impl Given {
    fn read(path: &Path) -> Self {
        let source = source(path);
        let diagnostics = Diagnostics::default();
        let mut table = document::parse(&source, &diagnostics).expect("facts are TOML");
        let pairs = |texts: Vec<String>| -> Vec<(String, String)> {
            let split = |text: &String| {
                text.split_once(": ")
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
            };
            texts.iter().filter_map(split).collect()
        };
        let client_certificate = table.boolean("client-certificate").is_some_and(|b| b.value);
        let given = Self {
            sender: table
                .parsed("sender", Address::parse)
                .map(|sender| sender.value),
            recipients: texts(&mut table, "recipients")
                .iter()
                .map(|text| Address::parse(text).unwrap())
                .collect(),
            client: table
                .parsed("client", str::parse)
                .map(|client| client.value),
            authenticated: table.string("authenticated").map(|text| text.value),
            tls: table.word("tls").map(|version| SessionTls {
                version: version.value,
                client_certificate,
            }),
            groups: match table.boolean("groups-unavailable") {
                Some(_) => None,
                None => Some(texts(&mut table, "groups")),
            },
            moment: table.parsed("time", str::parse).map(|time| time.value),
            subject: table.string("subject").map(|subject| subject.value),
            headers: pairs(texts(&mut table, "headers")),
            size: table.size("size").map_or(0, |size| size.value),
            attachments: pairs(texts(&mut table, "attachments"))
                .into_iter()
                .map(|(name, media_type)| Attachment { name, media_type })
                .collect(),
            is: texts(&mut table, "is"),
        };
        table.finish();
        assert_eq!(shown(&diagnostics.into_sorted()), "");
        given
    }

    fn envelope<'a>(&'a self, recipient: &'a Address) -> Facts<'a> {
        let direction = if recipient.domain() == INTERNAL {
            Direction::Inbound
        } else {
            Direction::Outbound
        };
        Facts {
            session: Some(Session {
                client: self.client,
                authenticated: self.authenticated.as_deref(),
                tls: self.tls,
            }),
            groups: self.groups.as_deref(),
            moment: self.moment,
            ..Facts::of_envelope(direction, self.sender.as_ref(), recipient)
        }
    }

    fn content(&self) -> Content<'_> {
        let is = |word: &str| self.is.iter().any(|own| own == word);
        Content {
            subject: self.subject.as_deref(),
            headers: &self.headers,
            known_headers: None,
            size: self.size,
            attachments: &self.attachments,
            is_signed: is("signed"),
            is_encrypted: is("encrypted"),
            is_calendar: is("calendar"),
            answers_encrypted: (!is("answer-unavailable")).then_some(is("in-reply-to-encrypted")),
        }
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
