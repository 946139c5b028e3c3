//! How many connections there may be, overall and from one client.

#![expect(
    clippy::disallowed_types,
    reason = "held for one look-up and never across an await; a guard's Drop cannot wait for a task"
)]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections.
#[derive(Debug)]
pub(super) struct Admission {
    overall: usize,
    per_client: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    clients: HashMap<IpAddr, usize>,
}

/// Why a connection is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// There are too many.
    Overall,
    /// There are too many from this client.
    FromClient,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Arc<Admission>,
    client: IpAddr,
}

impl Admission {
    /// With room for so many connections.
    pub(super) fn new(overall: usize, per_client: usize) -> Arc<Self> {
        Arc::new(Self {
            overall,
            per_client,
            counts: Mutex::default(),
        })
    }

    /// Takes a place for a connection from `client`.
    pub(super) fn admit(self: &Arc<Self>, client: IpAddr) -> Result<Place, Excess> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.overall {
            return Err(Excess::Overall);
        }
        let from_client = counts.clients.get(&client).copied().unwrap_or(0);
        if from_client >= self.per_client {
            return Err(Excess::FromClient);
        }
        counts.clients.insert(client, from_client + 1);
        counts.all += 1;
        Ok(Place {
            admission: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .admission
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Entry::Occupied(mut from_client) = counts.clients.entry(self.client) {
            *from_client.get_mut() = from_client.get().saturating_sub(1);
            if *from_client.get() == 0 {
                from_client.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let client = |number| IpAddr::V4(Ipv4Addr::new(192, 0, 2, number));
        let admission = Admission::new(3, 2);
        let first = admission.admit(client(1)).unwrap();
        let _second = admission.admit(client(1)).unwrap();
        assert_eq!(admission.admit(client(1)).err(), Some(Excess::FromClient));
        let third = admission.admit(client(2)).unwrap();
        assert_eq!(admission.admit(client(3)).err(), Some(Excess::Overall));
        drop(first);
        let _fourth = admission.admit(client(1)).unwrap();
        drop(third);
        assert_eq!(admission.counts.lock().unwrap().clients.len(), 1);
    }
}
