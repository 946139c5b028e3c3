//! How many questions one client may ask in a minute. An IPv6 client is its /64: it has all addresses in there.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// Clients that are remembered at once; beyond that, the oldest are forgotten.
const CLIENTS: u64 = 100_000;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts of all clients.
pub(super) struct Rate {
    most: u32,
    counts: Cache<IpAddr, Arc<AtomicU32>>,
}

impl Rate {
    pub(super) fn new(most: u32) -> Self {
        let counts = Cache::builder()
            .max_capacity(CLIENTS)
            .time_to_live(WINDOW)
            .build();
        Self { most, counts }
    }

    /// Counts a question; false if it is one too many.
    pub(super) fn admits(&self, client: IpAddr) -> bool {
        let count = self.counts.get_with(household(client), Arc::default);
        count.fetch_add(1, Ordering::Relaxed) < self.most
    }
}

fn household(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_count() {
        let rate = Rate::new(2);
        for (client, is_admitted) in [
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::ffff:2", true),
            ("2001:db8::3", false),
            ("2001:db8:0:1::1", true),
        ] {
            assert_eq!(
                rate.admits(client.parse().unwrap()),
                is_admitted,
                "{client}"
            );
        }
    }
}
