//! Where a fetch may go: public addresses, and the private networks that an operator listed.
//!
//! A name is judged by the addresses that the connection is then made to, so that a second answer of the DNS cannot
//! lead elsewhere; an address written in a URL is judged as it stands, also after a redirect.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use policy::network::Network;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::public::is_public;

/// Connections to these are allowed.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<[Network]>);

/// A host that may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is in a private network")]
pub(super) struct Private(pub(super) String);

impl Guard {
    pub(super) fn new(private_networks: Vec<Network>) -> Self {
        Self(private_networks.into())
    }

    /// Whether a URL may be asked, as far as it says where it leads.
    pub(super) fn check(&self, url: &Url) -> Result<(), Private> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) if !self.admits(address) => Err(Private(host.to_owned())),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn admits(&self, address: IpAddr) -> bool {
        is_public(address) || self.0.iter().any(|network| network.contains(address))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|address| guard.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(Private(name.as_str().to_owned()).into());
            }
            let addresses: Addrs = Box::new(admitted.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_url_is_judged_however_it_is_written() {
        let loopback = Network {
            address: "127.0.0.0".parse().unwrap(),
            prefix: 8,
        };
        let (strict, listed) = (Guard::new(vec![]), Guard::new(vec![loopback]));
        for (url, is_strictly_allowed, is_allowed_by_list) in [
            ("http://8.8.8.8/a", true, true),
            ("http://crl.example/a", true, true),
            ("http://127.0.0.1/a", false, true),
            ("http://127.1/a", false, true),
            ("http://0x7f000001/a", false, true),
            ("http://2130706433/a", false, true),
            ("http://[::ffff:127.0.0.1]/a", false, true),
            ("http://[::1]/a", false, false),
            ("http://10.0.0.1/a", false, false),
            ("http://169.254.169.254/latest", false, false),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(strict.check(&parsed).is_ok(), is_strictly_allowed, "{url}");
            assert_eq!(listed.check(&parsed).is_ok(), is_allowed_by_list, "{url}");
        }
    }
}
