//! What the project promises about its own text: rules that no compiler checks, each reported with file and line.
//!
//! Only files that git knows, or would take, are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that may lie at the top.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "certstore",
    "clippy.toml",
    "configs",
    "deny.toml",
    "docs",
    "gateway",
    "integration",
    "policy",
    "rustfmt.toml",
];

/// The crates in a line, and what each may not know.
const CRATES: &[(&str, &[&str])] = &[
    ("policy", &["certstore", "gateway"]),
    ("certstore", &["gateway"]),
    ("gateway", &[]),
    ("integration", &[]),
];

/// Longest file, in lines.
const LONGEST: usize = 500;

/// Kinds of files whose every line is ours.
const OUR_TEXT: &[&str] = &["rs", "toml", "md", "sh", "java", "py", "service", "sql"];

/// Places on somebody's machine; split here, so that this file does not name them.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "wt"),
    concat!("/tmp/", "plan"),
    concat!("/tmp/", "target"),
];

/// A line number and what is wrong there.
type Finding = (usize, String);

/// The modules of each crate, in the order of its `lib.rs`.
type Lists = BTreeMap<&'static str, Vec<String>>;

#[test]
fn the_tree_is_tidy() {
    let root = root();
    let files = listed(&root);
    let mut findings = unknown_at_the_top(&files);
    let lists: Lists = CRATES
        .iter()
        .map(|(name, _)| {
            let list = fs::read_to_string(root.join(name).join("src/lib.rs")).unwrap();
            (*name, modules(&list))
        })
        .collect();
    for path in files {
        // What is not text has no lines to be tidy.
        if let Ok(text) = fs::read_to_string(root.join(&path)) {
            findings.extend(check(&path, &text, &lists));
        }
    }
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// All that is wrong with one file, as `path:line: what`.
fn check(path: &str, text: &str, lists: &Lists) -> Vec<String> {
    let extension = path.rsplit_once('.').map_or("", |(_, end)| end);
    let mut found = Vec::new();
    // A mistake in a bad example is its point.
    let is_bad_example = path.starts_with("policy/tests/bad/") || path.contains("/bad_config/");
    if !is_bad_example && (OUR_TEXT.contains(&extension) || path == "Makefile") {
        found.extend(lines(text));
    }
    if extension == "rs" {
        found.extend(head(path, text));
        found.extend(length(text));
        found.extend(rust_lines(text));
        found.extend(imports(path, text, lists));
    }
    let report = |(line, what)| format!("{path}:{line}: {what}");
    found.into_iter().map(report).collect()
}

fn head(path: &str, text: &str) -> Option<Finding> {
    let first = text.lines().find(|line| !line.trim().is_empty());
    // What a module's tests are about, the module says.
    let is_its_tests = path.ends_with("/tests.rs");
    let says = is_its_tests || first.is_some_and(|line| line.starts_with("//!"));
    (!says).then(|| {
        (
            1,
            "a file begins by saying what it promises (//!)".to_owned(),
        )
    })
}

fn length(text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    (lines > LONGEST).then(|| (LONGEST, format!("{lines} lines; more than {LONGEST}")))
}

fn lines(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.ends_with([' ', '\t', '\r']) {
            found.push((number, "white space at the end of a line".to_owned()));
        }
        for word in unowned(line) {
            found.push((number, format!("{word} without an owner: {word}(name)")));
        }
        for path in MACHINE_PATHS.iter().filter(|path| line.contains(*path)) {
            found.push((number, format!("{path} is a place on one machine")));
        }
    }
    found
}

fn rust_lines(text: &str) -> Vec<Finding> {
    let breaches = [
        ("\t", "a tab"),
        (concat!("#[", "ignore"), "a test that does not run"),
        (
            concat!("#[", "allow("),
            "#[expect(lint, reason = …)] instead",
        ),
        (
            concat!("#![", "allow("),
            "#![expect(lint, reason = …)] instead",
        ),
    ];
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (_, what) in breaches.iter().filter(|(mark, _)| line.contains(mark)) {
            found.push((number, (*what).to_owned()));
        }
    }
    found
}

/// A module imports only from those before it in its crate's list, and a crate only from those before it.
fn imports(path: &str, text: &str, lists: &Lists) -> Vec<Finding> {
    let Some((name, module)) = place(path) else {
        return Vec::new();
    };
    let list = &lists[name];
    let place_of = |module: &str| list.iter().position(|other| other == module);
    let code = code(text);
    let mut found = Vec::new();
    for (line, used) in mentioned(&code, module.len()) {
        if place_of(&used) > place_of(module[0]) {
            let what = format!("{} comes before {used} in {name}/src/lib.rs", module[0]);
            found.push((line, what));
        }
    }
    for (number, line) in (1..).zip(code.lines()) {
        for other in forbidden(name)
            .iter()
            .filter(|other| names_crate(line, other))
        {
            found.push((number, format!("{name} must not know {other}")));
        }
    }
    found
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap().to_owned()
}

fn listed(root: &Path) -> Vec<String> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let output = git.current_dir(root).output().expect("git is installed");
    assert!(output.status.success(), "the tree is a git repository");
    let names = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let mut names: Vec<String> = names.split_terminator('\0').map(str::to_owned).collect();
    // A file that was deleted and not committed yet is still listed.
    names.retain(|name| root.join(name).is_file());
    assert!(names.len() > 10, "{names:?}");
    names
}

fn unknown_at_the_top(files: &[String]) -> Vec<String> {
    let mut tops: Vec<&str> = files
        .iter()
        .map(|path| path.split('/').next().unwrap_or_default())
        .filter(|top| !TOP.contains(top))
        .collect();
    tops.dedup();
    tops.iter()
        .map(|top| format!("{top}:1: not one of the top-level entries that the project knows"))
        .collect()
}

/// The modules that a `lib.rs` declares, in order.
fn modules(list: &str) -> Vec<String> {
    list.lines()
        .filter_map(|line| {
            let line = line.trim().trim_start_matches("pub ");
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .map(str::to_owned)
        .collect()
}

/// Crate and module path of a source file; none for crate roots and programs, which may name everything.
fn place(path: &str) -> Option<(&str, Vec<&str>)> {
    let (name, rest) = path.split_once("/src/")?;
    let rest = rest.strip_suffix(".rs")?.trim_end_matches("/mod");
    let module: Vec<&str> = rest.split('/').collect();
    let is_root = ["lib", "main", "bin"].contains(&module[0]);
    let is_test = module.contains(&"tests");
    (!is_root && !is_test).then_some((name, module))
}

fn forbidden(name: &str) -> &'static [&'static str] {
    let found = CRATES.iter().find(|(other, _)| *other == name);
    found.map_or(&[], |(_, foreign)| foreign)
}

/// The text without comments and without the tests at its end; lines keep their numbers.
fn code(text: &str) -> String {
    let shipped = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let without = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let lines: Vec<String> = text[..shipped].lines().map(without).collect();
    lines.join("\n")
}

/// The top-level modules that code at `depth` modules below the root names, with their lines.
fn mentioned(code: &str, depth: usize) -> Vec<(usize, String)> {
    let up = "super::".repeat(depth);
    let mut found = Vec::new();
    for root in ["crate::", &up] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].lines().count().max(1);
            let rest = &code[at + root.len()..];
            found.extend(first_names(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first name of a path, or of each path of a braced group.
fn first_names(rest: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |text: &str| -> String { text.trim().chars().take_while(|c| is_name(*c)).collect() };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut depth = 0;
    let mut start = 0;
    let mut names = Vec::new();
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn unowned(line: &str) -> Vec<&'static str> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    words
        .into_iter()
        .filter(|word| {
            let after = line.split_once(word).map(|(_, after)| after);
            after.is_some_and(|after| !after.starts_with('('))
        })
        .collect()
}

mod rules {
    //! Each rule finds what it is there for.

    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let list = ["smtp", "listen"].map(str::to_owned).to_vec();
        let lists = CRATES.iter().map(|(name, _)| (*name, list.clone()));
        check(path, text, &lists.collect())
    }

    #[test]
    fn each_rule_finds_its_breach() {
        let smtp = "gateway/src/smtp/mod.rs";
        let long = format!("//! x\n{}", "\n".repeat(LONGEST));
        for (path, text, expected) in [
            (smtp, "use x;\n", ":1: a file begins"),
            (smtp, &long, ":500: 501 lines"),
            (smtp, "//! x\nlet a = 1; \n", ":2: white space"),
            (smtp, "//! x\n\tlet\n", ":2: a tab"),
            (
                smtp,
                concat!("//! x\n// TO", "DO\n"),
                concat!(":2: TO", "DO without"),
            ),
            (smtp, concat!("//! x\n#[", "ignore]\n"), ":2: a test that"),
            (smtp, concat!("//! x\n#[", "allow(x)]\n"), ":2: #[expect("),
            (
                "docs/a.md",
                concat!("x\nsee /ro", "ot/x\n"),
                concat!(":2: /ro", "ot/ is"),
            ),
            (
                smtp,
                "//! x\nuse crate::listen::A;\n",
                ":2: smtp comes before listen",
            ),
            (
                smtp,
                "//! x\nuse crate::{\n    smtp::{B},\n    listen,\n};\n",
                ":2: smtp comes",
            ),
            (
                "gateway/src/smtp/a.rs",
                "//! x\nuse super::super::listen;\n",
                ":2: smtp comes",
            ),
            (
                "policy/src/smtp.rs",
                "//! x\nfn f(a: gateway::A) {}\n",
                ":2: policy must not",
            ),
        ] {
            let found = findings(path, text);
            let wanted = format!("{path}{expected}");
            assert!(
                found.len() == 1 && found[0].starts_with(&wanted),
                "{text}: {found:?}"
            );
        }
        assert_eq!(unknown_at_the_top(&["new/x".to_owned()]).len(), 1);
    }

    #[test]
    fn what_is_allowed_is_not_reported() {
        let listen = "gateway/src/listen/mod.rs";
        let test = "//! x\n\n#[cfg(test)]\nmod tests {\n    use crate::listen;\n}\n";
        for (path, text) in [
            (
                listen,
                "//! x\nuse crate::smtp::{A, B};\nuse super::listen;\n",
            ),
            (
                listen,
                "//! x\n// see crate::later and gateway::x\nuse crate::listen::C;\n",
            ),
            ("gateway/src/smtp/mod.rs", test),
            ("gateway/src/main.rs", "//! x\nuse gateway::listen;\n"),
            ("Makefile", "a:\n\tb\n"),
            ("docs/x.txt", "left as it is \n"),
        ] {
            assert_eq!(findings(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}
