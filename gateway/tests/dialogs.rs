//! The front door over real sockets, with an intake that does what a message tells it.
//!
//! `dialogs/*.txt` are conversations, one behaviour each. A line is one of:
//!
//! ```text
//! # what it shows
//! option NAME VALUE   before all else: tls none|starttls|required|implicit, a limit, not-ready true, from outside
//! C: text             the client sends a line, CR LF is added
//! C> text             the client sends this as it is; \r \n \0 \\ and \xHH stand for bytes
//! C* N text           the client sends this N times, as it is
//! S: text             the next line of the server begins like this
//! M: text             the next message that the intake was given has this content, exactly
//! TLS                 the client shakes hands
//! CLOSED              the server closed the connection
//! HANGUP              the client closes the connection
//! ```
//!
//! At the end no message may be left that the dialog did not name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a failure is a panic"
)]

#[path = "listener/harness.rs"]
mod harness;
#[path = "listener/stories.rs"]
mod stories;

use std::path::Path;

use harness::{Client, Options, Server, unescape};

#[tokio::test]
async fn every_dialog_goes_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs");
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 25, "{}", files.len());
    let dialogs = files.iter().map(|file| async move {
        let name = file.file_name().unwrap().to_str().unwrap();
        let text = tokio::fs::read_to_string(file).await.unwrap();
        play(name, &text).await;
    });
    futures_util::future::join_all(dialogs).await;
}

async fn play(name: &str, text: &str) {
    let mut options = Options::default();
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .peekable();
    while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("option ")) {
        options.set(line.trim_start_matches("option "));
    }
    let mut server = Server::start(&options);
    let mut client = Client::connect(&server, options.is_implicit()).await;
    for (number, line) in lines {
        let place = format!("{name}:{}: {line}", number + 1);
        client = match line {
            "TLS" => client.secure().await,
            _ => step(client, &mut server, line, &place).await,
        };
    }
    drop(client);
    let left = server.stop().await;
    assert!(
        left.is_empty(),
        "{name}: {} messages that the dialog does not name",
        left.len()
    );
}

async fn step(mut client: Client, server: &mut Server, line: &str, place: &str) -> Client {
    match line.split_at_checked(3) {
        Some(("C: ", text)) => client.send(format!("{text}\r\n").as_bytes()).await,
        Some(("C> ", text)) => client.send(&unescape(text)).await,
        Some(("C* ", text)) => {
            let (count, text) = text.split_once(' ').unwrap();
            client
                .send(&unescape(text).repeat(count.parse().unwrap()))
                .await;
        }
        Some(("S: ", text)) => {
            let found = client.line().await;
            assert!(found.starts_with(text), "{place}\n  found: {found}");
        }
        Some(("M: ", text)) => {
            let found = server.message().await.content;
            assert_eq!(
                found.escape_ascii().to_string(),
                unescape(text).escape_ascii().to_string(),
                "{place}"
            );
        }
        _ if line == "CLOSED" => assert_eq!(client.line().await, "", "{place}"),
        _ if line == "HANGUP" => client.hang_up().await,
        _ => panic!("{place}: not a dialog line"),
    }
    client
}
