//! What a certificate's own extensions let its key be used for (RFC 8550, section 4.4).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE;
use const_oid::db::rfc5912::{ID_KP_EMAIL_PROTECTION, RSA_ENCRYPTION};
use x509_cert::ext::pkix::KeyUsage;

use super::Certificate;
use crate::cms::KeyKind;

/// What a certificate is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Its owner signs mail.
    Signing,
    /// Mail is encrypted to its owner.
    Encryption,
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        })
    }
}

impl Certificate {
    /// Whether keyUsage and extendedKeyUsage allow `purpose`; what is absent forbids nothing.
    ///
    /// # Errors
    /// What stands against it, as the end of the sentence "the certificate …".
    pub fn allows(&self, purpose: Purpose) -> Result<(), &'static str> {
        self.allows_mail()?;
        match purpose {
            Purpose::Signing => self.allows_signing(),
            Purpose::Encryption => self.allows_encryption(),
        }
    }

    /// Whether extendedKeyUsage allows mail; for a CA: whether it may issue certificates for mail.
    ///
    /// # Errors
    /// As [`Certificate::allows`].
    pub fn allows_mail(&self) -> Result<(), &'static str> {
        self.extended_key_usage().map_or(Ok(()), for_mail)
    }

    fn allows_signing(&self) -> Result<(), &'static str> {
        match self.key_kind() {
            Some(KeyKind::MlKem(_)) => Err("has an ML-KEM key, which can only be encrypted to"),
            Some(KeyKind::X25519) => Err("has an X25519 key, which cannot sign"),
            Some(KeyKind::Rsa { .. } | KeyKind::Ec(_) | KeyKind::Ed25519 | KeyKind::MlDsa(_))
            | None => self.key_usage().map_or(Ok(()), for_signing),
        }
    }

    fn allows_encryption(&self) -> Result<(), &'static str> {
        let usage = self.key_usage();
        match self.key_kind() {
            Some(KeyKind::Rsa { .. }) if self.public_key_algorithm() != RSA_ENCRYPTION => {
                Err("has an RSASSA-PSS key, which can only sign")
            }
            Some(KeyKind::MlDsa(_)) => Err("has an ML-DSA key, which can only sign"),
            // For ML-KEM: RFC 9935, section 5.
            Some(KeyKind::Rsa { .. } | KeyKind::MlKem(_))
                if usage.is_some_and(|u| !u.key_encipherment()) =>
            {
                Err("does not allow keyEncipherment in its keyUsage")
            }
            Some(KeyKind::Ed25519) => Err("has an Ed25519 key, which can only sign"),
            Some(KeyKind::Ec(_) | KeyKind::X25519) if usage.is_some_and(|u| !u.key_agreement()) => {
                Err("does not allow keyAgreement in its keyUsage")
            }
            Some(_) => Ok(()),
            None => Err("has a key of a kind that mail cannot be encrypted to here"),
        }
    }
}

fn for_mail(usages: &[ObjectIdentifier]) -> Result<(), &'static str> {
    let fits = |usage| [ID_KP_EMAIL_PROTECTION, ANY_EXTENDED_KEY_USAGE].contains(usage);
    match usages.iter().any(fits) {
        true => Ok(()),
        false => Err("is not for mail: its extendedKeyUsage lacks emailProtection"),
    }
}

fn for_signing(usage: KeyUsage) -> Result<(), &'static str> {
    match usage.digital_signature() || usage.non_repudiation() {
        true => Ok(()),
        false => Err("allows neither digitalSignature nor nonRepudiation in its keyUsage"),
    }
}
