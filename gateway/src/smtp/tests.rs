//! Sessions by bytes: a caller that wants everything, and what it is told to send.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::BytesMut;
use policy::mutation::mutations;

use super::*;
use crate::failure::Reply;
use crate::observe::QueueId;

fn settings() -> Settings {
    Settings {
        hostname: "gw.example.org".to_owned(),
        message_size: 1_000,
        recipients: 3,
        mistakes: 5,
        start_tls: StartTls::Offered,
    }
}

fn client() -> Client {
    Client {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        helo: String::new(),
        extended: false,
        tls: None,
        may_relay: true,
        is_inbound: false,
    }
}

/// What one session brought about.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    replies: String,
    messages: Vec<(Option<String>, Vec<String>, Vec<u8>)>,
    is_closed: bool,
    wants_tls: bool,
}

/// Feeds `input` in `chunks`; recipients at `no.example` are refused.
fn talk<'a>(settings: Settings, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut session = Session::new(Arc::new(settings), client());
    let mut input = BytesMut::new();
    let mut output = BytesMut::new();
    let mut outcome = Outcome::default();
    let mut chunks = chunks.into_iter();
    while !outcome.is_closed && !outcome.wants_tls {
        match session.next(&mut input) {
            None => match chunks.next() {
                Some(chunk) => input.extend_from_slice(chunk),
                None => break,
            },
            Some(Action::Reply(reply) | Action::Complain(reply)) => encode(&reply, &mut output),
            Some(Action::Open { .. }) => session.opened(Ok(QueueId::new(UNIX_EPOCH, 1))),
            Some(Action::Room(bytes)) => {
                assert!(bytes <= 1_000, "{bytes}");
                session.room(Ok(()));
            }
            Some(Action::Recipient(recipient)) => session.recipient(match recipient.domain() {
                "no.example" => Reply::new(550, (5, 7, 1), "No"),
                _ => Reply::new(250, (2, 1, 5), "Yes"),
            }),
            Some(Action::Message(arrival)) => {
                let envelope = arrival.envelope;
                assert!(!envelope.recipients.is_empty());
                outcome.messages.push((
                    envelope.reverse_path.map(|sender| sender.to_string()),
                    envelope
                        .recipients
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    arrival.content.to_vec(),
                ));
                session.answered(Reply::new(250, (2, 0, 0), "Safe"));
            }
            Some(Action::StartTls) => outcome.wants_tls = true,
            Some(Action::Close) => outcome.is_closed = true,
        }
    }
    outcome.replies = String::from_utf8(output.to_vec()).unwrap();
    outcome
}

fn whole(input: &str) -> Outcome {
    talk(settings(), [input.as_bytes()])
}

/// The codes of all replies, a reply of several lines once.
fn codes(outcome: &Outcome) -> Vec<&str> {
    let is_last = |line: &&str| line.as_bytes()[3] == b' ';
    outcome
        .replies
        .lines()
        .filter(is_last)
        .filter_map(|line| line.get(..3))
        .collect()
}

#[test]
fn a_message_comes_through() {
    let outcome = whole(
        "EHLO c.example\r\nMAIL FROM:<\"a b\"@c.example> SIZE=10\r\nRCPT TO:<x@d.example>\r\n\
         RCPT TO:<X@D.example>\r\nRCPT TO:<y@no.example>\r\nDATA\r\nHi\r\n..\r\n.\r\nQUIT\r\n",
    );
    let expected = [
        "220", "250", "250", "250", "250", "550", "354", "250", "221",
    ];
    assert_eq!(codes(&outcome), expected);
    let sender = Some("\"a b\"@c.example".to_owned());
    let recipients = vec!["x@d.example".to_owned()];
    assert_eq!(
        outcome.messages,
        [(sender, recipients, b"Hi\r\n.\r\n".to_vec())]
    );
    assert!(outcome.is_closed);
}

#[test]
fn replies_by_order_of_commands() {
    for (input, expected) in [
        ("NOOP\r\n", "220 250"),
        ("MAIL FROM:<>\r\n", "220 503"),
        ("RSET\r\nMAIL FROM:<>\r\n", "220 250 503"),
        ("HELO c\r\nRCPT TO:<a@b>\r\nDATA\r\n", "220 250 503 503"),
        (
            "HELO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n",
            "220 250 250 503",
        ),
        ("HELO c\r\nMAIL FROM:<>\r\nDATA\r\n", "220 250 250 554"),
        (
            "HELO c\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<a@b>\r\n",
            "220 250 250 250 503",
        ),
        (
            "HELO c\r\nMAIL FROM:<>\r\nHELO c\r\nRCPT TO:<a@b>\r\n",
            "220 250 250 250 503",
        ),
        (
            "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@no.example>\r\nDATA\r\n",
            "220 250 250 550 554",
        ),
        ("HELO c\r\nMAIL FROM:<> SIZE=1001\r\n", "220 250 552"),
        (
            "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<ö@b>\r\n",
            "220 250 250 553",
        ),
        (
            "HELO c\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<ö@b>\r\n",
            "220 250 250 250",
        ),
        (
            "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\nRCPT TO:<d@b>\r\nRCPT TO:<a@b>\r\n",
            "220 250 250 250 250 250 452 250",
        ),
        ("STARTTLS\r\n", "220 220"),
        ("STARTTLS\r\nMAIL", "220 554"),
        (
            "X\r\nX\r\nX\r\nX\r\nX\r\nNOOP\r\n",
            "220 500 500 500 500 421",
        ),
        ("GET / HTTP/1.1\r\nHost: x\r\n", "220 554"),
        ("\u{16}\u{3}\u{1}", "220 554"),
        ("\r\n", "220 554"),
        ("NOOP\nNOOP\r\n", "220 500"),
    ] {
        assert_eq!(codes(&whole(input)).join(" "), expected, "{input:?}");
    }
}

#[test]
fn what_closes_closes_at_once() {
    for input in [
        "NOOP\nQUIT\r\n",
        "GET / HTTP/1.1\r\nQUIT\r\n",
        "STARTTLS\r\nQUIT\r\n",
        "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nHi\n.\r\nQUIT\r\n",
    ] {
        let outcome = whole(input);
        assert!(
            outcome.is_closed && outcome.messages.is_empty(),
            "{input:?}"
        );
        assert!(!outcome.replies.contains("221"), "{input:?}");
    }
}

#[test]
fn required_tls_comes_before_mail() {
    let required = Settings {
        start_tls: StartTls::Required,
        ..settings()
    };
    let outcome = talk(
        required,
        [&b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n"[..]],
    );
    assert_eq!(codes(&outcome), ["220", "250", "530", "503"]);
}

#[test]
fn tls_begins_anew() {
    let mut session = Session::new(Arc::new(settings()), client());
    let mut input = BytesMut::from("EHLO c\r\nMAIL FROM:<>\r\n");
    while let Some(action) = session.next(&mut input) {
        if let Action::Open { .. } = action {
            session.opened(Ok(QueueId::new(UNIX_EPOCH, 1)));
        }
    }
    assert!(session.transaction().is_some());
    input.extend_from_slice(b"STARTTLS\r\n");
    assert!(matches!(session.next(&mut input), Some(Action::Reply(reply)) if reply.code == 220));
    assert!(matches!(session.next(&mut input), Some(Action::StartTls)));
    session.secured("TLSv1.3".to_owned(), "TLS13_AES_256_GCM_SHA384".to_owned());
    assert!(session.transaction().is_none());
    input.extend_from_slice(b"MAIL FROM:<>\r\nEHLO c\r\nSTARTTLS\r\n");
    let mut replies = Vec::new();
    while let Some(Action::Reply(reply) | Action::Complain(reply)) = session.next(&mut input) {
        replies.push(reply);
    }
    assert_eq!(
        replies.iter().map(|reply| reply.code).collect::<Vec<_>>(),
        [503, 250, 503]
    );
    assert!(!replies[1].lines.iter().any(|line| line == "STARTTLS"));
}

#[test]
fn an_answer_that_was_not_asked_for_closes() {
    let id = QueueId::new(UNIX_EPOCH, 1);
    let reply = || Reply::new(250, (2, 0, 0), "OK");
    let answers: [&dyn Fn(&mut Session); 4] = [
        &|session| session.opened(Ok(id)),
        &|session| session.recipient(reply()),
        &|session| session.room(Ok(())),
        &|session| session.answered(reply()),
    ];
    for answer in answers {
        let mut session = Session::new(Arc::new(settings()), client());
        let mut input = BytesMut::new();
        while session.next(&mut input).is_some() {}
        answer(&mut session);
        assert!(matches!(session.next(&mut input), Some(Action::Close)));
        assert!(session.next(&mut BytesMut::from("NOOP\r\n")).is_none());
    }
}

const SCRIPTS: [&str; 6] = [
    "EHLO c\r\nMAIL FROM:<a@b> SIZE=5\r\nRCPT TO:<x@d.example>\r\nDATA\r\nHi\r\n..\r\n.\r\nQUIT\r\n",
    "EHLO c\r\nMAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<ö@d.example>\r\nDATA\r\n.\r\nNOOP\r\n",
    "HELO c\r\nVRFY x\r\nHELP\r\nEXPN y\r\nMAIL FROM:<>\r\nRCPT TO:<\"a>b\"@no.example>\r\nDATA\r\n",
    "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nHi\r\n.\r\r\nQUIT\r\n",
    "EHLO c\r\nMAIL FROM:<@x:a@b>\r\nRSET\r\nMAIL FROM:<a@b> X=1\r\nNOOP\rQUIT\r\n",
    "GET / HTTP/1.0\r\n\r\n",
];

/// Whatever comes, in whatever pieces, gives the same replies and the same messages.
#[test]
fn every_split_gives_the_same_replies() {
    for (number, mut bytes) in mutations(&SCRIPTS).take(2_000).enumerate() {
        bytes.push(b'\n');
        let at_once = talk(settings(), [&bytes[..]]);
        for size in [1, 2 + number % 58] {
            let in_pieces = talk(settings(), bytes.chunks(size));
            assert_eq!(in_pieces, at_once, "{bytes:?} by {size}");
        }
        assert!(at_once.replies.lines().all(|line| line.len() <= 510));
    }
}
