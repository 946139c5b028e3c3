//! The parameter sets of ML-DSA (FIPS 204), as certificates and signatures name them (RFC 9881, RFC 9882). Always the
//! pure mode, with the empty context.

use aws_lc_rs::signature::{
    ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};
use const_oid::ObjectIdentifier;
use const_oid::db::fips204::{ID_ML_DSA_44, ID_ML_DSA_65, ID_ML_DSA_87};

/// A parameter set of ML-DSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MlDsa {
    /// As strong as a collision of SHA-256.
    MlDsa44,
    /// As strong as AES-192.
    MlDsa65,
    /// As strong as AES-256.
    MlDsa87,
}

impl MlDsa {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// The name in FIPS 204: "ML-DSA-65".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|dsa| dsa.oid() == oid)
    }

    /// Names public keys and signatures alike.
    pub(crate) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::MlDsa44 => ID_ML_DSA_44,
            Self::MlDsa65 => ID_ML_DSA_65,
            Self::MlDsa87 => ID_ML_DSA_87,
        }
    }

    pub(crate) fn verification(self) -> &'static PqdsaVerificationAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44,
            Self::MlDsa65 => &ML_DSA_65,
            Self::MlDsa87 => &ML_DSA_87,
        }
    }

    pub(crate) fn signing(self) -> &'static PqdsaSigningAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44_SIGNING,
            Self::MlDsa65 => &ML_DSA_65_SIGNING,
            Self::MlDsa87 => &ML_DSA_87_SIGNING,
        }
    }
}
