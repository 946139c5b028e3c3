//! Where events go: standard error, as text for people or JSON for machines.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Only what needs an operator now.
    Error,
    /// Also what will.
    Warn,
    /// Also what became of each message.
    #[default]
    Info,
    /// Also each step.
    Debug,
}

/// Starts logging, once for the whole process.
pub fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // Libraries below speak to their own developers.
    let ours = Targets::new()
        .with_target("gateway", level)
        .with_target("certstore", level);
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false);
    let log = tracing_subscriber::registry().with(ours);
    // A second start is a mistake of ours without consequences: the first one stays.
    let _already_started = match format {
        LogFormat::Text => log.with(lines.compact()).try_init(),
        LogFormat::Json => log.with(lines.json().flatten_event(true)).try_init(),
    };
}
