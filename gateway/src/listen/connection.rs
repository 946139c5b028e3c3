//! One connection: drives its [`Session`] over the socket, within the limits of time and memory.
//!
//! Replies are collected and leave in one write, when there is nothing left to do but wait for the client. A message
//! that came in whole is worked on to its end, even if its client goes away; one that did not is dropped.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use bytes::BytesMut;
use futures_util::FutureExt;
use policy::address::Address;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::bind::Tls;
use super::ending::Ending;
use super::memory::Permit;
use super::serve::{House, stopped};
use super::transport::Transport;
use super::{Intake, Received};
use crate::failure::Reply;
use crate::observe::{QueueId, session as log};
use crate::smtp::{Action, Arrival, Session, encode};

/// Size of the buffer that the socket is read into, in bytes.
const READ_BUFFER: usize = 64 * 1024;

/// How long a client is kept waiting for memory before its message is refused; it would hang up itself after two
/// minutes (RFC 5321, section 4.5.3.2.4).
const MEMORY_PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may take to accept what we write.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// A connection whose client was admitted.
pub(super) struct Connection<I> {
    pub session: Session,
    pub transport: Transport,
    pub peer: SocketAddr,
    pub tls: Tls,
    pub house: Arc<House>,
    pub intake: Arc<I>,
    pub shutdown: watch::Receiver<bool>,
}

/// What changes while it is driven.
struct Progress {
    input: BytesMut,
    output: BytesMut,
    permit: Permit,
    messages: u32,
    /// When the client's next command, or more content, has to be there.
    due: Instant,
    /// When the session has to be over.
    end: Instant,
}

impl<I: Intake> Connection<I> {
    /// Drives the session to its end, and says why it ended and how many messages it brought.
    pub(super) async fn run(mut self) -> (Ending, u32) {
        let limits = &self.house.settings.limits;
        let start = Instant::now();
        let mut progress = Progress {
            input: BytesMut::with_capacity(READ_BUFFER),
            output: BytesMut::new(),
            permit: self.house.memory.permit(),
            messages: 0,
            due: start + limits.command_timeout,
            end: start + limits.session_time,
        };
        let ending = match self.begin(&mut progress).await {
            Ok(()) => self.converse(&mut progress).await,
            Err(ending) => ending,
        };
        if let Some(words) = ending.last_words(&self.house.settings.hostname) {
            encode(&words, &mut progress.output);
        }
        // The connection ends either way.
        drop(self.flush(&mut progress).await);
        self.transport.close().await;
        (ending, progress.messages)
    }

    /// What comes before the banner.
    async fn begin(&mut self, progress: &mut Progress) -> Result<(), Ending> {
        // Replies are written whole: holding them back for more bytes only costs time.
        if let Transport::Clear(stream) = &self.transport {
            stream.set_nodelay(true).map_err(|_| Ending::ClientGone)?;
        }
        if matches!(self.tls, Tls::Implicit(_)) {
            self.start_tls(progress).await?;
        }
        self.intake.ready().map_err(Ending::NotReady)
    }

    async fn converse(&mut self, progress: &mut Progress) -> Ending {
        loop {
            let outcome = match self.session.next(&mut progress.input) {
                None => self.read(progress).await,
                Some(action) => self.perform(action, progress).await,
            };
            if let Err(ending) = outcome {
                return ending;
            }
        }
    }

    /// Waits for bytes: within the time of a command or of the data, within the session's time, and, unless content is
    /// coming in, until the shutdown.
    async fn read(&mut self, progress: &mut Progress) -> Result<(), Ending> {
        self.flush(progress).await?;
        // A client that always has more to say never lets a read run into its timeout.
        if Instant::now() >= progress.end {
            return Err(Ending::TooLong);
        }
        if self.session.transaction().is_none() {
            progress.permit = self.house.memory.permit();
        }
        let is_receiving = self.session.is_receiving();
        if is_receiving {
            progress.due = Instant::now() + self.house.settings.limits.data_timeout;
        }
        progress.input.reserve(READ_BUFFER / 2);
        let read = timeout_at(
            progress.due.min(progress.end),
            self.transport.read_buf(&mut progress.input),
        );
        let outcome = tokio::select! {
            biased;
            () = stopped(&mut self.shutdown), if !is_receiving => {
                return Err(Ending::ShuttingDown);
            }
            outcome = read => outcome,
        };
        match outcome {
            Ok(Ok(1..)) => Ok(()),
            Ok(Ok(0) | Err(_)) => Err(Ending::ClientGone),
            Err(_) if progress.end <= progress.due => Err(Ending::TooLong),
            Err(_) => Err(Ending::Silent),
        }
    }

    async fn perform(&mut self, action: Action, progress: &mut Progress) -> Result<(), Ending> {
        match action {
            Action::Reply(reply) => encode(&reply, &mut progress.output),
            Action::Complain(reply) => {
                log::mistake(self.peer, &reply);
                encode(&reply, &mut progress.output);
            }
            Action::Open { size } => {
                let answer = self.open(size, progress).await;
                self.session.opened(answer);
            }
            Action::Recipient(recipient) => self.ask(&recipient).await,
            Action::Room(bytes) => {
                let answer = self.reserve(bytes, progress).await;
                self.session.room(answer);
            }
            Action::Message(arrival) => self.hand_on(arrival, progress).await,
            Action::StartTls => self.start_tls(progress).await?,
            Action::Close => return Err(Ending::Closed),
        }
        progress.due = Instant::now() + self.house.settings.limits.command_timeout;
        Ok(())
    }

    async fn open(&self, size: Option<u64>, progress: &mut Progress) -> Result<QueueId, Reply> {
        let not_now = |refusal: Reply| Reply {
            code: 452,
            ..refusal
        };
        self.intake.ready().map_err(not_now)?;
        progress.permit = self.house.memory.permit();
        if let Some(size) = size {
            self.reserve(size, progress).await?;
        }
        let mut chance = [0; 8];
        rand::fill(&mut chance)
            .map_err(|_| Reply::new(451, (4, 3, 0), "No random numbers, try again later"))?;
        let now = self.house.settings.clock.now();
        Ok(QueueId::new(now, u64::from_ne_bytes(chance)))
    }

    async fn ask(&mut self, recipient: &Address) {
        let Some((id, envelope)) = self.session.transaction() else {
            return self.session.recipient(failed());
        };
        let question = AssertUnwindSafe(self.intake.recipient(id, envelope, recipient));
        let reply = question.catch_unwind().await.unwrap_or_else(|_| {
            log::intake_panicked(id, self.peer);
            failed()
        });
        if !reply.is_positive() {
            log::recipient_refused(id, self.peer, recipient, &reply);
        }
        self.session.recipient(reply);
    }

    async fn reserve(&self, bytes: u64, progress: &mut Progress) -> Result<(), Reply> {
        let cover = progress.permit.cover(bytes);
        timeout(MEMORY_PATIENCE, cover).await.map_err(|_| {
            log::out_of_memory(self.peer, bytes);
            Reply::new(452, (4, 3, 1), "Too much mail at once, try again later")
        })
    }

    async fn hand_on(&mut self, arrival: Arrival, progress: &mut Progress) {
        let Arrival {
            id,
            envelope,
            content,
        } = arrival;
        log::message_received(id, self.peer, content.len(), envelope.recipients.len());
        progress.messages += 1;
        let mut permit = std::mem::replace(&mut progress.permit, self.house.memory.permit());
        // What was announced and did not come was reserved, but never touched.
        permit.shrink(content.len() as u64);
        let received = Received {
            id,
            envelope,
            content,
            permit,
        };
        let intake = Arc::clone(&self.intake);
        // A task of its own: a panic ends there, and a client that goes away does not stop it half-way.
        let reply = tokio::spawn(async move { intake.message(received).await }).await;
        let reply = reply.unwrap_or_else(|_| {
            log::intake_panicked(id, self.peer);
            failed()
        });
        log::message_answered(id, self.peer, &reply);
        self.session.answered(reply);
    }

    /// Shakes hands. Input is empty here, and what comes during the handshake belongs to it.
    async fn start_tls(&mut self, progress: &mut Progress) -> Result<(), Ending> {
        self.flush(progress).await?;
        let (Tls::Offered { acceptor, .. } | Tls::Implicit(acceptor)) = &self.tls else {
            return Err(Ending::TlsFailed);
        };
        let patience = self.house.settings.limits.command_timeout;
        self.transport
            .secure(acceptor, patience)
            .await
            .map_err(|error| {
                log::tls_failed(self.peer, &error);
                Ending::TlsFailed
            })?;
        let (protocol, cipher) = self.transport.tls().unwrap_or_default();
        self.session.secured(protocol, cipher);
        Ok(())
    }

    async fn flush(&mut self, progress: &mut Progress) -> Result<(), Ending> {
        if progress.output.is_empty() {
            return Ok(());
        }
        let write = async {
            self.transport.write_all(&progress.output).await?;
            self.transport.flush().await
        };
        let outcome = timeout(WRITE_PATIENCE, write).await;
        progress.output.clear();
        matches!(outcome, Ok(Ok(())))
            .then_some(())
            .ok_or(Ending::ClientGone)
    }
}

/// The reply to a failure that nobody foresaw.
fn failed() -> Reply {
    Reply::new(451, (4, 3, 0), "Internal error, try again later")
}
