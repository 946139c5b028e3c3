//! Certificates from LDAP directories: Active Directory, OpenLDAP and their like, public ones too.
//!
//! One search for an address over a connection that stays open, at the first of several servers that can be reached.
//! Referrals are not followed. Entries, certificates and bytes are bounded; what a value of an attribute looks like is
//! for `values` to know, what may come over the wire for `relay`.

mod connection;
mod relay;
mod server;
mod template;
mod values;

use std::sync::Arc;

use ldap3::adapters::{Adapter, PagedResults};
use ldap3::{LdapError, Scope as LdapScope, SearchOptions};
use policy::address::Address;
use rustls::ClientConfig;
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use super::{Answer, Found, MOST_CERTIFICATES, Source, SourceFailure};
use connection::Connection;

pub use server::{Server, ServerError};
pub use template::{FilterTemplate, TemplateError};
pub use values::read_value;

/// Most entries that an address may have; more than one is rare, but departments share addresses.
const MOST_ENTRIES: usize = 16;

/// The attributes that hold certificates, unless an operator names others.
pub const ATTRIBUTES: &[&str] = &[
    "userCertificate;binary",
    "userSMIMECertificate",
    "userSMIMECertificate;binary",
];

/// Where and how a directory is asked.
#[derive(Debug, Clone)]
pub struct LdapSettings {
    /// Its name in explanations and metrics.
    pub name: String,
    /// Its servers, the preferred one first.
    pub servers: Vec<Server>,
    /// Whether TLS is started on `ldap:` connections, and nothing said before it.
    pub start_tls: bool,
    /// TLS for `ldaps:` and StartTLS.
    pub tls: Arc<ClientConfig>,
    /// As whom it is asked.
    pub bind: Bind,
    /// The distinguished name below which people are.
    pub base: String,
    /// How far below.
    pub scope: Scope,
    /// Which entries are an address's.
    pub filter: FilterTemplate,
    /// The attributes that hold certificates.
    pub attributes: Vec<String>,
    /// Entries of one page, where answers come in pages (RFC 2696).
    pub page_size: Option<u16>,
}

/// As whom a directory is asked.
#[derive(Clone)]
pub enum Bind {
    /// As nobody.
    Anonymous,
    /// By name and password.
    Simple {
        /// The distinguished name, or what Active Directory takes instead.
        name: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// By the certificate that TLS has shown (RFC 4422, appendix A).
    External,
}

/// How far below its base a directory is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One level.
    One,
    /// All levels.
    Subtree,
}

impl std::fmt::Debug for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Simple { name, .. } => write!(f, "Simple({name})"),
            Self::External => f.write_str("External"),
        }
    }
}

/// A directory that is asked by LDAP.
#[derive(Debug)]
pub struct LdapDirectory {
    settings: LdapSettings,
    /// The connection in use; every question of every message shares it.
    open: watch::Sender<Option<Arc<Connection>>>,
    /// Held while a connection is made, so that one is made for all who wait.
    connecting: Mutex<()>,
}

impl LdapDirectory {
    /// A directory; nothing is connected before the first question.
    #[must_use]
    pub fn new(settings: LdapSettings) -> Self {
        Self {
            settings,
            open: watch::Sender::new(None),
            connecting: Mutex::new(()),
        }
    }

    async fn look_up(&self, address: &Address) -> Result<Found, SourceFailure> {
        let filter = self.settings.filter.fill(address);
        let (lease, is_new) = self.lease().await?;
        match self.search(&lease, &filter).await {
            Ok(found) => {
                lease.keep();
                Ok(found)
            }
            // Servers close connections that were quiet for long: one that was open already gets a second chance.
            Err(LdapFailure::Connection(_)) if !is_new => {
                drop(lease);
                let (lease, _) = self.lease().await?;
                let found = self.search(&lease, &filter).await?;
                lease.keep();
                Ok(found)
            }
            Err(LdapFailure::Answer(reason)) => {
                lease.keep();
                Err(SourceFailure(reason))
            }
            Err(failure @ LdapFailure::Connection(_)) => Err(failure.into()),
        }
    }

    async fn search(&self, lease: &Lease<'_>, filter: &str) -> Result<Found, LdapFailure> {
        let broken = |error: LdapError| LdapFailure::Connection(lease.connection.why(&error));
        let settings = &self.settings;
        let pages = settings
            .page_size
            .map(|size| PagedResults::new(size.into()));
        let adapters: Vec<Box<dyn Adapter<'_, String, Vec<String>>>> = pages
            .into_iter()
            .map(|pages| Box::new(pages) as Box<_>)
            .collect();
        let scope = match settings.scope {
            Scope::One => LdapScope::OneLevel,
            Scope::Subtree => LdapScope::Subtree,
        };
        let limit = i32::try_from(MOST_ENTRIES).unwrap_or(i32::MAX);
        let mut ldap = lease.connection.handle();
        ldap.with_search_options(SearchOptions::new().sizelimit(limit));
        let attributes = settings.attributes.clone();
        let mut entries = ldap
            .streaming_search_with(adapters, &settings.base, scope, filter, attributes)
            .await
            .map_err(broken)?;
        let mut collected = values::Collected::new(&settings.name, &settings.attributes);
        while let Some(entry) = entries.next().await.map_err(broken)? {
            if !entry.is_ref() {
                collected.add(entry.0);
            }
            if collected.is_full(MOST_ENTRIES, MOST_CERTIFICATES) {
                return Ok(collected.into_found());
            }
        }
        let result = entries.finish().await;
        match result.rc {
            SUCCESS | SIZE_LIMIT_EXCEEDED => Ok(collected.into_found()),
            // "Nobody is here" would be a guess, and send mail for everybody back.
            NO_SUCH_OBJECT => Err(LdapFailure::Answer(format!(
                "there is no {:?}",
                settings.base
            ))),
            REFERRAL => Err(LdapFailure::Answer(format!(
                "{:?} is on another server; referrals are not followed",
                settings.base
            ))),
            code => Err(LdapFailure::Answer(format!(
                "the search failed with LDAP result {code}: {}",
                shown(&result.text)
            ))),
        }
    }

    /// A connection, and whether it was made for this question.
    async fn lease(&self) -> Result<(Lease<'_>, bool), SourceFailure> {
        if let Some(connection) = self.open_connection() {
            return Ok((Lease::new(self, connection), false));
        }
        let _only_one = self.connecting.lock().await;
        if let Some(connection) = self.open_connection() {
            return Ok((Lease::new(self, connection), false));
        }
        let connection = Arc::new(Connection::open(&self.settings).await?);
        self.open.send_replace(Some(Arc::clone(&connection)));
        Ok((Lease::new(self, connection), true))
    }

    fn open_connection(&self) -> Option<Arc<Connection>> {
        self.open.borrow().clone().filter(|open| open.is_open())
    }
}

/// RFC 4511, appendix A.
const SUCCESS: u32 = 0;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;
const NO_SUCH_OBJECT: u32 = 32;

/// Why a search gave nothing.
#[derive(Debug)]
enum LdapFailure {
    /// The connection is of no use any more.
    Connection(String),
    /// The server says no.
    Answer(String),
}

impl From<LdapFailure> for SourceFailure {
    fn from(failure: LdapFailure) -> Self {
        match failure {
            LdapFailure::Connection(reason) | LdapFailure::Answer(reason) => Self(reason),
        }
    }
}

/// A connection in use. Unless it is kept, nobody uses it after this: a question that was given up in the middle may
/// mean that the server has gone silent.
struct Lease<'a> {
    directory: &'a LdapDirectory,
    connection: Arc<Connection>,
    is_good: bool,
}

impl<'a> Lease<'a> {
    fn new(directory: &'a LdapDirectory, connection: Arc<Connection>) -> Self {
        Self {
            directory,
            connection,
            is_good: false,
        }
    }

    fn keep(mut self) {
        self.is_good = true;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.is_good {
            return;
        }
        self.directory.open.send_if_modified(|open| {
            let is_same = open
                .as_ref()
                .is_some_and(|other| Arc::ptr_eq(other, &self.connection));
            if is_same {
                *open = None;
            }
            is_same
        });
    }
}

impl Source for LdapDirectory {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a> {
        Box::pin(self.look_up(address))
    }
}

/// A server's text as one line that is not too long for a log.
fn shown(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
