//! Sockets that strangers connect to: so many connections at once, TLS within a time, and none for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::observe;

/// Connections at once, each door by itself.
const CONNECTIONS: usize = 256;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may last.
const LIFETIME: Duration = Duration::from_secs(120);
/// How long accepting rests after an error, such as no file descriptors left.
const REST: Duration = Duration::from_millis(100);

/// An open socket.
pub(super) struct Door {
    pub(super) socket: TcpListener,
    pub(super) tls: Tls,
}

/// TLS of a door.
#[derive(Clone)]
pub(super) enum Tls {
    None,
    /// The protocol may ask for it.
    Offered(TlsAcceptor),
    /// From the first byte.
    Implicit(TlsAcceptor),
}

/// What a connection is made of, whether TLS is around it or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that came in; it ends when its time is over, and its place is free again when it is dropped.
pub(super) struct Visitor {
    pub(super) stream: Box<dyn Stream>,
    pub(super) address: SocketAddr,
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Door {
    /// Accepts for ever. A slow handshake holds nobody up; those who come while all places are taken wait.
    pub(super) fn open(self) -> mpsc::Receiver<Visitor> {
        let (sender, visitors) = mpsc::channel(1);
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(CONNECTIONS));
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                tokio::select! {
                    () = sender.closed() => return,
                    accepted = self.socket.accept() => match accepted {
                        Ok((socket, address)) => {
                            let (tls, sender) = (self.tls.clone(), sender.clone());
                            tokio::spawn(async move {
                                if let Some(stream) = greet(socket, &tls).await {
                                    let visitor = Visitor::new(stream, address, place);
                                    // Nobody is there any more: the gateway stops.
                                    let _unseen = sender.send(visitor).await;
                                }
                            });
                        }
                        Err(error) => {
                            observe::publication_accept_failed(&error);
                            sleep(REST).await;
                        }
                    },
                }
            }
        });
        visitors
    }
}

async fn greet(socket: TcpStream, tls: &Tls) -> Option<Box<dyn Stream>> {
    // Answers are small and somebody waits for them; a socket that cannot do it still works.
    let _as_it_is = socket.set_nodelay(true);
    match tls {
        Tls::None | Tls::Offered(_) => Some(Box::new(socket)),
        Tls::Implicit(acceptor) => {
            let stream = timeout(HANDSHAKE, acceptor.accept(socket)).await;
            Some(Box::new(stream.ok()?.ok()?))
        }
    }
}

impl Visitor {
    fn new(stream: Box<dyn Stream>, address: SocketAddr, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            address,
            deadline: Box::pin(sleep(LIFETIME)),
            _place: place,
        }
    }

    /// Goes on in TLS.
    ///
    /// # Errors
    /// The handshake fails or takes too long.
    pub(super) async fn secure(self, acceptor: &TlsAcceptor) -> io::Result<Self> {
        let stream = timeout(HANDSHAKE, acceptor.accept(self.stream)).await??;
        Ok(Self {
            stream: Box::new(stream),
            ..self
        })
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.deadline.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Visitor {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Visitor {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
