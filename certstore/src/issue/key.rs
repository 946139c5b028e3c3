//! Keys for certificates: new ones made by aws-lc, and the CA's own behind a [`Signer`].
//!
//! A new key leaves as PKCS#8 that wipes itself; nothing is kept here.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rcgen::{
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519,
    PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use spki::{SubjectPublicKeyInfoRef, der::Decode};
use zeroize::Zeroizing;

use super::IssueError;
use crate::certificate::Certificate;
use crate::cms::{Curve, Digest, KeyFailure, KeyKind, SignatureScheme, Signer};

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
}

impl KeyAlgorithm {
    /// Whether it is RSA, which encrypts by key transport and not by agreement.
    pub(super) fn is_rsa(self) -> bool {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => true,
            Self::P256 | Self::P384 => false,
        }
    }
}

/// A key that was just made.
pub(super) struct NewKey {
    pair: Pair,
    public: Vec<u8>,
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl NewKey {
    pub(super) fn generate(algorithm: KeyAlgorithm) -> Result<Self, IssueError> {
        match algorithm {
            KeyAlgorithm::Rsa2048 => Self::generate_rsa(KeySize::Rsa2048),
            KeyAlgorithm::Rsa3072 => Self::generate_rsa(KeySize::Rsa3072),
            KeyAlgorithm::Rsa4096 => Self::generate_rsa(KeySize::Rsa4096),
            KeyAlgorithm::P256 => Self::generate_ec(&ECDSA_P256_SHA256_ASN1_SIGNING, Pair::P256),
            KeyAlgorithm::P384 => Self::generate_ec(&ECDSA_P384_SHA384_ASN1_SIGNING, Pair::P384),
        }
    }

    fn generate_rsa(size: KeySize) -> Result<Self, IssueError> {
        let failed = |_| IssueError::Key("aws-lc made no RSA key");
        let pair = RsaKeyPair::generate(size).map_err(failed)?;
        let pkcs8 = Zeroizing::new(pair.as_der().map_err(failed)?.as_ref().to_vec());
        Ok(Self {
            public: pair.public_key().as_ref().to_vec(),
            pair: Pair::Rsa(pair),
            pkcs8,
        })
    }

    fn generate_ec(
        algorithm: &'static EcdsaSigningAlgorithm,
        wrap: fn(EcdsaKeyPair) -> Pair,
    ) -> Result<Self, IssueError> {
        let failed = |_| IssueError::Key("aws-lc made no elliptic curve key");
        let pair = EcdsaKeyPair::generate(algorithm).map_err(failed)?;
        let pkcs8 = Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec());
        Ok(Self {
            public: pair.public_key().as_ref().to_vec(),
            pair: wrap(pair),
            pkcs8,
        })
    }
}

impl PublicKeyData for NewKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.pair {
            Pair::Rsa(_) => &PKCS_RSA_SHA256,
            Pair::P256(_) => &PKCS_ECDSA_P256_SHA256,
            Pair::P384(_) => &PKCS_ECDSA_P384_SHA384,
        }
    }
}

impl SigningKey for NewKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| rcgen::Error::RingUnspecified)?;
                Ok(signature)
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature = pair.sign(&random, message);
                let signature = signature.map_err(|_| rcgen::Error::RingUnspecified)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

/// The key of a CA, wherever it is kept.
pub(super) struct AuthorityKey {
    signer: Arc<dyn Signer>,
    scheme: SignatureScheme,
    algorithm: &'static SignatureAlgorithm,
    public: Vec<u8>,
    /// Why the signer refused, which rcgen's error cannot carry.
    failure: OnceLock<KeyFailure>,
}

impl AuthorityKey {
    pub(super) fn new(
        signer: Arc<dyn Signer>,
        certificate: &Certificate,
    ) -> Result<Self, IssueError> {
        let unsupported =
            IssueError::UnsupportedAuthority("its key is neither RSA, nor NIST curve, nor Ed25519");
        let kind = certificate.key_kind().and_then(algorithms);
        let (scheme, algorithm) = kind.ok_or(unsupported.clone())?;
        let public_key = SubjectPublicKeyInfoRef::from_der(certificate.spki_der())
            .map_err(|_| unsupported.clone())?;
        let public = public_key.subject_public_key.as_bytes();
        Ok(Self {
            signer,
            scheme,
            algorithm,
            public: public.ok_or(unsupported)?.to_vec(),
            failure: OnceLock::new(),
        })
    }

    /// Why signing failed, if it did.
    pub(super) fn failure(&self) -> Option<KeyFailure> {
        self.failure.get().cloned()
    }
}

/// How a CA with a key of this kind signs: as it is called here, and by rcgen.
fn algorithms(kind: KeyKind) -> Option<(SignatureScheme, &'static SignatureAlgorithm)> {
    let ecdsa = SignatureScheme::Ecdsa;
    match kind {
        KeyKind::Rsa { .. } => Some((SignatureScheme::RsaPkcs1(Digest::Sha256), &PKCS_RSA_SHA256)),
        KeyKind::Ec(curve @ Curve::P256) => {
            Some((ecdsa(curve, Digest::Sha256), &PKCS_ECDSA_P256_SHA256))
        }
        KeyKind::Ec(curve @ Curve::P384) => {
            Some((ecdsa(curve, Digest::Sha384), &PKCS_ECDSA_P384_SHA384))
        }
        KeyKind::Ec(curve @ Curve::P521) => {
            Some((ecdsa(curve, Digest::Sha512), &PKCS_ECDSA_P521_SHA512))
        }
        KeyKind::Ed25519 => Some((SignatureScheme::Ed25519, &PKCS_ED25519)),
        KeyKind::X25519 => None,
    }
}

impl PublicKeyData for AuthorityKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for AuthorityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signer.sign(self.scheme, message).map_err(|failure| {
            self.failure.get_or_init(|| failure);
            rcgen::Error::RemoteKeyError
        })
    }
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signer.fmt(f)
    }
}
