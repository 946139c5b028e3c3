//! Whose signature a message bears, if it is anybody's.
//!
//! Only a signature over the whole message, by a trusted certificate for the one address in From, is a pass. The bytes
//! that were received are verified, never a copy written anew. Whatever else looks signed gets a reason.

use std::time::SystemTime;

use certstore::certificate::{Certificate, Purpose};
use certstore::cms::{
    self, ContentInfo, DecompressFailure, SignatureFault, SignedData, SignerReport,
};
use certstore::trust::Trust;
use policy::address::Address;

use super::compression::{self, Packed};
use super::decrypt::{Opened, OpenedLayer};
use super::form::{SmimeForm, has_signed_part, is_ciphertext, recognise, signed_entity};
use super::headers;
use super::verdict::{Coverage, Layer, Match, Reason, Signature, Verdict, VerdictResult};
use crate::message::Message;

/// So many layers of compression are looked through.
const MOST_COMPRESSIONS: usize = 2;

/// Verifies `message` as it is, with what is trusted, at the time `now`. What is signed within compression is looked at, too.
#[must_use]
pub fn verify(message: &Message, trust: &Trust, now: SystemTime) -> Verdict {
    verify_through(MOST_COMPRESSIONS, message, trust, now)
}

fn verify_through(
    compressions: usize,
    message: &Message,
    trust: &Trust,
    now: SystemTime,
) -> Verdict {
    let form = recognise(message);
    if let Some(left) = compressions.checked_sub(1)
        && let Some(inner) = compression::looked_through(message, &form)
    {
        let mut verdict = verify_through(left, &inner, trust, now);
        verdict.layers.insert(0, Layer::Compressed);
        verdict.part = verdict.part.map(|_| "1");
        return verdict;
    }
    let mut verdict = signature(message, &form, trust, now);
    let entity = signed_entity(message, &form);
    if verdict.covered != Coverage::Nothing {
        if entity.as_ref().is_some_and(is_ciphertext) {
            verdict.covered = Coverage::Part;
            let text = "only ciphertext is signed: who signed it need not know what it says";
            if verdict.result == VerdictResult::Pass {
                verdict.refuse(VerdictResult::Neutral, Reason::PartlySigned, text);
            }
        }
        verdict.layers.push(verdict.layer());
    }
    if let Some(entity) = entity.filter(|_| verdict.covered == Coverage::Content) {
        headers::examine(&mut verdict, message, &entity, false);
    }
    verdict
}

impl Opened {
    /// Verifies what was within the encryption, and reports what was around it.
    #[must_use]
    pub fn verify(&self, trust: &Trust, now: SystemTime) -> Verdict {
        let form = recognise(&self.message);
        let mut verdict = signature(&self.message, &form, trust, now);
        let is_signed = verdict.covered != Coverage::Nothing;
        let inner = is_signed.then(|| verdict.layer());
        let around = self.layers.iter().map(|layer| match layer {
            OpenedLayer::Encrypted(encryption) => Layer::Encrypted(encryption.clone()),
            OpenedLayer::Compressed => Layer::Compressed,
            OpenedLayer::Signed(message) => {
                signature(message, &recognise(message), trust, now).layer()
            }
        });
        verdict.layers = around.chain(inner).collect();
        if let Some(payload) = self.payload(&form) {
            headers::examine(&mut verdict, &self.message, &payload, true);
        }
        if !is_signed && verdict.reason.is_none() {
            self.say_unsigned(&mut verdict);
        }
        verdict
    }

    /// What is to be said of a message that was encrypted and is not signed.
    fn say_unsigned(&self, verdict: &mut Verdict) {
        let is_signed_around = self
            .layers
            .iter()
            .any(|layer| matches!(layer, OpenedLayer::Signed(_)));
        if is_signed_around {
            let text = "only ciphertext is signed: who signed it need not know what it says";
            verdict.refuse(VerdictResult::Neutral, Reason::PartlySigned, text);
            verdict.covered = Coverage::Part;
        } else if let Some(open) = self.encryptions().find(|layer| !layer.is_authenticated) {
            let text = format!(
                "it is not signed, and {} does not tell whether it was changed on its way",
                open.cipher
            );
            verdict.refuse(VerdictResult::None, Reason::Unauthenticated, text);
        }
    }
}

/// The verdict on the signature of the whole message, by the message's own form.
fn signature(message: &Message, form: &SmimeForm<'_>, trust: &Trust, now: SystemTime) -> Verdict {
    let (bytes, detached, part) = match form {
        SmimeForm::None if has_signed_part(message) => {
            let text = "only a part of the message is signed";
            return Verdict {
                covered: Coverage::Part,
                ..Verdict::refused(VerdictResult::Neutral, Reason::PartlySigned, text)
            };
        }
        SmimeForm::None => return Verdict::unsigned(),
        SmimeForm::Ambiguous => {
            let text =
                "the header can be read in two ways: a field stands twice, or a line is none";
            return Verdict::refused(VerdictResult::PermError, Reason::Ambiguous, text);
        }
        SmimeForm::Malformed(text) => return malformed(*text),
        SmimeForm::ClearSigned { signed, signature } => (signature, Some(*signed), "2"),
        SmimeForm::Pkcs7(bytes) => (bytes, None, "1"),
    };
    let verdict = match cms::parse(bytes) {
        Ok(ContentInfo::Signed(signed)) => signed_verdict(message, &signed, detached, trust, now),
        Ok(ContentInfo::Enveloped(_)) if detached.is_none() => return Verdict::unsigned(),
        Ok(ContentInfo::Compressed(compressed)) if detached.is_none() => {
            match compression::unpacked(&compressed, true) {
                Ok(_) => return Verdict::unsigned(),
                Err(packed) => packed.verdict(),
            }
        }
        Ok(ContentInfo::Enveloped(_) | ContentInfo::Compressed(_)) => {
            malformed("the second part of multipart/signed is no signature")
        }
        Ok(ContentInfo::Other(unsupported)) => {
            let text = unsupported.to_string();
            Verdict::refused(VerdictResult::Neutral, Reason::Unsupported, text)
        }
        Err(error) => malformed(error.to_string()),
    };
    Verdict {
        part: (verdict.result != VerdictResult::None).then_some(part),
        ..verdict
    }
}

impl Packed {
    /// What is said of a message whose content stays compressed: nobody knows whether it is signed.
    fn verdict(&self) -> Verdict {
        let text = self.to_string();
        match self {
            Self::Kept(DecompressFailure::Unsupported(_)) => {
                Verdict::refused(VerdictResult::Neutral, Reason::Unsupported, text)
            }
            Self::Kept(DecompressFailure::TooLarge { .. } | DecompressFailure::Damaged)
            | Self::NoEntity => malformed(text),
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
        return if detached.is_none() && signed.content().is_none_or(<[u8]>::is_empty) {
            Verdict {
                text: "it holds certificates alone".to_owned(),
                ..Verdict::unsigned()
            }
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
    let judge = Judge {
        certificates: signed
            .certificates()
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect(),
        sender: message.sender(),
        from,
        trust,
        now,
    };
    let reports = signed.verify(detached, &[]);
    judge.verdict(
        reports
            .into_iter()
            .map(|report| judge.signature(report))
            .collect(),
    )
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

/// What signatures are judged by.
struct Judge<'t> {
    /// Those that came with the message.
    certificates: Vec<Certificate>,
    from: Address,
    sender: Option<Address>,
    trust: &'t Trust,
    now: SystemTime,
}

impl Judge<'_> {
    fn signature(&self, report: SignerReport) -> Signature {
        let certificate = report.certificate.as_deref().map(Certificate::from_der);
        match (report.outcome.clone(), certificate) {
            (Err(fault), certificate) => {
                Signature::faulty(report, certificate.and_then(Result::ok), &fault)
            }
            (Ok(()), Some(Ok(certificate))) => self.trusted(report, certificate),
            (Ok(()), Some(Err(error))) => {
                let fault = SignatureFault::Malformed(format!("the signer's certificate: {error}"));
                Signature::faulty(report, None, &fault)
            }
            (Ok(()), None) => Signature::faulty(report, None, &SignatureFault::NoSignerCertificate),
        }
    }

    /// A right signature, by whether its certificate is trusted.
    fn trusted(&self, report: SignerReport, certificate: Certificate) -> Signature {
        let validated = self.trust.validate(
            &certificate,
            &self.certificates,
            Purpose::Signing,
            &self.from,
            self.now,
        );
        match validated {
            Ok(trusted) => Signature::right(report, certificate, trusted.chain()),
            Err(distrust) => {
                let named_as = self.named_as(&certificate);
                Signature::distrusted(report, certificate, named_as, &distrust)
            }
        }
    }

    fn named_as(&self, certificate: &Certificate) -> Match {
        let names = |address: &Address| certificate.addresses().contains(address);
        if names(&self.from) {
            Match::From
        } else if self.sender.as_ref().is_some_and(names) {
            Match::Sender
        } else {
            Match::Nobody
        }
    }

    /// With several signers the heaviest counts: one broken signature spoils all, else one good one is enough.
    fn verdict(&self, signers: Vec<Signature>) -> Verdict {
        let mut heaviest: Option<&Signature> = None;
        for signer in &signers {
            if heaviest.is_none_or(|other| weight(signer) > weight(other)) {
                heaviest = Some(signer);
            }
        }
        let Some(heaviest) = heaviest else {
            return malformed("the signature has no signer");
        };
        Verdict {
            result: heaviest.result,
            reason: heaviest.reason,
            text: heaviest.text.clone(),
            signer: (heaviest.result == VerdictResult::Pass).then(|| self.from.clone()),
            certificate: heaviest.certificate.clone(),
            certificates: self.certificates.clone(),
            covered: Coverage::Content,
            signers,
            ..Verdict::unsigned()
        }
    }
}

const fn weight(signer: &Signature) -> u8 {
    match (signer.result, signer.reason) {
        (_, Some(Reason::Altered | Reason::Malformed)) => 3,
        (VerdictResult::Pass, _) => 2,
        (VerdictResult::Policy, _) => 1,
        _ => 0,
    }
}
