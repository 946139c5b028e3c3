//! What every attempt needs: it makes one, and it writes down what came of it.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use certstore::clock::Clock;
use futures_util::FutureExt;
use tokio::sync::broadcast;

use super::Delivery;
use super::attempt::{self, Ended};
use super::client::{Connection, Connector};
use super::dsn::Failure;
use super::lane::Unit;
use super::maildir;
use super::route::{Hop, Routes};
use super::schedule::Schedule;
use super::verdict::Verdict;
use crate::config::Destination;
use crate::observe::{QueueId, delivery as log};
use crate::spool::{Content, Fate, NewCopy, Outcome, Settlement, Spool, SpoolError};

/// Longest wait before an outcome that could not be written down is written again.
const SETTLE_LONGEST: Duration = Duration::from_secs(30);

/// What all attempts share.
pub(super) struct Crew {
    pub(super) spool: Arc<Spool>,
    pub(super) routes: Routes,
    pub(super) schedule: Schedule,
    pub(super) connector: Connector,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fates: broadcast::Sender<Delivery>,
}

/// What an attempt found out about the next hop.
pub(super) enum Contact {
    /// It answered; the connection may be used again.
    Reached(Option<Connection>),
    /// It could not be spoken to.
    Unreachable(Verdict),
    /// It was not asked.
    Skipped,
}

/// What is to be written down.
#[derive(Debug)]
pub(super) struct Conclusion {
    pub(super) unit: Unit,
    /// One for each recipient of the unit.
    pub(super) verdicts: Vec<Verdict>,
    /// Where it went, for people.
    pub(super) destination: String,
    pub(super) took: Duration,
}

impl Crew {
    /// Tries one unit at its next hop. Nothing to conclude means that the copy is gone or was set aside.
    pub(super) async fn attempt(
        &self,
        unit: Unit,
        hop: &Hop,
        connection: Option<Connection>,
    ) -> (Contact, Option<Conclusion>) {
        let started = Instant::now();
        let tried = AssertUnwindSafe(self.try_unit(&unit, hop, connection)).catch_unwind();
        let (contact, verdicts) = tried.await.unwrap_or_else(|_| {
            log::attempt_panicked(unit.entry.id);
            let verdict = Verdict::deferred(3, 0, "internal error of the gateway");
            (Contact::Skipped, Some(unit.all(&verdict)))
        });
        let conclusion = verdicts.map(|verdicts| Conclusion {
            unit,
            verdicts,
            destination: hop.to_string(),
            took: started.elapsed(),
        });
        (contact, conclusion)
    }

    async fn try_unit(
        &self,
        unit: &Unit,
        hop: &Hop,
        connection: Option<Connection>,
    ) -> (Contact, Option<Vec<Verdict>>) {
        let content = match self.spool.content(unit.entry.id).await {
            Ok(content) => content,
            Err(error) => return (Contact::Skipped, unreadable(unit, &error)),
        };
        match &hop.to {
            Destination::Smtp { host, port } => {
                self.try_smtp(host, *port, hop, unit, content, connection)
                    .await
            }
            Destination::Maildir(folder) => match content.whole().await {
                Ok(content) => {
                    let verdict = write(folder.clone(), unit.clone(), content).await;
                    (Contact::Reached(None), Some(unit.all(&verdict)))
                }
                Err(error) => (Contact::Skipped, unreadable(unit, &error)),
            },
        }
    }

    async fn try_smtp(
        &self,
        host: &str,
        port: u16,
        hop: &Hop,
        unit: &Unit,
        mut content: Content<'_>,
        connection: Option<Connection>,
    ) -> (Contact, Option<Vec<Verdict>>) {
        let mail = unit.mail();
        let mut waiting = connection;
        loop {
            let mut connection = match waiting.take() {
                Some(connection) => connection,
                None => match self.connector.connect(host, port, hop).await {
                    Ok(connection) => connection,
                    Err(verdict) => {
                        let verdicts = vec![verdict.clone(); mail.recipients.len()];
                        return (Contact::Unreachable(verdict), Some(verdicts));
                    }
                },
            };
            let verdicts = match attempt::send(&mut connection, &mail, &mut content).await {
                Ended::Verdicts(verdicts) => Some(verdicts),
                Ended::Unreadable(error) => unreadable(unit, &error),
                // It is dropped, and a new one is never stale.
                Ended::Stale => continue,
            };
            let connection = connection.is_reusable().then_some(connection);
            return (Contact::Reached(connection), verdicts);
        }
    }

    /// Writes down what came of an attempt; tells the sender of recipients that failed, in the same transaction.
    ///
    /// It is tried until it succeeds, for the copy stays leased as long: a delivery that nobody knows of would be repeated.
    pub(super) async fn conclude(&self, mut conclusion: Conclusion) {
        let entry = conclusion.unit.entry.clone();
        let now = self.clock.now();
        if self.schedule.is_expired(now, entry.stored) {
            for verdict in &mut conclusion.verdicts {
                if verdict.fate == Fate::Deferred {
                    *verdict = verdict.clone().but_expired();
                }
            }
        }
        let attempts = entry.attempts.saturating_add(1);
        let (retry_chance, id_chance) = (chance(), chance());
        let chance = u32::try_from(retry_chance >> 32).unwrap_or(u32::MAX);
        let settlement = Settlement {
            id: entry.id,
            attempts,
            retry_at: self.schedule.retry_at(now, entry.stored, attempts, chance),
            outcomes: conclusion.outcomes(),
        };
        let report = self.report(&conclusion, QueueId::new(now, id_chance)).await;
        let mut wait = Duration::from_secs(1);
        loop {
            let puts = report.iter().cloned().collect();
            match self.spool.commit(puts, vec![settlement.clone()]).await {
                Ok(_) => break,
                Err(error) => log::unsettled(entry.id, error, wait),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(SETTLE_LONGEST);
        }
        let again_in = settlement.retry_at.duration_since(now).unwrap_or_default();
        self.announce(&conclusion, report.as_ref(), again_in);
    }

    /// The message to the sender about those recipients that failed, if there are any and he can be told.
    async fn report(&self, conclusion: &Conclusion, id: QueueId) -> Option<NewCopy> {
        let entry = &conclusion.unit.entry;
        let reverse_path = entry.details.reverse_path.as_ref()?;
        let recipients: Vec<_> = conclusion
            .unit
            .addresses()
            .zip(&conclusion.verdicts)
            .filter(|(_, verdict)| verdict.fate == Fate::Failed)
            .collect();
        if recipients.is_empty() {
            return None;
        }
        // Without them the sender is told all the same.
        let headers = self.spool.original_headers(entry.id).await;
        let failure = Failure {
            hostname: &self.connector.hostname,
            reverse_path,
            copy: entry.id,
            arrived: entry.stored,
            recipients,
            remote: conclusion
                .destination
                .rsplit_once(':')
                .map(|(host, _)| host),
            original_headers: headers.unwrap_or_default(),
        };
        Some(failure.report(id, self.clock.now()))
    }

    /// Logs and broadcasts, once for each different verdict.
    fn announce(&self, conclusion: &Conclusion, report: Option<&NewCopy>, again_in: Duration) {
        let Conclusion {
            unit,
            verdicts,
            destination,
            took,
        } = conclusion;
        let id = unit.entry.id;
        let mut told: Vec<&Verdict> = Vec::new();
        for verdict in verdicts {
            if told.contains(&verdict) {
                continue;
            }
            told.push(verdict);
            let count = verdicts.iter().filter(|other| *other == verdict).count();
            let reply = verdict.text.as_str();
            match verdict.fate {
                Fate::Delivered => log::delivered(id, count, destination, reply, *took),
                Fate::Deferred => log::deferred(id, count, destination, reply, *took, again_in),
                Fate::Failed => {
                    let report = report.map(|copy| copy.id.message.to_string());
                    log::bounced(id, count, destination, reply, *took, report.as_deref());
                }
            }
            if self.fates.receiver_count() > 0 {
                let of_this = |(_, other): &(_, &Verdict)| *other == verdict;
                let recipients = unit.addresses().zip(verdicts).filter(of_this);
                let delivery = Delivery {
                    id,
                    recipients: recipients.map(|(address, _)| address.clone()).collect(),
                    fate: verdict.fate,
                    destination: destination.clone(),
                    reply: verdict.text.clone(),
                    took: *took,
                };
                // The last receiver may have gone meanwhile.
                self.fates.send(delivery).ok();
            }
        }
    }
}

impl Conclusion {
    /// The end of a unit that no attempt was made for.
    pub(super) fn untried(unit: Unit, verdict: &Verdict, destination: &str) -> Self {
        Self {
            verdicts: unit.all(verdict),
            unit,
            destination: destination.to_owned(),
            took: Duration::ZERO,
        }
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let verdicts = self.unit.recipients.iter().zip(&self.verdicts);
        verdicts
            .map(|(&recipient, verdict)| Outcome {
                recipient,
                fate: verdict.fate,
                reply: verdict.text.clone(),
            })
            .collect()
    }
}

/// What is to be written down of a copy that could not be read: nothing if it is gone or was set aside.
fn unreadable(unit: &Unit, error: &SpoolError) -> Option<Vec<Verdict>> {
    if let SpoolError::Gone(_) | SpoolError::Corrupt { .. } = error {
        return None;
    }
    let verdict = Verdict::deferred(3, 0, &format!("cannot read the queue: {error}"));
    Some(unit.all(&verdict))
}

/// Writes a unit into a maildir, on a thread that may wait for the disk.
async fn write(folder: PathBuf, unit: Unit, content: Bytes) -> Verdict {
    let written = tokio::task::spawn_blocking(move || {
        let done = maildir::deliver(&folder, unit.entry.id, &unit.mail(), &content);
        done.map_err(|error| format!("cannot write to {}: {error}", folder.display()))
    });
    match written.await {
        Ok(Ok(())) => Verdict::delivered("written"),
        Ok(Err(error)) => Verdict::deferred(3, 0, &error),
        Err(error) => Verdict::deferred(3, 0, &error.to_string()),
    }
}

/// 64 random bits. Should the system have none, jitter and ids do without; ids still differ by their time.
fn chance() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).ok();
    u64::from_ne_bytes(bytes)
}
