//! An SMTP server that keeps what it is given, byte for byte, and answers as a story tells it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process;

/// How long a mail may take from the gateway's 250 to here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The reverse path, without angle brackets.
    pub sender: String,
    /// What followed it in MAIL, such as `BODY=8BITMIME`.
    pub parameters: String,
    /// The recipients, without angle brackets, in order.
    pub recipients: Vec<String>,
    /// The content with dot-stuffing undone.
    pub content: Vec<u8>,
}

/// A moment at which the sink answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A client connected.
    Connect,
    /// MAIL, with this address.
    Sender(&'a str),
    /// RCPT, with this address.
    Recipient(&'a str),
    /// The final dot.
    Content,
}

/// What the sink does then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It takes the mail.
    Accept,
    /// It says this instead.
    Reply(&'static str),
    /// It says nothing and keeps the connection open.
    Hang,
    /// It closes the connection.
    Close,
}

type Script = Box<dyn Fn(Step<'_>) -> Answer + Send>;

/// The running server; it ends with this value.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    running: AtomicBool,
    script: Mutex<Script>,
    mails: Mutex<Vec<Delivered>>,
    connections: Mutex<Vec<TcpStream>>,
}

impl Sink {
    /// Starts on a free loopback port and takes everything.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> Result<Self> {
        Self::start_at(process::free_address()?)
    }

    /// Starts at `address` and takes everything.
    ///
    /// # Errors
    /// The address is taken.
    pub fn start_at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| address.to_string())?;
        let shared = Arc::new(Shared {
            running: AtomicBool::new(true),
            script: Mutex::new(Box::new(|_| Answer::Accept)),
            mails: Mutex::default(),
            connections: Mutex::default(),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || server.listen(&listener));
        Ok(Self { address, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on answers as `script` says.
    pub fn answer(&self, script: impl Fn(Step<'_>) -> Answer + Send + 'static) {
        *locked(&self.shared.script) = Box::new(script);
    }

    /// The mails so far, in the order of their final dots.
    #[must_use]
    pub fn mails(&self) -> Vec<Delivered> {
        locked(&self.shared.mails).clone()
    }

    /// How many mails there are so far.
    #[must_use]
    pub fn count(&self) -> usize {
        locked(&self.shared.mails).len()
    }

    /// Waits until there are `count` mails, and gives them.
    ///
    /// # Errors
    /// Fewer came within a minute, or more.
    pub fn wait(&self, count: usize) -> Result<Vec<Delivered>> {
        let what = format!("mail {count} at the sink");
        process::until(PATIENCE, &what, || (self.count() >= count).then_some(()))?;
        let mails = self.mails();
        ensure!(mails.len() == count, "{} mails, not {count}", mails.len());
        Ok(mails)
    }

    /// Waits for the only mail.
    ///
    /// # Errors
    /// None came within a minute, or several.
    pub fn only(&self) -> Result<Delivered> {
        self.wait(1)?.pop().context("no mail")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.running.store(false, Ordering::SeqCst);
        // Wakes the thread that waits for connections, so that the port is free again.
        TcpStream::connect(self.address).ok();
        for connection in locked(&self.shared.connections).drain(..) {
            connection.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if !self.running.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            if let Ok(copy) = stream.try_clone() {
                locked(&self.connections).push(copy);
            }
            let server = Arc::clone(self);
            // A connection that breaks is the client's affair; what it had not finished is not kept.
            thread::spawn(move || Session::new(server, stream).run().ok());
        }
    }

    fn decide(&self, step: Step<'_>) -> Answer {
        locked(&self.script)(step)
    }
}

struct Session {
    server: Arc<Shared>,
    stream: BufReader<TcpStream>,
    mail: Delivered,
}

impl Session {
    fn new(server: Arc<Shared>, stream: TcpStream) -> Self {
        stream.set_nodelay(true).ok();
        let stream = BufReader::with_capacity(1 << 16, stream);
        let mail = Delivered {
            sender: String::new(),
            parameters: String::new(),
            recipients: Vec::new(),
            content: Vec::new(),
        };
        Self {
            server,
            stream,
            mail,
        }
    }

    fn run(&mut self) -> Result<()> {
        if !self.step(Step::Connect, "220 sink.example ESMTP")? {
            return Ok(());
        }
        loop {
            let line = String::from_utf8(self.line()?)?;
            let line = line.trim_end_matches(['\r', '\n']);
            let verb = line.split([' ', ':']).next().unwrap_or_default();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.say(
                    "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                     250-SIZE 104857600\r\n250 ENHANCEDSTATUSCODES",
                )?,
                "HELO" | "NOOP" => self.say("250 2.0.0 fine")?,
                "RSET" => {
                    self.mail.recipients.clear();
                    self.say("250 2.0.0 forgotten")?;
                }
                "MAIL" => self.sender(line)?,
                "RCPT" => self.recipient(line)?,
                "DATA" => self.content()?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("500 5.5.1 unknown")?,
            }
        }
    }

    fn sender(&mut self, line: &str) -> Result<()> {
        let (address, parameters) = path(line)?;
        self.mail.sender = address.clone();
        self.mail.parameters = parameters;
        self.mail.recipients.clear();
        self.step(Step::Sender(&address), "250 2.1.0 ok").map(drop)
    }

    fn recipient(&mut self, line: &str) -> Result<()> {
        let (address, _) = path(line)?;
        if self.step(Step::Recipient(&address), "250 2.1.5 ok")? {
            self.mail.recipients.push(address);
        }
        Ok(())
    }

    fn content(&mut self) -> Result<()> {
        if self.mail.recipients.is_empty() {
            return self.say("503 5.5.1 no recipients");
        }
        self.say("354 go ahead")?;
        self.mail.content.clear();
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                break;
            }
            let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
            self.mail.content.extend_from_slice(unstuffed);
        }
        // Kept before it is acknowledged: a client that dies in between may bring it again, but never loses it.
        let answer = self.server.decide(Step::Content);
        if answer == Answer::Accept {
            locked(&self.server.mails).push(self.mail.clone());
        }
        self.obey(&answer, "250 2.0.0 taken").map(drop)
    }

    fn step(&mut self, step: Step<'_>, usual: &str) -> Result<bool> {
        let answer = self.server.decide(step);
        self.obey(&answer, usual)
    }

    fn obey(&mut self, answer: &Answer, usual: &str) -> Result<bool> {
        match answer {
            Answer::Accept => self.say(usual)?,
            Answer::Reply(text) => self.say(text)?,
            Answer::Hang => while !self.line()?.is_empty() {},
            Answer::Close => anyhow::bail!("closed as told"),
        }
        Ok(*answer == Answer::Accept)
    }

    fn say(&mut self, text: &str) -> Result<()> {
        let stream = self.stream.get_mut();
        Ok(stream.write_all(format!("{text}\r\n").as_bytes())?)
    }

    fn line(&mut self) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line)?;
        ensure!(read > 0, "the client left");
        Ok(line)
    }
}

/// Address and parameters of `MAIL FROM:<a@b> X=Y` and its like.
fn path(line: &str) -> Result<(String, String)> {
    let (_, rest) = line.split_once('<').context("no path")?;
    let (address, parameters) = rest.rsplit_once('>').context("no path")?;
    Ok((address.to_owned(), parameters.trim().to_owned()))
}

/// What a thread that panicked left is still good to look at.
fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mails, smtp};

    #[test]
    fn keeps_what_the_client_sent() -> Result<()> {
        let sink = Sink::start()?;
        let all = mails::small("a@example.org", "b@partner.example");
        for mail in &all {
            smtp::send(
                sink.address(),
                "a@example.org",
                &["b@partner.example"],
                &mail.content,
            )?
            .accepted()?;
        }
        let kept = sink.wait(all.len())?;
        for (mail, kept) in all.iter().zip(kept) {
            assert_eq!(kept.content, mail.content, "{}", mail.name);
            assert_eq!(kept.recipients, ["b@partner.example"]);
            assert_eq!(kept.parameters, "BODY=8BITMIME");
        }
        Ok(())
    }

    #[test]
    fn refuses_as_told_and_frees_its_port() -> Result<()> {
        let sink = Sink::start()?;
        sink.answer(|step| match step {
            Step::Recipient("no@x.example") => Answer::Reply("550 5.1.1 unknown"),
            Step::Content => Answer::Reply("451 4.3.0 later"),
            _ => Answer::Accept,
        });
        let to = ["no@x.example", "yes@x.example"];
        let sent = smtp::send(sink.address(), "", &to, b"A: b\r\n\r\n")?;
        let codes: Vec<u16> = sent.recipients.iter().map(|reply| reply.code).collect();
        assert_eq!(codes, [550, 250]);
        assert_eq!(sent.message.map(|reply| reply.code), Some(451));
        assert_eq!(sink.count(), 0);
        let address = sink.address();
        drop(sink);
        process::until(PATIENCE, "the port", || Sink::start_at(address).ok())?;
        Ok(())
    }
}
