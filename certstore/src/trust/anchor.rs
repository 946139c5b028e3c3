//! What an operator trusts, and for whom.

use policy::address::Address;

use super::revocation::RevocationMode;
use crate::certificate::Certificate;

/// A certificate that needs no other to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// A CA, or the very certificate of a correspondent.
    pub certificate: Certificate,
    /// Whose certificates it may vouch for.
    pub scope: AnchorScope,
    /// How much an answer about revocation is insisted on below it; none: as for everybody.
    pub revocation: Option<RevocationMode>,
}

/// Whose certificates an anchor may vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorScope {
    /// Anybody's: a public or company root.
    Everybody,
    /// Addresses in these domains, subdomains not included: a partner's root.
    Domains(Vec<String>),
    /// This address: a pin.
    Address(Address),
}

impl AnchorScope {
    /// Whether the anchor counts for `address`.
    #[must_use]
    pub fn admits(&self, address: &Address) -> bool {
        match self {
            Self::Everybody => true,
            Self::Domains(domains) => domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(address.domain())),
            Self::Address(only) => only == address,
        }
    }
}

impl Anchor {
    /// Whether others may be issued under it. A root from before version 3 has no extension that says so, and is a
    /// CA because the operator named it (RFC 5280, section 6.1.4 (k)); a pinned end certificate is none.
    pub(super) fn may_issue(&self) -> bool {
        let certificate = &self.certificate;
        let may_sign = certificate
            .key_usage()
            .is_none_or(|usage| usage.key_cert_sign());
        let is_old_root = !certificate.has_extensions() && certificate.is_self_issued();
        may_sign && (certificate.is_ca() || is_old_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_admits_its_own_and_nobody_else() {
        let address = |text| Address::parse(text).unwrap();
        let domains = AnchorScope::Domains(vec!["Partner.example".into()]);
        let pin = AnchorScope::Address(address("a@partner.example"));
        for (scope, text, expected) in [
            (&AnchorScope::Everybody, "a@b.example", true),
            (&domains, "a@partner.example", true),
            (&domains, "a@PARTNER.example", true),
            (&domains, "a@sub.partner.example", false),
            (&domains, "a@evilpartner.example", false),
            (&pin, "A@partner.example", true),
            (&pin, "b@partner.example", false),
        ] {
            assert_eq!(scope.admits(&address(text)), expected, "{scope:?} {text}");
        }
    }
}
