//! `postern.toml`: every mistake in it at once, each with its place.
//!
//! It looks at the disk only to expand patterns in file names; what is in those files is read by whoever uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy::diagnostic::{Diagnostic, Diagnostics, Located, Source};
use policy::document::{self, Table};

use super::checked::{Config, LogConfig};
use super::{delivery, directory, limits, listener, profile, publication, storage, trust};
use crate::observe::{LogFormat, LogLevel};

impl Config {
    /// Reads a configuration; relative paths in it start at `folder`, which is absolute.
    ///
    /// # Errors
    /// Every mistake, sorted by place.
    pub fn read(source: &Source, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let diagnostics = Diagnostics::default();
        let config =
            document::parse(source, &diagnostics).and_then(|table| read(Reader { table, folder }));
        match config {
            Some(config) if !diagnostics.has_errors() => Ok(config),
            _ => Err(diagnostics.into_sorted()),
        }
    }
}

/// A table and the folder that its paths start at.
pub(super) struct Reader<'s, 'f> {
    pub(super) table: Table<'s>,
    pub(super) folder: &'f Path,
}

impl<'s, 'f> Reader<'s, 'f> {
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        self.table
            .string(key)
            .map(|text| self.folder.join(text.value))
    }

    pub(super) fn section(&mut self, key: &str) -> Option<Self> {
        self.table.table(key).map(|table| Reader {
            table,
            folder: self.folder,
        })
    }

    pub(super) fn sections(&mut self, key: &str) -> Vec<Self> {
        let tables = self.table.tables(key).unwrap_or_default();
        tables
            .into_iter()
            .map(|table| Reader {
                table,
                folder: self.folder,
            })
            .collect()
    }

    /// A list of domains, in canonical form.
    pub(super) fn domains(&mut self, key: &str) -> Option<Vec<String>> {
        let texts = self.table.list_of_strings(key)?;
        Some(
            texts
                .value
                .iter()
                .filter_map(|text| self.domain(key, text))
                .collect(),
        )
    }

    fn domain(&self, key: &str, text: &Located<'s, String>) -> Option<String> {
        match canonical_domain(&text.value) {
            Some(domain) => Some(domain),
            None => {
                let message = format!("`{key}` cannot hold {:?}: it is no domain", text.value);
                self.table.error(text.place, message);
                None
            }
        }
    }

    /// A list of file names, in which the last part may hold `*`, and of folders, which stand for the files in them.
    pub(super) fn files(&mut self, key: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let patterns = self.table.list_of_strings(key);
        for pattern in patterns.into_iter().flat_map(|patterns| patterns.value) {
            let found = expand(&self.folder.join(&pattern.value));
            if found.is_empty() {
                let message = format!("`{key}`: there is no file {:?}", pattern.value);
                self.table.error(pattern.place, message);
            }
            files.extend(found);
        }
        files
    }
}

fn read(mut top: Reader<'_, '_>) -> Option<Config> {
    for key in [
        "hostname",
        "policy",
        "internal-domains",
        "listener",
        "route",
    ] {
        top.table.require(key);
    }
    let hostname = top.table.parsed("hostname", hostname);
    let data_dir = top
        .path("data-dir")
        .unwrap_or_else(|| top.folder.join("data"));
    let policy = top.path("policy");
    let internal_domains = internal_domains(&mut top);
    let default_profile = top.table.string("default-profile");
    let listeners = listener::read(&mut top);
    let limits = limits::read(top.section("limits"));
    let delivery = delivery::read(top.section("delivery"));
    let routes = delivery::routes(&mut top);
    let trust = trust::read(top.section("trust"));
    let directories = directory::read(&mut top);
    let publication = publication::read(top.section("publication"));
    let database = storage::database(top.section("database"));
    let cache = storage::cache(top.section("cache"));
    let harvest = storage::harvest(top.section("harvest"));
    let metrics = storage::metrics(top.section("metrics"));
    let vault_key_file =
        vault(top.section("vault")).unwrap_or_else(|| top.folder.join("vault.key"));
    let log = log(top.section("log"));
    let profiles = Arc::new(profile::read(&mut top, default_profile.as_ref()));
    let folder = top.folder.to_owned();
    top.table.not_yet("console");
    top.table.finish();
    Some(Config {
        hostname: hostname?.value,
        folder,
        data_dir,
        policy: policy?,
        internal_domains: internal_domains?,
        listeners,
        limits,
        delivery,
        routes,
        trust,
        directories,
        publication,
        database,
        cache,
        harvest,
        metrics,
        vault_key_file,
        log,
        profiles,
    })
}

/// The domains whose mail is ours; without one there is nothing to do.
fn internal_domains(top: &mut Reader<'_, '_>) -> Option<Vec<String>> {
    let texts = top.table.list_of_strings("internal-domains")?;
    if texts.value.is_empty() {
        top.table
            .error(texts.place, "`internal-domains` needs at least one domain");
    }
    let domains = texts
        .value
        .iter()
        .filter_map(|text| top.domain("internal-domains", text));
    Some(domains.collect())
}

fn hostname(text: &str) -> Result<String, &'static str> {
    let is_name = canonical_domain(text).is_some_and(|domain| domain.eq_ignore_ascii_case(text));
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("it is no host name")
    }
}

fn canonical_domain(text: &str) -> Option<String> {
    let address = policy::address::Address::parse(&format!("postmaster@{text}")).ok()?;
    Some(address.domain().to_owned())
}

fn vault(section: Option<Reader<'_, '_>>) -> Option<PathBuf> {
    let mut section = section?;
    let key_file = section.path("key-file");
    section.table.not_yet("pkcs11");
    section.table.finish();
    key_file
}

fn log(section: Option<Reader<'_, '_>>) -> LogConfig {
    let Some(mut section) = section else {
        return LogConfig::default();
    };
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
    ];
    let format = section
        .table
        .choice("format", &formats)
        .map(|format| format.value);
    let level = section
        .table
        .choice("level", &levels)
        .map(|level| level.value);
    section.table.finish();
    LogConfig {
        format: format.unwrap_or_default(),
        level: level.unwrap_or_default(),
    }
}

/// The files that a name stands for, in name order: in its last part, `*` stands for any characters; a folder stands for
/// the files in it.
#[must_use]
pub fn expand(pattern: &Path) -> Vec<PathBuf> {
    if pattern.is_dir() {
        return expand(&pattern.join("*"));
    }
    let name = pattern
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let Some((before, after)) = name.split_once('*') else {
        return if pattern.is_file() {
            vec![pattern.to_owned()]
        } else {
            Vec::new()
        };
    };
    let folder = pattern.parent().unwrap_or(pattern);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let rest = name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            rest.is_some() && path.is_file()
        })
        .collect();
    files.sort();
    files
}
