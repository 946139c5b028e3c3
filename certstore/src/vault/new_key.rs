//! New private keys, for certificates that are issued here.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};
use const_oid::ObjectIdentifier;
use zeroize::Zeroizing;

use super::key_rejection::KeyRejection;
use super::private_key_form::PrivateKeyForm;
use super::software_key::SoftwareKey;
use crate::cms::{Curve, KeyFailure, KeyKind, MlDsa, MlKem, SignatureScheme};

/// Lengths of seeds, in bytes (FIPS 203, section 7.1; FIPS 204, section 5.1).
const ML_KEM_SEED: usize = 64;
const ML_DSA_SEED: usize = 32;

/// Which key to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA with 2048 bits: for users, since every mail program reads it.
    #[default]
    Rsa2048,
    /// RSA with 3072 bits: for a CA.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// An elliptic curve key on secp256r1.
    P256,
    /// An elliptic curve key on secp384r1.
    P384,
    /// A post-quantum key that signs.
    MlDsa(MlDsa),
    /// A post-quantum key that is encrypted to.
    MlKem(MlKem),
}

impl KeyAlgorithm {
    /// The kind of the keys that it makes.
    pub(crate) fn kind(self) -> KeyKind {
        match self {
            Self::Rsa2048 => KeyKind::Rsa { bits: 2048 },
            Self::Rsa3072 => KeyKind::Rsa { bits: 3072 },
            Self::Rsa4096 => KeyKind::Rsa { bits: 4096 },
            Self::P256 => KeyKind::Ec(Curve::P256),
            Self::P384 => KeyKind::Ec(Curve::P384),
            Self::MlDsa(dsa) => KeyKind::MlDsa(dsa),
            Self::MlKem(kem) => KeyKind::MlKem(kem),
        }
    }
}

/// A key that was just made, before anybody keeps it.
pub(crate) struct GeneratedKey {
    key: SoftwareKey,
    /// The key in PKCS#8 (RFC 5958).
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
}

impl GeneratedKey {
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyRejection> {
        let pkcs8 = match algorithm {
            KeyAlgorithm::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => rsa(KeySize::Rsa4096),
            KeyAlgorithm::P256 => elliptic_curve(&ECDSA_P256_SHA256_ASN1_SIGNING),
            KeyAlgorithm::P384 => elliptic_curve(&ECDSA_P384_SHA384_ASN1_SIGNING),
            KeyAlgorithm::MlDsa(dsa) => seeded(ML_DSA_SEED, dsa.oid()),
            KeyAlgorithm::MlKem(kem) => seeded(ML_KEM_SEED, kem.oid()),
        };
        let pkcs8 = pkcs8.map_err(|_| KeyRejection::Refused)?;
        let key = SoftwareKey::read(&pkcs8)?;
        Ok(Self { key, pkcs8 })
    }

    /// DER of its SubjectPublicKeyInfo.
    pub(crate) fn public_key_info(&self) -> der::Result<Vec<u8>> {
        self.key.public_key_info()
    }

    pub(crate) fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyFailure> {
        self.key.sign(scheme, message)
    }
}

fn rsa(size: KeySize) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let pair = KeyPair::generate(size)?;
    Ok(Zeroizing::new(pair.as_der()?.as_ref().to_vec()))
}

fn elliptic_curve(
    algorithm: &'static EcdsaSigningAlgorithm,
) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let pair = EcdsaKeyPair::generate(algorithm)?;
    Ok(Zeroizing::new(pair.to_pkcs8v1()?.as_ref().to_vec()))
}

fn seeded(length: usize, algorithm: ObjectIdentifier) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let mut seed = Zeroizing::new(vec![0; length]);
    rand::fill(&mut seed)?;
    let form = PrivateKeyForm::of_seed(seed);
    form.to_pkcs8(algorithm).map_err(|_| Unspecified)
}
