//! `[[directory]]`: where certificates are looked for beside our own store, in the order in which they are asked.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use certstore::source::Limits;
use certstore::source::http::UrlTemplate;
use certstore::source::ldap::{ATTRIBUTES, FilterTemplate, Scope, Server};
use certstore::source::tls::TlsFiles;

use super::read::Reader;

/// One directory.
#[derive(Debug, Clone)]
pub struct DirectoryConfig {
    /// Its name in explanations, log lines and metrics; no other one has it.
    pub name: String,
    /// How it is asked.
    pub limits: Limits,
    /// What it is.
    pub kind: DirectoryKind,
}

/// What a directory is.
#[derive(Debug, Clone)]
pub enum DirectoryKind {
    /// An LDAP directory.
    Ldap(LdapConfig),
    /// DNS.
    Smimea {
        /// Resolvers; none for those of the system.
        resolvers: Vec<SocketAddr>,
        /// DNSKEY records of the root; none for IANA's.
        trust_anchor: Option<PathBuf>,
    },
    /// A web server.
    Http {
        /// The URL for an address.
        url: UrlTemplate,
        /// Files of its TLS.
        tls: TlsFiles,
    },
}

/// An LDAP directory.
#[derive(Debug, Clone)]
pub struct LdapConfig {
    /// Its servers, the preferred one first.
    pub servers: Vec<Server>,
    /// Whether TLS is started on `ldap:` connections.
    pub start_tls: bool,
    /// Files of its TLS.
    pub tls: TlsFiles,
    /// As whom it is asked.
    pub bind: BindConfig,
    /// Where people are.
    pub base: String,
    /// How far below that.
    pub scope: Scope,
    /// Which entries are an address's.
    pub filter: FilterTemplate,
    /// Attributes with certificates.
    pub attributes: Vec<String>,
    /// Entries of one page, if answers come in pages.
    pub page_size: Option<u16>,
}

/// As whom a directory is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindConfig {
    /// As nobody.
    Anonymous,
    /// By name and password.
    Simple {
        /// The name.
        name: String,
        /// The file whose first line is the password; absolute.
        password_file: PathBuf,
    },
    /// By the certificate that TLS shows.
    External,
}

#[derive(Clone, Copy)]
enum Kind {
    Ldap,
    Smimea,
    Http,
}

/// Reads all of them. A name that two have is a mistake.
pub(super) fn read(top: &mut Reader<'_, '_>) -> Vec<DirectoryConfig> {
    let mut directories: Vec<DirectoryConfig> = Vec::new();
    for section in top.sections("directory") {
        let place = section.table.place();
        let Some(directory) = one(section) else {
            continue;
        };
        if directories.iter().any(|other| other.name == directory.name) {
            let message = format!(
                "there are two directories called {:?}: give one of them another `name`",
                directory.name
            );
            top.table.error(place, message);
        }
        directories.push(directory);
    }
    directories
}

fn one(mut section: Reader<'_, '_>) -> Option<DirectoryConfig> {
    section.table.require("kind");
    let kinds = [
        ("ldap", Kind::Ldap),
        ("smimea", Kind::Smimea),
        ("http", Kind::Http),
    ];
    let kind = section.table.choice("kind", &kinds)?;
    let usual_name = match kind.value {
        Kind::Ldap => "ldap",
        Kind::Smimea => "smimea",
        Kind::Http => "http",
    };
    let name = section.table.string("name");
    let name = name.map_or_else(|| usual_name.to_owned(), |name| name.value);
    let limits = limits(&mut section);
    let kind = match kind.value {
        Kind::Ldap => ldap(&mut section).map(DirectoryKind::Ldap),
        Kind::Smimea => smimea(&mut section),
        Kind::Http => http(&mut section),
    };
    section.table.finish();
    Some(DirectoryConfig {
        name,
        limits,
        kind: kind?,
    })
}

fn limits(section: &mut Reader<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    for (key, time) in [
        ("timeout", &mut limits.timeout),
        ("pause", &mut limits.pause),
    ] {
        if let Some(given) = section.table.duration(key) {
            *time = given.value;
        }
    }
    if let Some(given) = section.table.integer("concurrency", 1..=1000) {
        limits.concurrency = usize::try_from(given.value).unwrap_or(usize::MAX);
    }
    if let Some(given) = section.table.integer("failures", 1..=1000) {
        limits.failures = u32::try_from(given.value).unwrap_or(u32::MAX);
    }
    limits
}

fn ldap(section: &mut Reader<'_, '_>) -> Option<LdapConfig> {
    section.table.require("url");
    section.table.require("base");
    let servers = servers(section);
    let base = section.table.string("base");
    let scopes = [("subtree", Scope::Subtree), ("one-level", Scope::One)];
    let scope = section.table.choice("scope", &scopes);
    let filter = section.table.parsed("filter", FilterTemplate::parse);
    let attributes = section.table.list_of_strings("attributes").map_or_else(
        || ATTRIBUTES.iter().map(|name| (*name).to_owned()).collect(),
        |names| names.value.into_iter().map(|name| name.value).collect(),
    );
    let start_tls = section
        .table
        .boolean("starttls")
        .is_some_and(|flag| flag.value);
    let page_size = section.table.integer("page-size", 1..=1000);
    let tls = tls_files(section);
    let is_safe = servers
        .iter()
        .all(|server| start_tls || server.is_tls || server.is_loopback());
    let bind = bind(section, is_safe, tls.identity.is_some());
    Some(LdapConfig {
        servers,
        start_tls,
        tls,
        bind: bind?,
        base: base?.value,
        scope: scope.map_or(Scope::Subtree, |scope| scope.value),
        filter: filter.map_or_else(FilterTemplate::default, |filter| filter.value),
        attributes,
        page_size: page_size.and_then(|size| u16::try_from(size.value).ok()),
    })
}

fn servers(section: &mut Reader<'_, '_>) -> Vec<Server> {
    let mut servers = Vec::new();
    let urls = section.table.string_or_list("url");
    for url in urls.into_iter().flat_map(|urls| urls.value) {
        match url.value.parse() {
            Ok(server) => servers.push(server),
            Err(error) => {
                let message = format!("`url` cannot be {:?}: {error}", url.value);
                section.table.error(url.place, message);
            }
        }
    }
    servers
}

fn bind(section: &mut Reader<'_, '_>, is_safe: bool, has_identity: bool) -> Option<BindConfig> {
    let sasl = section.table.choice("sasl", &[("external", ())]);
    let name = section.table.string("bind-dn");
    let place = name.as_ref().map(|name| name.place);
    if place.is_some() {
        section.table.require("password-file");
    }
    let password_file = section.path("password-file");
    if let Some(sasl) = sasl {
        if place.is_some() {
            let message =
                "`sasl = \"external\"` and `bind-dn` are two ways to say who we are: keep one";
            section.table.error(sasl.place, message);
        }
        if !has_identity {
            let message =
                "`sasl = \"external\"` needs `certificate` and `key`: they say who we are";
            section.table.error(sasl.place, message);
        }
        return Some(BindConfig::External);
    }
    let Some(name) = name else {
        return Some(BindConfig::Anonymous);
    };
    if !is_safe {
        let message = "the password would be sent in clear: use ldaps: or `starttls = true`";
        section.table.error(name.place, message);
    }
    Some(BindConfig::Simple {
        name: name.value,
        password_file: password_file?,
    })
}

fn smimea(section: &mut Reader<'_, '_>) -> Option<DirectoryKind> {
    let trust_anchor = section.path("trust-anchor");
    let texts = section.table.string_or_list("resolver");
    let mut resolvers = Vec::new();
    for text in texts.into_iter().flat_map(|texts| texts.value) {
        match resolver(&text.value) {
            Some(address) => resolvers.push(address),
            None => {
                let message = format!(
                    "`resolver` cannot be {:?}: an IP address is needed, such as 127.0.0.1 or [::1]:53",
                    text.value
                );
                section.table.error(text.place, message);
            }
        }
    }
    Some(DirectoryKind::Smimea {
        resolvers,
        trust_anchor,
    })
}

fn resolver(text: &str) -> Option<SocketAddr> {
    let alone = || {
        text.parse::<IpAddr>()
            .ok()
            .map(|ip| SocketAddr::new(ip, 53))
    };
    text.parse().ok().or_else(alone)
}

fn http(section: &mut Reader<'_, '_>) -> Option<DirectoryKind> {
    section.table.require("url");
    let url = section.table.parsed("url", UrlTemplate::parse);
    let may_be_clear = section
        .table
        .boolean("allow-http")
        .is_some_and(|flag| flag.value);
    let tls = tls_files(section);
    let url = url?;
    if !url.value.is_https() && !may_be_clear {
        let message =
            "who writes to whom would be readable on the way: use https:, or `allow-http = true`";
        section.table.error(url.place, message);
    }
    Some(DirectoryKind::Http {
        url: url.value,
        tls,
    })
}

fn tls_files(section: &mut Reader<'_, '_>) -> TlsFiles {
    let authorities = section.path("ca-file");
    let (certificate, key) = (section.path("certificate"), section.path("key"));
    if certificate.is_some() != key.is_some() {
        section.table.require("certificate");
        section.table.require("key");
    }
    TlsFiles {
        authorities,
        identity: certificate.zip(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("127.0.0.1", Some("127.0.0.1:53")),
            ("127.0.0.1:5353", Some("127.0.0.1:5353")),
            ("::1", Some("[::1]:53")),
            ("[::1]:5353", Some("[::1]:5353")),
            ("localhost", None),
            ("127.0.0.1:", None),
            ("", None),
        ] {
            let found = resolver(text).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
