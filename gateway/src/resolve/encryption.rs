//! Whom a copy is encrypted to, and what he reads.

use std::sync::Arc;

use certstore::certificate::Purpose;
use certstore::cms::Capabilities;
use certstore::lookup::{Lookup, Unavailable};
use certstore::selection::Selection;
use certstore::trust::TrustedCertificate;
use policy::address::Address;
use policy::decision::{Decision, NoCertificate, OnUnavailable, Requirement};

use crate::failure::Failure;
use crate::observe;
use crate::smime::Readable;

/// The certificate to encrypt to for `recipient`, or none where the order can do without.
///
/// # Errors
/// [`Failure::NoCertificate`] or [`Failure::DirectoryUnavailable`], as the order says.
pub async fn certificate(
    recipient: &Address,
    decision: &Decision,
    lookup: &Lookup,
) -> Result<Option<TrustedCertificate>, Failure> {
    if decision.encrypt == Requirement::No {
        return Ok(None);
    }
    let selection = match lookup.find(recipient, Purpose::Encryption).await {
        Ok(selection) => selection,
        Err(unavailable) => without(unavailable, recipient, decision)?,
    };
    match &selection.chosen {
        Some((trusted, _)) => Ok(Some(trusted.clone())),
        None if decision.no_certificate == NoCertificate::Clear => Ok(None),
        None => Err(Failure::NoCertificate(why_none(&selection))),
    }
}

/// What the other sources have, where the order lets a mail go on without the one that is down. "None" then leads where it
/// always does: to clear text only if the order says so for an outage, too (law 2).
fn without(
    unavailable: Unavailable,
    recipient: &Address,
    decision: &Decision,
) -> Result<Arc<Selection>, Failure> {
    let is_found = unavailable.otherwise.chosen.is_some();
    let clears = decision.no_certificate == NoCertificate::Clear;
    let goes_on = match decision.on_unavailable {
        OnUnavailable::Defer => false,
        OnUnavailable::Next => is_found || !clears,
        OnUnavailable::Clear => is_found || decision.encrypt == Requirement::Preferred,
    };
    if !goes_on {
        return Err(Failure::DirectoryUnavailable(unavailable.to_string()));
    }
    observe::directory_passed_over(recipient, &unavailable.to_string());
    Ok(unavailable.otherwise)
}

fn why_none(selection: &Selection) -> String {
    match selection.considered.as_slice() {
        [] => "none is known; ask the recipient for a signed mail or a certificate".into(),
        [only] => only.reason.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.reason, rest.len()),
    }
}

/// What `recipient` reads: as he said himself in signed mail, else as his certificate says.
pub(super) async fn readable(
    recipient: &Address,
    certificate: &TrustedCertificate,
    lookup: &Lookup,
) -> Readable {
    match lookup.capabilities(recipient).await {
        Ok(Some(known)) => return Readable::Told(known.ciphers.clone(), known.signed_at),
        Ok(None) => {}
        // What is not known costs a better cipher, not the mail.
        Err(error) => observe::capabilities_unknown(recipient, &error.to_string()),
    }
    let certified = Capabilities::of_certificate(certificate.certificate().der());
    let ciphers = certified.map(|certified| certified.ciphers);
    ciphers
        .filter(|ciphers| !ciphers.is_empty())
        .map_or(Readable::Unknown, Readable::Certified)
}

/// The certificate that `originator` reads his own mail with; none where there is none, for it is a convenience.
pub(super) async fn own_certificate(
    originator: &Address,
    lookup: &Lookup,
) -> Option<TrustedCertificate> {
    let selection = lookup.find(originator, Purpose::Encryption).await;
    let chosen = selection
        .ok()
        .and_then(|selection| selection.chosen.clone());
    if chosen.is_none() {
        observe::no_own_certificate(originator);
    }
    chosen.map(|(trusted, _)| trusted)
}
