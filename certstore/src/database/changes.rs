//! What changed: the table that running gateways read, so that an imported certificate counts at once.
//!
//! SQLite is polled; PostgreSQL wakes its readers (`LISTEN`), on whichever node the change was made.

use std::time::{Duration, SystemTime};

use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use super::engine::{CHANNEL, Engine};
use super::{Database, DatabaseError, Transaction, seconds};

/// How often an SQLite file is asked for changes.
const INTERVAL: Duration = Duration::from_millis(250);
/// How often a server is asked that promised to tell: a promise is lost with its connection.
const INTERVAL_WHEN_TOLD: Duration = Duration::from_secs(5);

/// A gateway polls several times a second; a change this old has been seen by all of them.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Most changes that one poll returns; the next poll goes on from there.
const BATCH: i64 = 10_000;

/// What a change was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A certificate of an address (the subject) was added, or what its mail program reads changed.
    Certificate,
    /// A private key of an address (the subject) was added or changed its state.
    Key,
    /// An anchor or an intermediate certificate (the subject is its fingerprint) was added or removed.
    Trust,
    /// A certification authority of our own (the subject is its fingerprint) was added.
    Authority,
}

impl ChangeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::Trust => "trust",
            Self::Authority => "authority",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Certificate, Self::Key, Self::Trust, Self::Authority]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// What it was about.
    pub kind: ChangeKind,
    /// A canonical address or a fingerprint, as its kind says.
    pub subject: String,
}

/// One reader's place in the table of changes.
#[derive(Debug)]
pub struct ChangeFeed {
    database: Database,
    seen: i64,
    listener: Option<PgListener>,
}

impl ChangeFeed {
    /// Waits until there may be changes: at most a quarter of a second, on PostgreSQL until it tells, or 5 seconds.
    pub async fn wait(&mut self) {
        let Engine::Postgres { url } = &self.database.engine else {
            return sleep(INTERVAL).await;
        };
        if self.listener.is_none() {
            self.listener = listen(url).await.ok();
            // What changed while nobody listened is found now, or at the next try.
            return sleep(if self.listener.is_some() {
                Duration::ZERO
            } else {
                INTERVAL
            })
            .await;
        }
        if let Some(listener) = &mut self.listener {
            let told = timeout(INTERVAL_WHEN_TOLD, listener.try_recv()).await;
            if !matches!(told, Err(_) | Ok(Ok(Some(_)))) {
                self.listener = None;
            }
        }
    }

    /// The changes since the last poll (at most 10,000; the next poll has the rest), oldest first, each one once.
    ///
    /// # Errors
    /// [`DatabaseError`]; the next poll then begins at the same place.
    pub async fn poll(&mut self) -> Result<Vec<Change>, DatabaseError> {
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT sequence, kind, subject FROM change WHERE sequence > $1 ORDER BY sequence LIMIT $2",
        )
        .bind(self.seen)
        .bind(BATCH)
        .fetch_all(&self.database.pool)
        .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for (sequence, kind, subject) in rows {
            let kind = ChangeKind::parse(&kind)
                .ok_or_else(|| DatabaseError::Damaged(format!("a change of kind {kind:?}")))?;
            self.seen = sequence;
            changes.push(Change { kind, subject });
        }
        Ok(changes)
    }
}

impl Database {
    /// A feed of what changes from now on. Begin it before the first question, so that nothing falls in between.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn changes(&self) -> Result<ChangeFeed, DatabaseError> {
        let seen = sqlx::query_scalar("SELECT COALESCE(MAX(sequence), 0) FROM change")
            .fetch_one(&self.pool)
            .await?;
        Ok(ChangeFeed {
            database: self.clone(),
            seen,
            listener: None,
        })
    }
}

async fn listen(url: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Notes a change within the transaction that makes it.
pub(super) async fn note(
    transaction: &mut Transaction,
    kind: ChangeKind,
    subject: &str,
    now: SystemTime,
) -> Result<(), DatabaseError> {
    sqlx::query("INSERT INTO change (kind, subject, at) VALUES ($1, $2, $3)")
        .bind(kind.as_str())
        .bind(subject)
        .bind(seconds(now))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Drops changes that everybody has seen; called once in each transaction that writes some. The rows are in order of
/// time, so this looks at those alone that go, and at one more.
pub(super) async fn forget_old(
    transaction: &mut Transaction,
    now: SystemTime,
) -> Result<(), DatabaseError> {
    let oldest_kept = seconds(now).saturating_sub_unsigned(KEPT.as_secs());
    sqlx::query(
        "DELETE FROM change WHERE sequence < \
         (SELECT sequence FROM change WHERE at >= $1 ORDER BY sequence LIMIT 1)",
    )
    .bind(oldest_kept)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
