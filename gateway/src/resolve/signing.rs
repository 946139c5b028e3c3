//! Whether and by whom a message is signed (law 7).

use std::sync::Arc;

use certstore::cms::Signer;
use policy::address::Address;
use policy::decision::{Decision, NoSigner, Requirement};
use policy::facts::Direction;

use super::Keyring;
use crate::decide::Order;
use crate::failure::{Failure, Refusal};
use crate::message::Parsed;
use crate::smime::ClientForm;

/// Whether and by whom a message can be signed.
#[derive(Debug)]
pub(super) enum Signing {
    /// Nobody asks for it, or the client has done it, or it is a kind of mail that is not signed.
    Unwanted,
    /// The key of its author.
    By(Arc<dyn Signer>),
    /// The author is entitled but has no usable key.
    NoKey(Failure),
    /// Law 7 forbids it.
    Forbidden(Failure),
}

impl Signing {
    pub(super) fn signer(self) -> Option<Arc<dyn Signer>> {
        match self {
            Self::By(signer) => Some(signer),
            Self::Unwanted | Self::NoKey(_) | Self::Forbidden(_) => None,
        }
    }

    pub(super) fn applies_to(&self, decision: &Decision) -> Result<bool, Failure> {
        match (decision.sign, self) {
            (Requirement::No, _) | (_, Self::Unwanted) => Ok(false),
            (_, Self::By(_)) => Ok(true),
            (Requirement::Preferred, _) => Ok(false),
            (Requirement::Required, Self::NoKey(_)) if decision.no_signer == NoSigner::Unsigned => {
                Ok(false)
            }
            (Requirement::Required, Self::NoKey(failure) | Self::Forbidden(failure)) => {
                Err(failure.clone())
            }
        }
    }
}

/// Who signs, if anybody asks for it.
///
/// # Errors
/// [`Failure::Internal`] if the vault does not answer.
pub(super) async fn signing(
    parsed: &Parsed,
    client_form: &ClientForm,
    orders: &[Order],
    keyring: &Keyring,
    internal_domains: &[String],
) -> Result<Signing, Refusal> {
    let wanted = orders.iter().any(|order| {
        order.direction == Direction::Outbound && order.decision.sign != Requirement::No
    });
    let message = parsed.message();
    let is_signed = *client_form == ClientForm::Signed;
    if !wanted || is_signed || message.is_calendar() || message.is_report() {
        return Ok(Signing::Unwanted);
    }
    let author = match entitled_author(parsed, internal_domains) {
        Ok(author) => author,
        Err(failure) => return Ok(Signing::Forbidden(failure)),
    };
    match keyring.vault.signer_for(&author).await {
        Ok(Some(signer)) => Ok(Signing::By(signer)),
        Ok(None) => Ok(Signing::NoKey(Failure::NoSigner(format!(
            "{author} has no usable signing key"
        )))),
        Err(error) => Err(Failure::Internal(error.to_string()).into()),
    }
}

/// The one From, if it is ours and the client may use it (law 7).
pub(super) fn entitled_author(
    parsed: &Parsed,
    internal_domains: &[String],
) -> Result<Address, Failure> {
    if !parsed.envelope().client.may_have_signed() {
        return Err(Failure::NotEntitled(
            "this client may not use our users' keys".into(),
        ));
    }
    let authors = parsed.message().from_addresses();
    let authors = authors.map_err(|error| Failure::NotEntitled(error.to_string()))?;
    let [author] = authors.as_slice() else {
        return Err(Failure::NotEntitled(
            "the message must have exactly one From address".into(),
        ));
    };
    if internal_domains
        .iter()
        .any(|domain| domain == author.domain())
    {
        Ok(author.clone())
    } else {
        Err(Failure::NotEntitled(format!(
            "From <{author}> is not in an internal domain"
        )))
    }
}
