//! Whose signature a message bears, if it is anybody's.
//!
//! Only a signature over the whole message, by a trusted certificate for the one address in From, is a pass. The bytes
//! that were received are verified, never a copy written anew. Whatever else looks signed gets a reason.

use std::time::SystemTime;

use bytes::Bytes;
use certstore::certificate::{Certificate, Purpose};
use certstore::cms::{self, ContentInfo, SignatureFault, SignedData, SignerReport};
use certstore::trust::Trust;
use policy::address::Address;

use super::form::{SmimeForm, has_signed_part, is_encrypted, recognise};
use super::pkcs7::is_pkcs7_mime;
use super::verdict::{Reason, Verdict, VerdictResult};
use crate::message::Message;

/// Verifies `message` with what is trusted, at the time `now`.
#[must_use]
pub fn verify(message: &Message, trust: &Trust, now: SystemTime) -> Verdict {
    let (bytes, detached, part) = match recognise(message) {
        SmimeForm::None if has_signed_part(message) => {
            let text = "only a part of the message is signed";
            return Verdict::refused(VerdictResult::Neutral, Reason::PartlySigned, text);
        }
        SmimeForm::None => return Verdict::unsigned(),
        SmimeForm::Ambiguous => {
            let text =
                "the header can be read in two ways: a field stands twice, or a line is none";
            return Verdict::refused(VerdictResult::PermError, Reason::Ambiguous, text);
        }
        SmimeForm::Malformed(text) => return malformed(text),
        SmimeForm::ClearSigned { signed, signature } => (signature, Some(signed), "2"),
        SmimeForm::Pkcs7(bytes) => (bytes, None, "1"),
    };
    let verdict = match cms::parse(&bytes) {
        Ok(ContentInfo::Signed(signed)) => signed_verdict(message, &signed, detached, trust, now),
        Ok(ContentInfo::Enveloped(_)) if detached.is_none() => return Verdict::unsigned(),
        Ok(ContentInfo::Enveloped(_)) => {
            malformed("the second part of multipart/signed is no signature")
        }
        Ok(ContentInfo::Compressed(_)) if detached.is_none() => return Verdict::unsigned(),
        Ok(ContentInfo::Compressed(_)) => {
            malformed("the second part of multipart/signed is no signature")
        }
        Ok(ContentInfo::Other(unsupported)) => {
            let text = unsupported.to_string();
            Verdict::refused(VerdictResult::Neutral, Reason::Unsupported, text)
        }
        Err(error) => malformed(error.to_string()),
    };
    if verdict.result == VerdictResult::None {
        verdict
    } else {
        Verdict {
            part: Some(part),
            ..verdict
        }
    }
}

fn malformed(text: impl Into<String>) -> Verdict {
    Verdict::refused(VerdictResult::PermError, Reason::Malformed, text)
}

fn signed_verdict(
    message: &Message,
    signed: &SignedData<'_>,
    detached: Option<&[u8]>,
    trust: &Trust,
    now: SystemTime,
) -> Verdict {
    if signed.signer_count() == 0 {
        // Certificates alone (RFC 8551, section 3.8) promise nothing; a signature without a signer does, falsely.
        return if detached.is_none() {
            Verdict::unsigned()
        } else {
            malformed("the signature has no signer")
        };
    }
    let from = match only_from(message) {
        Ok(from) => from,
        Err(text) => return Verdict::refused(VerdictResult::PermError, Reason::Ambiguous, text),
    };
    if !signed.is_data() {
        return malformed("what is signed is no mail content");
    }
    if signs_ciphertext(message, signed) {
        let text = "only ciphertext is signed: who signed it need not know what it says";
        return Verdict::refused(VerdictResult::Neutral, Reason::PartlySigned, text);
    }
    let certificates: Vec<Certificate> = signed
        .certificates()
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let reports = signed.verify(detached, &[]);
    let mut verdicts = reports
        .iter()
        .map(|report| signer_verdict(report, &certificates, trust, &from, now));
    let Some(mut best) = verdicts.next() else {
        return malformed("the signature has no signer");
    };
    for verdict in verdicts {
        if weight(&verdict) > weight(&best) {
            best = verdict;
        }
    }
    best.certificates = certificates;
    best
}

/// Whether what is signed is an encrypted entity. Anybody can sign what somebody else encrypted.
fn signs_ciphertext(message: &Message, signed: &SignedData<'_>) -> bool {
    let beside = || {
        message
            .children(0)
            .next()
            .filter(|part| is_pkcs7_mime(part))
    };
    let content = signed
        .content()
        .or_else(|| beside().map(|part| message.slice(&part.range())));
    let inner = content.map(|content| Message::parse(Bytes::copy_from_slice(content)));
    inner.is_some_and(|inner| inner.is_ok_and(|inner| is_encrypted(&inner)))
}

/// With several signers the heaviest verdict counts: one broken signature spoils all, else one good one is enough.
const fn weight(verdict: &Verdict) -> u8 {
    match (verdict.result, verdict.reason) {
        (_, Some(Reason::Altered | Reason::Malformed)) => 3,
        (VerdictResult::Pass, _) => 2,
        (VerdictResult::Policy, _) => 1,
        _ => 0,
    }
}

/// The one address in From. Sender does not count: it is not what people are shown.
fn only_from(message: &Message) -> Result<Address, String> {
    let mut addresses = message
        .from_addresses()
        .map_err(|error| error.to_string())?;
    match (addresses.pop(), addresses.is_empty()) {
        (Some(from), true) => Ok(from),
        _ => Err("the From field names several addresses".to_owned()),
    }
}

fn signer_verdict(
    report: &SignerReport,
    certificates: &[Certificate],
    trust: &Trust,
    from: &Address,
    now: SystemTime,
) -> Verdict {
    let certificate = report.certificate.as_deref().map(Certificate::from_der);
    let verdict = match (&report.outcome, &certificate) {
        (Err(fault), _) => faulty(fault),
        (Ok(()), Some(Err(error))) => malformed(format!("the signer's certificate: {error}")),
        (Ok(()), None) => faulty(&SignatureFault::NoSignerCertificate),
        (Ok(()), Some(Ok(certificate))) => {
            match trust.validate(certificate, certificates, Purpose::Signing, from, now) {
                Err(distrust) => Verdict::distrusted(&distrust),
                Ok(_) => right(report, from),
            }
        }
    };
    Verdict {
        certificate: certificate.and_then(Result::ok),
        ..verdict
    }
}

/// A right signature by a trusted certificate.
fn right(report: &SignerReport, from: &Address) -> Verdict {
    if let Some(weak) = &report.weak {
        let text = format!("the signature uses {weak}");
        return Verdict::refused(VerdictResult::Policy, Reason::Weak, text);
    }
    Verdict {
        result: VerdictResult::Pass,
        signer: Some(from.clone()),
        ..Verdict::unsigned()
    }
}

fn faulty(fault: &SignatureFault) -> Verdict {
    let (result, reason) = match fault {
        SignatureFault::Altered | SignatureFault::BadSignature => {
            (VerdictResult::Fail, Reason::Altered)
        }
        SignatureFault::NoSignerCertificate => (VerdictResult::Neutral, Reason::Untrusted),
        SignatureFault::Unsupported(_) => (VerdictResult::Neutral, Reason::Unsupported),
        SignatureFault::Attributes(_)
        | SignatureFault::ContentConflict
        | SignatureFault::NoContent
        | SignatureFault::Malformed(_) => (VerdictResult::PermError, Reason::Malformed),
    };
    Verdict::refused(result, reason, fault.to_string())
}
