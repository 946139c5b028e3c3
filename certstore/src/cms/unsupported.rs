//! What is well-formed, but beyond us, and the names of object identifiers for people.

use std::borrow::Cow;

use const_oid::db::DB;
use der::asn1::ObjectIdentifier;

/// An algorithm, a kind of message, or a use of one that is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Its name, with what is special about its use; empty if nobody knows the identifier.
    pub name: Cow<'static, str>,
}

impl Unsupported {
    pub(super) fn of(oid: ObjectIdentifier) -> Self {
        Self {
            oid,
            name: Cow::Borrowed(name(oid)),
        }
    }

    /// A use of something that is supported otherwise.
    pub(super) fn detail(oid: ObjectIdentifier, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            oid,
            name: text.into(),
        }
    }
}

/// "unsupported: 1.2.840.113549.3.2 rc2-cbc".
impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unsupported: {}", self.oid)?;
        if self.name.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.name)
    }
}

/// Found in mail, but not in the registries that the database was made of.
const OTHERS: [(&str, &str); 12] = [
    ("1.2.392.200011.61.1.1.1.2", "id-camellia128-cbc"),
    ("1.2.392.200011.61.1.1.1.3", "id-camellia192-cbc"),
    ("1.2.392.200011.61.1.1.1.4", "id-camellia256-cbc"),
    ("1.2.410.200004.1.4", "id-seedCBC"),
    ("1.2.643.2.2.21", "id-Gost28147-89"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.113549.1.9.16.3.14", "id-rsa-kem"),
    ("1.2.840.113549.1.9.16.3.18", "id-alg-AEADChaCha20Poly1305"),
    ("1.2.840.113549.3.4", "rc4"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.14.3.2.7", "des-cbc"),
    ("1.3.6.1.4.1.188.7.1.1.2", "idea-cbc"),
];

/// The name of an object identifier; empty if it has none.
pub(super) fn name(oid: ObjectIdentifier) -> &'static str {
    DB.by_oid(&oid).unwrap_or_else(|| {
        OTHERS
            .into_iter()
            .find(|(known, _)| ObjectIdentifier::new(known) == Ok(oid))
            .map_or("", |(_, name)| name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        for (oid, name) in OTHERS {
            let oid = ObjectIdentifier::new_unwrap(oid);
            assert_eq!(DB.by_oid(&oid), None, "{name}");
        }
    }

    #[test]
    fn what_is_unsupported_is_named() {
        for (oid, expected) in [
            (
                "1.2.840.113549.3.2",
                "unsupported: 1.2.840.113549.3.2 rc2-cbc",
            ),
            ("1.3.14.3.2.7", "unsupported: 1.3.14.3.2.7 des-cbc"),
            (
                "1.2.392.200011.61.1.1.1.4",
                "unsupported: 1.2.392.200011.61.1.1.1.4 id-camellia256-cbc",
            ),
            ("1.3.101.111", "unsupported: 1.3.101.111 id-X448"),
            ("1.2.3.4", "unsupported: 1.2.3.4"),
        ] {
            let unsupported = Unsupported::of(ObjectIdentifier::new_unwrap(oid));
            assert_eq!(unsupported.to_string(), expected);
        }
        let x25519 = ObjectIdentifier::new_unwrap("1.3.101.110");
        let detail = Unsupported::detail(x25519, "X25519 on Sundays");
        assert_eq!(
            detail.to_string(),
            "unsupported: 1.3.101.110 X25519 on Sundays"
        );
    }
}
