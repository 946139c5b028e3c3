//! The roots that Mozilla trusts for mail, from the module of NSS that carries them (Debian: libnss3).
//!
//! Files of roots, such as those of Debian's ca-certificates, do not say what a root is trusted for. The module does:
//! beside each root it has an object with one attribute for each use (PKCS#11 with the additions of NSS).

use std::collections::HashSet;
use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::Session;

use crate::certificate::Certificate;

/// CKA_TRUST_EMAIL_PROTECTION of NSS.
const TRUST_EMAIL_PROTECTION: u64 = 0xce53_635b;
/// CKT_NSS_TRUSTED_DELEGATOR: a root for that use.
const TRUSTED_DELEGATOR: u64 = 0xce53_4352;

/// Why the roots cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the roots in {path} cannot be read: {error}")]
pub struct MozillaError {
    path: String,
    error: Error,
}

/// The roots in the module at `path` (`libnssckbi.so`) that are trusted for mail.
///
/// # Errors
/// [`MozillaError`].
pub fn mozilla_mail_roots(path: &Path) -> Result<Vec<Certificate>, MozillaError> {
    read(path).map_err(|error| MozillaError {
        path: path.display().to_string(),
        error,
    })
}

fn read(path: &Path) -> Result<Vec<Certificate>, Error> {
    let module = Pkcs11::new(path)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let mut roots = Vec::new();
    for slot in module.get_slots_with_token()? {
        roots.extend(read_token(&module.open_ro_session(slot)?)?);
    }
    Ok(roots)
}

fn read_token(session: &Session) -> Result<Vec<Certificate>, Error> {
    let value = usize::try_from(TRUSTED_DELEGATOR).unwrap_or_default();
    let attribute = AttributeType::VendorDefined(TRUST_EMAIL_PROTECTION);
    let trusted = [Attribute::VendorDefined((
        attribute,
        value.to_ne_bytes().to_vec(),
    ))];
    let named = [AttributeType::Issuer, AttributeType::SerialNumber];
    let mut for_mail = HashSet::new();
    for object in session.find_objects(&trusted)? {
        for_mail.insert(octets(session.get_attributes(object, &named)?));
    }
    let mut roots = Vec::new();
    for object in session.find_objects(&[Attribute::Class(ObjectClass::CERTIFICATE)])? {
        if for_mail.contains(&octets(session.get_attributes(object, &named)?)) {
            let der = octets(session.get_attributes(object, &[AttributeType::Value])?);
            // Every entry is one that people trust: one that cannot be read here is left out, and missed by nobody else.
            roots.extend(der.first().and_then(|der| Certificate::from_der(der).ok()));
        }
    }
    Ok(roots)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these three are ever asked for"
)]
fn octets(attributes: Vec<Attribute>) -> Vec<Vec<u8>> {
    attributes
        .into_iter()
        .filter_map(|attribute| match attribute {
            Attribute::Issuer(octets)
            | Attribute::SerialNumber(octets)
            | Attribute::Value(octets) => Some(octets),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = "/usr/lib/x86_64-linux-gnu/libnssckbi.so";

    #[test]
    #[expect(clippy::print_stdout, reason = "a skipped test is said")]
    fn roots_for_mail_are_authorities_and_fewer_than_all() {
        if !Path::new(MODULE).exists() {
            println!("skipped: no {MODULE}");
            return;
        }
        let roots = mozilla_mail_roots(Path::new(MODULE)).unwrap();
        assert!((20..140).contains(&roots.len()), "{}", roots.len());
        assert!(
            roots
                .iter()
                .all(|root| root.is_ca() || !root.has_extensions())
        );
    }

    #[test]
    fn a_file_that_is_no_module_is_said() {
        let error = mozilla_mail_roots(Path::new("/nowhere/libnssckbi.so")).unwrap_err();
        assert!(
            error.to_string().starts_with("the roots in /nowhere/"),
            "{error}"
        );
    }
}
