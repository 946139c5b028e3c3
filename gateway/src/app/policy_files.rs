//! The policy as files: one, or a folder of `*.toml` in name order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policy::compile::{CompileOptions, Policy};
use policy::diagnostic::{Diagnostic, Source};
use policy::suite::Outcome;

use crate::config::Config;

/// A policy that compiles, and what is said about it.
#[derive(Debug)]
pub struct Checked {
    /// The policy.
    pub policy: Policy,
    /// What is doubtful in it.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and compiles the policy.
///
/// # Errors
/// Every mistake in all files; a file that cannot be read is one.
pub fn load_policy(config: &Config) -> Result<Checked, Vec<Diagnostic>> {
    let sources =
        sources(&config.policy).map_err(|(path, error)| vec![unreadable(&path, &error)])?;
    let profiles = config.profiles.names();
    let options = CompileOptions {
        profiles: &profiles,
    };
    let (policy, warnings) = Policy::compile(&sources, &options)?;
    Ok(Checked { policy, warnings })
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
