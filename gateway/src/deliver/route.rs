//! Which next hop a recipient's domain leads to: the first route that matches.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::{Destination, RouteConfig, RouteTls};

/// The configured routes.
#[derive(Debug)]
pub(super) struct Routes {
    /// Pattern, and the place of its hop in `hops`.
    rules: Vec<(Pattern, usize)>,
    /// Each next hop once, however many routes lead there.
    hops: Vec<Hop>,
}

/// A next hop, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) to: Destination,
    pub(super) tls: RouteTls,
    /// User, and the file that holds the password.
    pub(super) auth: Option<(String, PathBuf)>,
}

#[derive(Debug)]
enum Pattern {
    Any,
    /// Every domain below this one.
    Below(String),
    Domain(String),
}

impl Routes {
    pub(super) fn new(configured: &[RouteConfig]) -> Self {
        let mut routes = Self {
            rules: Vec::with_capacity(configured.len()),
            hops: Vec::new(),
        };
        for route in configured {
            let hop = Hop {
                to: route.to.clone(),
                tls: route.tls,
                auth: route.auth.clone(),
            };
            let place = routes.place_of(hop);
            routes.rules.push((Pattern::new(&route.domain), place));
        }
        routes
    }

    /// Each next hop once.
    pub(super) fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The place in [`Routes::hops`] of the hop for a domain in canonical form.
    pub(super) fn find(&self, domain: &str) -> Option<usize> {
        self.rules
            .iter()
            .find(|(pattern, _)| pattern.matches(domain))
            .map(|&(_, hop)| hop)
    }

    fn place_of(&mut self, hop: Hop) -> usize {
        let known = self.hops.iter().position(|other| *other == hop);
        known.unwrap_or_else(|| {
            self.hops.push(hop);
            self.hops.len() - 1
        })
    }
}

/// Whether mail for a domain in canonical form leaves by a protected way: verified TLS, loopback, or a folder here.
#[must_use]
pub fn is_protected(configured: &[RouteConfig], domain: &str) -> bool {
    let mut matching = configured
        .iter()
        .filter(|route| Pattern::new(&route.domain).matches(domain));
    matching.next().is_some_and(|route| match &route.to {
        Destination::Maildir(_) => true,
        Destination::Smtp { host, .. } => {
            let is_loopback = host
                .parse::<IpAddr>()
                .map_or(host == "localhost", |ip| ip.is_loopback());
            is_loopback || route.tls == RouteTls::Required
        }
    })
}

impl Pattern {
    fn new(text: &str) -> Self {
        match text.strip_prefix("*.") {
            _ if text == "*" => Self::Any,
            Some(domain) => Self::Below(domain.to_ascii_lowercase()),
            None => Self::Domain(text.to_ascii_lowercase()),
        }
    }

    fn matches(&self, domain: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(parent) => domain
                .strip_suffix(parent.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty()),
            Self::Domain(own) => own == domain,
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Destination::Smtp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Destination::Smtp { host, port } => write!(f, "{host}:{port}"),
            Destination::Maildir(folder) => write!(f, "maildir:{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(domain: &str, port: u16) -> RouteConfig {
        RouteConfig {
            domain: domain.to_owned(),
            to: Destination::Smtp {
                host: "mx.example".to_owned(),
                port,
            },
            tls: RouteTls::None,
            auth: None,
        }
    }

    #[test]
    fn the_first_match_wins() {
        let routes = Routes::new(&[
            route("example.org", 1),
            route("*.example.org", 2),
            route("b.example.org", 3),
            route("Example.COM", 1),
        ]);
        for (domain, expected) in [
            ("example.org", Some("mx.example:1")),
            ("a.example.org", Some("mx.example:2")),
            ("b.example.org", Some("mx.example:2")),
            ("c.b.example.org", Some("mx.example:2")),
            ("example.com", Some("mx.example:1")),
            ("badexample.org", None),
            (".example.org", None),
            ("example.net", None),
            ("", None),
        ] {
            let found = routes
                .find(domain)
                .map(|place| routes.hops()[place].to_string());
            assert_eq!(found.as_deref(), expected, "{domain}");
        }
        assert_eq!(routes.hops().len(), 3);
    }

    #[test]
    fn a_star_takes_the_rest() {
        let routes = Routes::new(&[route("example.org", 1), route("*", 2)]);
        assert_eq!(routes.find("example.org"), Some(0));
        assert_eq!(routes.find("example.net"), Some(1));
    }
}
