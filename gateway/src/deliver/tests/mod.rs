//! Delivery over real sockets to servers that do what their scripts say.

mod queue;
mod sink;
mod transaction;
mod transport;

use std::time::{SystemTime, UNIX_EPOCH};

use certstore::clock::FixedClock;
use certstore::lookup::CacheSettings;
use certstore::seal::VaultKey;
use policy::address::Address;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use self::sink::{Act, Seen, Sink};
use super::*;
use crate::config::{
    DatabaseConfig, DeliveryConfig, Destination, HarvestConfig, Limits, LogConfig, RouteConfig,
    RouteTls, TrustConfig,
};
use crate::observe::QueueId;
use crate::spool::{Listed, NewCopy, Queue, RecipientState, Transport, Which};

const ALL: [&str; 4] = ["PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8"];
const CONTENT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n..dots\r\n\r\n.\r\n";

/// A spool with delivery at work.
struct Office {
    folder: TempDir,
    key: VaultKey,
    spool: Arc<Spool>,
    deliver: Deliver,
    fates: broadcast::Receiver<Delivery>,
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_536_000)
}

impl Office {
    fn new(routes: Vec<RouteConfig>) -> Self {
        Self::with(routes, RootCertStore::empty(), now())
    }

    /// With these anchors, and a delivery that works at this time.
    fn with(routes: Vec<RouteConfig>, roots: RootCertStore, time: SystemTime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = VaultKey::generate().unwrap();
        let spool = Spool::open(folder.path(), &key, Arc::new(FixedClock(now()))).unwrap();
        let spool = Arc::new(spool);
        let config = config(folder.path().to_owned(), routes);
        let clock = Arc::new(FixedClock(time));
        let deliver = Deliver::start(spool.clone(), &config, roots, clock).unwrap();
        let fates = deliver.fates();
        Self {
            folder,
            key,
            spool,
            deliver,
            fates,
        }
    }

    async fn send(&self, copy: NewCopy) {
        self.spool.store(vec![copy]).await.unwrap();
    }

    async fn fate(&mut self) -> Delivery {
        let fate = timeout(Duration::from_secs(20), self.fates.recv());
        fate.await.expect("no fate in time").unwrap()
    }

    fn queue(&self) -> Queue {
        Queue::open(self.folder.path(), &self.key).unwrap()
    }

    fn list(&self) -> Vec<Listed> {
        self.queue().list(Which::All).unwrap()
    }
}

fn config(data_dir: std::path::PathBuf, routes: Vec<RouteConfig>) -> Config {
    let second = Duration::from_secs(1);
    Config {
        hostname: "gw.example.org".to_owned(),
        folder: data_dir.clone(),
        log: LogConfig::default(),
        policy: data_dir.join("policy.toml"),
        vault_key_file: data_dir.join("vault.key"),
        data_dir,
        internal_domains: vec!["example.org".to_owned()],
        listeners: Vec::new(),
        limits: Limits {
            message_size: 1 << 20,
            recipients: 100,
            connections: 10,
            connections_per_client: 10,
            command_timeout: second,
            data_timeout: second,
            session_time: second,
            errors: 3,
            memory: 1 << 20,
            message_budget: second,
        },
        delivery: DeliveryConfig {
            concurrency: 20,
            concurrency_per_destination: 5,
            retry_first: Duration::from_secs(60),
            retry_longest: Duration::from_secs(3600),
            expire: Duration::from_secs(86_400),
            idle: Duration::from_secs(5),
            timeout: second,
        },
        routes,
        directories: Vec::new(),
        publication: None,
        database: DatabaseConfig::default(),
        cache: CacheSettings::default(),
        harvest: HarvestConfig::default(),
        metrics: None,
        trust: TrustConfig::default(),
        profiles: Arc::default(),
    }
}

fn route(domain: &str, port: u16) -> RouteConfig {
    RouteConfig {
        domain: domain.to_owned(),
        to: Destination::Smtp {
            host: "127.0.0.1".to_owned(),
            port,
        },
        tls: RouteTls::None,
        auth: None,
    }
}

fn copy(chance: u64, recipients: &[&str]) -> NewCopy {
    NewCopy {
        id: CopyId {
            message: QueueId::new(now(), chance),
            number: 1,
        },
        reverse_path: Some(Address::parse("alice@example.org").unwrap()),
        recipients: recipients
            .iter()
            .map(|to| Address::parse(to).unwrap())
            .collect(),
        content: CONTENT.into(),
        smtputf8: false,
        transport: Transport::Any,
        original_headers: "Subject: as it came in\r\n".into(),
        message_id: None,
        subject: None,
    }
}

/// A port where nobody listens.
async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn commands(seen: &mut UnboundedReceiver<Seen>) -> Vec<String> {
    let mut commands = Vec::new();
    while let Ok(one) = seen.try_recv() {
        match one {
            Seen::Command(command) => commands.push(command),
            Seen::Connection => commands.push("(connection)".to_owned()),
            Seen::Mail(mail) if mail == CONTENT => commands.push("(mail)".to_owned()),
            Seen::Mail(mail) => commands.push(format!("(mail {})", mail.escape_ascii())),
        }
    }
    commands
}

fn say(text: &str) -> Option<Act> {
    Some(Act::Say(format!("{text}\r\n")))
}
