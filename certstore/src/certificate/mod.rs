//! X.509 certificates (RFC 5280) as people exchange them for mail: parsed, described, not trusted yet.
//!
//! A [`Certificate`] is a well-formed one whose facts can be asked for; whether anybody should believe it is for the
//! `trust` module to say. Files that hold certificates are read by [`read_certificates`].

mod access;
mod addresses;
mod collection;
mod error;
mod extensions;
mod fields;
mod file;
mod fingerprint;
mod key;
mod lint;
mod purpose;
mod recipient;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use const_oid::ObjectIdentifier;
use der::Decode;
use policy::address::Address;
use spki::AlgorithmIdentifierOwned;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;

use crate::cms::{KeyKind, RecipientId};
use addresses::Addresses;
use extensions::{KnownExtensions, alternative_names};
use fields::Fields;

pub use access::web_addresses;
pub use collection::{Row, RowError, read_rows};
pub use error::CertificateError;
pub use file::{MAX_CERTIFICATES, read_certificates};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use lint::{Finding, lint};
pub use purpose::Purpose;
pub use recipient::describe_recipient;

/// The longest certificate that is read, in bytes.
pub const MAX_CERTIFICATE_SIZE: usize = 64 * 1024;

/// A well-formed certificate. Cloning it is cheap. Two are equal if their DER is.
#[derive(Clone)]
pub struct Certificate(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    sha256: Fingerprint,
    fields: Fields,
    subject: String,
    issuer: String,
    not_before: SystemTime,
    not_after: SystemTime,
    addresses: Addresses,
    key_kind: Option<KeyKind>,
    public_key_algorithm: ObjectIdentifier,
    signature_algorithm: AlgorithmIdentifierOwned,
    extensions: KnownExtensions,
}

impl Certificate {
    /// Reads one certificate. Serial numbers that are negative, zero or too long are let pass: they exist.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_SIZE {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let parsed = CertificateInner::<Raw>::from_der(der)?;
        let tbs = parsed.tbs_certificate();
        let none = Vec::new();
        let extensions = tbs.extensions().unwrap_or(&none);
        let known = KnownExtensions::read(extensions)?;
        let addresses = Addresses::read(tbs.subject(), alternative_names(extensions))
            .map_err(|_| CertificateError::BadExtension("subjectAltName"))?;
        let public_key = tbs.subject_public_key_info();
        Ok(Self(Arc::new(Facts {
            sha256: Fingerprint::of(der),
            fields: Fields::locate(der)?,
            subject: tbs.subject().to_string(),
            issuer: tbs.issuer().to_string(),
            not_before: tbs.validity().not_before.to_system_time(),
            not_after: tbs.validity().not_after.to_system_time(),
            addresses,
            key_kind: key::key_kind(public_key),
            public_key_algorithm: public_key.algorithm.oid,
            signature_algorithm: parsed.signature_algorithm().clone(),
            extensions: known,
            der: der.to_vec(),
        })))
    }

    /// The certificate as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The fingerprint that names it.
    #[must_use]
    pub fn sha256(&self) -> Fingerprint {
        self.0.sha256
    }

    /// The subject's name as text (RFC 4514); empty if it has none.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The issuer's name as text (RFC 4514).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// DER of the subject's `Name`, as received.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        self.slice(&self.0.fields.subject)
    }

    /// DER of the issuer's `Name`, as received.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        self.slice(&self.0.fields.issuer)
    }

    /// DER of the `SubjectPublicKeyInfo`, as received.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        self.slice(&self.0.fields.public_key)
    }

    /// DER of the `TBSCertificate`: what its issuer signed.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        self.slice(&self.0.fields.to_be_signed)
    }

    /// The octets of its issuer's signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.slice(&self.0.fields.signature)
    }

    /// The content octets of the serial number, big-endian.
    #[must_use]
    pub fn serial_octets(&self) -> &[u8] {
        self.slice(&self.0.fields.serial)
    }

    /// The serial number in hexadecimal digits, two for each octet, without the octet that only carries the sign.
    #[must_use]
    pub fn serial(&self) -> String {
        let octets = match self.serial_octets() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            octets => octets,
        };
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        let extension = self.0.extensions.subject_key_identifier.as_ref()?;
        Some(extension.0.as_bytes())
    }

    /// The key identifier of the issuer's key.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        let extension = self.0.extensions.authority_key_identifier.as_ref()?;
        Some(extension.key_identifier.as_ref()?.as_bytes())
    }

    /// The first moment at which it is valid.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// The last moment at which it is valid.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.0.not_after
    }

    /// The mail addresses that it names exactly, each once.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.0.addresses.exact
    }

    /// Those of them that are in its subject alternative name.
    #[must_use]
    pub fn alternative_addresses(&self) -> &[Address] {
        let addresses = &self.0.addresses;
        addresses
            .exact
            .get(..addresses.alternative)
            .unwrap_or_default()
    }

    /// The policies that it claims.
    #[must_use]
    pub fn policies(&self) -> &[ObjectIdentifier] {
        &self.0.extensions.policies
    }

    /// Entries that stand where a mail address should and are none, with escapes for what cannot be printed. They
    /// match nothing.
    #[must_use]
    pub fn odd_addresses(&self) -> &[String] {
        &self.0.addresses.odd
    }

    /// The kind of its key; `None` for one that nothing here can use.
    #[must_use]
    pub fn key_kind(&self) -> Option<KeyKind> {
        self.0.key_kind
    }

    /// The algorithm identifier of its key.
    #[must_use]
    pub fn public_key_algorithm(&self) -> ObjectIdentifier {
        self.0.public_key_algorithm
    }

    /// The algorithm by which its issuer signed it.
    #[must_use]
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifierOwned {
        &self.0.signature_algorithm
    }

    /// Whether it says that it may issue certificates.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        let constraints = self.0.extensions.basic_constraints.as_ref();
        constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether it issues certificates or signs CRLs for others.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_ca() || self.key_usage().is_some_and(|usage| usage.crl_sign())
    }

    /// The keyUsage extension.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.extensions.key_usage
    }

    /// The purposes in the extendedKeyUsage extension.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[ObjectIdentifier]> {
        let usage = self.0.extensions.extended_key_usage.as_ref()?;
        Some(&usage.0)
    }

    /// Whether it limits the names in certificates below it.
    #[must_use]
    pub fn has_name_constraints(&self) -> bool {
        self.0.extensions.has_name_constraints
    }

    /// Where its issuer publishes CRLs that may name it (RFC 5280, section 4.2.1.13).
    #[must_use]
    pub fn distribution_points(&self) -> &[DistributionPoint] {
        &self.0.extensions.distribution_points.0
    }

    /// Where changes to those CRLs are published (RFC 5280, section 4.2.1.15).
    #[must_use]
    pub fn freshest_crl(&self) -> &[DistributionPoint] {
        &self.0.extensions.freshest_crl.0
    }

    /// Web addresses where its issuer's certificate is said to be.
    #[must_use]
    pub fn issuer_urls(&self) -> &[String] {
        &self.0.extensions.access.issuers
    }

    /// Web addresses of OCSP responders that are said to know it.
    #[must_use]
    pub fn ocsp_urls(&self) -> &[String] {
        &self.0.extensions.access.ocsp
    }

    /// Whether it has any extension; those from before version 3 have none.
    #[must_use]
    pub fn has_extensions(&self) -> bool {
        self.0.extensions.count > 0
    }

    /// Whether its subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Whether a RecipientInfo or SignerInfo with this identifier means this certificate.
    #[must_use]
    pub fn is_named_by(&self, recipient: &RecipientId) -> bool {
        match recipient {
            RecipientId::IssuerAndSerial { issuer, serial } => {
                issuer == self.issuer_der() && serial == self.serial_octets()
            }
            RecipientId::SubjectKeyIdentifier(identifier) => {
                self.subject_key_identifier() == Some(identifier)
            }
        }
    }

    fn slice(&self, range: &std::ops::Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sha256().hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} {})", self.subject(), self.sha256())
    }
}

#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
mod tests;
