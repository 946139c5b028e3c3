//! Whether the signatures of a SignedData are right (RFC 5652, sections 5.4 to 5.6).
//!
//! Each signer gets a report of its own. It says whether a certificate's key made the signature over this content; it
//! does not say whose certificate that is, nor whether to trust it.

use std::time::SystemTime;

use aws_lc_rs::digest;
use const_oid::db::{rfc5911, rfc5912};
use der::asn1::ObjectIdentifier;

use super::algorithm::AlgorithmError;
use super::attributes::Attributes;
use super::ber::Element;
use super::certificate_outline::{CertificateOutline, PublicKey};
use super::digest::ContentDigests;
use super::signature::SignatureAlgorithm;
use super::signed::{SignedData, SignerInfo};
use super::{Capabilities, Digest, MlDsa, RecipientId, Unsupported};

/// Certificates with one and the same name that are tried for a signature.
const MAX_CANDIDATES: usize = 4;
/// RSA keys below this length, in bits, are reported as weak.
const STRONG_RSA_BITS: u32 = 2048;

/// What came of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerReport {
    /// Whom the message names as signer.
    pub signer: RecipientId,
    /// DER of the certificate whose key made the signature; if none did, of one that bears the signer's name.
    pub certificate: Option<Vec<u8>>,
    /// The digest of the content; none if it is unknown, or the key signed the content itself.
    pub digest: Option<Digest>,
    /// The signature algorithm, for people: "RSASSA-PSS with SHA-256".
    pub algorithm: String,
    /// When the signer says it signed. As the next two, this means something only if the outcome is good.
    pub signing_time: Option<SystemTime>,
    /// What the signer says it can read.
    pub capabilities: Capabilities,
    /// The certificate that the signer wants others to encrypt to.
    pub encryption_certificate: Option<RecipientId>,
    /// Whether the signature is right.
    pub outcome: Result<(), SignatureFault>,
    /// Why even a right signature proves little: "SHA-1", "an RSA key of 1024 bits".
    pub weak: Option<String>,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The signer's certificate is neither in the message nor known.
    #[error("the signer's certificate is not known")]
    NoSignerCertificate,
    /// The content is not the one that was signed.
    #[error("the content was changed after it was signed")]
    Altered,
    /// The signature does not fit the signer's key.
    #[error("the signature was not made with the signer's key")]
    BadSignature,
    /// The signed attributes break the rules.
    #[error("the signed attributes are not right: {0}")]
    Attributes(String),
    /// There is content inside the signature and beside it.
    #[error("there is content inside the signature and beside it")]
    ContentConflict,
    /// There is no content at all.
    #[error("the content that was signed is missing")]
    NoContent,
    /// An algorithm or key that is not supported.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// The signature cannot be read.
    #[error("the signature cannot be read: {0}")]
    Malformed(String),
}

impl From<AlgorithmError> for SignatureFault {
    fn from(error: AlgorithmError) -> Self {
        match error {
            AlgorithmError::Malformed(_) => Self::Malformed(error.to_string()),
            AlgorithmError::Unsupported(unsupported) => Self::Unsupported(unsupported),
        }
    }
}

impl SignedData<'_> {
    /// Looks at each signature. `detached` is the content, if it came beside the signature; `known_certificates` (DER)
    /// are looked at where the signer's own is not in the message. No signers give no reports.
    #[must_use]
    pub fn verify(
        &self,
        detached: Option<&[u8]>,
        known_certificates: &[Vec<u8>],
    ) -> Vec<SignerReport> {
        let mut content = match (self.content(), detached) {
            (Some(_), Some(_)) => Err(SignatureFault::ContentConflict),
            (None, None) => Err(SignatureFault::NoContent),
            (Some(content), None) | (None, Some(content)) => Ok(ContentDigests::new(content)),
        };
        let certificates: Vec<_> = self
            .certificates()
            .iter()
            .chain(known_certificates)
            .filter_map(|certificate| CertificateOutline::read(certificate).ok())
            .collect();
        self.signers
            .iter()
            .map(|signer| {
                let mut report = SignerReport::of(signer);
                report.outcome = match &mut content {
                    Ok(content) => {
                        signer.examine(self.content_type, content, &certificates, &mut report)
                    }
                    Err(fault) => Err(fault.clone()),
                };
                report
            })
            .collect()
    }
}

impl SignerReport {
    fn of(signer: &SignerInfo<'_>) -> Self {
        Self {
            signer: signer.id.clone(),
            certificate: None,
            digest: Digest::from_oid(signer.digest_algorithm.oid),
            algorithm: Unsupported::of(signer.signature_algorithm.oid).to_string(),
            signing_time: None,
            capabilities: Capabilities::default(),
            encryption_certificate: None,
            outcome: Err(SignatureFault::BadSignature),
            weak: (signer.digest_algorithm.oid == rfc5912::ID_MD_5).then(|| "MD5".to_owned()),
        }
    }

    fn note_weakness(&mut self, algorithm: SignatureAlgorithm, key: &PublicKey<'_>) {
        let weak_key = match key {
            PublicKey::Rsa { bits, .. } if *bits < STRONG_RSA_BITS => Some(*bits),
            PublicKey::Rsa { .. }
            | PublicKey::Ec { .. }
            | PublicKey::X25519(_)
            | PublicKey::Ed25519(_)
            | PublicKey::MlKem { .. }
            | PublicKey::MlDsa { .. }
            | PublicKey::Unsupported(_) => None,
        };
        let sha1 = [self.digest, Some(algorithm.digest())].contains(&Some(Digest::Sha1));
        self.weak = match (sha1, weak_key) {
            (true, Some(bits)) => Some(format!("SHA-1 and an RSA key of {bits} bits")),
            (true, None) => Some(Digest::Sha1.name().to_owned()),
            (false, Some(bits)) => Some(format!("an RSA key of {bits} bits")),
            (false, None) => None,
        };
    }
}

impl SignerInfo<'_> {
    fn examine(
        &self,
        content_type: ObjectIdentifier,
        content: &mut ContentDigests<'_>,
        certificates: &[CertificateOutline<'_>],
        report: &mut SignerReport,
    ) -> Result<(), SignatureFault> {
        report.digest = self.content_digest()?;
        let digest = report.digest.unwrap_or(Digest::Sha512);
        let algorithm = SignatureAlgorithm::read(&self.signature_algorithm, digest)?;
        report.algorithm = algorithm.to_string();

        let Some(attributes) = self.attributes()? else {
            plain_data_only(content_type, content.content())?;
            let signed = Signed {
                algorithm,
                message: content.content(),
                digest: content.digest(algorithm.digest()),
                bound_to: None,
            };
            return self.find_signer(certificates, &signed, report);
        };
        report.signing_time = attributes.signing_time()?;
        report.capabilities = attributes.capabilities();
        report.encryption_certificate = attributes.encryption_certificate();
        let (signed_type, signed_digest) = attributes.content_type_and_digest()?;
        attributes.each_once()?;
        if signed_type != content_type {
            return Err(SignatureFault::Attributes(
                "the attribute content-type names another type than the message".to_owned(),
            ));
        }
        if content.digest(digest).as_ref() != signed_digest {
            return Err(SignatureFault::Altered);
        }
        let message = attributes.as_set();
        let signed = Signed {
            algorithm,
            message: &message,
            digest: algorithm.digest().of(&message),
            bound_to: attributes.signing_certificate()?,
        };
        self.find_signer(certificates, &signed, report)
    }

    /// Where ML-DSA signs the content itself, the digest that is named means nothing (RFC 9882, section 3.3).
    fn content_digest(&self) -> Result<Option<Digest>, AlgorithmError> {
        let signs_content = self.signed_attributes.is_none();
        if signs_content && MlDsa::from_oid(self.signature_algorithm.oid).is_some() {
            return Ok(None);
        }
        self.digest_algorithm.digest().map(Some)
    }

    fn attributes(&self) -> Result<Option<Attributes<'_>>, SignatureFault> {
        self.signed_attributes
            .as_ref()
            .map(Attributes::read)
            .transpose()
            .map_err(|reason| SignatureFault::Attributes(reason.to_string()))
    }

    /// Tries the certificates that bear the signer's name: a sender may add another with the same name, and that must
    /// not keep the right one from being found.
    fn find_signer(
        &self,
        certificates: &[CertificateOutline<'_>],
        signed: &Signed<'_>,
        report: &mut SignerReport,
    ) -> Result<(), SignatureFault> {
        let mut outcome = Err(SignatureFault::NoSignerCertificate);
        let candidates = certificates
            .iter()
            .filter(|certificate| certificate.is_named_by(&self.id));
        for candidate in candidates.take(MAX_CANDIDATES) {
            let attempt = signed.verify(candidate, &self.signature);
            if attempt.is_ok() || report.certificate.is_none() {
                report.certificate = Some(candidate.encoded.to_vec());
                report.note_weakness(signed.algorithm, &candidate.public_key);
                outcome = attempt;
            }
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// What the signature is over.
struct Signed<'a> {
    algorithm: SignatureAlgorithm,
    message: &'a [u8],
    digest: digest::Digest,
    /// The digest of the certificate that the signer bound the signature to.
    bound_to: Option<(Digest, &'a [u8])>,
}

impl Signed<'_> {
    fn verify(
        &self,
        certificate: &CertificateOutline<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        if let Some((digest, value)) = self.bound_to
            && digest.of(certificate.encoded).as_ref() != value
        {
            return Err(SignatureFault::Attributes(
                "the attribute signing-certificate names another certificate".to_owned(),
            ));
        }
        let key = &certificate.public_key;
        self.algorithm
            .verify(key, self.message, &self.digest, signature)
    }
}

/// Without signed attributes only plain data may be signed (RFC 5652, section 5.3). And it must not look like signed
/// attributes: else the signature of one message could be presented as that of another, whose content is the first
/// one's attributes.
fn plain_data_only(content_type: ObjectIdentifier, content: &[u8]) -> Result<(), SignatureFault> {
    if content_type != rfc5911::ID_DATA {
        return Err(SignatureFault::Attributes(
            "there are none, but the content is not plain data".to_owned(),
        ));
    }
    let disguised = Element::only(content)
        .and_then(|element| Attributes::read(&element))
        .is_ok_and(|attributes| attributes.look_signed());
    if disguised {
        return Err(SignatureFault::Attributes(
            "there are none, but the content is those of another signature".to_owned(),
        ));
    }
    Ok(())
}
