//! Mail sent without pause while something else happens, and a list of what was acknowledged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::mails;
use crate::smtp::{self, Sent};

const SENDERS: usize = 4;

/// Sends mail to `server` all the while that `story` runs, and gives the Message-IDs of those that it acknowledged.
///
/// A server that is gone for the moment is no failure: it is tried again.
///
/// # Errors
/// Those of `story`.
pub fn during(
    server: SocketAddr,
    from: &str,
    to: &str,
    story: impl FnOnce() -> Result<()>,
) -> Result<BTreeSet<String>> {
    let running = AtomicBool::new(true);
    let (acknowledge, acknowledged) = mpsc::channel();
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (running, acknowledge) = (&running, acknowledge.clone());
            scope.spawn(move || {
                for number in (0..).take_while(|_| running.load(Ordering::Relaxed)) {
                    let id = format!("<{sender}.{number}@load.example.org>");
                    let mail = mails::identified(from, to, &id);
                    let sent = smtp::send(server, from, &[to], &mail);
                    if sent.and_then(Sent::accepted).is_ok() {
                        acknowledge.send(id).ok();
                    } else {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        let outcome = story();
        running.store(false, Ordering::Relaxed);
        outcome
    })?;
    drop(acknowledge);
    Ok(acknowledged.into_iter().collect())
}
