//! An SMTP server for tests that does what its script says, and tells what it saw.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::super::client::Stream;

/// What the sink does at one point; the points are the commands, `connect` and `.`.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Say(String),
    /// Says nothing more.
    Hang,
    Close,
    /// Answers, then closes.
    SayAndClose(String),
}

/// What the sink saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Connection,
    Command(String),
    /// The bytes between 354 and the final dot, dots undone.
    Mail(Vec<u8>),
}

type Script = dyn Fn(&str) -> Option<Act> + Send + Sync;

#[derive(Clone)]
pub(super) struct Sink {
    extensions: Vec<&'static str>,
    script: Arc<Script>,
    tls: Option<TlsAcceptor>,
}

impl Sink {
    /// A sink that offers these extensions and takes everything.
    pub(super) fn offering(extensions: &[&'static str]) -> Self {
        Self {
            extensions: extensions.to_vec(),
            script: Arc::new(|_| None),
            tls: None,
        }
    }

    /// Does what the script says wherever it says something.
    pub(super) fn script(
        mut self,
        script: impl Fn(&str) -> Option<Act> + Send + Sync + 'static,
    ) -> Self {
        self.script = Arc::new(script);
        self
    }

    pub(super) fn tls(mut self, acceptor: TlsAcceptor) -> Self {
        self.tls = Some(acceptor);
        self
    }

    /// Listens on a port of its own.
    pub(super) async fn start(self) -> (u16, mpsc::UnboundedReceiver<Seen>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sink, tell) = (self.clone(), tell.clone());
                tokio::spawn(async move {
                    tell.send(Seen::Connection).ok();
                    sink.session(Box::new(stream), tell).await;
                });
            }
        });
        (port, seen)
    }

    /// None when the connection is over.
    async fn session(
        &self,
        stream: Box<dyn Stream>,
        tell: mpsc::UnboundedSender<Seen>,
    ) -> Option<()> {
        let mut stream = BufReader::new(stream);
        self.act("connect", "220 sink\r\n", &mut stream).await?;
        loop {
            let mut line = Vec::new();
            let length = stream.read_until(b'\n', &mut line).await.ok()?;
            if length == 0 {
                return None;
            }
            let command = String::from_utf8(line).unwrap().trim_end().to_owned();
            tell.send(Seen::Command(command.clone())).ok()?;
            if command == "DATA" {
                self.act(&command, "354 go on\r\n", &mut stream).await?;
                tell.send(Seen::Mail(read_mail(&mut stream).await?)).ok()?;
                self.act(".", "250 2.0.0 taken\r\n", &mut stream).await?;
                continue;
            }
            self.act(&command, &self.usual(&command), &mut stream)
                .await?;
            if let Some(acceptor) = self.tls.as_ref().filter(|_| command == "STARTTLS") {
                let secured = acceptor.accept(stream.into_inner()).await.ok()?;
                stream = BufReader::new(Box::new(secured));
            }
        }
    }

    async fn act(
        &self,
        point: &str,
        usual: &str,
        stream: &mut BufReader<Box<dyn Stream>>,
    ) -> Option<()> {
        let act = (self.script)(point).unwrap_or_else(|| Act::Say(usual.to_owned()));
        match act {
            Act::Say(text) => stream.write_all(text.as_bytes()).await.ok(),
            Act::SayAndClose(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                None
            }
            Act::Close => None,
            Act::Hang => {
                // Until the client gives up.
                let mut nothing = Vec::new();
                stream.read_to_end(&mut nothing).await.ok();
                None
            }
        }
    }

    fn usual(&self, command: &str) -> String {
        match command.split(' ').next() {
            Some("EHLO") => self.ehlo(),
            Some("AUTH") => "235 2.7.0 welcome\r\n".to_owned(),
            Some("STARTTLS") => "220 2.0.0 go on\r\n".to_owned(),
            _ => "250 2.1.0 fine\r\n".to_owned(),
        }
    }

    fn ehlo(&self) -> String {
        let mut lines: Vec<&str> = vec!["sink"];
        lines.extend(&self.extensions);
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate().map(|(place, line)| {
            let separator = if place == last { ' ' } else { '-' };
            format!("250{separator}{line}\r\n")
        });
        lines.collect()
    }
}

async fn read_mail(stream: &mut BufReader<Box<dyn Stream>>) -> Option<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(mail);
        }
        mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
