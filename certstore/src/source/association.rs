//! What a domain says in DNS of the certificates of an address (RFC 6698, section 2.1; RFC 8162, section 2).
//!
//! An association may bring a certificate or only name one. Whether it was signed by the domain was seen to before it
//! got here; what follows from it is `lookup`'s to say.

use aws_lc_rs::digest::{SHA256, SHA512, digest};

use crate::certificate::Certificate;

/// One SMIMEA record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// What it says of the certificate.
    pub usage: Usage,
    /// Which part of the certificate it is about.
    pub selector: Selector,
    /// How `data` stands for that part.
    pub matching: Matching,
    /// The part itself, or its digest.
    pub data: Vec<u8>,
}

/// What an association says of a certificate, by the names of RFC 7218.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// 0: it must stand in the path to one of our anchors.
    PkixTa,
    /// 1: it is the address's, and must have a path to one of our anchors.
    PkixEe,
    /// 2: it is the anchor for this address.
    DaneTa,
    /// 3: it is the address's, and needs no path.
    DaneEe,
}

/// Which part of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// 0: all of it.
    Certificate,
    /// 1: its SubjectPublicKeyInfo.
    PublicKey,
}

/// How data stands for a part of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// 0: as it is.
    Exact,
    /// 1: by its SHA-256.
    Sha256,
    /// 2: by its SHA-512.
    Sha512,
}

impl Association {
    /// Whether it means `certificate`.
    #[must_use]
    pub fn means(&self, certificate: &Certificate) -> bool {
        let part = match self.selector {
            Selector::Certificate => certificate.der(),
            Selector::PublicKey => certificate.spki_der(),
        };
        match self.matching {
            Matching::Exact => self.data == part,
            Matching::Sha256 => self.data == digest(&SHA256, part).as_ref(),
            Matching::Sha512 => self.data == digest(&SHA512, part).as_ref(),
        }
    }

    /// The certificate that it brings, if it brings one that can be read.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        match (self.selector, self.matching) {
            (Selector::Certificate, Matching::Exact) => Certificate::from_der(&self.data).ok(),
            _ => None,
        }
    }
}

macro_rules! numbered {
    ($type:ty: $($number:literal = $variant:ident),+) => {
        impl TryFrom<u8> for $type {
            /// The number that has no meaning.
            type Error = u8;

            fn try_from(number: u8) -> Result<Self, u8> {
                match number {
                    $($number => Ok(Self::$variant),)+
                    other => Err(other),
                }
            }
        }
    };
}

numbered!(Usage: 0 = PkixTa, 1 = PkixEe, 2 = DaneTa, 3 = DaneEe);
numbered!(Selector: 0 = Certificate, 1 = PublicKey);
numbered!(Matching: 0 = Exact, 1 = Sha256, 2 = Sha512);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    #[test]
    fn an_association_means_one_certificate_or_one_key() {
        let (certificate, _) = Sample::ec("a@b.example").self_signed();
        let (other, _) = Sample::ec("a@b.example").self_signed();
        let (der, key) = (certificate.der(), certificate.spki_der());
        let sha = |algorithm, part| digest(algorithm, part).as_ref().to_vec();
        for (selector, matching, data, brings) in [
            (Selector::Certificate, Matching::Exact, der.to_vec(), true),
            (
                Selector::Certificate,
                Matching::Sha256,
                sha(&SHA256, der),
                false,
            ),
            (
                Selector::Certificate,
                Matching::Sha512,
                sha(&SHA512, der),
                false,
            ),
            (Selector::PublicKey, Matching::Exact, key.to_vec(), false),
            (
                Selector::PublicKey,
                Matching::Sha256,
                sha(&SHA256, key),
                false,
            ),
            (
                Selector::PublicKey,
                Matching::Sha512,
                sha(&SHA512, key),
                false,
            ),
        ] {
            let association = Association {
                usage: Usage::DaneEe,
                selector,
                matching,
                data,
            };
            assert!(association.means(&certificate), "{association:?}");
            assert!(!association.means(&other), "{association:?}");
            assert_eq!(association.certificate().is_some(), brings);
        }
    }

    #[test]
    fn numbers_without_a_meaning_are_refused() {
        assert_eq!(Usage::try_from(3), Ok(Usage::DaneEe));
        assert_eq!(Usage::try_from(4), Err(4));
        assert_eq!(Selector::try_from(2), Err(2));
        assert_eq!(Matching::try_from(255), Err(255));
    }
}
