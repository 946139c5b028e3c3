//! The policy as files: one, or a folder of `*.toml` in name order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policy::compile::{CompileOptions, ListFile, Policy};
use policy::diagnostic::{Diagnostic, Source};
use policy::suite::Outcome;

use crate::config::Config;

/// What the language of the policy knows and this program cannot do yet: keys and words, an empty word for all.
pub const UNAVAILABLE: &[(&str, &str)] = &[
    ("group", ""),
    ("authenticated", ""),
    ("in-reply-to-encrypted", ""),
    ("tls", "client-certificate"),
    ("signer", ""),
    ("no-certificate", "hold"),
    ("no-certificate", "ask"),
    ("no-certificate", "tls"),
    ("no-tls", ""),
    ("ask-deadline", ""),
    ("ask-then", ""),
    ("mixed", "split"),
    ("on-undecryptable", "hold"),
    ("on-bad-signature", "hold"),
    ("strip-signature", ""),
    ("rewrap", ""),
    ("add-header", ""),
    ("note", ""),
    ("hold", ""),
];

/// A policy that compiles, and what is said about it.
#[derive(Debug)]
pub struct Checked {
    /// The policy.
    pub policy: Policy,
    /// What is doubtful in it.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and compiles the policy of the configuration.
///
/// # Errors
/// Every mistake in all files; a file that cannot be read is one.
pub fn load_policy(config: &Config) -> Result<Checked, Vec<Diagnostic>> {
    load_policy_from(&config.policy, config)
}

/// Reads and compiles another policy than the one in force.
///
/// # Errors
/// Every mistake in all files; a file that cannot be read is one.
pub fn load_policy_from(path: &Path, config: &Config) -> Result<Checked, Vec<Diagnostic>> {
    let sources = sources(path).map_err(|(path, error)| vec![unreadable(&path, &error)])?;
    let profiles = config.profiles.names();
    let list_files = list_files(path, &sources);
    let options = CompileOptions {
        profiles: &profiles,
        list_files: &list_files,
        unavailable: UNAVAILABLE,
        is_time_zone: Some(|name| jiff::tz::TimeZone::get(name).is_ok()),
    };
    let (policy, warnings) = Policy::compile(&sources, &options)?;
    Ok(Checked { policy, warnings })
}

/// The lists that lie in files of their own, beside the policy.
fn list_files(policy: &Path, sources: &[Source]) -> Vec<ListFile> {
    let folder = if policy.is_dir() {
        Some(policy)
    } else {
        policy.parent()
    };
    let read = |written: String| {
        let path = folder.unwrap_or(Path::new("")).join(&written);
        let text = fs::read_to_string(&path);
        let source = text.map(|text| Source::new(shown(&path), text));
        ListFile {
            written,
            source: source.map_err(|error| error.to_string()),
        }
    };
    Policy::list_files(sources).into_iter().map(read).collect()
}

/// Runs the policy's tests.
#[must_use]
pub fn check_policy(policy: &Policy, config: &Config) -> Vec<Outcome> {
    policy.run_tests(&config.internal_domains)
}

fn sources(path: &Path) -> Result<Vec<Source>, (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(at(path))? {
            let file = entry.map_err(at(path))?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            let nothing = io::Error::new(io::ErrorKind::NotFound, "the folder has no *.toml");
            return Err((path.to_owned(), nothing));
        }
    } else {
        files.push(path.to_owned());
    }
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file).map_err(at(file))?;
        Ok(Source::new(shown(file), text))
    };
    files.iter().map(read).collect()
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let source = Source::new(shown(path), "");
    Diagnostic::error(
        source.place(0),
        format!("the policy cannot be read: {error}"),
    )
}

/// A file's name as an operator would type it from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.as_deref().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_marks_what_is_not_available() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.md");
        let docs = fs::read_to_string(path).unwrap();
        for (key, word) in UNAVAILABLE {
            let marked = if word.is_empty() { key } else { word };
            let is_marked = [format!("`{marked}`°"), format!("`\"{marked}\"`°")];
            assert!(
                is_marked.iter().any(|mark| docs.contains(mark)),
                "{key} {word}"
            );
        }
    }
}
