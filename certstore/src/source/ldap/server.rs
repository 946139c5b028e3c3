//! The URL of an LDAP server: scheme, host and port, nothing else (RFC 4516 has more; none of it belongs here).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whether TLS begins with the first byte.
    pub is_tls: bool,
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Why a text is not the URL of an LDAP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server is written ldap://HOST[:PORT] or ldaps://HOST[:PORT]")]
pub struct ServerError;

impl Server {
    /// Whether it is on this machine, so that nobody can listen in.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(url: &str) -> Result<Self, ServerError> {
        let (scheme, rest) = url.split_once("://").ok_or(ServerError)?;
        let (is_tls, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "ldap" => (false, 389),
            "ldaps" => (true, 636),
            _ => return Err(ServerError),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(ServerError)?;
                host.parse::<IpAddr>().map_err(|_| ServerError)?;
                match port.strip_prefix(':') {
                    None if port.is_empty() => (host, None),
                    None => return Err(ServerError),
                    some => (host, some),
                }
            }
            None => rest
                .split_once(':')
                .map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(ServerError);
        }
        let port = port.map_or(Ok(usual_port), |port| port.parse().map_err(|_| ServerError))?;
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "ldaps" } else { "ldap" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_refused() {
        for (url, expected) in [
            (
                "ldap://ldap.example.org",
                Some("ldap://ldap.example.org:389"),
            ),
            (
                "LDAPS://ldap.example.org/",
                Some("ldaps://ldap.example.org:636"),
            ),
            ("ldap://127.0.0.1:1389", Some("ldap://127.0.0.1:1389")),
            ("ldap://[::1]:1389", Some("ldap://[::1]:1389")),
            ("ldaps://[2001:db8::1]", Some("ldaps://[2001:db8::1]:636")),
            ("ldap://", None),
            ("ldap://:389", None),
            ("ldap.example.org", None),
            ("http://ldap.example.org", None),
            ("ldap://host:99999", None),
            ("ldap://host:", None),
            ("ldap://host/o=x", None),
            ("ldap://user@host", None),
            ("ldap://[::1]x", None),
            ("ldap://[host]", None),
        ] {
            let found = url.parse::<Server>().ok().map(|server| server.to_string());
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }
}
