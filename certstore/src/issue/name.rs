//! Distinguished names as operators write them (RFC 4514), for a new certificate.

use std::str::FromStr;

use const_oid::db::rfc4519::{COMMON_NAME, COUNTRY_NAME};
use der::asn1::Utf8StringRef;
use der::{Any, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use super::IssueError;

/// The upper bound of a common name, in characters (RFC 5280, appendix A.1).
const MAX_COMMON_NAME: usize = 64;

/// Reads a name with one attribute in each part and each attribute once, which is all that a CA's own name needs.
pub(super) fn parse(text: &str) -> Result<Name, IssueError> {
    let name = Name::from_str(text)
        .map_err(|_| IssueError::Subject("the subject is no distinguished name"))?;
    if name.is_empty() || name.iter_rdn().any(|rdn| rdn.len() != 1) {
        return Err(IssueError::Subject(
            "each part of the subject needs one attribute",
        ));
    }
    let mut kinds = Vec::new();
    for attribute in name.iter() {
        if kinds.contains(&attribute.oid) {
            return Err(IssueError::Subject(
                "an attribute stands twice in the subject",
            ));
        }
        kinds.push(attribute.oid);
        check(attribute)?;
    }
    Ok(name)
}

/// A name that is one common name.
pub(super) fn common_name(text: &str) -> Result<Name, IssueError> {
    if text.chars().count() > MAX_COMMON_NAME {
        return Err(IssueError::CommonNameTooLong);
    }
    let attribute = AttributeTypeAndValue {
        oid: COMMON_NAME,
        value: Any::from(Utf8StringRef::new(text)?),
    };
    let mut sequence = RdnSequence::default();
    sequence.push(RelativeDistinguishedName::try_from(vec![attribute])?);
    Ok(Name::hazmat_from_rdn_sequence(sequence))
}

fn check(attribute: &AttributeTypeAndValue) -> Result<(), IssueError> {
    let unreadable = || IssueError::Subject("an attribute of the subject has no value to write");
    let text = std::str::from_utf8(attribute.value.value()).map_err(|_| unreadable())?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(unreadable());
    }
    if attribute.oid == COUNTRY_NAME && text.len() != 2 {
        return Err(IssueError::Subject("a country (C) has two letters"));
    }
    let tag = attribute.value.tag();
    let is_text = [Tag::PrintableString, Tag::Ia5String, Tag::Utf8String].contains(&tag);
    is_text.then_some(()).ok_or_else(unreadable)
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
