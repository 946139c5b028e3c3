//! Why a connection ends, and the last words that the client is given.

use crate::failure::Reply;

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ending {
    /// The protocol ended it, after QUIT or a mistake.
    #[error("closed")]
    Closed,
    /// The client went away.
    #[error("client went away")]
    ClientGone,
    /// The client sent nothing for too long.
    #[error("client was silent for too long")]
    Silent,
    /// The session lasted too long.
    #[error("session lasted too long")]
    TooLong,
    /// The gateway stops.
    #[error("shutting down")]
    ShuttingDown,
    /// There are too many connections.
    #[error("too many connections")]
    TooManyConnections,
    /// There are too many connections from this client.
    #[error("too many connections from this client")]
    TooManyFromClient,
    /// Mail cannot be taken in now; holds the intake's refusal.
    #[error("not ready: {0}")]
    NotReady(Reply),
    /// The handshake failed.
    #[error("TLS handshake failed")]
    TlsFailed,
}

impl Ending {
    /// What is said before closing, where something is.
    pub(super) fn last_words(&self, hostname: &str) -> Option<Reply> {
        let (enhanced, text) = match self {
            Self::Closed | Self::ClientGone | Self::TlsFailed => return None,
            Self::NotReady(refusal) => {
                return Some(Reply {
                    code: 421,
                    ..refusal.clone()
                });
            }
            Self::Silent => ((4, 4, 2), "timeout, closing connection"),
            Self::TooLong => ((4, 4, 2), "session lasted too long, closing connection"),
            Self::ShuttingDown => ((4, 3, 2), "shutting down, try again later"),
            Self::TooManyConnections => ((4, 7, 0), "too many connections, try again later"),
            Self::TooManyFromClient => ((4, 7, 0), "too many connections from your address"),
        };
        Some(Reply::new(421, enhanced, format!("{hostname} {text}")))
    }
}
