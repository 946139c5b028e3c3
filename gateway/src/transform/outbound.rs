//! Copies that leave: signed once, encrypted once for each group of recipients that may know of each other.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use certstore::cms::Signer;
use certstore::trust::TrustedCertificate;
use policy::decision::{HiddenRecipients, SubjectTag};

use super::{Context, Copy, Recipient, Treated};
use crate::config::Profile;
use crate::failure::Failure;
use crate::message::{Entity, Message};
use crate::resolve::{Plan, Treatment};
use crate::smime::{self, SmimeFailure};

/// Makes the copies of all outbound plans; `trace` goes above each.
///
/// # Errors
/// [`Failure::Malformed`] or [`Failure::Internal`]; then there are no copies.
pub(super) fn copies(
    message: &Message,
    trace: &[u8],
    signer: Option<&dyn Signer>,
    plans: &[&Plan],
    context: &Context,
) -> Result<Vec<Copy>, Failure> {
    let mut copies = Vec::new();
    for (form, plans) in grouped(plans, form) {
        let message = match form.strip_tag {
            Some(tag) => Cow::Owned(without_tag(message, tag)?),
            None => Cow::Borrowed(message),
        };
        let maker = Maker {
            message: &message,
            trace,
            signer,
            form,
            context,
        };
        maker.copies(&plans, &mut copies)?;
    }
    Ok(copies)
}

/// What a content looks like before encryption: plans that agree in it share the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form<'p> {
    sign: bool,
    profile: Option<&'p str>,
    strip_tag: Option<&'p SubjectTag>,
}

fn form(plan: &Plan) -> Form<'_> {
    Form {
        sign: matches!(plan.treatment, Treatment::Outbound { sign: true, .. }),
        profile: plan.decision.profile.as_deref(),
        strip_tag: plan.decision.strip_subject_tag.as_ref(),
    }
}

const fn certificate(plan: &Plan) -> Option<&TrustedCertificate> {
    match &plan.treatment {
        Treatment::Outbound { certificate, .. } => certificate.as_ref(),
        Treatment::Inbound(_) => None,
    }
}

/// Makes the copies of one form.
struct Maker<'a> {
    message: &'a Message,
    trace: &'a [u8],
    signer: Option<&'a dyn Signer>,
    form: Form<'a>,
    context: &'a Context,
}

impl Maker<'_> {
    fn copies(&self, plans: &[&Plan], copies: &mut Vec<Copy>) -> Result<(), Failure> {
        let signed = self.signed()?;
        let (closed, clear): (Vec<&Plan>, Vec<&Plan>) =
            plans.iter().partition(|plan| certificate(plan).is_some());
        if !clear.is_empty() {
            let content = match &signed {
                Some(entity) => smime::with_entity(self.trace, self.message, entity),
                None => [self.trace, self.message.content()].concat(),
            };
            copies.push(self.copy(content, &clear, 0));
        }
        let visible = self.message.visible_recipients();
        for (_, plans) in grouped(&closed, |plan| alone(plan, &visible)) {
            let certificates: Vec<_> = plans.iter().filter_map(|plan| certificate(plan)).collect();
            let entity = signed.clone().unwrap_or_else(|| self.unsigned());
            let profile = self.profile()?;
            let content =
                smime::encrypt_entity(self.trace, self.message, entity, &certificates, profile);
            let content = content.map_err(|failure| told(&failure))?;
            copies.push(self.copy(content, &plans, certificates.len()));
            within(
                copies.iter().map(|copy| copy.content.len()).sum(),
                self.context.most_bytes,
            )?;
        }
        Ok(())
    }

    fn copy(&self, content: Vec<u8>, plans: &[&Plan], encrypted_to: usize) -> Copy {
        let signed = self.form.sign;
        Copy {
            content: Bytes::from(content),
            recipients: plans.iter().map(|plan| Recipient::of(plan)).collect(),
            treated: Treated {
                signed,
                encrypted_to,
                ..Treated::default()
            },
        }
    }

    fn signed(&self) -> Result<Option<Vec<u8>>, Failure> {
        let Some(signer) = self.signer.filter(|_| self.form.sign) else {
            return Ok(None);
        };
        let entity = smime::sign_entity(self.message, signer, self.profile()?, self.context.now);
        entity.map(Some).map_err(|failure| told(&failure))
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut entity = Vec::new();
        Entity::as_written(self.message).append_to(&mut entity);
        entity
    }

    fn profile(&self) -> Result<&Profile, Failure> {
        let mut profiles = self.context.profiles.iter();
        let found = match self.form.profile {
            Some(name) => profiles.find(|profile| profile.name == name),
            None => profiles.next(),
        };
        found.ok_or_else(|| Failure::Internal("the rule's profile is not configured".into()))
    }
}

/// Separate copies multiply a message: many hidden recipients of a large one would take all memory.
fn within(bytes: usize, most: u64) -> Result<(), Failure> {
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= most) {
        return Ok(());
    }
    Err(Failure::TooLarge(format!(
        "hidden recipients get copies of their own, and those of this message take more than {most} bytes; \
         send it to fewer at once"
    )))
}

/// A recipient that the others must not learn of stands alone: RecipientInfos name everybody who can read.
fn alone<'p>(plan: &'p Plan, visible: &HashSet<String>) -> Option<&'p str> {
    let recipient = plan.recipient.canonical();
    let is_hidden = !visible.contains(recipient);
    (is_hidden && plan.decision.hidden_recipients == HiddenRecipients::Separate)
        .then_some(recipient)
}

/// The message without the tag that made the rule match; the same one if its subject has none.
fn without_tag(message: &Message, tag: &SubjectTag) -> Result<Message, Failure> {
    let subject = message.subject().and_then(|subject| tag.strip(&subject));
    let Some(subject) = subject else {
        return Ok(message.clone());
    };
    let content = crate::message::with_subject(message, &subject);
    Message::parse(content).map_err(|error| Failure::Malformed(error.to_string()))
}

fn told(failure: &SmimeFailure) -> Failure {
    match failure {
        SmimeFailure::Ambiguous => Failure::Malformed(failure.to_string()),
        SmimeFailure::NoRandomness | SmimeFailure::Sign(_) | SmimeFailure::Encrypt(_) => {
            Failure::Internal(failure.to_string())
        }
    }
}

/// Puts together what has the same key, in the order of first appearance.
fn grouped<'p, K: PartialEq>(
    plans: &[&'p Plan],
    key: impl Fn(&'p Plan) -> K,
) -> Vec<(K, Vec<&'p Plan>)> {
    let mut groups: Vec<(K, Vec<&Plan>)> = Vec::new();
    for plan in plans {
        let key = key(plan);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, group)) => group.push(plan),
            None => groups.push((key, vec![plan])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_bounded_together() {
        for (bytes, most, fits) in [
            (0, 0, true),
            (10, 10, true),
            (11, 10, false),
            (1, u64::MAX, true),
        ] {
            assert_eq!(within(bytes, most).is_ok(), fits, "{bytes} of {most}");
        }
    }
}
