//! Copies that arrive: opened with the keys of their own recipient and no other, verified, marked.

use bytes::Bytes;
use policy::decision::{OnBadSignature, Requirement};

use super::{Context, Copy, Treated};
use crate::failure::{Failure, Refusal};
use crate::message::Message;
use crate::resolve::{Plan, Treatment};
use crate::smime::{self, DecryptOutcome, Verdict, VerdictResult};

/// Makes the copies of all inbound plans.
///
/// # Errors
/// A [`Refusal`] that names each recipient whose copy is not acceptable.
pub(super) fn copies(
    message: &Message,
    plans: &[&Plan],
    context: &Context,
) -> Result<Vec<Copy>, Refusal> {
    let mut copies: Vec<Copy> = Vec::new();
    let mut failures = Vec::new();
    // Everybody whose copy stays as it came shares one, and one verdict.
    let mut shared: Vec<(bool, usize)> = Vec::new();
    for plan in plans {
        let opened = match opened(message, plan) {
            Ok(opened) => opened,
            Err(failure) => {
                failures.push((plan.recipient.clone(), failure));
                continue;
            }
        };
        let verifies = plan.decision.verify != Requirement::No;
        let known = shared.iter().find(|(kind, _)| opened.is_none() && *kind == verifies);
        let index = match known {
            Some((_, index)) => *index,
            None => {
                copies.push(marked(opened.as_ref().unwrap_or(message), opened.is_some(), verifies, context));
                if opened.is_none() {
                    shared.push((verifies, copies.len() - 1));
                }
                copies.len() - 1
            }
        };
        if let Some(copy) = copies.get_mut(index) {
            match acceptable(copy, plan) {
                Ok(()) => copy.recipients.push(plan.recipient.clone()),
                Err(failure) => failures.push((plan.recipient.clone(), failure)),
            }
        }
    }
    match Refusal::of_recipients(failures) {
        Some(refusal) => Err(refusal),
        None => Ok(copies),
    }
}
