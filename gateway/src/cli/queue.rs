//! `postern queue …`: mail that waits for its delivery.

use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::arguments::QueueCommand;
use super::opened;
use super::output::{Output, line, time};
use super::trouble::Trouble;
use crate::spool::{Listed, Queue, RecipientState, Which};

pub(super) async fn obey(
    given: Option<&Path>,
    command: QueueCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    let mut queue = Queue::open(&opened.config.data_dir, &opened.store.vault_key)?;
    let now = opened.clock.now();
    match command {
        QueueCommand::List => list(&queue.list(Which::All)?, now, output),
        QueueCommand::Show { id } => show(&queue.list(which(&id)?)?, &id, output)?,
        QueueCommand::Retry { id, .. } => {
            let which = id.as_deref().map_or(Ok(Which::All), which)?;
            let count = queue.retry(which)?;
            found(count, id.as_deref())?;
            output.print(
                || json!({ "retried": count }),
                || format!("{count} will be tried now"),
            );
        }
        QueueCommand::Drop { id } => {
            let ids = queue.drop(which(&id)?)?;
            found(ids.len(), Some(&id))?;
            output.print(
                || json!({ "dropped": ids }),
                || format!("dropped: {}", ids.join(" ")),
            );
        }
    }
    Ok(())
}

fn which(id: &str) -> Result<Which, Trouble> {
    id.parse()
        .map_err(|error| Trouble::data(format!("{id:?}: {error}")))
}

fn found(count: usize, id: Option<&str>) -> Result<(), Trouble> {
    match id {
        Some(id) if count == 0 => Err(Trouble::no(format!("nothing in the queue has the id {id}"))),
        _ => Ok(()),
    }
}

fn list(entries: &[Listed], now: SystemTime, output: &Output) {
    let objects: Vec<_> = entries.iter().map(object).collect();
    let rows: Vec<_> = entries.iter().map(|entry| row(entry, now)).collect();
    output.list(
        &objects,
        &[
            "ID",
            "AGE",
            "BYTES",
            "TRIES",
            "FROM",
            "WAITING",
            "LAST REPLY",
        ],
        &rows,
    );
}

fn row(entry: &Listed, now: SystemTime) -> Vec<String> {
    let age = now
        .duration_since(entry.stored)
        .unwrap_or_default()
        .as_secs();
    let mut row = vec![
        entry.id.clone(),
        format!("{age}s"),
        entry.size.to_string(),
        entry.attempts.to_string(),
    ];
    match &entry.details {
        None => row.push("damaged: set aside".into()),
        Some(details) => {
            let waiting: Vec<_> = details
                .recipients
                .iter()
                .filter(|one| one.state == RecipientState::Waiting)
                .collect();
            row.push(
                details
                    .reverse_path
                    .as_ref()
                    .map_or("<>".into(), ToString::to_string),
            );
            row.push(
                waiting
                    .iter()
                    .map(|one| one.address.to_string())
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            row.push(
                waiting
                    .iter()
                    .find_map(|one| one.reply.clone())
                    .unwrap_or_default(),
            );
        }
    }
    row
}

fn show(entries: &[Listed], id: &str, output: &Output) -> Result<(), Trouble> {
    found(entries.len(), Some(id))?;
    if output.json {
        // A copy's id names one entry, a message's id all of its copies.
        let objects: Vec<_> = entries.iter().map(object).collect();
        let one = objects.first().filter(|_| id.contains('.')).cloned();
        line(&one.unwrap_or(Value::Array(objects)).to_string());
        return Ok(());
    }
    for entry in entries {
        line(&format!(
            "{}: {} bytes, {} tries",
            entry.id, entry.size, entry.attempts
        ));
        line(&format!(
            "  stored {}, next try {}",
            time(entry.stored),
            time(entry.due)
        ));
        let Some(details) = &entry.details else {
            line("  damaged: set aside");
            continue;
        };
        line(&format!(
            "  from <{}>",
            details
                .reverse_path
                .as_ref()
                .map_or("", |from| from.as_str())
        ));
        line(&format!(
            "  subject {}",
            details.subject.as_deref().unwrap_or("(none)")
        ));
        for recipient in &details.recipients {
            let reply = recipient.reply.as_deref().unwrap_or("not tried yet");
            line(&format!(
                "  to <{}> {}: {reply}",
                recipient.address,
                word(recipient.state)
            ));
        }
    }
    Ok(())
}

fn object(entry: &Listed) -> Value {
    let mut object = json!({
        "id": entry.id, "stored": time(entry.stored), "due": time(entry.due),
        "attempts": entry.attempts, "bytes": entry.size, "damaged": entry.details.is_none(),
    });
    if let (Some(details), Some(object)) = (&entry.details, object.as_object_mut()) {
        let recipients = details.recipients.iter().map(|one| {
            json!({ "address": one.address.as_str(), "state": word(one.state), "reply": one.reply })
        });
        object.insert("recipients".into(), recipients.collect());
        object.insert(
            "from".into(),
            json!(details.reverse_path.as_ref().map(|from| from.as_str())),
        );
        object.insert("subject".into(), json!(details.subject));
        object.insert("message_id".into(), json!(details.message_id));
    }
    object
}

const fn word(state: RecipientState) -> &'static str {
    match state {
        RecipientState::Waiting => "waiting",
        RecipientState::Delivered => "delivered",
        RecipientState::Failed => "failed",
    }
}
