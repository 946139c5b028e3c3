//! Certificates by the names that they issue under, to find candidates for the next step of a path.

use std::collections::HashMap;

use der::Decode;
use x509_cert::name::Name;

use crate::certificate::Certificate;

/// Certificates by the names that they issue under.
#[derive(Debug, Default)]
pub(super) struct ByName(HashMap<String, Vec<Certificate>>);

impl ByName {
    pub(super) fn new(certificates: impl IntoIterator<Item = Certificate>) -> Self {
        let mut by_name: HashMap<_, Vec<Certificate>> = HashMap::new();
        for certificate in certificates {
            let same_name = by_name.entry(name_key(certificate.subject())).or_default();
            if !same_name.contains(&certificate) {
                same_name.push(certificate);
            }
        }
        Self(by_name)
    }

    /// Those that may have issued `certificate`, going by names and key identifiers.
    pub(super) fn issuers_of<'a>(
        &'a self,
        certificate: &'a Certificate,
    ) -> impl Iterator<Item = &'a Certificate> {
        self.0
            .get(&name_key(certificate.issuer()))
            .into_iter()
            .flatten()
            .filter(|issuer| key_identifiers_agree(issuer, certificate))
    }

    /// Those whose subject may be `name` (DER).
    pub(super) fn named(&self, name: &[u8]) -> &[Certificate] {
        let key = Name::from_der(name).map(|name| name_key(&name.to_string()));
        let found = key.ok().and_then(|key| self.0.get(&key));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Names are compared without regard to case, blanks and string type when a path is validated (RFC 5280, section 7.1);
/// to find candidates, anything that cannot tell two equal names apart will do.
pub(super) fn name_key(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && *c != '\\')
        .flat_map(char::to_lowercase)
        .collect()
}

/// The key identifiers are hints (RFC 5280, section 4.2.1.1), but where both are there they must not contradict.
fn key_identifiers_agree(issuer: &Certificate, issued: &Certificate) -> bool {
    match (
        issuer.subject_key_identifier(),
        issued.authority_key_identifier(),
    ) {
        (Some(own), Some(named)) => own == named,
        _ => true,
    }
}
