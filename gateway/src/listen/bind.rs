//! Listeners before anything runs: their sockets and their TLS, and clear words when one cannot be had.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use crate::config::{ListenerConfig, ListenerTls};
use crate::smtp::StartTls;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listener that holds its address and does not accept yet.
pub struct Bound {
    pub(super) config: ListenerConfig,
    pub(super) socket: TcpListener,
    pub(super) tls: Tls,
}

/// TLS of a listener, ready for use.
#[derive(Clone)]
pub(super) enum Tls {
    None,
    Offered {
        acceptor: TlsAcceptor,
        is_required: bool,
    },
    Implicit(TlsAcceptor),
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", advice(.source))]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A file of the listener's TLS cannot be used.
    #[error("TLS of the listener on {address}: {}: {reason}", file.display())]
    File {
        /// The listener's address.
        address: SocketAddr,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Binds a listener and loads its certificate. Needs a tokio runtime around it.
///
/// # Errors
/// [`ListenError`], which names the address and the file.
pub fn bind(config: &ListenerConfig) -> Result<Bound, ListenError> {
    let tls = match &config.tls {
        ListenerTls::None => Tls::None,
        ListenerTls::StartTls {
            certificate,
            key,
            required,
        } => Tls::Offered {
            acceptor: acceptor(config.address, certificate, key)?,
            is_required: *required,
        },
        ListenerTls::Implicit { certificate, key } => {
            Tls::Implicit(acceptor(config.address, certificate, key)?)
        }
    };
    Ok(Bound {
        config: config.clone(),
        socket: open_socket(config.address)?,
        tls,
    })
}

impl Bound {
    /// Where it listens: the configured address, with the port that the system chose where that was 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap_or(self.config.address)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) const fn start_tls(&self) -> StartTls {
        match self {
            Self::None | Self::Implicit(_) => StartTls::NotOffered,
            Self::Offered {
                is_required: false, ..
            } => StartTls::Offered,
            Self::Offered {
                is_required: true, ..
            } => StartTls::Required,
        }
    }
}

/// A socket that listens and does not accept yet.
///
/// # Errors
/// [`ListenError::Address`].
pub(crate) fn open_socket(address: SocketAddr) -> Result<TcpListener, ListenError> {
    listen(address).map_err(|source| ListenError::Address { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait for connections of the last run to time out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn advice(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::AddrInUse {
        "the address is in use; is another mail server running?".to_owned()
    } else if kind == io::ErrorKind::PermissionDenied {
        "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE".to_owned()
    } else if kind == io::ErrorKind::AddrNotAvailable {
        "this machine does not have this address".to_owned()
    } else {
        error.to_string()
    }
}

/// TLS 1.2 and 1.3 with the certificate chain and key of these PEM files.
///
/// # Errors
/// [`ListenError::File`].
pub(crate) fn acceptor(
    address: SocketAddr,
    certificate: &Path,
    key: &Path,
) -> Result<TlsAcceptor, ListenError> {
    let wrong = |file: &Path, reason: String| ListenError::File {
        address,
        file: file.to_owned(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, reason(&error, "certificate")))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            reason(&PemError::NoItemsFound, "certificate"),
        ));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, reason(&error, "private key")))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_no_client_auth())
        .and_then(|builder| builder.with_single_cert(chain, private))
        .map_err(|error| {
            if matches!(error, rustls::Error::InconsistentKeys(_)) {
                wrong(
                    key,
                    format!("the key does not belong to {}", certificate.display()),
                )
            } else {
                wrong(certificate, error.to_string())
            }
        })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn reason(error: &PemError, item: &str) -> String {
    if let PemError::Io(error) = error {
        error.to_string()
    } else if let PemError::NoItemsFound = error {
        format!("there is no {item} in PEM form in it")
    } else {
        error.to_string()
    }
}

#[cfg(test)]
#[path = "bind/tests.rs"]
mod tests;
