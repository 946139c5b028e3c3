//! An SMTP client that sends exactly what a story tells it to, however wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Longer than anything the gateway may think about (its message budget is 30 s).
const PATIENCE: Duration = Duration::from_secs(60);

/// A reply of the server, all its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three-digit code.
    pub code: u16,
    /// The text of each line, the enhanced status code included.
    pub lines: Vec<String>,
}

impl Reply {
    /// Code and lines as one text: `550 5.7.5 no certificate`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" "))
    }

    /// Whether it is a 2xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }
}

/// One session.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects, reads the banner and says EHLO.
    ///
    /// # Errors
    /// Nobody answers, or with something else than 220 and 250.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let (mut client, banner) = Self::dial(address)?;
        ensure!(banner.code == 220, "{}", banner.text());
        client.expect(250, "EHLO client.example.org")?;
        Ok(client)
    }

    /// Connects and gives whatever is said first.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn dial(address: SocketAddr) -> Result<(Self, Reply)> {
        let stream = TcpStream::connect(address).with_context(|| address.to_string())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(1 << 16, stream);
        let mut client = Self { stream };
        let banner = client.reply()?;
        Ok((client, banner))
    }

    /// Sends one line (CRLF is added) and reads the reply.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// As [`Client::command`], for a command that must be answered with `code`.
    ///
    /// # Errors
    /// The connection breaks, or the answer is another.
    pub fn expect(&mut self, code: u16, line: &str) -> Result<Reply> {
        let reply = self.command(line)?;
        ensure!(reply.code == code, "{line}: {}", reply.text());
        Ok(reply)
    }

    /// Sends DATA and a whole mail, dot-stuffed, and reads the reply to its end.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn data(&mut self, mail: &[u8]) -> Result<Reply> {
        let go = self.command("DATA")?;
        if go.code != 354 {
            return Ok(go);
        }
        self.write(&stuffed(mail))?;
        self.reply()
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        Ok(())
    }

    /// Reads one reply.
    ///
    /// # Errors
    /// The connection breaks, or what comes is no reply.
    pub fn reply(&mut self) -> Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line)? > 0, "connection closed");
            let line = line.trim_end_matches(['\r', '\n']);
            let (code, rest) = line.split_at_checked(3).context("short reply")?;
            let code = code.parse().with_context(|| format!("no reply: {line}"))?;
            let (mark, text) = rest.split_at_checked(1).unwrap_or((" ", ""));
            lines.push(text.to_owned());
            if mark == " " {
                return Ok(Reply { code, lines });
            }
        }
    }
}

/// The answers to one mail.
#[derive(Debug)]
pub struct Sent {
    /// To MAIL, or what was said instead of the banner.
    pub sender: Reply,
    /// To each RCPT, in order.
    pub recipients: Vec<Reply>,
    /// To the final dot (or to DATA, where that was refused); none if every recipient was refused.
    pub message: Option<Reply>,
}

impl Sent {
    /// The answer to the final dot, for a mail that every recipient of was taken.
    ///
    /// # Errors
    /// Anything was refused; the text has the reply.
    pub fn accepted(self) -> Result<Reply> {
        for reply in [self.sender].iter().chain(&self.recipients) {
            ensure!(reply.is_positive(), "refused: {}", reply.text());
        }
        let message = self.message.context("the mail was not sent")?;
        ensure!(message.is_positive(), "refused: {}", message.text());
        Ok(message)
    }
}

/// Sends one mail in a session of its own.
///
/// # Errors
/// The connection breaks; a refusal is no error, not even one instead of the banner.
pub fn send(server: SocketAddr, from: &str, to: &[&str], mail: &[u8]) -> Result<Sent> {
    let (mut client, banner) = Client::dial(server)?;
    let sender = if banner.code == 220 {
        client.expect(250, "EHLO client.example.org")?;
        client.command(&format!("MAIL FROM:<{from}> BODY=8BITMIME"))?
    } else {
        banner
    };
    let mut recipients = Vec::new();
    if sender.is_positive() {
        for address in to {
            recipients.push(client.command(&format!("RCPT TO:<{address}>"))?);
        }
    }
    let message = match recipients.iter().any(Reply::is_positive) {
        true => Some(client.data(mail)?),
        false => None,
    };
    // Whoever said no instead of the banner has closed already.
    client.write(b"QUIT\r\n").ok();
    Ok(Sent {
        sender,
        recipients,
        message,
    })
}

/// The mail as DATA carries it (RFC 5321, section 4.5.2), with the final dot.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len() + mail.len() / 60 + 5);
    let mut at_line_start = true;
    for &byte in mail {
        if at_line_start && byte == b'.' {
            out.push(b'.');
        }
        out.push(byte);
        at_line_start = byte == b'\n';
    }
    if !at_line_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
