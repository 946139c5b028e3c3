//! What becomes of mail once it is stored: one function per event.
//!
//! Addresses, subjects and content are never logged; the id leads to them, for who may read the queue.

use std::fmt::Display;
use std::time::Duration;

use super::figures;

/// The next hop took a copy for this many recipients.
pub fn delivered(
    id: impl Display,
    recipients: usize,
    destination: impl Display,
    reply: &str,
    took: Duration,
) {
    figures::delivery("delivered", recipients, took);
    tracing::info!(
        event = "delivered",
        %id,
        recipients,
        %destination,
        reply,
        milliseconds = milliseconds(took),
        "delivered"
    );
}

/// A copy stays in the queue for this many recipients and is tried again after `wait`.
pub fn deferred(
    id: impl Display,
    recipients: usize,
    destination: impl Display,
    reply: &str,
    took: Duration,
    wait: Duration,
) {
    figures::delivery("deferred", recipients, took);
    tracing::warn!(
        event = "deferred",
        %id,
        recipients,
        %destination,
        reply,
        milliseconds = milliseconds(took),
        again_in_seconds = wait.as_secs(),
        "not delivered yet"
    );
}

/// Delivery failed for good; `report` is the queue id of the message that tells the sender, if one was made.
pub fn bounced(
    id: impl Display,
    recipients: usize,
    destination: impl Display,
    reply: &str,
    took: Duration,
    report: Option<&str>,
) {
    figures::delivery("bounced", recipients, took);
    tracing::warn!(
        event = "bounced",
        %id,
        recipients,
        %destination,
        reply,
        milliseconds = milliseconds(took),
        report,
        "delivery failed for good"
    );
}

/// No route leads to the domain of these recipients.
pub fn no_route(id: impl Display, recipients: usize) {
    tracing::error!(
        event = "no-route",
        %id,
        recipients,
        "no [[route]] matches the recipients' domain; add one for it, or for \"*\""
    );
}

/// A next hop cannot be reached and is left alone for a while.
pub fn destination_down(destination: impl Display, reason: &str, pause: Duration) {
    tracing::warn!(
        event = "destination-down",
        %destination,
        reason,
        pause_milliseconds = milliseconds(pause),
        "next hop cannot be reached"
    );
}

/// What was delivered could not be written down; it is tried until it succeeds, for a restart now would send it again.
pub fn unsettled(id: impl Display, error: impl Display, wait: Duration) {
    tracing::error!(
        event = "unsettled",
        %id,
        %error,
        again_in_seconds = wait.as_secs(),
        "cannot record the outcome of a delivery"
    );
}

/// The spool could not say what is due.
pub fn queue_unreadable(error: impl Display) {
    tracing::error!(event = "queue-unreadable", %error, "cannot read the queue");
}

/// An attempt panicked: a bug. The copy is deferred.
pub fn attempt_panicked(id: impl Display) {
    tracing::error!(event = "attempt-panicked", %id, "a delivery attempt panicked; please report it");
}

/// A spool entry does not open or its content is gone: it is set aside, and the rest goes on.
pub fn set_aside(id: impl Display, reason: impl Display) {
    tracing::error!(
        event = "set-aside",
        %id,
        %reason,
        "a queue entry is damaged and was set aside; see `queue list`"
    );
}

/// Content files without an entry, left by a crash before their 250, were removed at start.
pub fn swept(files: u64) {
    tracing::info!(
        event = "swept",
        files,
        "removed content files that no entry owns"
    );
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
