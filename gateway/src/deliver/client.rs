//! One SMTP connection to a next hop: connecting, EHLO, TLS, AUTH, and commands with their replies.
//!
//! Every wait has an end: each reply, each write and the connection itself may take as long as the operator said. Addresses
//! go into commands as they are, for the parser of addresses lets no control character through.

use std::io::Error as IoError;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mail_send::smtp::AssertReply;
use mail_send::{Credentials, Error, SmtpClient};
use smtp_proto::{EXT_PIPELINING, EXT_START_TLS, EhloResponse, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::data::Stuffing;
use super::route::Hop;
use super::tls::Connectors;
use super::verdict::Verdict;
use crate::config::RouteTls;
use crate::spool::{Content, SpoolError};

/// Most messages over one connection.
const MESSAGES: u32 = 100;
/// Longest that the TCP connection itself may take.
const CONNECT: Duration = Duration::from_secs(30);

/// How connections are made.
pub(super) struct Connector {
    /// What we call ourselves.
    pub(super) hostname: String,
    /// How long one reply may take.
    pub(super) timeout: Duration,
    pub(super) tls: Connectors,
}

/// An open connection, ready for MAIL.
pub(super) struct Connection {
    client: SmtpClient<Box<dyn Stream>>,
    /// What the next hop said to EHLO, after TLS if there is any.
    pub(super) offers: EhloResponse<String>,
    peer: SocketAddr,
    protection: Protection,
    /// Messages begun on it.
    begun: u32,
    /// Whether a transaction may be left open, which RSET must end.
    pub(super) is_open: bool,
    usable: bool,
    idle_since: Instant,
}

/// TCP or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    Clear,
    /// Against who listens only.
    Encrypted,
    Verified,
}

/// The connection broke off, and why; it cannot be used any longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken(pub(super) String);

/// Why a content was not sent to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// The connection broke off.
    Broken(Broken),
    /// The rest could not be read.
    Unreadable(SpoolError),
}

impl From<Broken> for Interrupted {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<SpoolError> for Interrupted {
    fn from(error: SpoolError) -> Self {
        Self::Unreadable(error)
    }
}

impl Connector {
    /// Connects to an SMTP server, at the first of its addresses where that succeeds.
    ///
    /// # Errors
    /// A temporary failure, for whatever was to be sent.
    pub(super) async fn connect(
        &self,
        host: &str,
        port: u16,
        hop: &Hop,
    ) -> Result<Connection, Verdict> {
        let resolved = timeout(self.timeout, tokio::net::lookup_host((host, port))).await;
        let addresses = resolved
            .unwrap_or_else(|_| Err(IoError::other("no answer from DNS in time")))
            .map_err(|error| unreachable(hop, error.into()))?;
        let mut failure = Verdict::deferred(4, 4, &format!("{hop} has no address"));
        for address in addresses {
            match self.open(address, host, hop.tls).await {
                Ok(connection) => return self.authenticate(connection, hop).await,
                Err(error) => failure = unreachable(hop, error),
            }
        }
        Err(failure)
    }

    async fn open(
        &self,
        address: SocketAddr,
        host: &str,
        tls: RouteTls,
    ) -> Result<Connection, Error> {
        let (client, offers) = self.hello(address).await?;
        let is_offered = offers.has_capability(EXT_START_TLS);
        match (tls, is_offered) {
            (RouteTls::Required, false) => Err(Error::MissingStartTls),
            (RouteTls::Required, true) => {
                let connector = &self.tls.verified;
                self.secure(client, connector, host, address, Protection::Verified)
                    .await
            }
            (RouteTls::Opportunistic, true) => {
                let connector = &self.tls.unverified;
                let secured = self.secure(client, connector, host, address, Protection::Encrypted);
                if let Ok(connection) = secured.await {
                    return Ok(connection);
                }
                // Its TLS is out of order; opportunistic means that clear text would have done.
                let (client, offers) = self.hello(address).await?;
                Ok(Connection::new(client, offers, address, Protection::Clear))
            }
            (RouteTls::Opportunistic, false) | (RouteTls::None, _) => {
                Ok(Connection::new(client, offers, address, Protection::Clear))
            }
        }
    }

    /// Connects, and greets in clear.
    async fn hello(
        &self,
        address: SocketAddr,
    ) -> Result<(SmtpClient<TcpStream>, EhloResponse<String>), Error> {
        let mut client = SmtpClient::connect(address, CONNECT.min(self.timeout)).await?;
        client.stream.set_nodelay(true)?;
        client.timeout = self.timeout;
        let greeting = timeout(self.timeout, client.read()).await;
        greeting
            .map_err(|_| Error::Timeout)??
            .assert_positive_completion()?;
        let offers = self.ehlo(&mut client).await?;
        Ok((client, offers))
    }

    /// STARTTLS, and the greeting again: what was said before TLS does not count (RFC 3207, section 4.2).
    async fn secure(
        &self,
        client: SmtpClient<TcpStream>,
        connector: &TlsConnector,
        host: &str,
        peer: SocketAddr,
        protection: Protection,
    ) -> Result<Connection, Error> {
        let mut client = client.start_tls(connector, host).await?;
        let offers = self.ehlo(&mut client).await?;
        Ok(Connection::new(client, offers, peer, protection))
    }

    /// EHLO, or HELO for a server that does not know it.
    async fn ehlo<T: Stream>(
        &self,
        client: &mut SmtpClient<T>,
    ) -> Result<EhloResponse<String>, Error> {
        match client.ehlo(&self.hostname).await {
            Err(Error::UnexpectedReply(reply)) if reply.code / 100 == 5 => {
                let helo = client.cmd(format!("HELO {}\r\n", self.hostname)).await?;
                helo.assert_positive_completion()?;
                Ok(EhloResponse::default())
            }
            offers => offers,
        }
    }

    /// AUTH, if the route asks for it; never in clear over a network.
    async fn authenticate(
        &self,
        mut connection: Connection,
        hop: &Hop,
    ) -> Result<Connection, Verdict> {
        let Some((user, file)) = &hop.auth else {
            return Ok(connection);
        };
        if connection.protection == Protection::Clear && !connection.is_loopback() {
            let text = format!("{hop} has no TLS, and its password is not sent in clear");
            return Err(Verdict::deferred(7, 0, &text));
        }
        let password = tokio::fs::read_to_string(file).await.map(Zeroizing::new);
        let password = password.map_err(|error| {
            Verdict::deferred(3, 5, &format!("cannot read {}: {error}", file.display()))
        })?;
        let credentials = Credentials::new(user.as_str(), password.trim_end_matches(['\r', '\n']));
        let offers = connection.offers.clone();
        let outcome = connection.client.authenticate(&credentials, &offers).await;
        match outcome {
            Ok(_) => Ok(connection),
            Err(error) => Err(unreachable(hop, error)),
        }
    }
}

impl Connection {
    fn new<T: Stream + 'static>(
        client: SmtpClient<T>,
        offers: EhloResponse<String>,
        peer: SocketAddr,
        protection: Protection,
    ) -> Self {
        Self {
            client: SmtpClient {
                stream: Box::new(client.stream),
                timeout: client.timeout,
            },
            offers,
            peer,
            protection,
            begun: 0,
            is_open: false,
            usable: true,
            idle_since: Instant::now(),
        }
    }

    /// Whether nobody but the next hop can read along: loopback or verified TLS.
    pub(super) fn is_private(&self) -> bool {
        self.protection == Protection::Verified || self.is_loopback()
    }

    /// Whether it was used before, and may have been closed by the other side since.
    pub(super) const fn is_used(&self) -> bool {
        self.begun > 0
    }

    /// Whether another message may go over it.
    pub(super) const fn is_reusable(&self) -> bool {
        self.usable && self.begun < MESSAGES
    }

    pub(super) fn idle_time(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Notes that a message begins.
    pub(super) const fn begin(&mut self) {
        self.begun += 1;
    }

    /// Notes that it waits for the next message from now on.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// Sends one command, without its line end.
    pub(super) async fn command(&mut self, command: &str) -> Result<Response<String>, Broken> {
        let reply = self.client.cmd(format!("{command}\r\n")).await;
        let reply = self.unbroken(reply)?;
        self.note(&reply);
        Ok(reply)
    }

    /// Sends commands, in one write if the next hop offers PIPELINING (RFC 2920), and reads a reply for each.
    pub(super) async fn commands(
        &mut self,
        commands: &[String],
    ) -> Result<Vec<Response<String>>, Broken> {
        let mut replies = Vec::with_capacity(commands.len());
        if !self.offers.has_capability(EXT_PIPELINING) {
            for command in commands {
                replies.push(self.command(command).await?);
            }
            return Ok(replies);
        }
        let mut all = commands.join("\r\n");
        all += "\r\n";
        let patience = self.client.timeout;
        let exchange = timeout(patience, async {
            self.client.stream.write_all(all.as_bytes()).await?;
            self.client.stream.flush().await?;
            self.client.read_many(commands.len()).await
        });
        let exchanged = exchange.await.unwrap_or(Err(Error::Timeout));
        let replies = self.unbroken(exchanged)?;
        replies.iter().for_each(|reply| self.note(reply));
        Ok(replies)
    }

    /// Sends a content after 354, and reads the reply to its final dot.
    ///
    /// A content that cannot be read to its end breaks the connection: without the final dot nothing was sent.
    pub(super) async fn content(
        &mut self,
        content: &mut Content<'_>,
    ) -> Result<Response<String>, Interrupted> {
        let mut stuffing = Stuffing::new();
        loop {
            let next = content.next().await.inspect_err(|_| self.usable = false)?;
            let Some(piece) = next else { break };
            self.write(stuffing.piece(&piece)).await?;
        }
        self.write(stuffing.end()).await?;
        let patience = self.client.timeout;
        let reply = timeout(patience, async {
            self.client.stream.flush().await?;
            self.client.read().await
        });
        let reply = reply.await.unwrap_or(Err(Error::Timeout));
        let reply = self.unbroken(reply)?;
        self.note(&reply);
        Ok(reply)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let written = timeout(self.client.timeout, self.client.stream.write_all(bytes)).await;
        self.unbroken(written.map_or(Err(Error::Timeout), |done| done.map_err(Error::from)))
    }

    /// Says goodbye, without insisting on an answer.
    pub(super) async fn quit(mut self) {
        self.client.timeout = self.client.timeout.min(Duration::from_secs(2));
        self.client.cmd("QUIT\r\n").await.ok();
    }

    fn is_loopback(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback()
    }

    /// 421 announces that the other side closes (RFC 5321, section 3.8).
    fn note(&mut self, reply: &Response<String>) {
        self.usable &= reply.code != 421;
    }

    fn unbroken<T>(&mut self, result: Result<T, Error>) -> Result<T, Broken> {
        result.map_err(|error| {
            self.usable = false;
            Broken(describe(&error))
        })
    }
}

/// What a failure before MAIL means: temporary, whatever the other side says.
fn unreachable(hop: &Hop, error: Error) -> Verdict {
    if let Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply) = &error {
        return Verdict::of(reply).but_temporary();
    }
    if let Error::MissingStartTls = error {
        let text = format!("{hop} does not offer STARTTLS, which its route requires");
        return Verdict::deferred(7, 0, &text);
    }
    let reason = describe(&error);
    if let Error::Tls(_) = error {
        return Verdict::deferred(7, 0, &format!("no TLS with {hop}: {reason}"));
    }
    Verdict::deferred(4, 1, &format!("cannot connect to {hop}: {reason}"))
}

/// The client's own texts, but for those that could say more.
fn describe(error: &Error) -> String {
    if let Error::Io(error) = error {
        return error.to_string();
    }
    if let Error::UnparseableReply = error {
        return "it closed the connection or answered with what is no SMTP reply".to_owned();
    }
    if let Error::Timeout = error {
        return "no answer in time".to_owned();
    }
    error.to_string()
}
