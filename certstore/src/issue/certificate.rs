//! A new certificate as it is written and signed (RFC 5280, section 4.1).
//!
//! What goes in is for the CA to say; the issuer's name is copied byte for byte from its own certificate.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use const_oid::AssociatedOid;
use der::asn1::{BitStringRef, OctetString};
use der::{AnyRef, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::IssueError;
use crate::cms::{KeyFailure, SignatureScheme, signature_algorithm};

/// Version 3, as it is written.
const VERSION: u8 = 2;
/// Length of the subject key identifiers that are made here, in bytes.
const KEY_IDENTIFIER: usize = 20;

/// What a certificate is to say.
pub(super) struct NewCertificate<'a> {
    pub(super) serial: SerialNumber,
    pub(super) subject: Name,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    /// DER of the SubjectPublicKeyInfo.
    pub(super) public_key_info: &'a [u8],
    pub(super) basic_constraints: BasicConstraints,
    pub(super) key_usage: KeyUsage,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) alternative_name: Option<SubjectAltName>,
}

/// Who signs it.
pub(super) struct CertificateIssuer<'a> {
    /// DER of its name.
    pub(super) name: &'a [u8],
    pub(super) key_identifier: Option<&'a [u8]>,
    pub(super) scheme: SignatureScheme,
}

impl NewCertificate<'_> {
    /// DER of the certificate; `sign` makes the signature over what it is given.
    pub(super) fn signed(
        &self,
        issuer: &CertificateIssuer<'_>,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, KeyFailure>,
    ) -> Result<Vec<u8>, IssueError> {
        let signature_algorithm = signature_algorithm(issuer.scheme)?;
        let subject = self.subject.to_der()?;
        let to_be_signed = TbsCertificate {
            version: VERSION,
            serial_number: self.serial.clone(),
            signature: signature_algorithm.clone(),
            issuer: AnyRef::try_from(issuer.name)?,
            validity: Validity::new(
                Time::try_from(self.not_before)?,
                Time::try_from(self.not_after)?,
            ),
            subject: AnyRef::try_from(subject.as_slice())?,
            subject_public_key_info: AnyRef::try_from(self.public_key_info)?,
            extensions: self.extensions(issuer)?,
        }
        .to_der()?;
        let signature = sign(&to_be_signed).map_err(IssueError::Signing)?;
        let certificate = SignedCertificate {
            to_be_signed: AnyRef::try_from(to_be_signed.as_slice())?,
            signature_algorithm,
            signature: BitStringRef::from_bytes(&signature)?,
        };
        Ok(certificate.to_der()?)
    }

    fn extensions(&self, issuer: &CertificateIssuer<'_>) -> der::Result<Vec<Extension>> {
        let hashed = digest(&SHA256, self.public_key_info);
        let own = hashed.as_ref().get(..KEY_IDENTIFIER).unwrap_or_default();
        let mut extensions = vec![
            extension(true, &self.basic_constraints)?,
            extension(true, &self.key_usage)?,
            extension(false, &SubjectKeyIdentifier(OctetString::new(own)?))?,
        ];
        if let Some(identifier) = issuer.key_identifier {
            let identifier = AuthorityKeyIdentifier {
                key_identifier: Some(OctetString::new(identifier)?),
                authority_cert_issuer: None,
                authority_cert_serial_number: None,
            };
            extensions.push(extension(false, &identifier)?);
        }
        if let Some(usage) = &self.extended_key_usage {
            extensions.push(extension(false, usage)?);
        }
        if let Some(name) = &self.alternative_name {
            extensions.push(extension(false, name)?);
        }
        Ok(extensions)
    }
}

fn extension<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

#[derive(Sequence)]
struct TbsCertificate<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: AnyRef<'a>,
    validity: Validity,
    subject: AnyRef<'a>,
    subject_public_key_info: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct SignedCertificate<'a> {
    to_be_signed: AnyRef<'a>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitStringRef<'a>,
}
