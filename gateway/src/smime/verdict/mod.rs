//! What was found out about a message: who signed it, what that covers, how it was encrypted, and why it is no pass.
//!
//! A [`Verdict`] has everything that an operator may ask, and can be written as JSON. How it stands in a message is
//! [`fields`].

mod fields;
mod signature;
mod words;

use std::fmt;
use std::time::SystemTime;

use certstore::certificate::Certificate;
use jiff::Timestamp;
use policy::address::Address;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::closed::Closed;
use super::decrypt::EncryptedLayer;
use super::headers::HeaderReport;

pub use fields::{authentication_results, verdict_field};
pub use signature::{Match, Signature};
pub use words::{Reason, VerdictResult};

/// What is said about a message.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The result.
    pub result: VerdictResult,
    /// Why it is no pass.
    pub reason: Option<Reason>,
    /// The same for people; for a pass, what is worth knowing beside it. Often empty.
    pub text: String,
    /// Whose signature it is: the From address, and for a pass alone.
    pub signer: Option<Address>,
    /// The certificate that signed; not trusted unless it is a pass.
    #[serde(serialize_with = "facts")]
    pub certificate: Option<Certificate>,
    /// All certificates that came with the signature, the signer's among them; not trusted.
    #[serde(skip)]
    pub certificates: Vec<Certificate>,
    /// The part with the signature, as IMAP counts (RFC 3501, section 6.4.5).
    pub part: Option<&'static str>,
    /// What the signature covers, whether it is right or not.
    pub covered: Coverage,
    /// Every signer, in the order of the message; the one that the verdict is about is among them.
    pub signers: Vec<Signature>,
    /// The layers around the content, outermost first.
    pub layers: Vec<Layer>,
    /// The header fields that were protected with the content, if any were.
    pub headers: Option<HeaderReport>,
    /// Why the message stays encrypted, where it was to be opened.
    pub closed: Option<Closed>,
}

/// What a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Nothing: there is no signature.
    Nothing,
    /// Only a part of what a reader sees.
    Part,
    /// The content, but no header field.
    Content,
    /// The content, and the header fields that the sender wrote.
    HeadersAndContent,
}

/// One layer around the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Layer {
    /// Encrypted, and opened here.
    Encrypted(EncryptedLayer),
    /// Compressed, which protects nothing.
    Compressed,
    /// Signed.
    Signed {
        /// What this signature alone is worth.
        result: VerdictResult,
        /// Why it is no pass.
        reason: Option<Reason>,
        /// The same for people.
        text: String,
    },
}

impl Verdict {
    /// The message is not signed.
    #[must_use]
    pub const fn unsigned() -> Self {
        Self {
            result: VerdictResult::None,
            reason: None,
            text: String::new(),
            signer: None,
            certificate: None,
            certificates: Vec::new(),
            part: None,
            covered: Coverage::Nothing,
            signers: Vec::new(),
            layers: Vec::new(),
            headers: None,
            closed: None,
        }
    }

    /// No pass, for this reason; `text` says it to people.
    #[must_use]
    pub fn refused(result: VerdictResult, reason: Reason, text: impl Into<String>) -> Self {
        let mut verdict = Self::unsigned();
        verdict.refuse(result, reason, text);
        verdict
    }

    /// The same, of a message that was to be opened and stays encrypted.
    #[must_use]
    pub fn of_closed(mut self, closed: Closed) -> Self {
        if let Some(reason) = closed.reason().filter(|_| self.reason.is_none()) {
            self.reason = Some(reason);
            self.text = closed.to_string();
        }
        self.closed = Some(closed);
        self
    }

    /// Makes it no pass.
    pub(super) fn refuse(
        &mut self,
        result: VerdictResult,
        reason: Reason,
        text: impl Into<String>,
    ) {
        self.result = result;
        self.reason = Some(reason);
        self.text = text.into();
        self.signer = None;
    }

    /// The signature as a layer among others.
    pub(super) fn layer(&self) -> Layer {
        Layer::Signed {
            result: self.result,
            reason: self.reason,
            text: self.text.clone(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.result)?;
        match self.reason {
            Some(reason) => write!(f, " ({reason}: {})", self.text),
            None if self.text.is_empty() => Ok(()),
            None => write!(f, " ({})", self.text),
        }
    }
}

/// What names a certificate, in JSON.
fn facts<S: Serializer>(
    certificate: &Option<Certificate>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(certificate) = certificate else {
        return serializer.serialize_none();
    };
    let mut facts = serializer.serialize_struct("Certificate", 5)?;
    facts.serialize_field("sha256", &certificate.sha256().to_string())?;
    facts.serialize_field("subject", certificate.subject())?;
    facts.serialize_field("issuer", certificate.issuer())?;
    facts.serialize_field("serial", &certificate.serial())?;
    facts.serialize_field("addresses", certificate.addresses())?;
    facts.end()
}

/// A moment as RFC 3339 writes it, in UTC and whole seconds.
fn moment(time: SystemTime) -> String {
    let moment = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
