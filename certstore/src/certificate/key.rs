//! The kind of a public key (RFC 5280, section 4.1.2.7; RFC 3279; RFC 5480; RFC 8410; RFC 9881; RFC 9935).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ID_EC_PUBLIC_KEY, ID_RSASSA_PSS, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1,
};
use const_oid::db::rfc8410::{ID_ED_25519, ID_X_25519};
use der::asn1::UintRef;
use der::{Reader, SliceReader};
use spki::SubjectPublicKeyInfoOwned;

use crate::cms::{Curve, KeyKind, MlDsa, MlKem};

/// `None` for a key that nothing here can use, or that cannot be read.
pub(super) fn key_kind(public_key: &SubjectPublicKeyInfoOwned) -> Option<KeyKind> {
    match public_key.algorithm.oid {
        RSA_ENCRYPTION | ID_RSASSA_PSS => {
            let bits = modulus_bits(public_key.subject_public_key.as_bytes()?).ok()?;
            Some(KeyKind::Rsa { bits })
        }
        ID_EC_PUBLIC_KEY => {
            let parameters = public_key.algorithm.parameters.as_ref()?;
            let curve = parameters.decode_as::<ObjectIdentifier>().ok()?;
            curve_of(curve).map(KeyKind::Ec)
        }
        ID_X_25519 => Some(KeyKind::X25519),
        ID_ED_25519 => Some(KeyKind::Ed25519),
        oid => {
            let kem = MlKem::from_oid(oid).map(KeyKind::MlKem);
            kem.or_else(|| MlDsa::from_oid(oid).map(KeyKind::MlDsa))
        }
    }
}

fn curve_of(oid: ObjectIdentifier) -> Option<Curve> {
    match oid {
        SECP_256_R_1 => Some(Curve::P256),
        SECP_384_R_1 => Some(Curve::P384),
        SECP_521_R_1 => Some(Curve::P521),
        _ => None,
    }
}

/// Length in bits of the modulus in an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn modulus_bits(rsa_public_key: &[u8]) -> der::Result<u32> {
    let mut reader = SliceReader::new(rsa_public_key)?;
    reader.sequence(|key| {
        let modulus: UintRef<'_> = key.decode()?;
        let _exponent: UintRef<'_> = key.decode()?;
        let bytes = modulus.as_bytes();
        let unused = bytes.first().map_or(0, |byte| byte.leading_zeros());
        Ok(u32::from(modulus.len()) * 8 - unused)
    })
}
