//! One SMTP session as a state machine.
//!
//! [`Session::next`] takes what it understands off the front of the input and says what to do; the caller does it, and
//! answers the actions that ask something. A state holds only what is valid in it and is consumed by each step, so that
//! a transaction cannot outlive its end. The verbs are in their own files.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use policy::address::Address;

use super::command::{self, Command};
use super::data::DataReader;
use super::envelope::{Client, Envelope};
use super::line::LineReader;
use super::mail::Mail;
use super::mistake::Mistake;
use super::starttls::StartTls;
use crate::failure::Reply;
use crate::observe::QueueId;

/// What a session may do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name.
    pub hostname: String,
    /// Largest message, in bytes.
    pub message_size: u64,
    /// Most recipients of one message.
    pub recipients: usize,
    /// The mistake that ends the session.
    pub mistakes: u32,
    /// Whether TLS can be started.
    pub start_tls: StartTls,
}

/// What the caller has to do next.
#[derive(Debug)]
pub enum Action {
    /// Send this.
    Reply(Reply),
    /// Send this: the client made a mistake.
    Complain(Reply),
    /// MAIL is right: reserve `size` bytes if the client named a size, and answer with [`Session::opened`].
    Open {
        /// SIZE=, in bytes.
        size: Option<u64>,
    },
    /// Ask whether this recipient is wanted (see [`Session::transaction`]), and answer with [`Session::recipient`].
    Recipient(Address),
    /// Reserve memory so that the content may take this many bytes in all, and answer with [`Session::room`].
    Room(u64),
    /// Take this message, and answer with [`Session::answered`].
    Message(Arrival),
    /// Send what was replied, shake hands over bytes that are not read yet, and call [`Session::secured`].
    StartTls,
    /// Send what was replied, and close.
    Close,
}

/// A whole message.
#[derive(Debug)]
pub struct Arrival {
    /// Its id.
    pub id: QueueId,
    /// Who sent it to whom.
    pub envelope: Envelope,
    /// Its content, dot-unstuffed.
    pub content: Bytes,
}

/// A message between MAIL and the final dot.
#[derive(Debug)]
pub(super) struct Transaction {
    pub id: QueueId,
    pub envelope: Envelope,
    /// The envelope's recipients, to find repeats among thousands.
    pub accepted: HashSet<Address>,
    /// SIZE=, in bytes.
    pub size: Option<u64>,
}

/// Where a session stands when it waits for a command.
#[derive(Debug)]
pub(super) enum Stage {
    /// EHLO or HELO has to come first.
    Fresh,
    /// MAIL may come.
    Greeted,
    /// RCPT and DATA may come.
    Open(Box<Transaction>),
}

/// Where a session stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// A command is awaited.
    Commands(Stage),
    /// The caller is asked whether a message can be taken.
    Opening(Mail),
    /// The caller is asked about a recipient.
    Asking(Box<Transaction>, Address),
    /// The caller is asked for memory; 354 is not said yet.
    Starting(Box<Transaction>, DataReader),
    /// Content comes in.
    Receiving(Box<Transaction>, DataReader),
    /// The caller is asked for more memory.
    Growing(Box<Transaction>, DataReader),
    /// The caller has the message.
    Handed,
    /// The caller shakes hands.
    Securing,
    /// Nothing is understood any more.
    Closed,
}

/// The protocol's side of one connection.
#[derive(Debug)]
pub struct Session {
    pub(super) settings: Arc<Settings>,
    pub(super) client: Client,
    pub(super) phase: Phase,
    lines: LineReader,
    has_input: bool,
    mistakes: u32,
    actions: VecDeque<Action>,
}

impl Session {
    /// A session with a client that has not said anything; its first action is the banner.
    ///
    /// `client.tls` is set where TLS came first.
    #[must_use]
    pub fn new(settings: Arc<Settings>, client: Client) -> Self {
        let banner = Reply::bare(220, format!("{} ESMTP Postern", settings.hostname));
        Self {
            settings,
            client,
            phase: Phase::Commands(Stage::Fresh),
            lines: LineReader::default(),
            has_input: false,
            mistakes: 0,
            actions: VecDeque::from([Action::Reply(banner)]),
        }
    }

    /// The next thing to do; none when more input is needed. What is understood is taken off `input`.
    ///
    /// After an action that asks something, nothing is understood before the answer.
    pub fn next(&mut self, input: &mut BytesMut) -> Option<Action> {
        if self.actions.is_empty() {
            let phase = mem::replace(&mut self.phase, Phase::Closed);
            self.phase = self.step(phase, input);
        }
        self.actions.pop_front()
    }

    /// The message that is being built, while one is.
    #[must_use]
    pub fn transaction(&self) -> Option<(QueueId, &Envelope)> {
        match &self.phase {
            Phase::Commands(Stage::Open(transaction))
            | Phase::Asking(transaction, _)
            | Phase::Starting(transaction, _)
            | Phase::Receiving(transaction, _)
            | Phase::Growing(transaction, _) => Some((transaction.id, &transaction.envelope)),
            Phase::Commands(Stage::Fresh | Stage::Greeted)
            | Phase::Opening(_)
            | Phase::Handed
            | Phase::Securing
            | Phase::Closed => None,
        }
    }

    /// Whether content is coming in.
    #[must_use]
    pub const fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Receiving(..))
    }

    /// Answers [`Action::Open`]: the id of the message to come, or the refusal.
    pub fn opened(&mut self, answer: Result<QueueId, Reply>) {
        let Phase::Opening(mail) = mem::replace(&mut self.phase, Phase::Closed) else {
            return self.close();
        };
        let stage = match answer {
            Ok(id) => {
                self.reply(Reply::new(250, (2, 1, 0), "Sender ok"));
                Stage::Open(Box::new(self.begin(id, mail)))
            }
            Err(refusal) => {
                self.reply(refusal);
                Stage::Greeted
            }
        };
        self.phase = Phase::Commands(stage);
    }

    /// Answers [`Action::Recipient`]; the client is given `reply` as it is.
    pub fn recipient(&mut self, reply: Reply) {
        let Phase::Asking(mut transaction, recipient) =
            mem::replace(&mut self.phase, Phase::Closed)
        else {
            return self.close();
        };
        if reply.is_positive() {
            transaction.accepted.insert(recipient.clone());
            transaction.envelope.recipients.push(recipient);
        }
        self.reply(reply);
        self.phase = Phase::Commands(Stage::Open(transaction));
    }

    fn step(&mut self, phase: Phase, input: &mut BytesMut) -> Phase {
        match phase {
            Phase::Commands(stage) => self.command(stage, input),
            Phase::Receiving(transaction, reader) => self.receive(transaction, reader, input),
            waiting @ (Phase::Opening(_)
            | Phase::Asking(..)
            | Phase::Starting(..)
            | Phase::Growing(..)
            | Phase::Handed
            | Phase::Securing
            | Phase::Closed) => waiting,
        }
    }

    fn command(&mut self, stage: Stage, input: &mut BytesMut) -> Phase {
        if let Some(first) = input.first().filter(|_| !self.has_input) {
            self.has_input = true;
            // No verb begins otherwise: a TLS handshake, for one, which might never send a line end.
            if !first.is_ascii_alphabetic() {
                return self.complain(stage, &Mistake::OtherProtocol);
            }
        }
        match self.lines.read(input) {
            None => Phase::Commands(stage),
            Some(line) => match line.and_then(|line| command::parse(&line)) {
                Ok(command) => self.obey(stage, command, input),
                Err(mistake) => self.complain(stage, &mistake),
            },
        }
    }

    fn obey(&mut self, stage: Stage, command: Command, input: &mut BytesMut) -> Phase {
        match command {
            Command::Hello { name, extended } => self.hello(name, extended),
            Command::Mail(mail) => self.mail(stage, mail),
            Command::Rcpt(rcpt) => self.rcpt(stage, rcpt),
            Command::Data => self.data(stage),
            Command::StartTls => self.starttls(stage, input),
            Command::Rset => self.reset(stage),
            Command::Noop => self.stay(stage, Reply::new(250, (2, 0, 0), "OK")),
            Command::Vrfy => {
                let text = "Cannot VRFY a user; send the message and see";
                self.stay(stage, Reply::new(252, (2, 0, 0), text))
            }
            Command::Help => {
                let text = "EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP STARTTLS";
                self.stay(stage, Reply::new(214, (2, 0, 0), text))
            }
            Command::Quit => {
                self.reply(Reply::new(221, (2, 0, 0), "Bye"));
                self.act(Action::Close);
                Phase::Closed
            }
        }
    }

    fn begin(&self, id: QueueId, mail: Mail) -> Transaction {
        Transaction {
            id,
            envelope: Envelope {
                client: self.client.clone(),
                reverse_path: mail.reverse_path,
                recipients: Vec::new(),
                body: mail.body,
                smtputf8: mail.smtputf8,
            },
            accepted: HashSet::new(),
            size: mail.size,
        }
    }

    fn reset(&mut self, stage: Stage) -> Phase {
        self.reply(Reply::new(250, (2, 0, 0), "OK"));
        Phase::Commands(match stage {
            Stage::Fresh => Stage::Fresh,
            Stage::Greeted | Stage::Open(_) => Stage::Greeted,
        })
    }

    fn stay(&mut self, stage: Stage, reply: Reply) -> Phase {
        self.reply(reply);
        Phase::Commands(stage)
    }

    /// Says what was wrong; ends the session when it was too much.
    pub(super) fn complain(&mut self, stage: Stage, mistake: &Mistake) -> Phase {
        let reply = mistake.reply();
        self.mistakes += u32::from(!reply.is_temporary());
        let is_last = !mistake.closes() && self.mistakes >= self.settings.mistakes;
        let reply = if is_last {
            Mistake::TooMany.reply()
        } else {
            reply
        };
        self.act(Action::Complain(reply));
        if is_last || mistake.closes() {
            self.act(Action::Close);
            return Phase::Closed;
        }
        Phase::Commands(stage)
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        self.act(Action::Reply(reply));
    }

    pub(super) fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// An answer that was not asked for is a bug of the caller; the session ends, before mail goes astray.
    pub(super) fn close(&mut self) {
        self.act(Action::Close);
        self.phase = Phase::Closed;
    }
}
