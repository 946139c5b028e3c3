//! What waits for one next hop, and how that next hop fares.
//!
//! A next hop that cannot be reached is not tried by every message in turn: while it is down, mail for it is deferred at
//! once, and when the pause is over one attempt finds out. What an operator asks for is tried all the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::address::Address;

use super::attempt::Mail;
use super::client::Connection;
use super::schedule;
use super::verdict::Verdict;
use crate::spool::Entry;

/// Recipients of one copy that go to one next hop in one transaction.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// The copy; its lease ends with the last unit of it.
    pub(super) entry: Arc<Entry>,
    /// Places in the copy's recipients.
    pub(super) recipients: Vec<usize>,
}

impl Unit {
    /// The recipients' addresses, in order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let all = &self.entry.details.recipients;
        let places = self.recipients.iter();
        places.filter_map(|&place| all.get(place).map(|recipient| &recipient.address))
    }

    /// The same verdict for each recipient.
    pub(super) fn all(&self, verdict: &Verdict) -> Vec<Verdict> {
        vec![verdict.clone(); self.recipients.len()]
    }

    pub(super) fn mail(&self) -> Mail<'_> {
        let details = &self.entry.details;
        Mail {
            reverse_path: details.reverse_path.as_ref(),
            recipients: self.addresses().collect(),
            size: self.entry.size,
            needs_eight_bit: details.needs_eight_bit,
            has_bare_line_end: details.has_bare_line_end,
            smtputf8: details.smtputf8,
            transport: details.transport,
        }
    }
}

/// One next hop.
#[derive(Default)]
pub(super) struct Lane {
    waiting: VecDeque<Unit>,
    running: usize,
    idle: Vec<Connection>,
    /// Times in a row that it could not be reached.
    failures: u32,
    down: Option<Down>,
}

struct Down {
    until: Instant,
    because: Verdict,
}

impl Lane {
    /// Takes a unit in; gives it back with the reason if the next hop is down.
    pub(super) fn enqueue(&mut self, unit: Unit, now: Instant) -> Result<(), (Unit, Verdict)> {
        match self.down.as_ref().filter(|down| now < down.until) {
            Some(down) if !unit.entry.urgent => Err((unit, down.because.clone())),
            _ => {
                self.waiting.push_back(unit);
                Ok(())
            }
        }
    }

    /// The next unit to be tried, with an idle connection if there is one; none if nothing waits or `limit` are tried.
    pub(super) fn next(&mut self, limit: usize) -> Option<(Unit, Option<Connection>)> {
        let limit = if self.failures > 0 { 1 } else { limit };
        if self.running >= limit {
            return None;
        }
        let unit = self.waiting.pop_front()?;
        self.running += 1;
        Some((unit, self.idle.pop()))
    }

    /// Takes back the connection of an attempt that reached the next hop.
    pub(super) fn reached(&mut self, connection: Option<Connection>) {
        self.running -= 1;
        self.failures = 0;
        self.down = None;
        self.idle.extend(connection.map(|mut connection| {
            connection.rest();
            connection
        }));
    }

    /// Notes that an attempt could not reach the next hop: how long it is left alone, and what waited for it.
    pub(super) fn unreachable(&mut self, because: Verdict, now: Instant) -> (Duration, Vec<Unit>) {
        self.running -= 1;
        self.failures = self.failures.saturating_add(1);
        let pause = schedule::pause(self.failures);
        self.down = Some(Down {
            until: now + pause,
            because,
        });
        let (urgent, others) = self.waiting.drain(..).partition(|unit| unit.entry.urgent);
        self.waiting = urgent;
        let others: VecDeque<Unit> = others;
        (pause, others.into())
    }

    /// Notes that an attempt ended without asking the next hop.
    pub(super) const fn skipped(&mut self) {
        self.running -= 1;
    }

    /// How many units wait.
    pub(super) fn backlog(&self) -> usize {
        self.waiting.len()
    }

    /// Connections that waited longer than `patience`.
    pub(super) fn expired(&mut self, patience: Duration) -> Vec<Connection> {
        self.idle
            .extract_if(.., |connection| connection.idle_time() >= patience)
            .collect()
    }

    /// Lets go of everything that waits: the units' leases end.
    pub(super) fn close(&mut self) -> Vec<Connection> {
        self.waiting.clear();
        std::mem::take(&mut self.idle)
    }
}
