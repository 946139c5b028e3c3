//! Copies that arrive: opened with the keys of their own recipient and no other, verified, marked.

use bytes::{BufMut, Bytes, BytesMut};
use policy::decision::{Decision, OnBadSignature, Requirement};

use super::{Context, Copy, Recipient, Signer, Treated};
use crate::failure::{Failure, Refusal};
use crate::message::Message;
use crate::resolve::{Plan, Treatment};
use crate::smime::{self, DecryptOutcome, Opened, Verdict, VerdictResult};

/// Makes the copies of all inbound plans; `trace` goes above each.
///
/// # Errors
/// A [`Refusal`] that names each recipient whose copy is not acceptable.
pub(super) fn copies(
    message: &Message,
    trace: &[u8],
    plans: &[&Plan],
    context: &Context,
) -> Result<Vec<Copy>, Refusal> {
    let mut failures = Vec::new();
    let mut arrivals = Vec::new();
    for plan in plans {
        match opened(message, plan) {
            Ok(opening) => Arrival::add(&mut arrivals, opening, plan),
            Err(failure) => failures.push((plan.recipient.clone(), failure)),
        }
    }
    let mut copies = Vec::with_capacity(arrivals.len());
    for arrival in &arrivals {
        let verdict = arrival.verdict(message, context);
        for (plan, _) in &arrival.plans {
            if let Some(failure) = objection(&plan.decision, verdict.as_ref()) {
                failures.push((plan.recipient.clone(), failure));
            }
        }
        copies.push(arrival.copy(message, trace, verdict.as_ref(), context));
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(copies),
    }
}

/// A content that arrives, and the plans that share it: an opened one is its owner's alone.
struct Arrival<'p> {
    opened: Option<Opened>,
    marking: Marking,
    /// Each with the reason why an encrypted message stays closed for it.
    plans: Vec<(&'p Plan, Option<String>)>,
}

/// What the keys of a recipient made of a message.
enum Opening {
    NotEncrypted,
    Opened(Opened),
    Closed(String),
}

/// Which verdicts are written into a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marking {
    All,
    PassOnly,
    None,
}

impl Marking {
    fn of(decision: &Decision) -> Self {
        match (decision.verify, decision.on_bad_signature) {
            (Requirement::No, _) => Self::None,
            (_, OnBadSignature::Deliver) => Self::PassOnly,
            (_, OnBadSignature::Mark | OnBadSignature::Hold | OnBadSignature::Reject) => Self::All,
        }
    }
}

impl<'p> Arrival<'p> {
    fn add(arrivals: &mut Vec<Self>, opening: Opening, plan: &'p Plan) {
        let (opened, closed) = match opening {
            Opening::NotEncrypted => (None, None),
            Opening::Opened(opened) => (Some(opened), None),
            Opening::Closed(reason) => (None, Some(reason)),
        };
        let marking = Marking::of(&plan.decision);
        let shared = arrivals
            .iter_mut()
            .find(|other| opened.is_none() && other.opened.is_none() && other.marking == marking);
        match shared {
            Some(arrival) => arrival.plans.push((plan, closed)),
            None => arrivals.push(Self {
                opened,
                marking,
                plans: vec![(plan, closed)],
            }),
        }
    }

    fn message<'m>(&'m self, received: &'m Message) -> &'m Message {
        self.opened
            .as_ref()
            .map_or(received, |opened| &opened.message)
    }

    fn verdict(&self, received: &Message, context: &Context) -> Option<Verdict> {
        if self.marking == Marking::None {
            return None;
        }
        Some(smime::verify(
            self.message(received),
            &context.trust,
            context.now,
        ))
    }

    fn copy(
        &self,
        received: &Message,
        trace: &[u8],
        verdict: Option<&Verdict>,
        context: &Context,
    ) -> Copy {
        let is_told = |verdict: &&Verdict| {
            self.marking == Marking::All || verdict.result == VerdictResult::Pass
        };
        let told = verdict.filter(is_told);
        let mark = told.map(|verdict| smime::authentication_results(&context.hostname, verdict));
        let mark = mark.unwrap_or_default();
        let message = self.message(received).content();
        let mut content = BytesMut::with_capacity(trace.len() + mark.len() + message.len());
        content.put_slice(trace);
        content.put_slice(&mark);
        content.put_slice(message);
        let treated = Treated {
            opened: self.opened.is_some(),
            signer: verdict.and_then(Signer::of),
            verdict: told.map(ToString::to_string),
            ..Treated::default()
        };
        let recipients = self.plans.iter().map(|(plan, closed)| Recipient {
            closed: closed.clone(),
            ..Recipient::of(plan)
        });
        let recipients = recipients.collect();
        Copy {
            content: Bytes::from(content),
            recipients,
            treated,
        }
    }
}

/// The message in clear, if it is encrypted and its recipient's keys open it (law 6).
fn opened(message: &Message, plan: &Plan) -> Result<Opening, Failure> {
    let Treatment::Inbound(decryptors) = &plan.treatment else {
        return Ok(Opening::NotEncrypted);
    };
    if plan.decision.decrypt == Requirement::No {
        return Ok(Opening::NotEncrypted);
    }
    match smime::decrypt(message, decryptors) {
        Ok(opened) => Ok(Opening::Opened(opened)),
        Err(DecryptOutcome::NotEncrypted) => Ok(Opening::NotEncrypted),
        Err(DecryptOutcome::KeyUnavailable(reason)) => Err(Failure::Internal(reason)),
        Err(outcome) if plan.decision.decrypt == Requirement::Required => Err(
            Failure::Unacceptable(format!("it must be decrypted and cannot be: {outcome}")),
        ),
        Err(outcome) => Ok(Opening::Closed(outcome.to_string())),
    }
}

/// Why a copy with this verdict is not taken, if its rule insists on a good signature.
fn objection(decision: &Decision, verdict: Option<&Verdict>) -> Option<Failure> {
    let insists = decision.verify == Requirement::Required
        && match decision.on_bad_signature {
            OnBadSignature::Reject | OnBadSignature::Hold => true,
            OnBadSignature::Mark | OnBadSignature::Deliver => false,
        };
    let verdict = verdict.filter(|verdict| insists && verdict.result != VerdictResult::Pass)?;
    if verdict.result == VerdictResult::TempError {
        return Some(Failure::DirectoryUnavailable(format!("smime={verdict}")));
    }
    Some(Failure::Unacceptable(format!(
        "a good signature is required: smime={verdict}"
    )))
}
