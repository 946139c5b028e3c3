//! The built-in CA: a self-signed root that issues S/MIME certificates directly (RFC 5280, RFC 8550).
//!
//! It makes keys and certificates and forgets them: who calls keeps the keys in the vault. Revocation is not part of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use policy::address::Address;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, OtherNameValue, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::key::{AuthorityKey, NewKey};
use super::{IssueError, KeyAlgorithm, name};
use crate::certificate::Certificate;
use crate::cms::Signer;

/// Certificates count from a little earlier on, for clocks that go slow.
const BACKDATED: Duration = Duration::from_secs(5 * 60);
const MIN_VALIDITY: Duration = Duration::from_secs(3600);
const MAX_VALIDITY: Duration = Duration::from_secs(50 * 366 * 24 * 3600);
/// id-on-SmtpUTF8Mailbox (RFC 9598, section 3).
const SMTP_UTF8_MAILBOX: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 9];

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Signing mail.
    Signing,
    /// Having mail encrypted to it.
    Encryption,
    /// Both, with one key.
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
        let mut params = base_params(name::parse(subject)?, validity, now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = NewKey::generate(key)?;
        let issued = params.self_signed(&key).map_err(encoding)?;
        Ok((Certificate::from_der(issued.der())?, key.pkcs8))
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
        Ok(Self {
            certificate,
            signer,
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
        let params = leaf_params(request, request.validity.min(left), now)?;
        let authority_key = AuthorityKey::new(Arc::clone(&self.signer), &self.certificate)?;
        let ca = CertificateDer::from(self.certificate.der());
        let issuer = Issuer::from_ca_cert_der(&ca, authority_key).map_err(encoding)?;
        let key = NewKey::generate(request.key)?;
        let issued =
            params
                .signed_by(&key, &issuer)
                .map_err(|error| match issuer.key().failure() {
                    Some(failure) => IssueError::Signing(failure),
                    None => encoding(error),
                })?;
        let certificate = Certificate::from_der(issued.der())?;
        if certificate.issuer_der() != self.certificate.subject_der() {
            return Err(IssueError::UnsupportedAuthority(
                "its name has a form that cannot be written again byte for byte",
            ));
        }
        Ok((certificate, key.pkcs8))
    }
}

fn leaf_params(
    request: &IssueRequest,
    validity: Duration,
    now: SystemTime,
) -> Result<CertificateParams, IssueError> {
    let address = request.address.canonical();
    let subject = name::common_name(request.common_name.as_deref().unwrap_or(address))?;
    let mut params = base_params(subject, validity, now)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = key_usages(request);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![alternative_name(address)?];
    Ok(params)
}

fn base_params(
    subject: DistinguishedName,
    validity: Duration,
    now: SystemTime,
) -> Result<CertificateParams, IssueError> {
    if !(MIN_VALIDITY..=MAX_VALIDITY).contains(&validity) {
        return Err(IssueError::Validity);
    }
    let start = now.checked_sub(BACKDATED).ok_or(IssueError::Validity)?;
    let end = now.checked_add(validity).ok_or(IssueError::Validity)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = start.into();
    params.not_after = end.into();
    params.serial_number = Some(random_serial()?);
    params.key_identifier_method = KeyIdMethod::Sha256;
    Ok(params)
}

fn key_usages(request: &IssueRequest) -> Vec<KeyUsagePurpose> {
    let encryption = match request.key.is_rsa() {
        true => KeyUsagePurpose::KeyEncipherment,
        false => KeyUsagePurpose::KeyAgreement,
    };
    match request.usage {
        Usage::Signing => vec![KeyUsagePurpose::DigitalSignature],
        Usage::Encryption => vec![encryption],
        Usage::Both => vec![KeyUsagePurpose::DigitalSignature, encryption],
    }
}

/// An rfc822Name, or a SmtpUTF8Mailbox for a local part beyond ASCII (RFC 9598, section 3).
fn alternative_name(address: &str) -> Result<SanType, IssueError> {
    if address.is_ascii() {
        return Ia5String::try_from(address)
            .map(SanType::Rfc822Name)
            .map_err(|error| IssueError::Encoding(error.to_string()));
    }
    let value = OtherNameValue::Utf8String(address.to_owned());
    Ok(SanType::OtherName((SMTP_UTF8_MAILBOX.to_vec(), value)))
}

/// 16 random octets, made positive and of full length.
fn random_serial() -> Result<SerialNumber, IssueError> {
    let mut octets = [0; 16];
    rand::fill(&mut octets).map_err(|_| IssueError::Key("no random bytes to be had"))?;
    if let Some(first) = octets.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(SerialNumber::from_slice(&octets))
}

fn encoding(error: rcgen::Error) -> IssueError {
    IssueError::Encoding(error.to_string())
}

#[cfg(test)]
mod tests;
