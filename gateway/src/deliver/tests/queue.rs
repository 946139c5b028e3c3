//! Many copies, several next hops, and time: what the scheduler makes of them.

use super::*;

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
    for chance in 51..=60 {
        office.send(copy(chance, &["b@quick.example"])).await;
    }
    for _ in 0..10 {
        assert_eq!(office.fate().await.fate, Fate::Delivered);
    }
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
