//! The configuration after every check: what is here can be used as it is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use certstore::certificate::Fingerprint;
use certstore::lookup::CacheSettings;
use certstore::trust::{RevocationMode, RevocationPolicy};
use policy::network::Network;

use super::directory::DirectoryConfig;
use super::profile::Profiles;
use super::publication::PublicationConfig;
use super::storage::{DatabaseConfig, HarvestConfig};
use crate::observe::{LogFormat, LogLevel};

/// Everything `postern.toml` says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in banners, trace headers and verdicts.
    pub hostname: String,
    /// The folder that relative paths start at; absolute.
    pub folder: PathBuf,
    /// Where databases, spool and keys lie; absolute.
    pub data_dir: PathBuf,
    /// The policy: a file or a folder of `*.toml`; absolute.
    pub policy: PathBuf,
    /// Domains (canonical form) whose mail is ours: their users' keys are used.
    pub internal_domains: Vec<String>,
    /// Sockets that mail comes in by.
    pub listeners: Vec<ListenerConfig>,
    /// Limits on what a client may do.
    pub limits: Limits,
    /// How mail goes out.
    pub delivery: DeliveryConfig,
    /// Where mail goes, first match first.
    pub routes: Vec<RouteConfig>,
    /// Whom we believe.
    pub trust: TrustConfig,
    /// Where certificates are looked for beside our own store, first one first.
    pub directories: Vec<DirectoryConfig>,
    /// Whether and where others see our users' certificates.
    pub publication: Option<PublicationConfig>,
    /// Where certificates and keys are kept.
    pub database: DatabaseConfig,
    /// How long answers about certificates are kept.
    pub cache: CacheSettings,
    /// Whether certificates are taken from verified signatures.
    pub harvest: HarvestConfig,
    /// Where figures are to be had.
    pub metrics: Option<SocketAddr>,
    /// The vault key's file; absolute.
    pub vault_key_file: PathBuf,
    /// How and how much is logged.
    pub log: LogConfig,
    /// Named sets of algorithms.
    pub profiles: Arc<Profiles>,
}

/// How and how much is logged.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// The least that is logged.
    pub level: LogLevel,
}

/// One socket that mail comes in by.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether and how it speaks TLS.
    pub tls: ListenerTls,
    /// Clients that may send outbound without AUTH.
    pub relay_from: Vec<Network>,
    /// Front MX servers: what they bring is never signed.
    pub inbound_from: Vec<Network>,
}

/// TLS of a listener; PEM files, absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerTls {
    /// Never.
    None,
    /// STARTTLS is offered.
    StartTls {
        /// Certificate chain.
        certificate: PathBuf,
        /// Private key.
        key: PathBuf,
        /// Whether MAIL is refused before it (530 5.7.0).
        required: bool,
    },
    /// TLS from the first byte.
    Implicit {
        /// Certificate chain.
        certificate: PathBuf,
        /// Private key.
        key: PathBuf,
    },
}

/// Limits on what a client may do.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest message taken in, in bytes on the wire (SIZE, RFC 1870).
    pub message_size: u64,
    /// Most recipients of one message.
    pub recipients: usize,
    /// Most connections at once, all listeners together.
    pub connections: usize,
    /// Most connections at once from one address.
    pub connections_per_client: usize,
    /// How long a client may be silent between commands (RFC 5321, section 4.5.3.2).
    pub command_timeout: Duration,
    /// How long a client may be silent within DATA.
    pub data_timeout: Duration,
    /// How long one session may last.
    pub session_time: Duration,
    /// Wrong commands before the connection is closed.
    pub errors: u32,
    /// Bytes of content that may be in flight at once, all sessions together; further ones wait.
    pub memory: u64,
    /// How long everything between the final dot and our reply may take.
    pub message_budget: Duration,
}

/// How mail goes out.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// Deliveries at once, all destinations together.
    pub concurrency: usize,
    /// Connections at once to one destination.
    pub concurrency_per_destination: usize,
    /// First wait after a temporary failure; doubles each time, with jitter.
    pub retry_first: Duration,
    /// Longest wait between tries.
    pub retry_longest: Duration,
    /// How long it is tried before the sender is told.
    pub expire: Duration,
    /// How long a connection waits for its next message.
    pub idle: Duration,
    /// How long one reply of the next hop may take.
    pub timeout: Duration,
}

/// Where mail for a domain goes.
#[derive(Debug, Clone)]
pub struct RouteConfig {
    /// `*`, `*.example.org` or `example.org`, canonical form.
    pub domain: String,
    /// The next hop.
    pub to: Destination,
    /// TLS towards it.
    pub tls: RouteTls,
    /// AUTH there: user and the file that holds the password (absolute).
    pub auth: Option<(String, PathBuf)>,
}

/// A next hop.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// An SMTP server: host name or address, and port.
    Smtp {
        /// Host name or IP address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A maildir folder (absolute), for trying things out.
    Maildir(PathBuf),
}

/// TLS towards a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteTls {
    /// Never.
    None,
    /// If it is offered, whatever its certificate.
    Opportunistic,
    /// Always, and its certificate must be good for the host's name.
    Required,
}

/// Whom we believe.
#[derive(Debug, Clone, Default)]
pub struct TrustConfig {
    /// Anchors, for everybody and for some domains.
    pub anchors: Vec<AnchorFiles>,
    /// Certificates that are never believed.
    pub distrust: Vec<Fingerprint>,
    /// How revocation is looked at.
    pub revocation: RevocationPolicy,
    /// CRLs in files: absolute, patterns not expanded, so that new files count.
    pub crls: Vec<PathBuf>,
    /// Whether OCSP responders are asked for an answer of their own.
    pub ocsp_nonce: bool,
    /// Whether unknown issuers are fetched.
    pub fetch_issuers: bool,
    /// Private networks that may be fetched from.
    pub fetch_private: Vec<Network>,
}

/// Files with anchors.
#[derive(Debug, Clone)]
pub struct AnchorFiles {
    /// Whose certificates they may vouch for; none: everybody's.
    pub domains: Option<Vec<String>>,
    /// Absolute, patterns and folders expanded.
    pub files: Vec<PathBuf>,
    /// How much an answer about revocation is insisted on below them; none: as for all.
    pub revocation: Option<RevocationMode>,
}
