//! `[[listener]]`: sockets, their TLS, and who may send what.

use std::net::SocketAddr;

use policy::network::{Network, NetworkError};

use super::checked::{ListenerConfig, ListenerTls};
use super::read::Reader;

/// Reads all of them.
pub(super) fn read(top: &mut Reader<'_, '_>) -> Vec<ListenerConfig> {
    let mut taken = Vec::new();
    top.sections("listener")
        .into_iter()
        .filter_map(|section| one(section, &mut taken))
        .collect()
}

fn one(mut section: Reader<'_, '_>, taken: &mut Vec<SocketAddr>) -> Option<ListenerConfig> {
    section.table.require("address");
    let address = section.table.parsed("address", |text| {
        text.parse::<SocketAddr>()
            .map_err(|_| "an IP address and a port are needed, such as 127.0.0.1:2525")
    });
    if let Some(address) = &address {
        // Port 0 is another free port each time.
        if address.value.port() != 0 && taken.contains(&address.value) {
            let message = format!("another listener has {} already", address.value);
            section.table.error(address.place, message);
        }
        taken.push(address.value);
    }
    let tls = tls(&mut section);
    let relay_from = networks(&mut section, "relay-from");
    let inbound_from = networks(&mut section, "inbound-from");
    section.table.finish();
    Some(ListenerConfig {
        address: address?.value,
        tls: tls?,
        relay_from,
        inbound_from,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Offered,
    Required,
    Implicit,
}

fn tls(section: &mut Reader<'_, '_>) -> Option<ListenerTls> {
    let kinds = [
        ("none", Kind::None),
        ("starttls", Kind::Offered),
        ("required", Kind::Required),
        ("implicit", Kind::Implicit),
    ];
    let kind = section
        .table
        .choice("tls", &kinds)
        .map_or(Kind::None, |kind| kind.value);
    if kind != Kind::None {
        section.table.require("certificate");
        section.table.require("key");
    }
    let (certificate, key) = (section.path("certificate"), section.path("key"));
    match kind {
        Kind::None => Some(ListenerTls::None),
        Kind::Implicit => Some(ListenerTls::Implicit {
            certificate: certificate?,
            key: key?,
        }),
        Kind::Offered | Kind::Required => Some(ListenerTls::StartTls {
            certificate: certificate?,
            key: key?,
            required: kind == Kind::Required,
        }),
    }
}

pub(super) fn networks(section: &mut Reader<'_, '_>, key: &str) -> Vec<Network> {
    let Some(texts) = section.table.list_of_strings(key) else {
        return Vec::new();
    };
    let mut networks = Vec::with_capacity(texts.value.len());
    for text in texts.value {
        match text.value.parse() {
            Ok(network) => networks.push(network),
            Err(NetworkError) => section.table.error(
                text.place,
                format!(
                    "`{key}` cannot hold {:?}: a network such as 10.0.0.0/8 or ::1/128 is needed",
                    text.value
                ),
            ),
        }
    }
    networks
}
