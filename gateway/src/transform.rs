//! From one message and its plans to the copies that leave: look-alikes removed, signed once, encrypted once for each
//! group, opened for its owner, verified.
//!
//! It is pure computation: no directory, no database, no network. It runs on a thread that may block.

mod inbound;
mod outbound;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use certstore::trust::Trust;
use policy::address::Address;

use crate::config::Profile;
use crate::failure::Refusal;
use crate::message::Parsed;
use crate::resolve::{Plan, Resolved, Treatment};
use crate::smtp::Envelope;

/// What stays the same from message to message.
#[derive(Debug, Clone)]
pub struct Context {
    /// Our name, in trace headers and verdicts.
    pub hostname: String,
    /// Named sets of algorithms; the first is the default.
    pub profiles: Vec<Profile>,
    /// Whom we believe, at this moment.
    pub trust: Arc<Trust>,
    /// This moment.
    pub now: SystemTime,
}

/// The copies of a message as they leave. Only this stage makes them.
#[derive(Debug)]
pub struct Transformed {
    envelope: Envelope,
    copies: Vec<Copy>,
}

/// One content, and who gets it.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The whole message, trace header first, in pieces that follow each other.
    pub content: Vec<Bytes>,
    /// Its recipients.
    pub recipients: Vec<Address>,
    /// What was done to it.
    pub treatment: Treated,
}

/// What was done to a copy.
#[derive(Debug, Clone, Default)]
pub struct Treated {
    /// Signed here.
    pub signed: bool,
    /// Encrypted here, to so many certificates.
    pub encrypted_to: usize,
    /// Decrypted here: it leaves over protected ways only (law 6).
    pub opened: bool,
    /// The verdict on its signature, as `Authentication-Results` says it.
    pub verdict: Option<String>,
}

impl Transformed {
    /// The copies and their envelope, for the spool.
    #[must_use]
    pub fn into_parts(self) -> (Envelope, Vec<Copy>) {
        (self.envelope, self.copies)
    }

    /// The copies.
    #[must_use]
    pub fn copies(&self) -> &[Copy] {
        &self.copies
    }
}

/// Makes all copies, or none.
///
/// # Errors
/// A [`Refusal`] that names the recipients whose copy cannot be made.
pub fn transform(resolved: Resolved, context: &Context) -> Result<Transformed, Refusal> {
    let (parsed, signer, plans) = resolved.into_parts();
    let cleaned = lookalike::remove(parsed.message(), &context.hostname);
    let (outbound, inbound): (Vec<_>, Vec<_>) =
        plans.into_iter().partition(|plan| matches!(plan.treatment, Treatment::Outbound { .. }));
    let mut copies = outbound::copies(&parsed, signer.as_deref(), &outbound, context)?;
    copies.extend(inbound::copies(&parsed, &inbound, context)?);
    Ok(Transformed { envelope: parsed.into_envelope(), copies })
}
