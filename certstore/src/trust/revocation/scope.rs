//! Which certificates a CRL speaks for, and for which reasons of revocation (RFC 5280, section 6.3.3, steps b and d).

use std::borrow::Cow;

use der::flagset::FlagSet;
use der::{Decode, Encode};
use x509_cert::ext::pkix::crl::dp::{
    DistributionPoint, IssuingDistributionPoint, ReasonFlags, Reasons,
};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use super::crl::Crl;
use crate::certificate::Certificate;
use crate::trust::name::{is_same_general_name, is_same_name};

/// The reasons that all together say that a certificate is not revoked.
pub(super) fn all_reasons() -> ReasonFlags {
    FlagSet::full() - Reasons::Unused
}

/// The reasons for which `crl` speaks for `certificate`, by way of `point`, or of the point that every certificate has:
/// its issuer's own CRL. None if it does not speak for it at all.
pub(super) fn reasons_covered(
    crl: &Crl,
    certificate: &Certificate,
    point: Option<&DistributionPoint>,
) -> Option<ReasonFlags> {
    let scope = crl.extensions.scope.as_ref();
    if !is_by_right_issuer(crl, certificate, point) || !scope.is_none_or(|s| fits(s, certificate)) {
        return None;
    }
    if let Some(name) = scope.and_then(|scope| scope.distribution_point.as_ref())
        && !shares_a_name(crl, name, certificate, point)
    {
        return None;
    }
    let all = all_reasons();
    let of_crl = scope
        .and_then(|scope| scope.only_some_reasons)
        .unwrap_or(all);
    let of_point = point.and_then(|point| point.reasons).unwrap_or(all);
    Some(of_crl & of_point & all)
}

/// Step b (1).
fn is_by_right_issuer(
    crl: &Crl,
    certificate: &Certificate,
    point: Option<&DistributionPoint>,
) -> bool {
    match point.and_then(|point| point.crl_issuer.as_ref()) {
        Some(names) => {
            let is_indirect = crl
                .extensions
                .scope
                .as_ref()
                .is_some_and(|s| s.indirect_crl);
            is_indirect
                && names
                    .iter()
                    .any(|name| is_directory(name, crl.issuer_der()))
        }
        None => is_same_name(crl.issuer_der(), certificate.issuer_der()),
    }
}

/// Step b (2), (ii) to (iv).
fn fits(scope: &IssuingDistributionPoint, certificate: &Certificate) -> bool {
    !(scope.only_contains_attribute_certs
        || (scope.only_contains_user_certs && certificate.is_ca())
        || (scope.only_contains_ca_certs && !certificate.is_ca()))
}

/// Step b (2) (i).
fn shares_a_name(
    crl: &Crl,
    of_crl: &DistributionPointName,
    certificate: &Certificate,
    point: Option<&DistributionPoint>,
) -> bool {
    let own = full_names(of_crl, crl.issuer_der());
    let wanted = match point {
        None => directory(certificate.issuer_der()).into_iter().collect(),
        Some(DistributionPoint {
            distribution_point: Some(name),
            ..
        }) => full_names(name, crl.issuer_der()),
        Some(point) => Cow::Borrowed(point.crl_issuer.as_deref().unwrap_or_default()),
    };
    own.iter().any(|own| {
        wanted
            .iter()
            .any(|wanted| is_same_general_name(own, wanted))
    })
}

/// The names, a relative one completed by that of the CRL's issuer.
fn full_names<'n>(name: &'n DistributionPointName, issuer: &[u8]) -> Cow<'n, [GeneralName]> {
    match name {
        DistributionPointName::FullName(names) => Cow::Borrowed(names),
        DistributionPointName::NameRelativeToCRLIssuer(relative) => {
            let completed = completed(relative, issuer).ok();
            Cow::Owned(completed.into_iter().collect())
        }
    }
}

fn completed(relative: &RelativeDistinguishedName, issuer: &[u8]) -> der::Result<GeneralName> {
    let issuer = Name::from_der(issuer)?;
    let mut parts: Vec<_> = issuer.iter_rdn().cloned().collect();
    parts.push(relative.clone());
    let name = Name::from_der(&RdnSequence::from(parts).to_der()?)?;
    Ok(GeneralName::DirectoryName(name))
}

fn is_directory(name: &GeneralName, der: &[u8]) -> bool {
    match name {
        GeneralName::DirectoryName(name) => {
            name.to_der().is_ok_and(|name| is_same_name(&name, der))
        }
        GeneralName::OtherName(_)
        | GeneralName::Rfc822Name(_)
        | GeneralName::DnsName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::UniformResourceIdentifier(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => false,
    }
}

fn directory(der: &[u8]) -> Option<GeneralName> {
    Name::from_der(der).ok().map(GeneralName::DirectoryName)
}
