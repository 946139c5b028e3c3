//! The built-in CA: a self-signed root that issues S/MIME certificates directly (RFC 5280, RFC 8550).
//!
//! It makes keys and certificates and forgets them: who calls keeps the keys in the vault. Revocation is not part of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use der::asn1::{Ia5String, ObjectIdentifier, Utf8StringRef};
use der::flagset::FlagSet;
use der::{Any, Encode};
use policy::address::Address;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
};
use x509_cert::serial_number::SerialNumber;
use zeroize::Zeroizing;

use super::certificate::{CertificateIssuer, NewCertificate};
use super::{IssueError, name};
use crate::certificate::Certificate;
use crate::cms::{Curve, Digest, KeyKind, SignatureScheme, Signer};
use crate::vault::{GeneratedKey, KeyAlgorithm};

/// Certificates count from a little earlier on, for clocks that go slow.
const BACKDATED: Duration = Duration::from_secs(5 * 60);
const MIN_VALIDITY: Duration = Duration::from_secs(3600);
const MAX_VALIDITY: Duration = Duration::from_secs(50 * 366 * 24 * 3600);
/// id-on-SmtpUTF8Mailbox (RFC 9598, section 3).
const SMTP_UTF8_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9");

const CANNOT_SIGN: &str = "an ML-KEM key cannot sign";
const CANNOT_ENCRYPT: &str = "nothing can be encrypted to an ML-DSA key";

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Signing mail.
    Signing,
    /// Having mail encrypted to it.
    Encryption,
    /// All that the key can do: RSA and elliptic curve keys do both.
    Both,
}

/// What certificate to issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRequest {
    /// Whose address it names.
    pub address: Address,
    /// The common name of its subject; the address if there is none.
    pub common_name: Option<String>,
    /// The key to make for it.
    pub key: KeyAlgorithm,
    /// What the key may be used for.
    pub usage: Usage,
    /// How long it is valid; never longer than the CA.
    pub validity: Duration,
}

/// A new certificate and its private key, in PKCS#8 DER (RFC 5958).
pub type Issued = (Certificate, Zeroizing<Vec<u8>>);

/// A CA at work.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    signer: Arc<dyn Signer>,
    scheme: SignatureScheme,
}

impl Authority {
    /// Makes the certificate and key of a new CA. `subject` is a distinguished name (RFC 4514).
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn create(
        subject: &str,
        key: KeyAlgorithm,
        validity: Duration,
        now: SystemTime,
    ) -> Result<Issued, IssueError> {
        let subject = name::parse(subject)?;
        let scheme = scheme(key.kind()).ok_or(IssueError::Usage(CANNOT_SIGN))?;
        let (not_before, not_after) = period(validity, now)?;
        let key = generate(key)?;
        let certificate = NewCertificate {
            serial: random_serial()?,
            subject: subject.clone(),
            not_before,
            not_after,
            public_key_info: &key.public_key_info()?,
            basic_constraints: BasicConstraints {
                ca: true,
                path_len_constraint: Some(0),
            },
            key_usage: KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign),
            extended_key_usage: None,
            alternative_name: None,
        };
        let issuer = CertificateIssuer {
            name: &subject.to_der()?,
            key_identifier: None,
            scheme,
        };
        let der = certificate.signed(&issuer, |message| key.sign(scheme, message))?;
        Ok((Certificate::from_der(&der)?, key.pkcs8))
    }

    /// A CA that issues with the key of `signer`, which stays where it is.
    ///
    /// # Errors
    /// [`IssueError`] if its certificate is not that of a CA.
    pub fn new(signer: Arc<dyn Signer>) -> Result<Self, IssueError> {
        let certificate = Certificate::from_der(signer.certificate())?;
        let may_sign = certificate
            .key_usage()
            .is_none_or(|usage| usage.key_cert_sign());
        if !certificate.is_ca() || !may_sign {
            return Err(IssueError::NotAuthority(certificate.subject().to_owned()));
        }
        let scheme = certificate
            .key_kind()
            .and_then(scheme)
            .ok_or(IssueError::UnsupportedAuthority)?;
        Ok(Self {
            certificate,
            signer,
            scheme,
        })
    }

    /// The certificate of the CA.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Makes a key and issues a certificate for it.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn issue(&self, request: &IssueRequest, now: SystemTime) -> Result<Issued, IssueError> {
        let left = self
            .certificate
            .not_after()
            .duration_since(now)
            .map_err(|_| IssueError::AuthorityNotValid)?;
        let (not_before, not_after) = period(request.validity.min(left), now)?;
        let key_usage = key_usage(request)?;
        let address = request.address.canonical();
        let subject = name::common_name(request.common_name.as_deref().unwrap_or(address))?;
        let key = generate(request.key)?;
        let certificate = NewCertificate {
            serial: random_serial()?,
            subject,
            not_before,
            not_after,
            public_key_info: &key.public_key_info()?,
            basic_constraints: BasicConstraints {
                ca: false,
                path_len_constraint: None,
            },
            key_usage,
            extended_key_usage: Some(ExtendedKeyUsage(vec![ID_KP_EMAIL_PROTECTION])),
            alternative_name: Some(SubjectAltName(vec![alternative_name(address)?])),
        };
        let issuer = CertificateIssuer {
            name: self.certificate.subject_der(),
            key_identifier: self.certificate.subject_key_identifier(),
            scheme: self.scheme,
        };
        let sign = |message: &[u8]| self.signer.sign(self.scheme, message);
        let der = certificate.signed(&issuer, sign)?;
        Ok((Certificate::from_der(&der)?, key.pkcs8))
    }
}

fn generate(key: KeyAlgorithm) -> Result<GeneratedKey, IssueError> {
    GeneratedKey::generate(key).map_err(|_| IssueError::Key("aws-lc made none"))
}

/// How certificates are signed with a key; None for one that cannot sign.
fn scheme(kind: KeyKind) -> Option<SignatureScheme> {
    match kind {
        KeyKind::Rsa { .. } => Some(SignatureScheme::RsaPkcs1(Digest::Sha256)),
        KeyKind::Ec(Curve::P256) => Some(SignatureScheme::Ecdsa(Curve::P256, Digest::Sha256)),
        KeyKind::Ec(Curve::P384) => Some(SignatureScheme::Ecdsa(Curve::P384, Digest::Sha384)),
        KeyKind::Ec(Curve::P521) => Some(SignatureScheme::Ecdsa(Curve::P521, Digest::Sha512)),
        KeyKind::Ed25519 => Some(SignatureScheme::Ed25519),
        KeyKind::MlDsa(dsa) => Some(SignatureScheme::MlDsa(dsa)),
        KeyKind::X25519 | KeyKind::MlKem(_) => None,
    }
}

/// The first and the last moment of a validity that begins now.
fn period(validity: Duration, now: SystemTime) -> Result<(SystemTime, SystemTime), IssueError> {
    if !(MIN_VALIDITY..=MAX_VALIDITY).contains(&validity) {
        return Err(IssueError::Validity);
    }
    let start = now.checked_sub(BACKDATED).ok_or(IssueError::Validity)?;
    let end = now.checked_add(validity).ok_or(IssueError::Validity)?;
    Ok((start, end))
}

/// What RFC 8550, section 4.4.2, RFC 9881, section 5, and RFC 9935, section 5, ask for.
fn key_usage(request: &IssueRequest) -> Result<KeyUsage, IssueError> {
    let kind = request.key.kind();
    let signing = scheme(kind).map(|_| KeyUsages::DigitalSignature);
    let encryption = match kind {
        KeyKind::Rsa { .. } | KeyKind::MlKem(_) => Some(KeyUsages::KeyEncipherment),
        KeyKind::Ec(_) | KeyKind::X25519 => Some(KeyUsages::KeyAgreement),
        KeyKind::Ed25519 | KeyKind::MlDsa(_) => None,
    };
    let usages = match request.usage {
        Usage::Signing => signing.ok_or(IssueError::Usage(CANNOT_SIGN))?.into(),
        Usage::Encryption => encryption.ok_or(IssueError::Usage(CANNOT_ENCRYPT))?.into(),
        Usage::Both => signing
            .into_iter()
            .chain(encryption)
            .fold(FlagSet::default(), |usages, usage| usages | usage),
    };
    Ok(KeyUsage(usages))
}

/// An rfc822Name, or a SmtpUTF8Mailbox for a local part beyond ASCII (RFC 9598, section 3).
fn alternative_name(address: &str) -> der::Result<GeneralName> {
    if address.is_ascii() {
        return Ia5String::new(address).map(GeneralName::Rfc822Name);
    }
    Ok(GeneralName::OtherName(OtherName {
        type_id: SMTP_UTF8_MAILBOX,
        value: Any::from(Utf8StringRef::new(address)?),
    }))
}

/// 16 random octets, made positive and of full length.
fn random_serial() -> Result<SerialNumber, IssueError> {
    let mut octets = [0; 16];
    rand::fill(&mut octets).map_err(|_| IssueError::Key("no random bytes to be had"))?;
    if let Some(first) = octets.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(SerialNumber::new(&octets)?)
}

#[cfg(test)]
mod tests;
