//! `[publication]`: our users' certificates for everybody who asks by address. Off unless it is there.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::read::Reader;

/// What of our users' certificates others may see, and where.
#[derive(Debug, Clone)]
pub struct PublicationConfig {
    /// LDAP; StartTLS is offered where there is a certificate.
    pub ldap: Option<SocketAddr>,
    /// LDAP within TLS.
    pub ldaps: Option<SocketAddr>,
    /// RFC 4387 over HTTP.
    pub http: Option<SocketAddr>,
    /// The same within TLS.
    pub https: Option<SocketAddr>,
    /// Certificate chain and private key of TLS, PEM; absolute.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The distinguished name below which LDAP shows people.
    pub base: String,
    /// Whether all addresses may be listed.
    pub enumeration: bool,
    /// Questions that one client may ask in a minute.
    pub requests_per_minute: u32,
}

/// The ways in, by their keys.
const WAYS: [&str; 4] = ["ldap", "ldaps", "http", "https"];

/// Reads the section.
pub(super) fn read(section: Option<Reader<'_, '_>>) -> Option<PublicationConfig> {
    let mut section = section?;
    let keys = section.table.keys();
    let has = |ways: &[&str]| keys.iter().any(|key| ways.contains(&key.value.as_str()));
    if !has(&WAYS) {
        let message =
            "[publication] needs one of `ldap`, `ldaps`, `http` and `https`: where it listens";
        section.table.error(section.table.place(), message);
    }
    let [ldap, ldaps, http, https] = WAYS.map(|key| {
        let address = section.table.parsed(key, |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "an IP address and a port are needed, such as 127.0.0.1:1389")
        });
        address.map(|address| address.value)
    });
    let (certificate, key) = (section.path("certificate"), section.path("key"));
    if has(&["ldaps", "https"]) || certificate.is_some() != key.is_some() {
        section.table.require("certificate");
        section.table.require("key");
    }
    let base = section.table.string("base");
    let enumeration = section.table.boolean("enumeration");
    let requests = section.table.integer("requests-per-minute", 1..=1_000_000);
    section.table.finish();
    Some(PublicationConfig {
        ldap,
        ldaps,
        http,
        https,
        tls: certificate.zip(key),
        base: base.map_or_else(|| "o=certificates".to_owned(), |base| base.value),
        enumeration: enumeration.is_some_and(|flag| flag.value),
        requests_per_minute: requests
            .and_then(|count| u32::try_from(count.value).ok())
            .unwrap_or(600),
    })
}
