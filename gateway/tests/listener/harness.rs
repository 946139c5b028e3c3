//! A server with a scripted intake, and a client that speaks line by line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use certstore::clock::SystemClock;
use gateway::config::{Limits, ListenerConfig, ListenerTls, Network};
use gateway::failure::Reply;
use gateway::listen::{self, Intake, Received, Settings};
use gateway::observe::QueueId;
use gateway::smtp::{Client as Peer, Envelope};
use policy::address::Address;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Nothing in these tests takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

const HOSTNAME: &str = "gw.example.org";

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(Certificate::new);

struct Certificate {
    folder: TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed([HOSTNAME.to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        for (name, text) in [
            ("chain.pem", made.cert.pem()),
            ("key.pem", made.signing_key.serialize_pem()),
        ] {
            let mut file = std::fs::File::create_new(folder.path().join(name)).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
        Self {
            folder,
            der: made.cert.der().clone(),
        }
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (
            self.folder.path().join("chain.pem"),
            self.folder.path().join("key.pem"),
        )
    }
}

/// How a server is set up.
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) tls: ListenerTls,
    pub(crate) is_ready: bool,
    pub(crate) may_relay: bool,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits {
            message_size: 100_000,
            recipients: 3,
            connections: 10,
            connections_per_client: 10,
            command_timeout: PATIENCE,
            data_timeout: PATIENCE,
            session_time: PATIENCE,
            errors: 5,
            memory: 10_000_000,
            message_budget: PATIENCE,
        };
        Self {
            limits,
            tls: ListenerTls::None,
            is_ready: true,
            may_relay: true,
        }
    }
}

impl Options {
    /// Reads `NAME VALUE`.
    pub(crate) fn set(&mut self, option: &str) {
        let (name, value) = option.split_once(' ').unwrap();
        let (certificate, key) = CERTIFICATE.files();
        match (name, value) {
            ("tls", "starttls" | "required") => {
                let required = value == "required";
                self.tls = ListenerTls::StartTls {
                    certificate,
                    key,
                    required,
                };
            }
            ("tls", "implicit") => self.tls = ListenerTls::Implicit { certificate, key },
            ("not-ready", "true") => self.is_ready = false,
            ("from", "outside") => self.may_relay = false,
            ("message-size", size) => self.limits.message_size = size.parse().unwrap(),
            ("memory", size) => self.limits.memory = size.parse().unwrap(),
            ("errors", count) => self.limits.errors = count.parse().unwrap(),
            ("connections", count) => self.limits.connections = count.parse().unwrap(),
            ("connections-per-client", count) => {
                self.limits.connections_per_client = count.parse().unwrap();
            }
            ("command-timeout", time) => self.limits.command_timeout = milliseconds(time),
            ("data-timeout", time) => self.limits.data_timeout = milliseconds(time),
            ("session-time", time) => self.limits.session_time = milliseconds(time),
            _ => panic!("unknown option {option}"),
        }
    }

    pub(crate) fn is_implicit(&self) -> bool {
        matches!(self.tls, ListenerTls::Implicit { .. })
    }
}

fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(text.parse().unwrap())
}

/// Does with a message what the message says, and with a recipient what its name says.
pub(crate) struct Scripted {
    is_ready: AtomicBool,
    messages: mpsc::UnboundedSender<Message>,
    pub(crate) go_on: Notify,
}

/// What the intake was given.
pub(crate) struct Message {
    pub(crate) client: Peer,
    pub(crate) content: Bytes,
}

impl Intake for Scripted {
    fn ready(&self) -> Result<(), Reply> {
        let is_ready = self.is_ready.load(Ordering::SeqCst);
        is_ready
            .then_some(())
            .ok_or_else(|| Reply::new(451, (4, 3, 1), "Disk full"))
    }

    async fn recipient(
        self: &Arc<Self>,
        _: QueueId,
        envelope: &Envelope,
        recipient: &Address,
    ) -> Reply {
        assert_ne!(recipient.as_str(), "panic@example.org");
        match recipient.as_str().split('@').next() {
            Some("no") => Reply::new(550, (5, 1, 1), "No such user"),
            Some("later") => Reply::new(451, (4, 4, 3), "Directory unavailable"),
            Some("not-ready") => {
                self.is_ready.store(false, Ordering::SeqCst);
                Reply::new(250, (2, 1, 5), "OK")
            }
            _ if recipient.domain() != "example.org" && !envelope.client.may_relay => {
                Reply::new(550, (5, 7, 1), "Relaying denied")
            }
            _ => Reply::new(250, (2, 1, 5), "OK"),
        }
    }

    async fn message(self: &Arc<Self>, received: Received) -> Reply {
        let content = received.content.clone();
        assert!(!content.starts_with(b"Panic"), "told to");
        if content.starts_with(b"Wait") {
            self.go_on.notified().await;
        }
        let message = Message {
            client: received.envelope.client.clone(),
            content,
        };
        self.messages.send(message).unwrap();
        if received.content.starts_with(b"Refuse") {
            return Reply::new(550, (5, 7, 5), "No certificate for bob@partner.example");
        }
        Reply::new(250, (2, 0, 0), "Safe")
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) intake: Arc<Scripted>,
    pub(crate) shutdown: watch::Sender<bool>,
    messages: mpsc::UnboundedReceiver<Message>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(options: &Options) -> Self {
        let network = Network {
            address: "127.0.0.0".parse().unwrap(),
            prefix: 8,
        };
        let bound = listen::bind(&ListenerConfig {
            address: "127.0.0.1:0".parse().unwrap(),
            tls: options.tls.clone(),
            relay_from: options.may_relay.then_some(network).into_iter().collect(),
            inbound_from: Vec::new(),
        });
        let bound = bound.unwrap();
        let (sender, messages) = mpsc::unbounded_channel();
        let intake = Arc::new(Scripted {
            is_ready: AtomicBool::new(options.is_ready),
            messages: sender,
            go_on: Notify::new(),
        });
        let (shutdown, stops) = watch::channel(false);
        let settings = Settings {
            hostname: HOSTNAME.to_owned(),
            limits: options.limits.clone(),
            clock: Arc::new(SystemClock),
        };
        Self {
            address: bound.address(),
            task: tokio::spawn(listen::serve(
                vec![bound],
                settings,
                Arc::clone(&intake),
                stops,
            )),
            intake,
            shutdown,
            messages,
        }
    }

    /// The next message that the intake was given.
    pub(crate) async fn message(&mut self) -> Message {
        let message = timeout(PATIENCE, self.messages.recv()).await;
        message.expect("a message").unwrap()
    }

    /// Stops, and gives the messages that nobody asked for.
    pub(crate) async fn stop(mut self) -> Vec<Message> {
        self.shutdown.send_replace(true);
        timeout(PATIENCE, self.task)
            .await
            .expect("all sessions end")
            .unwrap();
        std::iter::from_fn(|| self.messages.try_recv().ok()).collect()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A client that does what it is told, right or wrong.
pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
}

impl Client {
    pub(crate) async fn connect(server: &Server, is_implicit: bool) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let client = Self {
            stream: BufReader::new(Box::new(stream)),
        };
        if is_implicit {
            client.secure().await
        } else {
            client
        }
    }

    pub(crate) async fn secure(self) -> Self {
        assert!(
            self.stream.buffer().is_empty(),
            "the server spoke before the handshake"
        );
        let mut roots = RootCertStore::empty();
        roots.add(CERTIFICATE.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(HOSTNAME).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect(name, self.stream.into_inner())
            .await
            .unwrap();
        Self {
            stream: BufReader::new(Box::new(stream)),
        }
    }

    /// Sends; a server that closed meanwhile is found when its replies are read.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await;
    }

    /// Sends, and says whether the connection took it.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// The next line, without its end; empty when the connection is closed.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line))
            .await
            .expect("a reply");
        read.unwrap();
        assert!(line.is_empty() || line.ends_with("\r\n"), "{line:?}");
        line.trim_end_matches("\r\n").to_owned()
    }

    /// Whatever still comes.
    pub(crate) async fn raw(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        drop(self.stream.read_to_end(&mut bytes).await);
        bytes
    }

    /// Reads a whole reply and checks its code.
    pub(crate) async fn expect(&mut self, code: &str) {
        loop {
            let line = self.line().await;
            assert!(line.starts_with(code), "{line} instead of {code}");
            if line.as_bytes()[3] == b' ' {
                return;
            }
        }
    }

    /// Sends a line, reads a whole reply and checks its code.
    pub(crate) async fn ask(&mut self, line: &str, code: &str) {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.expect(code).await;
    }

    /// From the banner to 354.
    pub(crate) async fn start_message(&mut self, mail: &str) {
        self.expect("220").await;
        self.ask("EHLO c.example", "250").await;
        self.ask(mail, "250").await;
        self.ask("RCPT TO:<bob@example.org>", "250").await;
        self.ask("DATA", "354").await;
    }

    pub(crate) async fn hang_up(&mut self) {
        // The server may have been faster.
        drop(self.stream.shutdown().await);
    }
}

/// Bytes for `\r`, `\n`, `\0`, `\\` and `\xHH`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().expect("an escape") {
                b'r' => b'\r',
                b'n' => b'\n',
                b'0' => 0,
                b'x' => {
                    let digits: Vec<u8> = rest.by_ref().take(2).collect();
                    u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            plain => plain,
        });
    }
    bytes
}
