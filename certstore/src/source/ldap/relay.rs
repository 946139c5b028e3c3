//! Between a server and the LDAP library: only whole messages of a bounded size and a sound shape get through.
//!
//! The library takes a server at its word: lengths without end, a call for each level of nesting, fields that are always
//! there. Over a wire that others may write to, each of those would end the process or fill its memory. So it never sees
//! the socket: it has one end of a pair, and this has the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::ldap::{check_response, message_length};
use crate::source::LARGEST_ANSWER;

/// Longest message that a server may send, in bytes.
pub(super) const LARGEST_MESSAGE: usize = LARGEST_ANSWER;

/// Most bytes that a server may send after the last question.
const MOST_BYTES: usize = 4 * LARGEST_MESSAGE;

/// Why a relay ended; nothing while it runs.
pub(super) type Trouble = Arc<OnceLock<String>>;

/// Passes messages on until one side ends or the server sends what it should not.
pub(super) async fn relay<S>(stream: S, library: UnixStream, trouble: Trouble)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let (from_server, mut to_server) = tokio::io::split(stream);
    let (from_library, to_library) = library.into_split();
    let unasked = AtomicUsize::new(0);
    let reason = tokio::select! {
        reason = answers(from_server, to_library, &unasked) => reason,
        reason = questions(from_library, &mut to_server, &unasked) => reason,
    };
    // Whoever waits for the library sees its end of the pair close, and then finds the reason here.
    trouble.get_or_init(|| reason);
    // The server may be gone already.
    let _closed = to_server.shutdown().await;
}

/// Passes questions on; with each, the server may send as much as before.
async fn questions<W: AsyncWrite + Unpin>(
    mut from: OwnedReadHalf,
    to: &mut W,
    unasked: &AtomicUsize,
) -> String {
    let mut bytes = BytesMut::with_capacity(4 * 1024);
    loop {
        match from.read_buf(&mut bytes).await {
            Ok(0) => return "the connection was closed".to_owned(),
            Ok(_) => unasked.store(0, Ordering::Relaxed),
            Err(error) => return error.to_string(),
        }
        if let Err(error) = to.write_all_buf(&mut bytes).await {
            return error.to_string();
        }
        // What TLS holds back would never be answered.
        if let Err(error) = to.flush().await {
            return error.to_string();
        }
    }
}

async fn answers<R: AsyncRead + Unpin>(
    mut from: R,
    mut to: OwnedWriteHalf,
    unasked: &AtomicUsize,
) -> String {
    let mut bytes = BytesMut::with_capacity(16 * 1024);
    loop {
        match message_length(&bytes, LARGEST_MESSAGE) {
            Err(error) => return format!("the server sent {error}"),
            Ok(Some(length)) if bytes.len() >= length => {
                if unasked.fetch_add(length, Ordering::Relaxed) + length > MOST_BYTES {
                    return format!(
                        "the server sent more than {MOST_BYTES} bytes for one question"
                    );
                }
                let message = bytes.split_to(length);
                if let Err(error) = check_response(&message) {
                    return format!("the server sent {error}");
                }
                if let Err(error) = to.write_all(&message).await {
                    return error.to_string();
                }
                continue;
            }
            Ok(_) => {}
        }
        match from.read_buf(&mut bytes).await {
            Ok(0) => return "the server closed the connection".to_owned(),
            Ok(_) => {}
            Err(error) => return error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::{Entry, ResultCode, entry, search_done};

    /// What comes out at the library's end when a server sends `sent`, and why it ended.
    async fn passed_on(sent: &[u8]) -> (Vec<u8>, String) {
        let (server, ours) = tokio::io::duplex(1 << 16);
        let (library, other) = UnixStream::pair().unwrap();
        let trouble = Trouble::default();
        let running = tokio::spawn(relay(ours, other, Arc::clone(&trouble)));
        let (mut server_in, mut server_out) = tokio::io::split(server);
        server_out.write_all(sent).await.unwrap();
        server_out.shutdown().await.unwrap();
        let mut passed = Vec::new();
        let (mut library, _keeps_open) = library.into_split();
        library.read_to_end(&mut passed).await.unwrap();
        let mut rest = Vec::new();
        server_in.read_to_end(&mut rest).await.unwrap();
        running.await.unwrap();
        (passed, trouble.get().unwrap().clone())
    }

    #[tokio::test]
    async fn sound_messages_pass_and_others_end_the_connection() {
        let done = search_done(2, ResultCode::Success, "");
        let two = [done.clone(), done.clone()].concat();
        for (sent, passed, reason) in [
            (two.clone(), two, "the server closed the connection"),
            (
                [&done[..], b"HTTP/1.1 200 OK"].concat(),
                done.clone(),
                "the server sent something that is no LDAP message",
            ),
            (
                [&done[..], b"\x30\x84\x7f\xff\xff\xff"].concat(),
                done.clone(),
                "the server sent an LDAP message of 2147483653 bytes, longer than is allowed",
            ),
            (
                [&done[..], b"\x30\x05\x02\x01\x01\x65\x00", &done].concat(),
                done.clone(),
                "the server sent a malformed LDAP message: an element is missing",
            ),
        ] {
            assert_eq!(passed_on(&sent).await, (passed, reason.to_owned()));
        }
    }

    #[tokio::test]
    async fn a_flood_ends_the_connection() {
        let value = ("x".to_owned(), vec![vec![0; LARGEST_MESSAGE / 2]]);
        let large = entry(
            2,
            &Entry {
                name: String::new(),
                attributes: vec![value],
            },
        );
        let (mut server, ours) = tokio::io::duplex(1 << 16);
        let (mut library, other) = UnixStream::pair().unwrap();
        let trouble = Trouble::default();
        let running = tokio::spawn(relay(ours, other, Arc::clone(&trouble)));
        let flooding = tokio::spawn(async move { while server.write_all(&large).await.is_ok() {} });
        let mut passed = 0;
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = library.read(&mut buffer).await {
            passed += count;
        }
        running.await.unwrap();
        flooding.await.unwrap();
        assert!(passed <= MOST_BYTES, "{passed}");
        assert!(
            trouble.get().unwrap().contains("for one question"),
            "{trouble:?}"
        );
    }
}
