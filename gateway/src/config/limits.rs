//! `[limits]`: what one client may do.

use std::time::Duration;

use super::checked::Limits;
use super::read::Reader;

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 50 << 20,
            recipients: 1000,
            connections: 500,
            connections_per_client: 100,
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(180),
            session_time: Duration::from_secs(3600),
            errors: 10,
            memory: 48 << 20,
            message_budget: Duration::from_secs(30),
        }
    }
}

/// Reads the section; what is absent keeps its default.
pub(super) fn read(section: Option<Reader<'_, '_>>) -> Limits {
    let mut limits = Limits::default();
    let Some(mut section) = section else {
        return limits;
    };
    let table = &mut section.table;
    for (key, size) in [
        ("message-size", &mut limits.message_size),
        ("memory", &mut limits.memory),
    ] {
        if let Some(given) = table.size(key) {
            *size = given.value;
        }
    }
    for (key, count) in [
        ("recipients", &mut limits.recipients),
        ("connections", &mut limits.connections),
        ("connections-per-client", &mut limits.connections_per_client),
    ] {
        if let Some(given) = table.integer(key, 1..=100_000) {
            *count = usize::try_from(given.value).unwrap_or(usize::MAX);
        }
    }
    for (key, time) in [
        ("command-timeout", &mut limits.command_timeout),
        ("data-timeout", &mut limits.data_timeout),
        ("session-time", &mut limits.session_time),
        ("message-budget", &mut limits.message_budget),
    ] {
        if let Some(given) = table.duration(key) {
            *time = given.value;
        }
    }
    if let Some(errors) = table.integer("errors", 1..=1000) {
        limits.errors = u32::try_from(errors.value).unwrap_or(u32::MAX);
    }
    section.table.finish();
    limits
}
