//! Copies that leave: signed once, encrypted once for each group of recipients that may know of each other.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use certstore::cms::{ContentCipher, Signer};
use certstore::trust::TrustedCertificate;
use policy::address::Address;
use policy::decision::{self, HiddenRecipients, SubjectTag};

use super::{Context, Copy, Recipient, Treated};
use crate::config::{CipherChoice, HeaderPolicy, HeaderProtection, Profile};
use crate::failure::Failure;
use crate::message::{Entity, Message, MessageError};
use crate::resolve::{Originator, Plan, Reader, Treatment};
use crate::smime::headers::{Protected, protect};
use crate::smime::{self, Chosen, EncryptTo, Readable, SmimeFailure};

/// A message that leaves, and what its copies have in common.
pub(super) struct Departing<'a> {
    pub(super) message: &'a Message,
    /// What goes above each copy.
    pub(super) trace: &'a [u8],
    pub(super) originator: &'a Originator,
    /// The recipients that a header names.
    pub(super) visible: &'a HashSet<String>,
    pub(super) context: &'a Context,
}

impl Departing<'_> {
    /// Makes the copies of all outbound plans.
    ///
    /// # Errors
    /// [`Failure::Malformed`], [`Failure::TooLarge`] or [`Failure::Internal`]; then there are no copies.
    pub(super) fn copies(&self, plans: &[&Plan]) -> Result<Vec<Copy>, Failure> {
        let mut copies = Vec::new();
        for (form, plans) in grouped(plans, |plan| self.form(plan)) {
            let message = match form.strip_tag {
                Some(tag) => Cow::Owned(without_tag(self.message, tag)?),
                None => Cow::Borrowed(self.message),
            };
            let profile = self.context.profiles.named(form.profile);
            let protected = match form.headers {
                Some((protection, is_encrypted)) => {
                    protect(&message, &protection, is_encrypted).map_err(malformed)?
                }
                None => None,
            };
            let maker = Maker {
                message: &message,
                protected: protected.as_ref(),
                signer: self.originator.signer.as_deref().filter(|_| form.sign),
                profile: profile.ok_or_else(|| {
                    Failure::Internal("the rule's profile is not configured".into())
                })?,
                departing: self,
            };
            maker.copies(&plans, &mut copies)?;
        }
        Ok(copies)
    }

    fn form<'p>(&self, plan: &'p Plan) -> Form<'p> {
        let sign = matches!(plan.treatment, Treatment::Outbound { sign: true, .. });
        let is_encrypted = plan.reader().is_some();
        let profile = plan.decision.profile.as_deref();
        let named = self.context.profiles.named(profile);
        let headers =
            named.and_then(|named| header_protection(plan.decision.header_protection, named));
        Form {
            sign,
            profile,
            strip_tag: plan.decision.strip_subject_tag.as_ref(),
            headers: headers
                .filter(|_| sign || is_encrypted)
                .map(|headers| (headers, is_encrypted)),
        }
    }
}

/// How the header fields of a copy are protected: as its rule orders, else as its profile says.
fn header_protection(
    ordered: Option<decision::HeaderProtection>,
    profile: &Profile,
) -> Option<HeaderProtection> {
    let policy = match ordered {
        None => return profile.headers,
        Some(decision::HeaderProtection::No) => return None,
        Some(decision::HeaderProtection::Baseline) => HeaderPolicy::Baseline,
        Some(decision::HeaderProtection::Shy) => HeaderPolicy::Shy,
    };
    Some(HeaderProtection {
        policy,
        legacy_display: profile.headers.is_none_or(|headers| headers.legacy_display),
    })
}

/// What a content looks like before encryption: plans that agree in it share the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form<'p> {
    sign: bool,
    profile: Option<&'p str>,
    strip_tag: Option<&'p SubjectTag>,
    /// How header fields are protected, and whether by encryption: then some of them may be hidden.
    headers: Option<(HeaderProtection, bool)>,
}

/// Makes the copies of one form.
struct Maker<'a> {
    message: &'a Message,
    /// The same with its header fields inside, if they are protected.
    protected: Option<&'a Protected>,
    signer: Option<&'a dyn Signer>,
    profile: &'a Profile,
    departing: &'a Departing<'a>,
}

/// Plans that share one ciphertext.
#[derive(PartialEq, Eq)]
struct Group<'p> {
    alone: Option<&'p str>,
    cipher: Option<ContentCipher>,
    encrypt_to_self: bool,
}

impl Maker<'_> {
    fn copies(&self, plans: &[&Plan], copies: &mut Vec<Copy>) -> Result<(), Failure> {
        let signed = self.signed()?;
        let (closed, clear): (Vec<&Plan>, Vec<&Plan>) =
            plans.iter().partition(|plan| plan.reader().is_some());
        if !clear.is_empty() {
            let content = match &signed {
                Some(entity) => smime::with_entity(self.departing.trace, self.outer(), entity),
                None => [self.departing.trace, self.message.content()].concat(),
            };
            copies.push(self.copy(content, &clear, 0, None));
        }
        if closed.is_empty() {
            return Ok(());
        }
        let mut content = signed.unwrap_or_else(|| self.unsigned());
        if self.profile.compress {
            content = smime::compress_entity(&content).map_err(told)?;
        }
        for (_, plans) in grouped(&closed, |plan| self.group(plan)) {
            copies.push(self.encrypted(&content, &plans)?);
            within(
                copies.iter().map(|copy| copy.content.len()).sum(),
                self.departing.context.most_bytes,
            )?;
        }
        Ok(())
    }

    /// Who shares a ciphertext with whom.
    fn group<'p>(&self, plan: &'p Plan) -> Group<'p> {
        let own_cipher = || Some(smime::choose(self.profile, &[reading(plan)?]).cipher);
        Group {
            alone: alone(plan, self.departing.visible),
            cipher: match self.profile.cipher_choice {
                CipherChoice::Common => None,
                CipherChoice::Each => own_cipher(),
            },
            encrypt_to_self: plan.reader().is_some_and(|reader| reader.encrypt_to_self),
        }
    }

    fn encrypted(&self, content: &Entity<'_>, plans: &[&Plan]) -> Result<Copy, Failure> {
        let readers: Vec<_> = plans.iter().filter_map(|plan| reading(plan)).collect();
        let chosen = smime::choose(self.profile, &readers);
        let recipients = self.certificates(plans);
        let to = EncryptTo {
            recipients: &recipients,
            cipher: chosen.cipher,
            profile: self.profile,
        };
        let (trace, outer) = (self.departing.trace, self.outer());
        let content = match self.signer.filter(|_| self.profile.triple_wrap) {
            None => smime::encrypt_message(trace, outer, content, to),
            Some(signer) => {
                let now = self.departing.context.now;
                smime::encrypt_entity(content, to)
                    .and_then(|encrypted| smime::sign_content(encrypted, signer, self.profile, now))
                    .map(|wrapped| smime::with_entity(trace, outer, &wrapped))
            }
        };
        let content = content.map_err(told)?;
        Ok(self.copy(content, plans, recipients.len(), Some(chosen)))
    }

    /// Those of the recipients, and that of the originator where the plans of this group say so. It tells nobody
    /// anything: who wrote a mail, its From says, and a copy for a hidden recipient goes to nobody else.
    fn certificates<'p>(&'p self, plans: &[&'p Plan]) -> Vec<&'p TrustedCertificate> {
        let readers = plans.iter().filter_map(|plan| plan.reader());
        let mut certificates: Vec<_> = readers.clone().map(|reader| &reader.certificate).collect();
        let own = self.departing.originator.certificate.as_ref();
        let own = own.filter(|_| readers.clone().any(|reader| reader.encrypt_to_self));
        let is_named = |own: &&TrustedCertificate| certificates.contains(own);
        certificates.extend(own.filter(|own| !is_named(own)));
        certificates
    }

    fn copy(
        &self,
        content: Vec<u8>,
        plans: &[&Plan],
        encrypted_to: usize,
        cipher: Option<Chosen>,
    ) -> Copy {
        Copy {
            content: Bytes::from(content),
            recipients: plans.iter().map(|plan| Recipient::of(plan)).collect(),
            outer_headers: self
                .protected
                .map(|protected| Bytes::copy_from_slice(protected.outer().header_block())),
            treated: Treated {
                signed: self.signer.is_some(),
                encrypted_to,
                cipher,
                ..Treated::default()
            },
        }
    }

    fn signed(&self) -> Result<Option<Entity<'_>>, Failure> {
        let Some(signer) = self.signer else {
            return Ok(None);
        };
        let now = self.departing.context.now;
        let entity = match self.protected {
            Some(protected) => {
                smime::sign_content(protected.for_transport(), signer, self.profile, now)
            }
            None => smime::sign_entity(self.message, signer, self.profile, now),
        };
        entity.map(Some).map_err(told)
    }

    fn unsigned(&self) -> Entity<'_> {
        match self.protected {
            Some(protected) => protected.as_written(),
            None => Entity::as_written(self.message),
        }
    }

    /// The message whose header fields stay outside.
    fn outer(&self) -> &Message {
        self.protected.map_or(self.message, Protected::outer)
    }
}

/// Who reads a copy, and what is known of that.
fn reading(plan: &Plan) -> Option<(&Address, &Readable)> {
    let Reader { readable, .. } = plan.reader()?;
    Some((&plan.recipient, readable))
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
    Message::parse(content).map_err(malformed)
}

fn malformed(error: MessageError) -> Failure {
    Failure::Malformed(error.to_string())
}

fn told(failure: SmimeFailure) -> Failure {
    match failure {
        SmimeFailure::Ambiguous => Failure::Malformed(failure.to_string()),
        SmimeFailure::Compress => Failure::TooLarge(failure.to_string()),
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
