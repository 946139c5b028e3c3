//! The extensions that S/MIME looks at (RFC 5280, section 4.2.1), decoded once.
//!
//! A known extension that cannot be decoded, or any that stands twice, spoils the certificate: to read it as absent
//! would lift the limits that its issuer set. Extensions that nobody here knows are left to path validation.

use std::collections::BTreeSet;

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::Decode;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
    ExtendedKeyUsage, FreshestCrl, KeyUsage, NameConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions};

use super::CertificateError;
use super::access::Access;

/// More extensions than this nobody needs.
const MAX_EXTENSIONS: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct KnownExtensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) subject_key_identifier: Option<SubjectKeyIdentifier>,
    pub(super) authority_key_identifier: Option<AuthorityKeyIdentifier>,
    pub(super) has_name_constraints: bool,
    pub(super) distribution_points: CrlDistributionPoints,
    pub(super) freshest_crl: FreshestCrl,
    pub(super) access: Access,
    pub(super) policies: Vec<ObjectIdentifier>,
    pub(super) count: usize,
}

impl KnownExtensions {
    pub(super) fn read(extensions: &Extensions) -> Result<Self, CertificateError> {
        refuse_repetition(extensions)?;
        Ok(Self {
            basic_constraints: decode(extensions, "basicConstraints")?,
            key_usage: decode(extensions, "keyUsage")?,
            extended_key_usage: decode(extensions, "extendedKeyUsage")?,
            subject_key_identifier: decode(extensions, "subjectKeyIdentifier")?,
            authority_key_identifier: decode(extensions, "authorityKeyIdentifier")?,
            has_name_constraints: find::<NameConstraints>(extensions).is_some(),
            distribution_points: decode_hint(extensions),
            freshest_crl: decode_hint(extensions),
            access: Access::read(extensions),
            policies: policies(extensions),
            count: extensions.len(),
        })
    }
}

/// The DER inside the subject alternative name extension.
pub(super) fn alternative_names(extensions: &Extensions) -> Option<&[u8]> {
    find::<SubjectAltName>(extensions).map(|found| found.extn_value.as_bytes())
}

fn refuse_repetition(extensions: &Extensions) -> Result<(), CertificateError> {
    if extensions.len() > MAX_EXTENSIONS {
        return Err(CertificateError::TooManyExtensions(extensions.len()));
    }
    let mut seen = BTreeSet::new();
    match extensions.iter().find(|e| !seen.insert(e.extn_id)) {
        None => Ok(()),
        Some(twice) => Err(CertificateError::RepeatedExtension(twice.extn_id)),
    }
}

fn find<T: AssociatedOid>(extensions: &Extensions) -> Option<&Extension> {
    extensions.iter().find(|e| e.extn_id == T::OID)
}

fn decode<'a, T>(
    extensions: &'a Extensions,
    name: &'static str,
) -> Result<Option<T>, CertificateError>
where
    T: AssociatedOid + Decode<'a>,
{
    find::<T>(extensions)
        .map(|found| T::from_der(found.extn_value.as_bytes()))
        .transpose()
        .map_err(|_| CertificateError::BadExtension(name))
}

/// An extension that only says where more can be found. One that cannot be decoded says nothing: whoever needs what it
/// should have said goes without.
fn decode_hint<'a, T>(extensions: &'a Extensions) -> T
where
    T: AssociatedOid + Decode<'a> + Default,
{
    find::<T>(extensions)
        .and_then(|found| T::from_der(found.extn_value.as_bytes()).ok())
        .unwrap_or_default()
}

fn policies(extensions: &Extensions) -> Vec<ObjectIdentifier> {
    let found = find::<CertificatePolicies>(extensions);
    let decoded = found.and_then(|e| CertificatePolicies::from_der(e.extn_value.as_bytes()).ok());
    let policies = decoded.into_iter().flat_map(|policies| policies.0);
    policies.map(|policy| policy.policy_identifier).collect()
}
