//! A small HTTP server that answers as told, and what a fetch makes of it.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

fn loopback() -> Network {
    Network {
        address: "127.0.0.0".parse().unwrap(),
        prefix: 8,
    }
}

/// Serves each connection with what `answer` makes of the request line.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let text = std::str::from_utf8(&request[..length]).unwrap();
            // Who got too much closes early.
            let _cut_off = stream.write_all(&answer(text.lines().next().unwrap_or_default()));
        }
    });
    port
}

fn respond(request: &str) -> Vec<u8> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let redirect = |to: &str| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    };
    match path {
        "/good" => b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello".to_vec(),
        "/moved" => redirect("/good").into_bytes(),
        "/loop" => redirect("/loop").into_bytes(),
        "/inside" => redirect("http://10.0.0.1/secret").into_bytes(),
        "/file" => redirect("file:///etc/passwd").into_bytes(),
        "/large" => {
            let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
            answer.resize(MAX_FETCHED_SIZE + 1000, b'x');
            answer
        }
        "/broken" => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell".to_vec(),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
    }
}

#[tokio::test]
async fn answers_are_taken_within_bounds() {
    let port = server(respond);
    let fetcher = Fetcher::new(vec![loopback()]).unwrap();
    for (path, expected) in [
        ("/good", "ok"),
        ("/moved", "ok"),
        ("/loop", "redirect"),
        ("/inside", "private"),
        ("/file", "redirect"),
        ("/large", "too large"),
        ("/broken", "unreachable"),
        ("/missing", "status 404"),
    ] {
        let found = match fetcher.get(&format!("http://127.0.0.1:{port}{path}")).await {
            Ok(content) => {
                assert_eq!(content, b"hello");
                "ok".to_owned()
            }
            Err(FetchError::Redirect { .. }) => "redirect".to_owned(),
            Err(FetchError::Private { .. }) => "private".to_owned(),
            Err(FetchError::TooLarge { .. }) => "too large".to_owned(),
            Err(FetchError::Unreachable { .. }) => "unreachable".to_owned(),
            Err(FetchError::Status { status, .. }) => format!("status {status}"),
            Err(other) => other.to_string(),
        };
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn private_networks_are_closed_unless_listed() {
    let port = server(respond);
    let fetcher = Fetcher::new(vec![]).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "127.1"] {
        let url = format!("http://{host}:{port}/good");
        let expected = Err(FetchError::Private { url: url.clone() });
        assert_eq!(fetcher.get(&url).await, expected);
    }
    let by_name = Fetcher::new(vec![loopback()]).unwrap();
    let url = format!("http://localhost:{port}/good");
    assert_eq!(by_name.get(&url).await, Ok(b"hello".to_vec()));
}

#[tokio::test]
async fn only_the_web_is_asked() {
    let fetcher = Fetcher::new(vec![]).unwrap();
    for url in [
        "ldap://ldap.example/cn=CA?certificateRevocationList",
        "ftp://example.org/a.crl",
        "file:///etc/passwd",
        "/relative",
        "",
        "http://",
        "\u{0}http://example.org",
    ] {
        let found = fetcher.get(url).await;
        assert!(
            matches!(found, Err(FetchError::Address(_))),
            "{url}: {found:?}"
        );
    }
}
