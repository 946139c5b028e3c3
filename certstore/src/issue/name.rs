//! Distinguished names as operators write them (RFC 4514), for a new certificate.

use std::str::FromStr;

use const_oid::db::rfc4519::COUNTRY_NAME;
use der::{Tag, Tagged};
use rcgen::string::{Ia5String, PrintableString};
use rcgen::{DistinguishedName, DnType, DnValue};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

use super::IssueError;

/// The upper bound of a common name, in characters (RFC 5280, appendix A.1).
const MAX_COMMON_NAME: usize = 64;

/// Reads a name with one attribute in each part and each attribute once, which is all that a CA's own name needs.
pub(super) fn parse(text: &str) -> Result<DistinguishedName, IssueError> {
    let name = Name::from_str(text)
        .map_err(|_| IssueError::Subject("the subject is no distinguished name"))?;
    if name.is_empty() || name.iter_rdn().any(|rdn| rdn.len() != 1) {
        return Err(IssueError::Subject(
            "each part of the subject needs one attribute",
        ));
    }
    let mut distinguished_name = DistinguishedName::new();
    for attribute in name.iter() {
        let kind = kind(attribute);
        if distinguished_name.get(&kind).is_some() {
            return Err(IssueError::Subject(
                "an attribute stands twice in the subject",
            ));
        }
        distinguished_name.push(kind, value(attribute)?);
    }
    Ok(distinguished_name)
}

/// A name that is one common name.
pub(super) fn common_name(text: &str) -> Result<DistinguishedName, IssueError> {
    if text.chars().count() > MAX_COMMON_NAME {
        return Err(IssueError::CommonNameTooLong);
    }
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, text);
    Ok(distinguished_name)
}

fn kind(attribute: &AttributeTypeAndValue) -> DnType {
    let arcs: Vec<u64> = attribute.oid.arcs().map(u64::from).collect();
    DnType::from_oid(&arcs)
}

fn value(attribute: &AttributeTypeAndValue) -> Result<DnValue, IssueError> {
    let unreadable = || IssueError::Subject("an attribute of the subject has no value to write");
    let text = std::str::from_utf8(attribute.value.value()).map_err(|_| unreadable())?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(unreadable());
    }
    if attribute.oid == COUNTRY_NAME && text.len() != 2 {
        return Err(IssueError::Subject("a country (C) has two letters"));
    }
    if attribute.value.tag() == Tag::PrintableString {
        let text = PrintableString::try_from(text).map_err(|_| unreadable())?;
        return Ok(DnValue::PrintableString(text));
    }
    if attribute.value.tag() == Tag::Ia5String {
        let text = Ia5String::try_from(text).map_err(|_| unreadable())?;
        return Ok(DnValue::Ia5String(text));
    }
    if attribute.value.tag() == Tag::Utf8String {
        return Ok(DnValue::Utf8String(text.to_owned()));
    }
    Err(unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_or_refused_with_a_reason() {
        for (text, expected) in [
            ("CN=Example CA,O=Example,C=DE", true),
            ("CN=Example CA\\, Inc.,O=\\C3\\84pfel", true),
            ("cn=Müller CA", true),
            ("CN=a,dc=example,dc=org", false),
            ("CN=a+O=b", false),
            ("CN=a,C=Germany", false),
            ("CN=", false),
            ("CN=a\\00b", false),
            ("CN=\\FF", false),
            ("CN=#04024869", false),
            ("a", false),
            ("", false),
            ("CN=a, O=b", false),
        ] {
            assert_eq!(parse(text).is_ok(), expected, "{text}");
        }
    }
}
