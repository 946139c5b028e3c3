//! Delivery over real sockets to servers that do what their scripts say.

mod sink;
mod transport;

use std::time::{SystemTime, UNIX_EPOCH};

use certstore::clock::FixedClock;
use certstore::seal::VaultKey;
use policy::address::Address;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use self::sink::{Act, Seen, Sink};
use super::*;
use crate::config::{DeliveryConfig, Destination, Limits, RouteConfig, RouteTls, TrustConfig};
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
        trust: TrustConfig::default(),
        profiles: Vec::new(),
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
        needs_eight_bit: false,
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
            Seen::Mail(mail) => {
                assert_eq!(mail, CONTENT);
                commands.push("(mail)".to_owned());
            }
        }
    }
    commands
}

fn say(text: &str) -> Option<Act> {
    Some(Act::Say(format!("{text}\r\n")))
}

#[tokio::test]
async fn mail_arrives_byte_for_byte_and_connections_are_used_again() {
    let (port, mut seen) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("*", port)]);
    for chance in 1..=2 {
        office.send(copy(chance, &["b@example.com"])).await;
        let fate = office.fate().await;
        assert_eq!(
            (fate.fate, fate.reply.as_str()),
            (Fate::Delivered, "250 2.0.0 taken")
        );
    }
    let mail = format!("MAIL FROM:<alice@example.org> SIZE={}", CONTENT.len());
    let transaction = [&mail, "RCPT TO:<b@example.com>", "DATA", "(mail)"];
    let expected = [
        &["(connection)", "EHLO gw.example.org"][..],
        &transaction,
        &transaction,
    ];
    assert_eq!(commands(&mut seen), expected.concat());
    assert!(office.list().is_empty());
    office.deliver.shutdown(Duration::from_secs(5)).await;
    assert_eq!(commands(&mut seen), ["QUIT"]);
}

#[tokio::test]
async fn a_server_from_long_ago_is_served_too() {
    let sink = Sink::offering(&[]).script(|command| match command {
        "EHLO gw.example.org" => say("500 what?"),
        _ => None,
    });
    let (port, mut seen) = sink.start().await;
    let mut office = Office::new(vec![route("*", port)]);
    office
        .send(copy(1, &["b@example.com", "c@example.com"]))
        .await;
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    assert_eq!(
        commands(&mut seen)[1..],
        [
            "EHLO gw.example.org",
            "HELO gw.example.org",
            "MAIL FROM:<alice@example.org>",
            "RCPT TO:<b@example.com>",
            "RCPT TO:<c@example.com>",
            "DATA",
            "(mail)"
        ]
    );
}

#[tokio::test]
async fn each_recipient_has_a_fate_of_its_own_and_the_sender_is_told() {
    let sink = Sink::offering(&ALL).script(|command| match command {
        "RCPT TO:<none@example.com>" => say("550 5.1.1 no such user"),
        "RCPT TO:<busy@example.com>" => say("450 4.2.1 busy"),
        "RCPT TO:<many@example.com>" => say("552 too many"),
        _ => None,
    });
    let (port, mut seen) = sink.start().await;
    let (home, mut reports) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("example.org", home), route("*", port)]);
    let to = [
        "ok@example.com",
        "none@example.com",
        "busy@example.com",
        "many@example.com",
    ];
    office.send(copy(1, &to)).await;

    let mut fates = Vec::new();
    for _ in 0..5 {
        let fate = office.fate().await;
        fates.push((fate.recipients[0].to_string(), fate.fate));
    }
    fates.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("alice@example.org", Fate::Delivered),
        ("busy@example.com", Fate::Deferred),
        ("many@example.com", Fate::Deferred),
        ("none@example.com", Fate::Failed),
        ("ok@example.com", Fate::Delivered),
    ];
    assert_eq!(fates, expected.map(|(to, fate)| (to.to_owned(), fate)));
    assert!(commands(&mut seen).contains(&"(mail)".to_owned()));

    let listed = office.list();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].attempts, 1);
    let states: Vec<_> = listed[0]
        .details
        .as_ref()
        .unwrap()
        .recipients
        .iter()
        .map(|recipient| recipient.state)
        .collect();
    use RecipientState::{Delivered, Failed, Waiting};
    assert_eq!(states, [Delivered, Failed, Waiting, Waiting]);

    let mut report = None;
    while let Ok(one) = reports.try_recv() {
        match one {
            Seen::Mail(mail) => report = Some(String::from_utf8(mail).unwrap()),
            Seen::Command(command) if command.starts_with("MAIL") => {
                assert!(command.starts_with("MAIL FROM:<> "), "{command}");
            }
            Seen::Command(_) | Seen::Connection => {}
        }
    }
    let report = report.unwrap();
    assert!(report.contains("Final-Recipient: rfc822; none@example.com\r\n"));
    assert!(report.contains("Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
    assert!(report.contains("Remote-MTA: dns; 127.0.0.1\r\n"));
    assert!(report.contains("Subject: as it came in\r\n"));
    assert!(!report.contains("busy@example.com") && !report.contains(".dots"));
}

#[tokio::test]
async fn what_the_server_says_to_one_stage_holds_for_all() {
    for (point, reply, fate) in [
        ("MAIL", "550 5.7.1 go away", Fate::Failed),
        ("MAIL", "451 4.3.0 later", Fate::Deferred),
        ("DATA", "554 5.6.0 no", Fate::Failed),
        ("DATA", "250 odd", Fate::Deferred),
        (".", "554 5.7.1 spam", Fate::Failed),
        (".", "452 4.3.1 full", Fate::Deferred),
        (".", "199 what", Fate::Deferred),
    ] {
        let sink = Sink::offering(&ALL)
            .script(move |command| say(reply).filter(|_| command.split(' ').next() == Some(point)));
        let (port, _seen) = sink.start().await;
        let mut office = Office::new(vec![route("*", port)]);
        // The null reverse-path: nobody is told, and no second message comes of it.
        let mut mail = copy(1, &["b@example.com", "c@example.com"]);
        mail.reverse_path = None;
        office.send(mail).await;
        let told = office.fate().await;
        assert_eq!(
            (told.fate, told.recipients.len()),
            (fate, 2),
            "{point} {reply}"
        );
        assert_eq!(told.reply, reply);
        let left = usize::from(fate == Fate::Deferred);
        assert_eq!(office.list().len(), left, "{point} {reply}");
    }
}

#[tokio::test]
async fn servers_that_break_off_or_hang_or_babble_defer_mail() {
    let acts = [
        Act::Hang,
        Act::Close,
        Act::Say("\0\u{1}\u{2} garbage \r\r\n\n".to_owned()),
        Act::Say("2".to_owned()),
        Act::Say(format!("250 {}\r\n", "x".repeat(9000))),
        Act::Say("250-more\r\n".repeat(900)),
        Act::SayAndClose("421 4.3.2 going down\r\n".to_owned()),
    ];
    let points = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "."];
    let cases = points.iter().flat_map(|point| {
        let acts = acts.iter();
        acts.map(move |act| is_deferred_after(point, act.clone()))
    });
    futures_util::future::join_all(cases).await;
}

async fn is_deferred_after(point: &'static str, act: Act) {
    let name: String = format!("{point} {act:?}").chars().take(60).collect();
    let sink = Sink::offering(&ALL).script(move |command| {
        Some(act.clone()).filter(|_| command.split(' ').next() == Some(point))
    });
    let (port, _seen) = sink.start().await;
    let mut office = Office::new(vec![route("*", port)]);
    office.send(copy(1, &["b@example.com"])).await;
    let told = office.fate().await;
    assert_eq!(told.fate, Fate::Deferred, "{name}: {}", told.reply);
    let listed = office.list();
    let details = listed[0].details.as_ref().unwrap();
    let reply = details.recipients[0].reply.as_ref();
    assert_eq!(reply, Some(&told.reply), "{name}");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_is_replaced() {
    let taken = Act::SayAndClose("250 2.0.0 taken\r\n".to_owned());
    let sink =
        Sink::offering(&ALL).script(move |point| Some(taken.clone()).filter(|_| point == "."));
    let (port, mut seen) = sink.start().await;
    let mut office = Office::new(vec![route("*", port)]);
    for chance in 1..=3 {
        office.send(copy(chance, &["b@example.com"])).await;
        assert_eq!(office.fate().await.fate, Fate::Delivered);
    }
    let seen = commands(&mut seen);
    assert_eq!(
        seen.iter().filter(|command| *command == "(mail)").count(),
        3
    );
}

#[tokio::test]
async fn a_transaction_left_open_is_reset() {
    let sink = Sink::offering(&ALL).script(|command| match command {
        "RCPT TO:<none@example.com>" => say("550 5.1.1 no such user"),
        _ => None,
    });
    let (port, mut seen) = sink.start().await;
    let mut office = Office::new(vec![route("*", port)]);
    let mut first = copy(1, &["none@example.com"]);
    first.reverse_path = None;
    office.send(first).await;
    assert_eq!(office.fate().await.fate, Fate::Failed);
    office.send(copy(2, &["b@example.com"])).await;
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    let seen = commands(&mut seen);
    assert_eq!(seen[4], "RSET");
    assert_eq!(seen.last().unwrap(), "(mail)");
}

#[tokio::test]
async fn what_the_next_hop_lacks_is_found_before_anything_is_sent() {
    let mut utf8 = copy(1, &["b@example.com"]);
    utf8.smtputf8 = true;
    let utf8_address = copy(2, &["b\u{fc}b@example.com"]);
    let mut eight_bit = copy(3, &["b@example.com"]);
    eight_bit.needs_eight_bit = true;
    let mut large = copy(4, &["b@example.com"]);
    large.content = vec![b'x'; 101].into();
    let mut smuggled = copy(5, &["b@example.com"]);
    smuggled.content = "a\n.\r\nMAIL FROM:<x@example.net>\r\n".into();
    for (mut mail, reason) in [
        (utf8, "SMTPUTF8"),
        (utf8_address, "SMTPUTF8"),
        (eight_bit, "8BITMIME"),
        (large, "101 bytes"),
        (smuggled, "bare CR or LF"),
    ] {
        let (port, mut seen) = Sink::offering(&["SIZE 100"]).start().await;
        let mut office = Office::new(vec![route("*", port)]);
        mail.reverse_path = None;
        office.send(mail).await;
        let told = office.fate().await;
        assert_eq!(told.fate, Fate::Failed);
        assert!(told.reply.contains(reason), "{}", told.reply);
        assert_eq!(commands(&mut seen), ["(connection)", "EHLO gw.example.org"]);
    }
}

#[tokio::test]
async fn parameters_are_given_where_they_are_needed() {
    let (port, mut seen) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("*", port)]);
    let mut mail = copy(1, &["b\u{fc}b@example.com"]);
    mail.needs_eight_bit = true;
    office.send(mail).await;
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    let parameters = format!(
        "MAIL FROM:<alice@example.org> SIZE={} BODY=8BITMIME SMTPUTF8",
        CONTENT.len()
    );
    assert_eq!(commands(&mut seen)[2], parameters);
}

#[tokio::test]
async fn a_next_hop_that_is_down_is_left_alone_until_an_operator_orders_otherwise() {
    let sink = Sink::offering(&ALL).script(|point| Some(Act::Close).filter(|_| point == "connect"));
    let (port, mut seen) = sink.start().await;
    let mut office = Office::new(vec![route("*", port)]);
    for chance in 1..=30 {
        office.send(copy(chance, &["b@example.com"])).await;
    }
    for _ in 1..=30 {
        let told = office.fate().await;
        assert_eq!(told.fate, Fate::Deferred);
        assert!(told.reply.contains("cannot connect"), "{}", told.reply);
    }
    let tried = commands(&mut seen).len();
    assert!((1..=5).contains(&tried), "{tried} connections");
    let listed = office.list();
    let later = now() + Duration::from_secs(50);
    assert!(listed.len() == 30 && listed.iter().all(|entry| entry.due > later));

    // The pause may not be over yet.
    assert_eq!(office.queue().retry(Which::All), Ok(30));
    for _ in 1..=30 {
        assert_eq!(office.fate().await.fate, Fate::Deferred);
    }
    assert_eq!(commands(&mut seen).len(), 30);
}

#[tokio::test]
async fn nobody_listens_there() {
    let mut office = Office::new(vec![route("*", closed_port().await)]);
    office.send(copy(1, &["b@example.com"])).await;
    let told = office.fate().await;
    assert_eq!(told.fate, Fate::Deferred);
    assert!(told.reply.contains("refused"), "{}", told.reply);
}

#[tokio::test]
async fn a_slow_next_hop_does_not_hold_up_others() {
    let hang = Sink::offering(&ALL).script(|point| Some(Act::Hang).filter(|_| point == "."));
    let (slow, _seen) = hang.start().await;
    let (quick, _seen) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("slow.example", slow), route("*", quick)]);
    for chance in 1..=50 {
        office.send(copy(chance, &["b@slow.example"])).await;
    }
    let started = std::time::Instant::now();
    for chance in 51..=60 {
        office.send(copy(chance, &["b@quick.example"])).await;
    }
    for _ in 0..10 {
        assert_eq!(office.fate().await.fate, Fate::Delivered);
    }
    assert!(started.elapsed() < Duration::from_millis(900));
}

#[tokio::test]
async fn one_copy_goes_to_several_next_hops() {
    let (first, mut at_first) = Sink::offering(&ALL).start().await;
    let (second, mut at_second) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![
        route("one.example", first),
        route("two.example", second),
    ]);
    office
        .send(copy(
            1,
            &["a@one.example", "b@two.example", "c@nowhere.example"],
        ))
        .await;
    let mut fates = Vec::new();
    for _ in 0..3 {
        let told = office.fate().await;
        fates.push((told.recipients[0].to_string(), told.fate));
    }
    fates.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("a@one.example", Fate::Delivered),
        ("b@two.example", Fate::Delivered),
        ("c@nowhere.example", Fate::Deferred),
    ];
    assert_eq!(fates, expected.map(|(to, fate)| (to.to_owned(), fate)));
    assert!(commands(&mut at_first).contains(&"RCPT TO:<a@one.example>".to_owned()));
    assert!(commands(&mut at_second).contains(&"RCPT TO:<b@two.example>".to_owned()));
    let waiting = &office.list()[0];
    let reply = waiting.details.as_ref().unwrap().recipients[2]
        .reply
        .as_deref();
    assert_eq!(reply, Some("no route leads to the recipient's domain"));
}

#[tokio::test]
async fn mail_that_is_too_old_goes_back_to_its_sender() {
    let sink = Sink::offering(&ALL)
        .script(|command| say("450 4.2.1 busy").filter(|_| command.starts_with("RCPT")));
    let (port, _seen) = sink.start().await;
    let (home, mut reports) = Sink::offering(&ALL).start().await;
    let routes = vec![route("example.org", home), route("*", port)];
    let late = now() + Duration::from_secs(86_401);
    let mut office = Office::with(routes, RootCertStore::empty(), late);
    office.send(copy(1, &["b@example.com"])).await;
    let told = office.fate().await;
    assert_eq!(
        (told.fate, told.reply.as_str()),
        (Fate::Failed, "450 4.2.1 busy")
    );
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    assert!(office.list().is_empty());
    let mut mails = Vec::new();
    while let Ok(one) = reports.try_recv() {
        if let Seen::Mail(mail) = one {
            mails.push(String::from_utf8(mail).unwrap());
        }
    }
    assert!(mails[0].contains("Status: 5.4.7\r\n"), "{}", mails[0]);
}

#[tokio::test]
async fn many_recipients_go_in_transactions_of_a_hundred() {
    let (port, mut seen) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("*", port)]);
    let addresses: Vec<_> = (0..250).map(|n| format!("b{n}@example.com")).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    office.send(copy(1, &addresses)).await;
    let mut delivered = 0;
    for _ in 0..3 {
        let told = office.fate().await;
        assert_eq!(told.fate, Fate::Delivered);
        delivered += told.recipients.len();
    }
    assert_eq!(delivered, 250);
    assert!(office.list().is_empty());
    let seen = commands(&mut seen);
    assert_eq!(
        seen.iter()
            .filter(|command| command.starts_with("RCPT"))
            .count(),
        250
    );
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs_and_keeps_the_rest() {
    let (port, mut seen) = Sink::offering(&ALL).start().await;
    let mut office = Office::new(vec![route("*", port)]);
    office.send(copy(1, &["b@example.com"])).await;
    office.fate().await;
    let Office {
        folder,
        key,
        spool,
        deliver,
        ..
    } = office;
    deliver.shutdown(Duration::from_secs(5)).await;
    spool
        .store(vec![copy(2, &["b@example.com"])])
        .await
        .unwrap();
    drop(spool);
    let seen = commands(&mut seen);
    assert_eq!(
        seen.iter().filter(|command| *command == "(mail)").count(),
        1
    );
    let spool = Spool::open(folder.path(), &key, Arc::new(FixedClock(now()))).unwrap();
    assert_eq!(spool.due(now(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_waited_on_disk_is_delivered_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let key = VaultKey::generate().unwrap();
    let clock = Arc::new(FixedClock(now()));
    let spool = Spool::open(folder.path(), &key, clock.clone()).unwrap();
    let mut large = copy(1, &["b@example.com"]);
    large.content = b"a line of a mail\r\n".repeat(10_000).into();
    let expected = large.content.clone();
    spool.store(vec![large]).await.unwrap();
    drop(spool);

    let (port, mut seen) = Sink::offering(&ALL).start().await;
    let spool = Arc::new(Spool::open(folder.path(), &key, clock.clone()).unwrap());
    let config = config(folder.path().to_owned(), vec![route("*", port)]);
    let deliver = Deliver::start(spool, &config, RootCertStore::empty(), clock).unwrap();
    let arrived = async {
        loop {
            if let Some(Seen::Mail(mail)) = seen.recv().await {
                return mail;
            }
        }
    };
    let mail = timeout(Duration::from_secs(10), arrived).await.unwrap();
    assert!(mail == expected);
    deliver.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_maildir_is_a_next_hop() {
    let folder = tempfile::tempdir().unwrap();
    let mut to = route("*", 1);
    to.to = Destination::Maildir(folder.path().join("mail"));
    let mut office = Office::new(vec![to]);
    office.send(copy(1, &["b@example.com"])).await;
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    assert_eq!(
        std::fs::read_dir(folder.path().join("mail/new"))
            .unwrap()
            .count(),
        1
    );
}
