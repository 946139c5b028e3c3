//! Single transactions: what servers say and offer, and what becomes of each recipient.

use super::*;

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
    eight_bit.content = "Subject: \u{fc}\r\n".into();
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
    mail.content = "Subject: \u{fc}\r\n".into();
    office.send(mail).await;
    assert_eq!(office.fate().await.fate, Fate::Delivered);
    let parameters = "MAIL FROM:<alice@example.org> SIZE=13 BODY=8BITMIME SMTPUTF8";
    assert_eq!(commands(&mut seen)[2], parameters);
}
