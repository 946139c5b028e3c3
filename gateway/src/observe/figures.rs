//! What is counted, beside what is logged. Names are promises to operators; docs/operating.md explains them.
//!
//! Labels have few values each, and none that a stranger chooses: no address, no subject, no reply text.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Tells Prometheus what each figure means.
pub fn describe() {
    describe_counter!("postern_connections_total", "SMTP connections, by outcome");
    describe_gauge!("postern_sessions", "SMTP sessions that are open");
    describe_counter!(
        "postern_tls_failures_total",
        "TLS handshakes of clients that failed"
    );
    describe_counter!(
        "postern_messages_total",
        "Messages, by what the client was told"
    );
    describe_counter!(
        "postern_message_bytes_total",
        "Bytes of the messages that were stored"
    );
    describe_histogram!("postern_message_seconds", "From the final dot to the 250");
    describe_counter!(
        "postern_recipients_total",
        "Recipients of stored messages, by rule"
    );
    describe_counter!(
        "postern_deliveries_total",
        "Recipients of delivery attempts, by outcome"
    );
    describe_histogram!(
        "postern_delivery_seconds",
        "How long delivery attempts took"
    );
    describe_gauge!(
        "postern_queue_length",
        "Copies that wait for their delivery"
    );
    describe_counter!(
        "postern_lookups_total",
        "Questions to certificate sources, by source and outcome"
    );
    describe_histogram!(
        "postern_lookup_seconds",
        "How long certificate sources took"
    );
    describe_counter!(
        "postern_cache_questions_total",
        "Questions about certificates, by what the cache had"
    );
    describe_gauge!(
        "postern_cache_entries",
        "Answers in the cache of certificates"
    );
    describe_gauge!("postern_cache_bytes", "Size of the cache of certificates");
    describe_counter!(
        "postern_harvested_total",
        "Certificates from verified signatures, by outcome"
    );
    describe_counter!(
        "postern_store_changes_total",
        "Changes of the store that others made"
    );
    describe_gauge!(
        "postern_store_down",
        "1 while the certificate store cannot be read"
    );
}

/// How much the cache of certificates holds.
pub fn cache_size(entries: u64, bytes: u64) {
    gauge!("postern_cache_entries").set(number(entries));
    gauge!("postern_cache_bytes").set(number(bytes));
}

/// How many copies wait.
pub fn queue_length(copies: u64) {
    gauge!("postern_queue_length").set(number(copies));
}

pub(super) fn connection(outcome: &'static str) {
    counter!("postern_connections_total", "outcome" => outcome).increment(1);
}

pub(super) fn sessions(change: f64) {
    gauge!("postern_sessions").increment(change);
}

pub(super) fn tls_failure() {
    counter!("postern_tls_failures_total").increment(1);
}

pub(super) fn message(outcome: &'static str) {
    counter!("postern_messages_total", "outcome" => outcome).increment(1);
}

pub(super) fn message_stored(bytes: usize, took: Duration) {
    message("stored");
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    counter!("postern_message_bytes_total").increment(bytes);
    histogram!("postern_message_seconds").record(took.as_secs_f64());
}

pub(super) fn recipient(rule: &str) {
    counter!("postern_recipients_total", "rule" => rule.to_owned()).increment(1);
}

pub(super) fn delivery(outcome: &'static str, recipients: usize, took: Duration) {
    let recipients = u64::try_from(recipients).unwrap_or(u64::MAX);
    counter!("postern_deliveries_total", "outcome" => outcome).increment(recipients);
    histogram!("postern_delivery_seconds", "outcome" => outcome).record(took.as_secs_f64());
}

pub(super) fn harvest(outcome: &'static str) {
    counter!("postern_harvested_total", "outcome" => outcome).increment(1);
}

pub(super) fn store_changes(changes: usize) {
    let changes = u64::try_from(changes).unwrap_or(u64::MAX);
    counter!("postern_store_changes_total").increment(changes);
}

pub(super) fn store_down(is_down: bool) {
    gauge!("postern_store_down").set(f64::from(u8::from(is_down)));
}

/// Exact up to 2^53, more than is ever counted.
#[expect(
    clippy::cast_precision_loss,
    reason = "nobody has 2^53 of anything here"
)]
const fn number(count: u64) -> f64 {
    count as f64
}
