//! Questions to OCSP responders and their answers (RFC 6960, in the profile of RFC 9654 and RFC 5019).
//!
//! An answer counts only if it is signed by the CA itself, or by a responder whose certificate that very CA issued for
//! OCSP signing. How long it counts is for the caller to look at.

use std::time::SystemTime;

use certval::ocsp::{
    CertId, CertStatus, OcspRequest, OcspResponse, OcspResponseStatus, Request, ResponderId,
    ResponseData, SingleResponse, TbsRequest,
};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_OCSP_SIGNING;
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use const_oid::db::rfc6960::{ID_PKIX_OCSP_BASIC, ID_PKIX_OCSP_NONCE};
use der::asn1::{AnyRef, BitStringRef, Null, OctetString};
use der::{Any, Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use sha1::{Digest as _, Sha1};
use sha2::{Sha256, Sha384, Sha512};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoRef};
use x509_cert::certificate::Raw;
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;

use super::crl::Revoked;
use crate::certificate::Certificate;
use crate::trust::name::is_same_name;
use crate::trust::path::check_dates;
use crate::trust::signature::is_signed_with;

/// The kind of a question, for HTTP (RFC 6960, appendix A.1).
pub(crate) const REQUEST_TYPE: &str = "application/ocsp-request";
/// The longest answer that is read, in bytes.
const MAX_ANSWER_SIZE: usize = 256 * 1024;
/// More responder certificates than this are not tried.
const MAX_RESPONDERS: usize = 8;

/// What a responder says of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(in crate::trust) status: AnswerStatus,
    pub(in crate::trust) this_update: SystemTime,
    pub(in crate::trust) next_update: Option<SystemTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trust) enum AnswerStatus {
    Good,
    Revoked(Revoked),
    Unknown,
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnswerError {
    /// It is too long, or no DER.
    #[error("cannot be read")]
    Malformed,
    /// The responder declines: "tryLater", "unauthorized".
    #[error("is {0}")]
    Declined(&'static str),
    /// It is about other certificates.
    #[error("is about another certificate")]
    Other,
    /// It repeats another nonce than ours.
    #[error("belongs to another question")]
    Nonce,
    /// Nobody who may has signed it.
    #[error("is not signed by the CA or by a responder that the CA named")]
    Unauthorised,
}

impl From<der::Error> for AnswerError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}

/// The question about `certificate`, issued by `issuer`. SHA-1 only names the issuer here, and is the one digest that
/// every responder knows (RFC 5019, section 2.1.1).
pub(crate) fn request(
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: Option<&[u8]>,
) -> der::Result<Vec<u8>> {
    let hash_algorithm = AlgorithmIdentifierOwned {
        oid: ID_SHA_1,
        parameters: Some(Any::from(Null)),
    };
    let key = key_octets(issuer)?;
    let req_cert = CertId::<Raw> {
        hash_algorithm,
        issuer_name_hash: OctetString::new(Sha1::digest(issuer.subject_der()).to_vec())?,
        issuer_key_hash: OctetString::new(Sha1::digest(key).to_vec())?,
        serial_number: SerialNumber::from_der(&serial_der(certificate)?)?,
    };
    let nonce = nonce.map(|nonce| {
        let value = OctetString::new(nonce)?.to_der()?;
        Ok::<_, der::Error>(vec![Extension {
            extn_id: ID_PKIX_OCSP_NONCE,
            critical: false,
            extn_value: OctetString::new(value)?,
        }])
    });
    let request = OcspRequest {
        tbs_request: TbsRequest {
            request_list: vec![Request {
                req_cert,
                single_request_extensions: None,
            }],
            request_extensions: nonce.transpose()?,
            ..TbsRequest::default()
        },
        optional_signature: None,
    };
    request.to_der()
}

/// What the responder's `bytes` say of `certificate`, issued by `issuer`, at the time `at`. A `nonce` must not be
/// contradicted; many responders leave it out, since their answers are made in advance.
///
/// # Errors
/// [`AnswerError`].
pub(crate) fn read_answer(
    bytes: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: Option<&[u8]>,
    at: SystemTime,
) -> Result<Answer, AnswerError> {
    if bytes.len() > MAX_ANSWER_SIZE {
        return Err(AnswerError::Malformed);
    }
    let response = OcspResponse::from_der(bytes)?;
    check_status(response.response_status)?;
    let content = response.response_bytes.ok_or(AnswerError::Malformed)?;
    if content.response_type != ID_PKIX_OCSP_BASIC {
        return Err(AnswerError::Malformed);
    }
    let basic = Basic::read(content.response.as_bytes())?;
    let data = ResponseData::from_der(basic.to_be_signed)?;
    if let (Some(asked), Some(answered)) = (nonce, data.nonce())
        && answered.0.as_bytes() != asked
    {
        return Err(AnswerError::Nonce);
    }
    if !basic.is_authorised(&data.responder_id, issuer, at) {
        return Err(AnswerError::Unauthorised);
    }
    let about = data
        .responses
        .iter()
        .filter(|single| is_about(&single.cert_id, certificate, issuer))
        .max_by_key(|single| single.this_update.0.to_unix_duration());
    about.map(answer).ok_or(AnswerError::Other)
}

fn check_status(status: OcspResponseStatus) -> Result<(), AnswerError> {
    Err(AnswerError::Declined(match status {
        OcspResponseStatus::Successful => return Ok(()),
        OcspResponseStatus::MalformedRequest => "malformedRequest",
        OcspResponseStatus::InternalError => "internalError",
        OcspResponseStatus::TryLater => "tryLater",
        OcspResponseStatus::SigRequired => "sigRequired",
        OcspResponseStatus::Unauthorized => "unauthorized",
    }))
}

fn answer(single: &SingleResponse) -> Answer {
    let status = match &single.cert_status {
        CertStatus::Good(_) => AnswerStatus::Good,
        CertStatus::Revoked(info) => AnswerStatus::Revoked(Revoked {
            on: info.revocation_time.0.to_system_time(),
            reason: info.revocation_reason,
        }),
        CertStatus::Unknown(_) => AnswerStatus::Unknown,
    };
    Answer {
        status,
        this_update: single.this_update.0.to_system_time(),
        next_update: single.next_update.map(|time| time.0.to_system_time()),
    }
}

/// The parts of a `BasicOCSPResponse`, as received.
struct Basic<'a> {
    to_be_signed: &'a [u8],
    algorithm: AlgorithmIdentifierOwned,
    signature: &'a [u8],
    responders: Vec<Certificate>,
}

impl<'a> Basic<'a> {
    fn read(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let basic = reader.sequence(|basic| {
            let to_be_signed = basic.tlv_bytes()?;
            let algorithm = basic.decode()?;
            let signature: BitStringRef<'a> = basic.decode()?;
            let responders = match basic.is_finished() {
                true => Vec::new(),
                false => responders(basic.decode()?)?,
            };
            Ok::<_, der::Error>(Self {
                to_be_signed,
                algorithm,
                signature: signature.as_bytes().unwrap_or_default(),
                responders,
            })
        })?;
        reader.finish()?;
        Ok(basic)
    }

    /// RFC 6960, section 4.2.2.2.
    fn is_authorised(&self, named: &ResponderId, issuer: &Certificate, at: SystemTime) -> bool {
        let by = |signer: &Certificate| {
            is_named(named, signer)
                && is_signed_with(signer, &self.algorithm, self.to_be_signed, self.signature)
        };
        by(issuer)
            || self
                .responders
                .iter()
                .any(|responder| is_delegated(responder, issuer, at) && by(responder))
    }
}

/// The certificates that came along; one that cannot be read does not hide the others.
fn responders(explicit: AnyRef<'_>) -> der::Result<Vec<Certificate>> {
    let expected = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    };
    explicit.tag().assert_eq(expected)?;
    let mut reader = SliceReader::new(explicit.value())?;
    reader.sequence(|list| {
        let mut responders = Vec::new();
        while !list.is_finished() {
            let der = list.tlv_bytes()?;
            if responders.len() < MAX_RESPONDERS {
                responders.extend(Certificate::from_der(der).ok());
            }
        }
        Ok(responders)
    })
}

/// A responder that the CA itself named. It cannot be asked about itself; a CA that wants to be able to take its word
/// back gives it a short life (RFC 6960, section 4.2.2.2.1).
fn is_delegated(responder: &Certificate, issuer: &Certificate, at: SystemTime) -> bool {
    let is_for_ocsp = responder
        .extended_key_usage()
        .is_some_and(|purposes| purposes.contains(&ID_KP_OCSP_SIGNING));
    is_for_ocsp
        && is_same_name(responder.issuer_der(), issuer.subject_der())
        && check_dates(responder, at).is_ok()
        && is_signed_with(
            issuer,
            responder.signature_algorithm(),
            responder.to_be_signed(),
            responder.signature(),
        )
}

fn is_named(named: &ResponderId, signer: &Certificate) -> bool {
    match named {
        ResponderId::ByName(name) => name
            .to_der()
            .is_ok_and(|name| is_same_name(&name, signer.subject_der())),
        ResponderId::ByKey(hash) => {
            key_octets(signer).is_ok_and(|key| Sha1::digest(key)[..] == *hash.as_bytes())
        }
    }
}

fn is_about(id: &CertId, certificate: &Certificate, issuer: &Certificate) -> bool {
    let algorithm = id.hash_algorithm.oid;
    let is_hash = |of: &[u8], expected: &OctetString| {
        hash(algorithm, of).is_some_and(|hash| hash == expected.as_bytes())
    };
    let is_serial = match (id.serial_number.to_der(), serial_der(certificate)) {
        (Ok(asked), Ok(own)) => asked == own,
        _ => false,
    };
    is_serial
        && is_hash(issuer.subject_der(), &id.issuer_name_hash)
        && key_octets(issuer).is_ok_and(|key| is_hash(key, &id.issuer_key_hash))
}

fn serial_der(certificate: &Certificate) -> der::Result<Vec<u8>> {
    AnyRef::new(Tag::Integer, certificate.serial_octets())?.to_der()
}

fn hash(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        ID_SHA_1 => Sha1::digest(bytes).to_vec(),
        ID_SHA_256 => Sha256::digest(bytes).to_vec(),
        ID_SHA_384 => Sha384::digest(bytes).to_vec(),
        ID_SHA_512 => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

/// The key itself, without its algorithm.
fn key_octets(certificate: &Certificate) -> der::Result<&[u8]> {
    let key = SubjectPublicKeyInfoRef::from_der(certificate.spki_der())?;
    Ok(key.subject_public_key.raw_bytes())
}
