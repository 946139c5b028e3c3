//! A connection to the first server that can be reached: TLS, who we are, and the relay in between.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, StdStream};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tracing::debug;

use super::relay::{LARGEST_MESSAGE, Trouble, relay};
use super::{Bind, LdapSettings, Server, shown};
use crate::ldap::{extended_result, message_length};
use crate::source::SourceFailure;

/// How long one server may take to be connected to, where there are others.
const CONNECTING: Duration = Duration::from_secs(2);

/// The request StartTLS, message number 1 (RFC 4511, section 4.14.1).
const START_TLS_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// An open connection that has introduced us.
pub(super) struct Connection {
    ldap: Ldap,
    trouble: Trouble,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to the first server that takes us.
    ///
    /// # Errors
    /// What stood against each server.
    pub(super) async fn open(settings: &LdapSettings) -> Result<Self, SourceFailure> {
        let mut reasons = Vec::with_capacity(settings.servers.len());
        for server in &settings.servers {
            let opened = async {
                if settings.servers.len() == 1 {
                    return Self::open_at(server, settings).await;
                }
                let opened = timeout(CONNECTING, Self::open_at(server, settings)).await;
                opened.unwrap_or_else(|_| Err("it does not answer".to_owned()))
            };
            match opened.await {
                Ok(connection) => return Ok(connection),
                Err(reason) => {
                    debug!(event = "directory.server", %server, reason, "LDAP server passed over");
                    reasons.push(format!("{server}: {reason}"));
                }
            }
        }
        Err(SourceFailure(reasons.join("; ")))
    }

    /// For one operation; all of them share the connection.
    pub(super) fn handle(&self) -> Ldap {
        self.ldap.clone()
    }

    pub(super) fn is_open(&self) -> bool {
        self.trouble.get().is_none() && !self.ldap.clone().is_closed()
    }

    /// Why an operation failed: what the relay saw, which says more than what came of it.
    pub(super) fn why(&self, error: &LdapError) -> String {
        self.trouble
            .get()
            .map_or_else(|| shown(&error.to_string()), Clone::clone)
    }

    async fn open_at(server: &Server, settings: &LdapSettings) -> Result<Self, String> {
        let mut socket = TcpStream::connect((server.host.as_str(), server.port))
            .await
            .map_err(|error| error.to_string())?;
        // Questions are small and wait for their answers.
        socket
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        if !server.is_tls && settings.start_tls {
            start_tls(&mut socket).await?;
        } else if !server.is_tls {
            return Self::over(socket, &settings.bind).await;
        }
        let name = ServerName::try_from(server.host.clone()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::clone(&settings.tls))
            .connect(name, socket)
            .await
            .map_err(|error| format!("TLS: {error}"))?;
        Self::over(stream, &settings.bind).await
    }

    /// Puts the relay between the server and the library, and introduces us.
    async fn over<S>(stream: S, bind: &Bind) -> Result<Self, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (ours, theirs) = StdUnixStream::pair().map_err(|error| error.to_string())?;
        ours.set_nonblocking(true)
            .map_err(|error| error.to_string())?;
        let ours = UnixStream::from_std(ours).map_err(|error| error.to_string())?;
        let trouble = Trouble::default();
        tokio::spawn(relay(stream, ours, Arc::clone(&trouble)));
        let connecting = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
        let (driver, ldap) = LdapConnAsync::with_settings(connecting, "ldapi:///")
            .await
            .map_err(|error| error.to_string())?;
        // When it ends, those who wait are told by their own operation.
        tokio::spawn(async move { driver.drive().await.is_ok() });
        let connection = Self { ldap, trouble };
        connection.introduce(bind).await?;
        Ok(connection)
    }

    async fn introduce(&self, bind: &Bind) -> Result<(), String> {
        let mut ldap = self.handle();
        let result = match bind {
            Bind::Anonymous => return Ok(()),
            Bind::Simple { name, password } => ldap.simple_bind(name, password).await,
            Bind::External => ldap.sasl_external_bind().await,
        };
        let LdapResult { rc, text, .. } = result.map_err(|error| self.why(&error))?;
        if rc == 0 {
            return Ok(());
        }
        Err(format!(
            "the bind failed with LDAP result {rc}: {}",
            shown(&text)
        ))
    }
}

/// Asks for TLS and reads the answer, and not a byte more: what comes after it is the handshake's.
async fn start_tls(socket: &mut TcpStream) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("StartTLS: {error}");
    socket.write_all(START_TLS_REQUEST).await.map_err(failed)?;
    let mut answer = Vec::new();
    let length = loop {
        answer.push(socket.read_u8().await.map_err(failed)?);
        let length = message_length(&answer, LARGEST_MESSAGE);
        if let Some(length) = length.map_err(|error| format!("StartTLS: {error}"))? {
            break length;
        }
    };
    let begun = answer.len();
    answer.resize(length, 0);
    let rest = answer.get_mut(begun..).unwrap_or_default();
    socket.read_exact(rest).await.map_err(failed)?;
    match extended_result(&answer) {
        Ok(0) => Ok(()),
        Ok(code) => Err(format!("StartTLS failed with LDAP result {code}")),
        Err(error) => Err(format!("StartTLS: {error}")),
    }
}
