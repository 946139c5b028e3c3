//! `[database]`, `[cache]`, `[harvest]` and `[metrics]`: what is kept, how long, and what is counted.

use std::fmt;
use std::net::SocketAddr;

use certstore::database::Acceptance;
use certstore::lookup::CacheSettings;

use super::read::Reader;

/// Where certificates and keys are kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum DatabaseConfig {
    /// In an SQLite file in the data folder.
    #[default]
    Embedded,
    /// On a PostgreSQL server, by its URL.
    Server(String),
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Server(_) => "Server(…)",
        })
    }
}

/// Whether certificates are taken from verified signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HarvestConfig {
    /// Whether they are.
    pub is_on: bool,
    /// Which new keys of known addresses count at once.
    pub accept: Acceptance,
}

impl Default for HarvestConfig {
    fn default() -> Self {
        Self {
            is_on: true,
            accept: Acceptance::default(),
        }
    }
}

/// Reads `[database]`.
pub(super) fn database(section: Option<Reader<'_, '_>>) -> DatabaseConfig {
    let Some(mut section) = section else {
        return DatabaseConfig::default();
    };
    let url = section.table.parsed("url", |text| match text {
        "sqlite:" => Ok(DatabaseConfig::Embedded),
        _ if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
            Ok(DatabaseConfig::Server(text.to_owned()))
        }
        _ => Err("\"sqlite:\" or postgres://USER:PASSWORD@HOST/DATABASE is needed"),
    });
    section.table.finish();
    url.map(|url| url.value).unwrap_or_default()
}

/// Reads `[cache]`.
pub(super) fn cache(section: Option<Reader<'_, '_>>) -> CacheSettings {
    let mut settings = CacheSettings::default();
    let Some(mut section) = section else {
        return settings;
    };
    let table = &mut section.table;
    if let Some(size) = table.size("size") {
        settings.bytes = size.value;
    }
    for (key, time) in [
        ("found", &mut settings.lifetimes.found),
        ("none", &mut settings.lifetimes.none),
        ("failed", &mut settings.lifetimes.failed),
        ("refresh", &mut settings.refresh),
        ("stale", &mut settings.stale),
    ] {
        if let Some(given) = table.duration(key) {
            *time = given.value;
        }
    }
    section.table.finish();
    settings
}

/// Reads `[harvest]`.
pub(super) fn harvest(section: Option<Reader<'_, '_>>) -> HarvestConfig {
    let mut harvest = HarvestConfig::default();
    let Some(mut section) = section else {
        return harvest;
    };
    if let Some(flag) = section.table.boolean("enabled") {
        harvest.is_on = flag.value;
    }
    let choices = [
        ("same-issuer", Acceptance::SameIssuer),
        ("any", Acceptance::Any),
        ("none", Acceptance::None),
    ];
    if let Some(accept) = section.table.choice("accept", &choices) {
        harvest.accept = accept.value;
    }
    section.table.finish();
    harvest
}

/// Reads `[metrics]`.
pub(super) fn metrics(section: Option<Reader<'_, '_>>) -> Option<SocketAddr> {
    let mut section = section?;
    section.table.require("address");
    let address = section.table.parsed("address", |text| {
        text.parse::<SocketAddr>()
            .map_err(|_| "an IP address and a port are needed, such as 127.0.0.1:9125")
    });
    section.table.finish();
    address.map(|address| address.value)
}
