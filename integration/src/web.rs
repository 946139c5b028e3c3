//! A web server of a few lines: what is put in at a path comes out, until it is taken away.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// What it answers at a path: status, headers, body.
#[derive(Debug, Clone)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// Header lines without their ends.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    pages: HashMap<String, Page>,
    asked: Vec<String>,
    is_away: bool,
}

/// A running web server; its thread ends with the test program.
#[derive(Debug, Clone)]
pub struct Web {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Page {
    /// A page that is there.
    #[must_use]
    pub fn of(content_type: &str, body: &[u8]) -> Self {
        Self {
            status: 200,
            headers: vec![format!("Content-Type: {content_type}")],
            body: body.to_vec(),
        }
    }
}

impl Web {
    /// Answers 404 until there are pages.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let web = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
        };
        let serving = web.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let web = serving.clone();
                // Who goes away early gets no answer.
                thread::spawn(move || web.answer(connection).ok());
            }
        });
        Ok(web)
    }

    /// `http://…` without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shows `page` at `path`, its query included.
    pub fn put(&self, path: &str, page: Page) {
        self.with(|state| state.pages.insert(path.to_owned(), page));
    }

    /// Answers nothing but 503 from now on, or everything again.
    pub fn take_away(&self, is_away: bool) {
        self.with(|state| state.is_away = is_away);
    }

    /// The paths that were asked for.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.with(|state| state.asked.clone())
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, connection: TcpStream) -> std::io::Result<()> {
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut reader = BufReader::new(&connection);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let page = self.with(|state| {
            state.asked.push(path.clone());
            match state.pages.get(&path) {
                _ if state.is_away => Page {
                    status: 503,
                    headers: vec![],
                    body: vec![],
                },
                Some(page) => page.clone(),
                None => Page {
                    status: 404,
                    headers: vec![],
                    body: vec![],
                },
            }
        });
        let mut answer = format!(
            "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n",
            page.status,
            page.body.len()
        );
        for header in &page.headers {
            answer += &format!("{header}\r\n");
        }
        let mut writer = &connection;
        writer.write_all(format!("{answer}\r\n").as_bytes())?;
        writer.write_all(&page.body)
    }
}
