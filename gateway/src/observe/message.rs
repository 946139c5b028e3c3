//! Events of a message on its way from DATA to the spool, and of the program as a whole.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use certstore::database::HarvestOutcome;
use policy::address::Address;
use serde::Serialize;
use tracing::{debug, error, info, warn};

use super::{QueueId, figures};
use crate::failure::Refusal;

/// A recipient's copy was decided: by which rule, and what is done.
pub fn decided(id: QueueId, recipient: &Address, rule: &str, place: &str, treatment: &str) {
    figures::recipient(rule);
    info!(event = "message.decided", %id, %recipient, rule, place, treatment, "decided");
}

/// What was found out about a copy that came in: its result, why it is no pass, and everything else as JSON.
pub fn judged(
    id: QueueId,
    result: impl Display,
    reason: Option<impl Display>,
    text: &str,
    verdict: impl Serialize,
) {
    let reason = reason.map(|reason| reason.to_string());
    let verdict = serde_json::to_string(&verdict).unwrap_or_default();
    info!(event = "message.judged", %id, %result, reason, text, verdict, "judged");
}

/// An encrypted message stays closed for this recipient.
pub fn not_opened(id: QueueId, recipient: &Address, reason: &str) {
    info!(event = "message.not_opened", %id, %recipient, reason, "not opened");
}

/// Every copy is on disk, and the client hears 250.
pub fn stored(id: QueueId, bytes: usize, recipients: usize, copies: usize, took: Duration) {
    figures::message_stored(bytes, took);
    let milliseconds = took.as_millis();
    info!(event = "message.stored", %id, bytes, recipients, copies, milliseconds, "stored");
}

/// A message was refused; nothing of it is kept.
pub fn refused(id: QueueId, refusal: &Refusal) {
    figures::message(match refusal.reply().is_temporary() {
        true => "deferred",
        false => "refused",
    });
    for (recipient, failure) in refusal.failures() {
        let recipient = recipient
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let refused = if failure.is_ours() {
            refused_by_us
        } else {
            refused_by_rule
        };
        refused(id, &recipient, &failure.to_string());
    }
}

fn refused_by_rule(id: QueueId, recipient: &str, reason: &str) {
    info!(event = "message.refused", %id, recipient, reason, "refused");
}

fn refused_by_us(id: QueueId, recipient: &str, reason: &str) {
    warn!(event = "message.refused", %id, recipient, reason, "refused");
}

/// What a recipient's mail program reads could not be looked up; it is treated as unknown.
pub fn capabilities_unknown(recipient: &Address, reason: &str) {
    warn!(event = "capabilities.unknown", %recipient, reason, "what the recipient reads is not known");
}

/// A mail says newly what its signer's mail program reads.
pub fn capabilities_remembered(signer: &Address) {
    info!(event = "capabilities.remembered", %signer, "remembered what the signer reads");
}

/// What a signer's mail program reads could not be written down; the next signed mail tells it again.
pub fn capabilities_forgotten(signer: &Address, reason: &str) {
    warn!(event = "capabilities.forgotten", %signer, reason, "not remembered what the signer reads");
}

/// The originator was to be able to read what is encrypted, and has no certificate to encrypt to.
pub fn no_own_certificate(originator: &Address) {
    warn!(event = "message.no_own_certificate", %originator, "the originator cannot read what is encrypted: no certificate");
}

/// A directory gave no answer, and the rule allows to go on without.
pub fn directory_passed_over(recipient: &Address, reason: &str) {
    warn!(event = "directory.passed_over", %recipient, reason, "directory unavailable, rule allows to go on");
}

/// Our users' certificates can be asked for here.
pub fn publication_listening(address: SocketAddr) {
    info!(event = "publication.listening", %address, "publishing certificates");
}

/// Nobody who asks for certificates could be let in for a moment.
pub fn publication_accept_failed(error: &io::Error) {
    warn!(event = "publication.accept_failed", %error, "accept failed");
}

/// CRL files changed and were read again.
pub fn crl_files_read(count: usize) {
    info!(event = "trust.crls_read", count, "CRL files read again");
}

/// CRL files changed and cannot be read; what was read before counts on.
pub fn crl_files_unreadable(reason: &str) {
    warn!(
        event = "trust.crls_unreadable",
        reason, "changed CRL files not read"
    );
}

/// Another process changed certificates, keys or anchors, and the caches were told.
pub fn store_changed(changes: usize) {
    figures::store_changes(changes);
    figures::store_down(false);
    debug!(
        event = "store.changed",
        changes, "certificate store changed"
    );
}

/// The certificate store could not be asked for changes; caches may be behind until it answers.
pub fn store_unreadable(reason: &str) {
    figures::store_down(true);
    error!(
        event = "store.unreadable",
        reason, "certificate store cannot be read"
    );
}

/// The certificate store answers again.
pub fn store_readable() {
    figures::store_down(false);
    info!(
        event = "store.readable",
        "certificate store can be read again"
    );
}

/// A certificate that came with a verified signature was kept, or kept aside.
pub fn harvested(address: &Address, sha256: &str, outcome: HarvestOutcome) {
    let outcome = match outcome {
        HarvestOutcome::Added => "added",
        HarvestOutcome::Known => "known",
        HarvestOutcome::Pending => return harvest_pending(address, sha256),
        HarvestOutcome::Dropped => "dropped",
    };
    figures::harvest(outcome);
    info!(event = "harvest.kept", %address, sha256, outcome, "certificate from a verified signature");
}

fn harvest_pending(address: &Address, sha256: &str) {
    figures::harvest("pending");
    warn!(event = "harvest.pending", %address, sha256, "a new key from another issuer waits for `cert accept`");
}

/// Certificates of a signer were not looked at, since too many wait.
pub fn harvest_left() {
    figures::harvest("left");
    debug!(event = "harvest.left", "too many signers at once");
}

/// Certificates of a signer cannot be kept now.
pub fn harvest_failed(reason: &str) {
    figures::harvest("failed");
    warn!(
        event = "harvest.failed",
        reason, "certificates from verified signatures not kept"
    );
}

/// The gateway takes mail.
pub fn started(hostname: &str, listeners: usize, rules: usize) {
    let version = env!("CARGO_PKG_VERSION");
    info!(
        event = "gateway.started",
        version, hostname, listeners, rules, "started"
    );
}

/// The gateway was told to stop, and finishes what it has accepted.
pub fn stopping(signal: &str) {
    info!(
        event = "gateway.stopping",
        signal, "stopping: finishing what was accepted"
    );
}

/// The gateway has stopped.
pub fn stopped() {
    info!(event = "gateway.stopped", "stopped");
}

/// Something in the policy is doubtful.
pub fn policy_warning(text: &str) {
    warn!(event = "policy.warning", text, "policy");
}
