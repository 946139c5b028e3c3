//! What came of one signer of a message.

use certstore::certificate::Certificate;
use certstore::cms::{SignatureFault, SignerReport};
use certstore::trust::Distrust;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Reason, VerdictResult, facts, moment};

/// How a signer is named in the header of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// As the author.
    From,
    /// As the one who sent it for the author. It does not make a pass: it is not what people are shown.
    Sender,
    /// Not at all.
    Nobody,
}

/// What came of one signer.
#[derive(Debug, Clone, Serialize)]
pub struct Signature {
    /// The result for this signer alone.
    pub result: VerdictResult,
    /// Why it is no pass.
    pub reason: Option<Reason>,
    /// The same for people.
    pub text: String,
    /// How it is named in the header.
    pub named_as: Match,
    /// Its certificate, where it came with the message.
    #[serde(serialize_with = "facts")]
    pub certificate: Option<Certificate>,
    /// The subjects of the certificates above its own, up to the anchor; empty where none is trusted.
    pub chain: Vec<String>,
    /// What the CMS says.
    #[serde(serialize_with = "signed")]
    pub report: SignerReport,
}

impl Signature {
    /// Right, by a trusted certificate, in this `chain`.
    pub(in crate::smime) fn right(
        report: SignerReport,
        certificate: Certificate,
        chain: &[Certificate],
    ) -> Self {
        let chain = chain
            .iter()
            .map(|above| above.subject().to_owned())
            .collect();
        let (result, reason, text) = match &report.weak {
            Some(weak) => (
                VerdictResult::Policy,
                Some(Reason::Weak),
                format!("the signature uses {weak}"),
            ),
            None => (VerdictResult::Pass, None, String::new()),
        };
        Self {
            result,
            reason,
            text,
            named_as: Match::From,
            certificate: Some(certificate),
            chain,
            report,
        }
    }

    /// The signature is right and its certificate is not.
    pub(in crate::smime) fn distrusted(
        report: SignerReport,
        certificate: Certificate,
        named_as: Match,
        distrust: &Distrust,
    ) -> Self {
        let (result, reason) = VerdictResult::of_distrust(distrust);
        let sentence = distrust.to_string();
        let text = sentence
            .split_once(": ")
            .map_or(sentence.as_str(), |(_, text)| text);
        let text = match (reason, named_as) {
            (Reason::AddressMismatch, Match::Sender) => {
                format!("{text}: it is the certificate of the Sender")
            }
            _ => text.to_owned(),
        };
        Self {
            certificate: Some(certificate),
            named_as,
            ..Self::refused(report, result, reason, text)
        }
    }

    /// The signature itself does not count.
    pub(in crate::smime) fn faulty(
        report: SignerReport,
        certificate: Option<Certificate>,
        fault: &SignatureFault,
    ) -> Self {
        let (result, reason) = VerdictResult::of_fault(fault);
        Self {
            certificate,
            ..Self::refused(report, result, reason, fault.to_string())
        }
    }

    const fn refused(
        report: SignerReport,
        result: VerdictResult,
        reason: Reason,
        text: String,
    ) -> Self {
        Self {
            result,
            reason: Some(reason),
            text,
            named_as: Match::Nobody,
            certificate: None,
            chain: Vec::new(),
            report,
        }
    }
}

/// How and when it was signed, in JSON.
fn signed<S: Serializer>(report: &SignerReport, serializer: S) -> Result<S::Ok, S::Error> {
    let mut facts = serializer.serialize_struct("SignerReport", 3)?;
    facts.serialize_field("algorithm", &report.algorithm)?;
    facts.serialize_field("signing_time", &report.signing_time.map(moment))?;
    facts.serialize_field("weak", &report.weak)?;
    facts.end()
}
