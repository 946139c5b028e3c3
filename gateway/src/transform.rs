//! From one message and its plans to the copies that leave: look-alikes removed, signed once, encrypted once for each
//! group, opened for its owner, verified.
//!
//! It is pure computation: no directory, no database, no network. It runs on a thread that may block.

mod inbound;
mod outbound;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use certstore::certificate::Certificate;
use certstore::trust::Trust;
use policy::address::Address;
use policy::decision::RuleRef;

use crate::config::Profiles;
use crate::failure::{Failure, Refusal};
use crate::message::{self, Message, Origin};
use crate::resolve::{Plan, Resolved, Treatment};
use crate::smime::{Chosen, Closed, Verdict};
use outbound::Departing;

/// What stays the same from message to message.
#[derive(Debug, Clone)]
pub struct Context {
    /// Our name, in trace headers and verdicts.
    pub hostname: String,
    /// Named sets of algorithms.
    pub profiles: Arc<Profiles>,
    /// Whom we believe, at this moment.
    pub trust: Trust,
    /// This moment.
    pub now: SystemTime,
    /// The most that all copies of one message may take together, in bytes.
    pub most_bytes: u64,
}

/// A message and its copies as they leave. Only this stage makes them.
#[derive(Debug)]
pub struct Transformed {
    origin: Origin,
    copies: Vec<Copy>,
}

/// The copies, while the message that they are made of is still there.
#[derive(Debug)]
pub struct Copies(Vec<Copy>);

/// One content, and who gets it.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The whole message, trace field first.
    pub content: Bytes,
    /// Who gets it.
    pub recipients: Vec<Recipient>,
    /// The header block of the message with what this copy hides hidden; none: as it came.
    pub outer_headers: Option<Bytes>,
    /// What was done to it.
    pub treated: Treated,
}

/// A recipient of a copy.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The recipient.
    pub address: Address,
    /// The rule that decided.
    pub rule: RuleRef,
    /// Why an encrypted message stays closed for it, where it was to be opened.
    pub closed: Option<Closed>,
}

impl Recipient {
    fn of(plan: &Plan) -> Self {
        Self {
            address: plan.recipient.clone(),
            rule: plan.decision.rule.clone(),
            closed: None,
        }
    }
}

/// What was done to a copy.
#[derive(Debug, Clone, Default)]
pub struct Treated {
    /// Signed here.
    pub signed: bool,
    /// Encrypted here, to so many certificates.
    pub encrypted_to: usize,
    /// The cipher that it was encrypted with, and why.
    pub cipher: Option<Chosen>,
    /// Decrypted here: it leaves over protected ways only (law 6).
    pub opened: bool,
    /// Who signed it rightly, for those who keep certificates.
    pub signer: Option<Signer>,
    /// The verdict on it, where its rule wants one.
    pub verdict: Option<Arc<Verdict>>,
}

/// Somebody whose signature is right, and the certificates that came with it: the signer's, and others unchecked.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The From address.
    pub address: Address,
    /// The certificates.
    pub certificates: Vec<Certificate>,
}

impl Signer {
    fn of(verdict: &Verdict) -> Option<Self> {
        Some(Self {
            address: verdict.signer.clone()?,
            certificates: verdict.certificates.clone(),
        })
    }
}

impl Transformed {
    /// The message that the copies were made of.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Lets go of the message; from here on its copies count in the memory budget, and no more.
    pub async fn release(resolved: Resolved, copies: Copies) -> Self {
        let mut origin = resolved.into_origin();
        let Copies(copies) = copies;
        let bytes: usize = copies.iter().map(|copy| copy.content.len()).sum();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        origin.permit.shrink(bytes);
        origin.permit.cover(bytes).await;
        Self { origin, copies }
    }

    /// The copies.
    #[must_use]
    pub fn copies(&self) -> &[Copy] {
        &self.copies
    }
}

/// Makes all copies, or none. The same `resolved` gives the same copies, so that it can be done again when more is known
/// about the certificates in the message.
///
/// # Errors
/// A [`Refusal`] that names the recipients whose copy cannot be made.
pub fn transform(resolved: &Resolved, context: &Context) -> Result<Copies, Refusal> {
    let (parsed, plans) = (resolved.parsed(), resolved.plans());
    let visible = parsed.message().visible_recipients();
    let clean = without_lookalikes(parsed.message(), context)?;
    let (outbound, inbound): (Vec<&Plan>, Vec<&Plan>) = plans
        .iter()
        .partition(|plan| matches!(plan.treatment, Treatment::Outbound { .. }));
    let trace = message::received_field(
        &context.hostname,
        parsed.envelope(),
        &visible,
        parsed.id(),
        context.now,
    );
    let departing = Departing {
        message: &clean,
        trace: &trace,
        originator: resolved.originator(),
        visible: &visible,
        context,
    };
    let mut copies = departing.copies(&outbound)?;
    copies.extend(inbound::copies(&clean, &trace, &inbound, context)?);
    Ok(Copies(copies))
}

impl fmt::Display for Treated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::with_capacity(3);
        if self.opened {
            words.push("decrypted".to_owned());
        }
        if self.signed {
            words.push("signed".to_owned());
        }
        match &self.cipher {
            Some(chosen) => words.push(format!("encrypted ({chosen})")),
            None if self.encrypted_to > 0 => words.push("encrypted".to_owned()),
            None => {}
        }
        if let Some(verdict) = &self.verdict {
            words.push(format!("smime={verdict}"));
        }
        if words.is_empty() {
            words.push("as it came".to_owned());
        }
        f.write_str(&words.join(", "))
    }
}

/// The message without what could be taken for our verdict (law 11).
fn without_lookalikes(message: &Message, context: &Context) -> Result<Message, Failure> {
    let cleaned = message::without_lookalikes(message, &context.hostname, &[]);
    if cleaned.removed.is_empty() {
        return Ok(message.clone());
    }
    Message::parse(cleaned.content).map_err(|error| Failure::Malformed(error.to_string()))
}
