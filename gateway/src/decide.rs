//! What the policy orders for each recipient of a message.
//!
//! It asks no directory and touches no key. A recipient that no rule allows refuses the whole message: at DATA there is
//! one reply for all.

mod seen;

use std::time::SystemTime;

use policy::address::Address;
use policy::compile::Policy;
use policy::decision::{Decision, Stop};
use policy::evaluate::Answer;
use policy::facts::{Direction, Facts};

use crate::failure::{Failure, Refusal};
use crate::message::Parsed;
use crate::smtp::Envelope;

pub use seen::{Seen, moment, session};

/// A message, and the order for each of its recipients.
#[derive(Debug)]
pub struct Decided {
    parsed: Parsed,
    orders: Vec<Order>,
}

/// What shall happen to one recipient's copy.
#[derive(Debug, Clone)]
pub struct Order {
    /// The recipient.
    pub recipient: Address,
    /// Inbound if its domain is ours.
    pub direction: Direction,
    /// What the deciding rule says.
    pub decision: Decision,
}

impl Decided {
    /// The message.
    #[must_use]
    pub const fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// One order for each envelope recipient, in their order.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Takes it apart for the next stage.
    #[must_use]
    pub fn into_parts(self) -> (Parsed, Vec<Order>) {
        (self.parsed, self.orders)
    }
}

/// Decides for every recipient, now that the content is known.
///
/// # Errors
/// A [`Refusal`] that names each recipient which no rule allows, or which a rule refuses.
pub fn decide(
    parsed: Parsed,
    policy: &Policy,
    internal_domains: &[String],
    now: SystemTime,
) -> Result<Decided, Refusal> {
    let mut orders = Vec::with_capacity(parsed.envelope().recipients.len());
    let mut failures = Vec::new();
    let seen = Seen::in_message(parsed.message(), policy.needs());
    let content = seen.content(parsed.subject(), parsed.fields());
    for recipient in &parsed.envelope().recipients {
        let direction = direction(recipient, internal_domains);
        let facts = Facts {
            content: Some(content),
            ..facts(parsed.envelope(), recipient, direction, policy, now)
        };
        match verdict(&policy.evaluate(&facts)) {
            Ok(Some(decision)) => orders.push(Order {
                recipient: recipient.clone(),
                direction,
                decision,
            }),
            Ok(None) => failures.push((recipient.clone(), undecided())),
            Err(failure) => failures.push((recipient.clone(), failure)),
        }
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(Decided { parsed, orders }),
    }
}

/// Decides for one recipient by the envelope alone, at RCPT: nothing if the content is needed.
///
/// # Errors
/// Why the recipient is refused already now.
pub fn decide_early(
    envelope: &Envelope,
    recipient: &Address,
    policy: &Policy,
    internal_domains: &[String],
    now: SystemTime,
) -> Result<Option<Order>, Failure> {
    let direction = direction(recipient, internal_domains);
    if direction == Direction::Outbound && !envelope.client.may_relay {
        return Err(Failure::RelayDenied);
    }
    let facts = facts(envelope, recipient, direction, policy, now);
    let decision = verdict(&policy.evaluate(&facts))?;
    Ok(decision.map(|decision| Order {
        recipient: recipient.clone(),
        direction,
        decision,
    }))
}

/// What the envelope tells.
fn facts<'a>(
    envelope: &'a Envelope,
    recipient: &'a Address,
    direction: Direction,
    policy: &Policy,
    now: SystemTime,
) -> Facts<'a> {
    let sender = envelope.reverse_path.as_ref();
    Facts {
        session: Some(session(&envelope.client)),
        moment: policy
            .needs()
            .moment
            .then(|| moment(now, policy.time_zone()))
            .flatten(),
        ..Facts::of_envelope(direction, sender, recipient)
    }
}

/// Inbound if the domain is ours, outbound otherwise.
#[must_use]
pub fn direction(recipient: &Address, internal_domains: &[String]) -> Direction {
    if internal_domains
        .iter()
        .any(|domain| domain == recipient.domain())
    {
        Direction::Inbound
    } else {
        Direction::Outbound
    }
}

/// What an answer means for the mail: a decision, nothing yet, or a refusal.
///
/// # Errors
/// Why the recipient is refused or must wait.
pub fn verdict(answer: &Answer<'_>) -> Result<Option<Decision>, Failure> {
    let decision = match answer {
        Answer::NoRule => return Err(Failure::NoRule),
        Answer::NotYet => return Ok(None),
        Answer::Unavailable(rule) => {
            let text = format!("rule {:?}, {}:{}", rule.name, rule.file, rule.line);
            return Err(Failure::FactUnavailable(text));
        }
        Answer::Decided(decision) => *decision,
    };
    match &decision.stop {
        Some(Stop::Reject(text)) => Err(Failure::RefusedByRule {
            rule: decision.rule.name.clone(),
            text: text.clone(),
        }),
        Some(Stop::Hold(_)) => Err(Failure::Internal(
            "a rule orders to hold, and nothing can be held".into(),
        )),
        None => Ok(Some(decision.clone())),
    }
}

/// The evaluator promises an answer where everything is known.
fn undecided() -> Failure {
    Failure::Internal("the policy gave no answer although the content is known".into())
}
