//! Whether two names are the same (RFC 5280, section 7.1).

use certval::compare_names;
use der::Decode;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

/// Compares the DER of two `Name`s: byte for byte, and where that differs without regard to case, blanks and string
/// type.
pub(super) fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    one == other
        || match (Name::from_der(one), Name::from_der(other)) {
            (Ok(one), Ok(other)) => compare_names(&one, &other),
            _ => false,
        }
}

pub(super) fn is_same_general_name(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::DirectoryName(one), GeneralName::DirectoryName(other)) => {
            compare_names(one, other)
        }
        (one, other) => one == other,
    }
}
