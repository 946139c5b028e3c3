//! Copies that arrive: opened with the keys of their own recipient and no other, verified, marked.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use policy::decision::{Decision, OnBadSignature, Requirement};

use super::{Context, Copy, Recipient, Signer, Treated, without_lookalikes};
use crate::failure::{Failure, Refusal};
use crate::message::Message;
use crate::resolve::{Plan, Treatment};
use crate::smime::{self, Closed, Opened, Verdict, VerdictResult};

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
        match opened(message, plan, context) {
            Ok(opening) => Arrival::add(&mut arrivals, opening, plan),
            Err(failure) => failures.push((plan.recipient.clone(), failure)),
        }
    }
    let mut copies = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let judged = arrival.judged(message, context)?;
        for plan in &judged.plans {
            if let Some(failure) = objection(&plan.decision, judged.verdict.as_ref()) {
                failures.push((plan.recipient.clone(), failure));
            }
        }
        copies.push(judged.copy(trace, context));
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(copies),
    }
}

/// A content that arrives, and the plans that share it: an opened one is its owner's alone.
struct Arrival<'p> {
    opening: Opening,
    marking: Marking,
    plans: Vec<&'p Plan>,
}

/// An arrival as it leaves, and what is said about it.
struct Judged<'p> {
    message: Message,
    verdict: Option<Verdict>,
    is_opened: bool,
    closed: Option<Closed>,
    marking: Marking,
    plans: Vec<&'p Plan>,
}

/// What the keys of a recipient made of a message.
enum Opening {
    NotEncrypted,
    Opened(Box<Opened>),
    Closed(Closed),
}

impl Opening {
    /// Whether the same copy will do.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NotEncrypted, Self::NotEncrypted) => true,
            (Self::Closed(closed), Self::Closed(other)) => closed == other,
            _ => false,
        }
    }
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
        let marking = Marking::of(&plan.decision);
        let shared = arrivals
            .iter_mut()
            .find(|other| other.opening.is_like(&opening) && other.marking == marking);
        match shared {
            Some(arrival) => arrival.plans.push(plan),
            None => arrivals.push(Self {
                opening,
                marking,
                plans: vec![plan],
            }),
        }
    }

    fn judged(self, received: &Message, context: &Context) -> Result<Judged<'p>, Failure> {
        let Context { trust, now, .. } = context;
        let is_judged = self.marking != Marking::None;
        let mut judged = Judged {
            message: received.clone(),
            verdict: None,
            is_opened: false,
            closed: None,
            marking: self.marking,
            plans: self.plans,
        };
        match self.opening {
            Opening::NotEncrypted | Opening::Closed(_) if !is_judged => {}
            Opening::NotEncrypted => {
                judged.verdict = Some(smime::verify(received, trust, *now));
            }
            Opening::Opened(opened) => {
                let mut verdict = is_judged.then(|| opened.verify(trust, *now));
                let is_pass =
                    matches!(&verdict, Some(verdict) if verdict.result == VerdictResult::Pass);
                let revealed = opened.reveal(is_pass);
                if let Some(headers) = verdict.as_mut().and_then(|told| told.headers.as_mut()) {
                    headers.restored = revealed.fields;
                }
                // What comes from within is a stranger's as well (law 11).
                judged.message = without_lookalikes(&revealed.message, context)?;
                judged.verdict = verdict;
                judged.is_opened = true;
            }
            Opening::Closed(closed) => {
                judged.verdict =
                    Some(smime::verify(received, trust, *now).of_closed(closed.clone()));
                judged.closed = Some(closed);
            }
        }
        Ok(judged)
    }
}

impl Judged<'_> {
    fn copy(self, trace: &[u8], context: &Context) -> Copy {
        let is_told = self.marking == Marking::All
            || matches!(&self.verdict, Some(verdict) if verdict.result == VerdictResult::Pass);
        let told = self.verdict.as_ref().filter(|_| is_told);
        let mark = told.map(|verdict| {
            let mut mark = smime::authentication_results(&context.hostname, verdict);
            mark.extend(smime::verdict_field(verdict));
            mark
        });
        let mark = mark.unwrap_or_default();
        let message = self.message.content();
        let mut content = BytesMut::with_capacity(trace.len() + mark.len() + message.len());
        content.put_slice(trace);
        content.put_slice(&mark);
        content.put_slice(message);
        let recipients = self.plans.iter().map(|plan| Recipient {
            closed: self.closed.clone(),
            ..Recipient::of(plan)
        });
        let recipients = recipients.collect();
        Copy {
            content: Bytes::from(content),
            recipients,
            outer_headers: None,
            treated: Treated {
                opened: self.is_opened,
                signer: self.verdict.as_ref().and_then(Signer::of),
                verdict: self.verdict.map(Arc::new),
                ..Treated::default()
            },
        }
    }
}

/// The message in clear, if it is encrypted and its recipient's keys open it (law 6).
fn opened(message: &Message, plan: &Plan, context: &Context) -> Result<Opening, Failure> {
    let Treatment::Inbound(decryptors) = &plan.treatment else {
        return Ok(Opening::NotEncrypted);
    };
    if plan.decision.decrypt == Requirement::No {
        return Ok(Opening::NotEncrypted);
    }
    let profile = context.profiles.named(plan.decision.profile.as_deref());
    let options = profile.map(|profile| profile.reading).unwrap_or_default();
    match smime::decrypt(message, decryptors, &options) {
        Ok(Some(opened)) => Ok(Opening::Opened(Box::new(opened))),
        Ok(None) => Ok(Opening::NotEncrypted),
        Err(Closed::KeyUnavailable(reason)) => Err(Failure::Internal(reason)),
        Err(closed) if plan.decision.decrypt == Requirement::Required => Err(
            Failure::Unacceptable(format!("it must be decrypted and cannot be: {closed}")),
        ),
        Err(closed) => Ok(Opening::Closed(closed)),
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
