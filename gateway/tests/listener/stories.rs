//! What a dialog cannot show: time, several clients at once, and ends.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::harness::{Client, Options, Server};

const SHORT: Duration = Duration::from_millis(200);

fn options(list: &[&str]) -> Options {
    let mut options = Options::default();
    for option in list {
        options.set(option);
    }
    options
}

#[tokio::test]
async fn a_client_that_vanishes_in_data_hands_nothing_on() {
    let server = Server::start(&Options::default());
    for rest in ["", "Hi", "Hi\r\n", "Hi\r\n.", "Hi\r\n.\r"] {
        let mut client = Client::connect(&server, false).await;
        client.start_message("MAIL FROM:<a@c.example>").await;
        client.send(rest.as_bytes()).await;
        client.hang_up().await;
        assert_eq!(client.line().await, "");
    }
    assert!(server.stop().await.is_empty());
}

#[tokio::test]
async fn a_message_at_work_is_finished_after_its_client_is_gone() {
    let mut server = Server::start(&Options::default());
    let mut client = Client::connect(&server, false).await;
    client.start_message("MAIL FROM:<a@c.example>").await;
    client.send(b"Wait\r\n.\r\n").await;
    sleep(SHORT).await;
    drop(client);
    server.intake.go_on.notify_one();
    assert_eq!(&server.message().await.content[..], b"Wait\r\n");
    assert!(server.stop().await.is_empty());
}

#[tokio::test]
async fn a_shutdown_ends_idle_sessions_and_lets_messages_finish() {
    let mut server = Server::start(&Options::default());
    let mut idle = Client::connect(&server, false).await;
    idle.ask("EHLO c.example", "220").await;
    idle.expect("250").await;
    let mut sending = Client::connect(&server, false).await;
    sending.start_message("MAIL FROM:<a@c.example>").await;
    let mut working = Client::connect(&server, false).await;
    working.start_message("MAIL FROM:<a@c.example>").await;
    working.send(b"Wait\r\n.\r\n").await;
    sleep(SHORT).await;
    server.shutdown.send_replace(true);
    assert_eq!(
        idle.line().await,
        "421 4.3.2 gw.example.org shutting down, try again later"
    );
    assert_eq!(idle.line().await, "");
    sending.send(b"Hi\r\n.\r\n").await;
    assert_eq!(&server.message().await.content[..], b"Hi\r\n");
    server.intake.go_on.notify_one();
    assert_eq!(&server.message().await.content[..], b"Wait\r\n");
    for client in [&mut sending, &mut working] {
        client.expect("250").await;
        client.expect("421").await;
    }
    tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap_err();
    assert!(server.stop().await.is_empty());
}

#[tokio::test]
async fn there_is_a_limit_on_connections() {
    for (option, words) in [
        (
            "connections 2",
            "421 4.7.0 gw.example.org too many connections, try again later",
        ),
        (
            "connections-per-client 2",
            "421 4.7.0 gw.example.org too many connections from your address",
        ),
    ] {
        let server = Server::start(&options(&[option]));
        let mut clients = [
            Client::connect(&server, false).await,
            Client::connect(&server, false).await,
        ];
        for client in &mut clients {
            client.expect("220").await;
        }
        let mut third = Client::connect(&server, false).await;
        assert_eq!(third.line().await, words);
        assert_eq!(third.line().await, "");
        for mut client in clients {
            client.ask("QUIT", "221").await;
            assert_eq!(client.line().await, "");
            client.hang_up().await;
        }
        sleep(SHORT).await;
        Client::connect(&server, false).await.expect("220").await;
        server.stop().await;
    }
}

#[tokio::test]
async fn silence_and_slowness_have_an_end() {
    let server = Server::start(&options(&["command-timeout 300"]));
    let mut client = Client::connect(&server, false).await;
    client.expect("220").await;
    // Single bytes do not make a command that takes for ever.
    for byte in ["N", "O"] {
        sleep(Duration::from_millis(100)).await;
        client.send(byte.as_bytes()).await;
    }
    assert_eq!(
        client.line().await,
        "421 4.4.2 gw.example.org timeout, closing connection"
    );
    assert_eq!(client.line().await, "");
    client.hang_up().await;
    server.stop().await;

    let server = Server::start(&options(&["data-timeout 300"]));
    let mut client = Client::connect(&server, false).await;
    client.start_message("MAIL FROM:<a@c.example>").await;
    client.send(b"Hi\r\n").await;
    client.expect("421").await;
    client.hang_up().await;
    assert!(server.stop().await.is_empty());

    let server = Server::start(&options(&["session-time 400"]));
    let mut client = Client::connect(&server, false).await;
    client.expect("220").await;
    for _ in 0..2 {
        client.ask("NOOP", "250").await;
        sleep(Duration::from_millis(150)).await;
    }
    assert!(
        client
            .line()
            .await
            .starts_with("421 4.4.2 gw.example.org session lasted too long")
    );
    client.hang_up().await;
    server.stop().await;

    let server = Server::start(&options(&["session-time 300"]));
    let mut client = Client::connect(&server, false).await;
    client.start_message("MAIL FROM:<a@c.example>").await;
    let start = Instant::now();
    // A client that never stops is cut off all the same.
    while start.elapsed() < Duration::from_secs(5) && client.try_send(&[b'x'; 1000]).await {}
    assert!(start.elapsed() < Duration::from_secs(5));
    client.hang_up().await;
    assert!(server.stop().await.is_empty());
}

#[tokio::test]
async fn memory_holds_clients_back_until_there_is_some() {
    let mut server = Server::start(&options(&["memory 65536"]));
    let mut first = Client::connect(&server, false).await;
    first
        .start_message("MAIL FROM:<a@c.example> SIZE=60000")
        .await;
    let mut second = Client::connect(&server, false).await;
    second.expect("220").await;
    second.ask("EHLO c.example", "250").await;
    second.send(b"MAIL FROM:<a@c.example> SIZE=60000\r\n").await;
    timeout(SHORT, second.line()).await.unwrap_err();
    first.send(b"Hi\r\n.\r\n").await;
    first.expect("250").await;
    assert_eq!(&server.message().await.content[..], b"Hi\r\n");
    second.expect("250").await;
    // RSET gives back what was reserved.
    second.ask("RSET", "250").await;
    first.ask("MAIL FROM:<a@c.example> SIZE=60000", "250").await;
    server.stop().await;
}

#[tokio::test]
async fn growing_messages_do_not_wait_for_each_other() {
    let mut server = Server::start(&options(&["memory 131072", "message-size 1000000"]));
    let line = format!("{}\r\n", "x".repeat(998));
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(&server, false).await;
        client.start_message("MAIL FROM:<a@c.example>").await;
        clients.push(client);
    }
    let sending = clients.into_iter().map(|mut client| {
        let line = &line;
        async move {
            for _ in 0..500 {
                client.send(line.as_bytes()).await;
            }
            client.send(b".\r\n").await;
            client.expect("250").await;
        }
    });
    futures_util::future::join_all(sending).await;
    for _ in 0..2 {
        assert_eq!(server.message().await.content.len(), 500_000);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_envelope_knows_the_session() {
    let mut server = Server::start(&options(&["tls starttls"]));
    let mut client = Client::connect(&server, false).await;
    client.expect("220").await;
    client.ask("EHLO before.example", "250").await;
    client.ask("STARTTLS", "220").await;
    let mut client = client.secure().await;
    client.ask("HELO after.example", "250").await;
    client.ask("MAIL FROM:<>", "250").await;
    client.ask("RCPT TO:<bob@example.org>", "250").await;
    client.ask("DATA", "354").await;
    client.ask(".", "250").await;
    let peer = server.message().await.client;
    assert_eq!(
        (peer.helo.as_str(), peer.extended, peer.may_relay),
        ("after.example", false, true)
    );
    let (protocol, cipher) = peer.tls.unwrap();
    assert_eq!(protocol, "TLSv1.3");
    assert!(cipher.starts_with("TLS13_"), "{cipher}");
    server.stop().await;
}

#[tokio::test]
async fn a_failed_handshake_closes() {
    let server = Server::start(&options(&["tls starttls"]));
    let mut client = Client::connect(&server, false).await;
    client.expect("220").await;
    client.ask("STARTTLS", "220").await;
    client
        .send(b"EHLO c.example\r\nMAIL FROM:<a@c.example>\r\n")
        .await;
    // A TLS alert at most, never a reply.
    let line = timeout(Duration::from_secs(5), client.raw()).await.unwrap();
    assert!(!line.windows(3).any(|bytes| bytes == b"250"), "{line:?}");
    assert!(server.stop().await.is_empty());
}
