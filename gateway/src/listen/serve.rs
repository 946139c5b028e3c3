//! Accepts connections on all listeners, admits them by the limits, and drives each in a task of its own.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use certstore::clock::Clock;
use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

use super::Intake;
use super::admission::{Admission, Excess, Place};
use super::bind::{Bound, Tls};
use super::connection::Connection;
use super::ending::Ending;
use super::memory::Memory;
use super::transport::Transport;
use crate::config::{Limits, Network};
use crate::observe::session as log;
use crate::smtp::{self, Client, Session, encode};

/// How long accepting rests after an error, such as no file descriptors left.
const REST: Duration = Duration::from_millis(100);

/// What all listeners share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name.
    pub hostname: String,
    /// Limits on what clients may do, all listeners together.
    pub limits: Limits,
    /// Where queue ids take the time from.
    pub clock: Arc<dyn Clock>,
}

/// What all connections share.
pub(super) struct House {
    pub settings: Settings,
    pub memory: Memory,
    admission: Arc<Admission>,
}

/// One listener at work.
struct Gate<I> {
    bound: Bound,
    protocol: Arc<smtp::Settings>,
    house: Arc<House>,
    intake: Arc<I>,
    shutdown: watch::Receiver<bool>,
}

/// Serves all listeners until `shutdown` becomes true (or its sender is gone) and the last session is over.
///
/// From then on there are no new connections; sessions that wait for a command end with 421, those in DATA or with a
/// message at work finish it first. How long that may take is the caller's to decide: dropping the future ends all
/// connections.
pub async fn serve<I: Intake>(
    listeners: Vec<Bound>,
    settings: Settings,
    intake: Arc<I>,
    shutdown: watch::Receiver<bool>,
) {
    let limits = &settings.limits;
    let house = Arc::new(House {
        memory: Memory::new(limits.memory),
        admission: Admission::new(limits.connections, limits.connections_per_client),
        settings,
    });
    let gates = listeners.into_iter().map(|bound| {
        let gate = Gate {
            protocol: Arc::new(protocol(&bound, &house.settings)),
            bound,
            house: Arc::clone(&house),
            intake: Arc::clone(&intake),
            shutdown: shutdown.clone(),
        };
        gate.accept()
    });
    join_all(gates).await;
}

fn protocol(bound: &Bound, settings: &Settings) -> smtp::Settings {
    smtp::Settings {
        hostname: settings.hostname.clone(),
        message_size: settings.limits.message_size,
        recipients: settings.limits.recipients,
        mistakes: settings.limits.errors,
        start_tls: bound.tls.start_tls(),
    }
}

impl<I: Intake> Gate<I> {
    async fn accept(self) {
        let mut shutdown = self.shutdown.clone();
        let address = self.bound.address();
        log::listening(address);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut shutdown) => break,
                Some(ended) = connections.join_next() => report(ended),
                accepted = self.bound.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, &mut connections),
                    Err(error) => {
                        log::accept_failed(address, &error);
                        sleep(REST).await;
                    }
                },
            }
        }
        drop(self.bound);
        log::draining(address, connections.len());
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
        // An IPv4 client of an IPv6 socket is an IPv4 client.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let ending = match self.house.admission.admit(peer.ip()) {
            Ok(place) => {
                connections.spawn(attend(self.connection(stream, peer), place));
                return;
            }
            Err(Excess::Overall) => Ending::TooManyConnections,
            Err(Excess::FromClient) => Ending::TooManyFromClient,
        };
        log::refused(peer, &ending);
        if !matches!(self.bound.tls, Tls::Implicit(_)) {
            refuse(stream, &ending, &self.house.settings.hostname);
        }
    }

    fn connection(&self, stream: TcpStream, peer: SocketAddr) -> Connection<I> {
        let config = &self.bound.config;
        let client = Client {
            address: peer.ip(),
            helo: String::new(),
            extended: false,
            tls: None,
            may_relay: is_in(&config.relay_from, peer.ip()),
            is_inbound: is_in(&config.inbound_from, peer.ip()),
        };
        Connection {
            session: Session::new(Arc::clone(&self.protocol), client),
            transport: Transport::Clear(stream),
            peer,
            tls: self.bound.tls.clone(),
            house: Arc::clone(&self.house),
            intake: Arc::clone(&self.intake),
            shutdown: self.shutdown.clone(),
        }
    }
}

/// Waits until the gateway stops.
pub(super) async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone will not say it any more: that is a stop too.
    drop(shutdown.wait_for(|stops| *stops).await);
}

/// Drives one connection; its place is free again afterwards.
async fn attend<I: Intake>(connection: Connection<I>, place: Place) {
    let peer = connection.peer;
    let start = Instant::now();
    log::opened(peer);
    let (ending, messages) = connection.run().await;
    log::closed(peer, &ending, messages, start.elapsed());
    drop(place);
}

/// Says why in one write that does not wait: a fresh socket has room for it.
fn refuse(stream: TcpStream, ending: &Ending, hostname: &str) {
    let mut output = BytesMut::new();
    if let Some(words) = ending.last_words(hostname) {
        encode(&words, &mut output);
    }
    if let Ok(mut stream) = stream.into_std() {
        // A client that is gone already needs no answer.
        drop(stream.write_all(&output));
    }
}

fn is_in(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        log::session_panicked(&error);
    }
}
