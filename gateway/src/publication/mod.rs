//! Our users' certificates for everybody who asks by address: read-only LDAP and HTTP, so that others' mail programs and
//! gateways find them without a password. Off unless it is configured.
//!
//! Only certificates whose keys are here, of addresses in internal domains, valid now and good for encryption. Everybody
//! is a stranger here: messages, connections, questions and answers are bounded, and nobody can list who is here unless
//! the operator allows it.

mod doors;
mod http;
mod ldap;
mod people;
mod rate;

use std::sync::Arc;

use certstore::clock::Clock;
use certstore::database::Database;
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::listen::{ListenError, acceptor, open_socket};
use crate::observe;
use doors::{Door, Tls};
use rate::Rate;

pub use people::People;

/// Everything that is to be served, with its sockets open.
pub struct Published {
    office: Option<Arc<Office>>,
    doors: Vec<(Protocol, Door)>,
}

/// What all ways in share.
struct Office {
    people: People,
    base: String,
    enumeration: bool,
    rate: Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Ldap,
    Http,
}

/// Opens what the configuration names; nothing is answered yet.
///
/// # Errors
/// [`ListenError`], which names the address or the file.
pub fn open(
    config: &Config,
    database: &Database,
    clock: &Arc<dyn Clock>,
) -> Result<Published, ListenError> {
    let Some(publication) = &config.publication else {
        return Ok(Published {
            office: None,
            doors: Vec::new(),
        });
    };
    let ways = [
        (Protocol::Ldap, publication.ldap, false),
        (Protocol::Ldap, publication.ldaps, true),
        (Protocol::Http, publication.http, false),
        (Protocol::Http, publication.https, true),
    ];
    let mut doors = Vec::new();
    for (protocol, address, is_tls) in ways {
        let Some(address) = address else {
            continue;
        };
        let acceptor: Option<TlsAcceptor> = match &publication.tls {
            Some((certificate, key)) => Some(acceptor(address, certificate, key)?),
            None => None,
        };
        let socket: TcpListener = open_socket(address)?;
        let tls = match acceptor {
            Some(acceptor) if is_tls => Tls::Implicit(acceptor),
            Some(acceptor) => Tls::Offered(acceptor),
            None => Tls::None,
        };
        observe::publication_listening(address);
        doors.push((protocol, Door { socket, tls }));
    }
    let office = Office {
        people: People::new(
            database.clone(),
            config.internal_domains.clone(),
            Arc::clone(clock),
        ),
        base: publication.base.clone(),
        enumeration: publication.enumeration,
        rate: Rate::new(publication.requests_per_minute),
    };
    Ok(Published {
        office: Some(Arc::new(office)),
        doors,
    })
}

/// Answers until `shutdown` becomes true.
pub async fn serve(published: Published, mut shutdown: watch::Receiver<bool>) {
    let Some(office) = published.office else {
        return;
    };
    let doors = published.doors.into_iter().map(|(protocol, door)| {
        let office = Arc::clone(&office);
        async move {
            match protocol {
                Protocol::Ldap => ldap::serve(door, office).await,
                Protocol::Http => http::serve(door, office).await,
            }
        }
    });
    tokio::select! {
        _ = join_all(doors) => {}
        // A sender that is gone will not say it any more: that is a stop too.
        _ = shutdown.wait_for(|stops| *stops) => {}
    }
}
