//! What the policy orders for each recipient of a message.
//!
//! It asks no directory and touches no key. A recipient that no rule allows refuses the whole message: at DATA there is
//! one reply for all.

use policy::address::Address;
use policy::compile::Policy;
use policy::decision::Decision;
use policy::evaluate::Answer;
use policy::facts::{Content, Direction, Facts};

use crate::failure::{Failure, Refusal};
use crate::message::Parsed;
use crate::smtp::Envelope;

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
) -> Result<Decided, Refusal> {
    let mut orders = Vec::with_capacity(parsed.envelope().recipients.len());
    let mut failures = Vec::new();
    for recipient in &parsed.envelope().recipients {
        let direction = direction(recipient, internal_domains);
        let facts = Facts {
            direction,
            sender: parsed.envelope().reverse_path.as_ref(),
            recipient,
            content: Some(Content {
                subject: parsed.subject(),
                headers: parsed.fields(),
            }),
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
) -> Result<Option<Order>, Failure> {
    let direction = direction(recipient, internal_domains);
    if direction == Direction::Outbound && !envelope.client.may_relay {
        return Err(Failure::RelayDenied);
    }
    let sender = envelope.reverse_path.as_ref();
    let decision = verdict(&policy.evaluate(&Facts {
        direction,
        sender,
        recipient,
        content: None,
    }))?;
    Ok(decision.map(|decision| Order {
        recipient: recipient.clone(),
        direction,
        decision,
    }))
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

fn verdict(answer: &Answer<'_>) -> Result<Option<Decision>, Failure> {
    match answer {
        Answer::NoRule => Err(Failure::NoRule),
        Answer::NotYet => Ok(None),
        Answer::Decided(decision) => match &decision.reject {
            Some(text) => Err(Failure::RefusedByRule {
                rule: decision.rule.name.clone(),
                text: text.clone(),
            }),
            None => Ok(Some((*decision).clone())),
        },
    }
}

/// The evaluator promises an answer where everything is known.
fn undecided() -> Failure {
    Failure::Internal("the policy gave no answer although the content is known".into())
}
