//! What is written to the tables, one function per change. Each runs within the caller's transaction.

use std::time::SystemTime;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};

use super::content::ContentFile;
use super::schema::{QUEUED, SET_ASIDE, milliseconds};
use super::sealed::{CopyKey, SpoolKey};
use super::{CopyId, Details, Fate, RecipientState, Settlement, SpoolError};

/// A copy, sealed and ready to be written.
#[derive(Debug)]
pub(super) struct SealedCopy {
    pub(super) id: CopyId,
    pub(super) stored: SystemTime,
    pub(super) key: Vec<u8>,
    pub(super) sealed_details: Vec<u8>,
    pub(super) headers: Vec<u8>,
    pub(super) body: SealedBody,
    /// In clear, for who takes the copy over from memory.
    pub(super) details: Details,
    pub(super) content: Bytes,
}

/// Where the sealed content lies.
#[derive(Debug)]
pub(super) enum SealedBody {
    Row(Vec<u8>),
    File(ContentFile),
}

/// A copy whose row is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) id: CopyId,
    pub(super) has_file: bool,
}

pub(super) fn put(connection: &Connection, copy: &SealedCopy) -> Result<(), SpoolError> {
    let stored = milliseconds(copy.stored);
    connection
        .prepare_cached(
            "INSERT INTO copy (id, state, stored, due, attempts, pending, size, key, details)
             VALUES (?1, ?2, ?3, ?3, 0, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            copy.id.to_string(),
            QUEUED,
            stored,
            count(copy.details.recipients.len()),
            count(copy.content.len()),
            copy.key,
            copy.sealed_details,
        ])?;
    let body = match &copy.body {
        SealedBody::Row(sealed) => Some(sealed),
        SealedBody::File(_) => None,
    };
    connection
        .prepare_cached("INSERT INTO content (number, headers, body) VALUES (?1, ?2, ?3)")?
        .execute(params![connection.last_insert_rowid(), copy.headers, body])?;
    Ok(())
}

/// Writes down what an attempt did. The row goes when no recipient waits any longer; one that is gone already stays gone.
pub(super) fn settle(
    connection: &Connection,
    key: &SpoolKey,
    settlement: &Settlement,
) -> Result<Option<Removed>, SpoolError> {
    let finals = settlement
        .outcomes
        .iter()
        .filter(|outcome| outcome.fate.is_final())
        .count();
    // By far the most frequent case, and the only one that need not open the entry.
    let done: Option<i64> = connection
        .prepare_cached("DELETE FROM copy WHERE id = ?1 AND pending = ?2 RETURNING number")?
        .query_row(params![settlement.id.to_string(), count(finals)], |row| {
            row.get(0)
        })
        .optional()?;
    match done {
        Some(number) => remove_content(connection, settlement.id, number).map(Some),
        None => settle_partly(connection, key, settlement),
    }
}

fn settle_partly(
    connection: &Connection,
    key: &SpoolKey,
    settlement: &Settlement,
) -> Result<Option<Removed>, SpoolError> {
    let id = settlement.id.to_string();
    let row: Option<(i64, Vec<u8>, Vec<u8>)> = connection
        .prepare_cached("SELECT number, key, details FROM copy WHERE id = ?1 AND state = ?2")?
        .query_row(params![id, QUEUED], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((number, wrapped, sealed)) = row else {
        return Ok(None);
    };
    let opened =
        CopyKey::unwrap(key, &id, &wrapped).and_then(|key| Ok((key.open_details(&sealed)?, key)));
    let Ok((mut details, copy_key)) = opened else {
        set_aside(connection, number)?;
        return Ok(None);
    };
    let waiting = apply(&mut details, settlement);
    if waiting == 0 {
        connection
            .prepare_cached("DELETE FROM copy WHERE number = ?1")?
            .execute([number])?;
        return remove_content(connection, settlement.id, number).map(Some);
    }
    connection
        .prepare_cached(
            "UPDATE copy SET due = ?2, attempts = ?3, pending = ?4, details = ?5 WHERE number = ?1",
        )?
        .execute(params![
            number,
            milliseconds(settlement.retry_at),
            settlement.attempts,
            count(waiting),
            copy_key.seal_details(&details)?,
        ])?;
    Ok(None)
}

/// Changes the recipients as the settlement says, and counts those that still wait.
fn apply(details: &mut Details, settlement: &Settlement) -> usize {
    for outcome in &settlement.outcomes {
        let Some(recipient) = details.recipients.get_mut(outcome.recipient) else {
            continue;
        };
        recipient.state = match outcome.fate {
            Fate::Delivered => RecipientState::Delivered,
            Fate::Deferred => RecipientState::Waiting,
            Fate::Failed => RecipientState::Failed,
        };
        recipient.reply = Some(outcome.reply.clone());
    }
    details
        .recipients
        .iter()
        .filter(|recipient| recipient.state == RecipientState::Waiting)
        .count()
}

/// Takes a damaged entry out of the queue without deleting it.
pub(super) fn set_aside(connection: &Connection, number: i64) -> Result<(), SpoolError> {
    connection
        .prepare_cached("UPDATE copy SET state = ?2 WHERE number = ?1")?
        .execute([number, SET_ASIDE])?;
    Ok(())
}

fn remove_content(connection: &Connection, id: CopyId, number: i64) -> Result<Removed, SpoolError> {
    let has_file: Option<bool> = connection
        .prepare_cached("DELETE FROM content WHERE number = ?1 RETURNING body IS NULL")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    Ok(Removed {
        id,
        has_file: has_file.unwrap_or(false),
    })
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
