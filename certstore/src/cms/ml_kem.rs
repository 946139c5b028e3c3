//! The parameter sets of ML-KEM (FIPS 203), as certificates and messages name them (RFC 9935, RFC 9936).

use aws_lc_rs::kem::{Algorithm, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
use const_oid::ObjectIdentifier;
use const_oid::db::fips203::{ID_ALG_ML_KEM_512, ID_ALG_ML_KEM_768, ID_ALG_ML_KEM_1024};

/// A parameter set of ML-KEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MlKem {
    /// As strong as AES-128.
    MlKem512,
    /// As strong as AES-192.
    MlKem768,
    /// As strong as AES-256.
    MlKem1024,
}

impl MlKem {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::MlKem512, Self::MlKem768, Self::MlKem1024];

    /// The name in FIPS 203: "ML-KEM-768".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MlKem512 => "ML-KEM-512",
            Self::MlKem768 => "ML-KEM-768",
            Self::MlKem1024 => "ML-KEM-1024",
        }
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|kem| kem.oid() == oid)
    }

    /// Names public keys and ciphertexts alike.
    pub(crate) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::MlKem512 => ID_ALG_ML_KEM_512,
            Self::MlKem768 => ID_ALG_ML_KEM_768,
            Self::MlKem1024 => ID_ALG_ML_KEM_1024,
        }
    }

    pub(crate) fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::MlKem512 => &ML_KEM_512,
            Self::MlKem768 => &ML_KEM_768,
            Self::MlKem1024 => &ML_KEM_1024,
        }
    }
}
