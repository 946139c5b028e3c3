//! What changed: the table that running gateways poll, so that an imported certificate counts at once.

use std::time::{Duration, SystemTime};

use super::{Database, DatabaseError, Transaction, seconds};

/// A gateway polls several times a second; a change this old has been seen by all of them.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Most changes that one poll returns; the next poll goes on from there.
const BATCH: u32 = 10_000;

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
}

impl ChangeFeed {
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
        })
    }
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
