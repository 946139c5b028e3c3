//! The bytes of one connection, in clear or in TLS.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a closed connection may go on to send before it is cut off.
const LINGER: Duration = Duration::from_secs(1);

/// How much it may send meanwhile, in bytes.
const LINGER_BYTES: u64 = 1 << 20;

/// A connection.
#[derive(Debug)]
pub(super) enum Transport {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed or is under way: nothing comes and nothing can be said.
    Gone,
}

impl Transport {
    /// Shakes hands within `patience`. Whoever fails loses the connection: nothing goes on in clear.
    pub(super) async fn secure(
        &mut self,
        acceptor: &TlsAcceptor,
        patience: Duration,
    ) -> io::Result<()> {
        let Self::Clear(stream) = mem::replace(self, Self::Gone) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let stream = timeout(patience, acceptor.accept(stream)).await??;
        *self = Self::Tls(Box::new(stream));
        Ok(())
    }

    /// Protocol version and cipher suite, as in "TLSv1.3" and "TLS13_AES_256_GCM_SHA384".
    pub(super) fn tls(&self) -> Option<(String, String)> {
        let Self::Tls(stream) = self else {
            return None;
        };
        let (_, session) = stream.get_ref();
        let version = session.protocol_version()?.as_str()?.replace('_', ".");
        let cipher = session.negotiated_cipher_suite()?.suite();
        Some((version, cipher.as_str()?.to_owned()))
    }

    /// Says that nothing more comes, then reads for a moment: closing over unread bytes would make the system reset the
    /// connection, and the client would lose our last reply.
    pub(super) async fn close(mut self) {
        let farewell = async {
            self.shutdown().await?;
            let mut rest = self.take(LINGER_BYTES);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
        };
        // Whatever comes or does not come is of no interest any more.
        drop(timeout(LINGER, farewell).await);
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
