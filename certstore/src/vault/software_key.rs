//! A private key in memory, ready for use with aws-lc; the only place where one does its work.
//!
//! RSA keys (2048 to 8192 bits) sign with PKCS#1 v1.5 and PSS and decrypt; EC keys on the NIST curves sign and agree;
//! Ed25519 and ML-DSA keys sign, X25519 keys agree, ML-KEM keys open what was encapsulated.
//! aws-lc clears the memory of its key objects when they go. What a failed operation tells is that it failed.

use aws_lc_rs::agreement::{self, UnparsedPublicKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    self, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1_SIGNING,
    ECDSA_P521_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ID_EC_PUBLIC_KEY, ID_RSASSA_PSS, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1,
};
use const_oid::db::rfc8410::{ID_ED_25519, ID_X_25519};
use der::asn1::{Any, BitStringRef, Null};
use der::{Decode, Encode};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::curve25519::{Ed25519Key, X25519Key};
use super::key_rejection::KeyRejection;
use super::ml_dsa::MlDsaKey;
use super::ml_kem::MlKemKey;
use crate::certificate::Certificate;
use crate::cms::ber::{Element, Tag};
use crate::cms::{
    Curve, Digest, KeyFailure, KeyTransport, MlDsa, MlKem, SignatureScheme, oaep_algorithm,
};
/// A private key.
pub(super) enum SoftwareKey {
    Rsa(Box<RsaKey>),
    Ec(Box<EcKey>),
    Ed25519(Box<Ed25519Key>),
    X25519(Box<X25519Key>),
    MlDsa(Box<MlDsaKey>),
    MlKem(Box<MlKemKey>),
}

pub(super) struct RsaKey {
    signing: rsa::KeyPair,
    pkcs1: Pkcs1PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

pub(super) struct EcKey {
    curve: Curve,
    /// For the digest that fits the curve (RFC 5753, section 2.1.1).
    signing: EcdsaKeyPair,
    agreement: agreement::PrivateKey,
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "SoftwareKey(RSA)",
            Self::Ec(_) => "SoftwareKey(EC)",
            Self::Ed25519(_) => "SoftwareKey(Ed25519)",
            Self::X25519(_) => "SoftwareKey(X25519)",
            Self::MlDsa(_) => "SoftwareKey(ML-DSA)",
            Self::MlKem(_) => "SoftwareKey(ML-KEM)",
        })
    }
}

impl SoftwareKey {
    /// Reads a key in PKCS#8 (RFC 5958), PKCS#1 (RFC 8017, appendix A.1.2) or SEC 1 (RFC 5915) form.
    pub(super) fn read(der: &[u8]) -> Result<Self, KeyRejection> {
        let mut fields = Element::only(der)?.children()?;
        fields.expect(Tag::INTEGER)?;
        let second = fields.element()?;
        if second.tag() == Tag::INTEGER {
            return Self::rsa(der);
        }
        if second.tag() == Tag::OCTET_STRING {
            return Self::ec_on_any_curve(der);
        }
        let key = fields.expect(Tag::OCTET_STRING)?.octets()?;
        let mut algorithm = second.children()?;
        match algorithm
            .expect(Tag::OBJECT_IDENTIFIER)?
            .object_identifier()?
        {
            // A PSS key is an RSA key that its owner wants to use with PSS alone (RFC 4055, section 1.2).
            RSA_ENCRYPTION | ID_RSASSA_PSS => Self::rsa(&key),
            ID_EC_PUBLIC_KEY => {
                let curve = algorithm
                    .expect(Tag::OBJECT_IDENTIFIER)?
                    .object_identifier()?;
                Self::ec(named_curve(curve)?, &key)
            }
            ID_ED_25519 => Ok(Self::Ed25519(Box::new(Ed25519Key::read(&key)?))),
            ID_X_25519 => Ok(Self::X25519(Box::new(X25519Key::read(&key)?))),
            other => Self::post_quantum(other, &key),
        }
    }

    fn post_quantum(algorithm: ObjectIdentifier, key: &[u8]) -> Result<Self, KeyRejection> {
        if let Some(dsa) = MlDsa::from_oid(algorithm) {
            return MlDsaKey::read(dsa, key).map(|key| Self::MlDsa(Box::new(key)));
        }
        let kem = MlKem::from_oid(algorithm)
            .ok_or_else(|| KeyRejection::Unsupported(algorithm.to_string()))?;
        MlKemKey::read(kem, key).map(|key| Self::MlKem(Box::new(key)))
    }

    /// The key in PKCS#8, as it is sealed and exported.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyRejection> {
        let refused = |_| KeyRejection::Refused;
        Ok(Zeroizing::new(match self {
            Self::Rsa(key) => key.signing.as_der().map_err(refused)?.as_ref().to_vec(),
            Self::Ec(key) => key.signing.to_pkcs8v1().map_err(refused)?.as_ref().to_vec(),
            Self::Ed25519(key) => return key.to_pkcs8(),
            Self::X25519(key) => return key.to_pkcs8(),
            Self::MlDsa(key) => return key.to_pkcs8().map_err(|_| KeyRejection::Refused),
            Self::MlKem(key) => return key.to_pkcs8().map_err(|_| KeyRejection::Refused),
        }))
    }

    /// Whether the certificate is for the public half of this key.
    pub(super) fn belongs_to(&self, certificate: &Certificate) -> bool {
        SubjectPublicKeyInfoRef::from_der(certificate.spki_der())
            .is_ok_and(|spki| spki.subject_public_key.raw_bytes() == self.public_key())
    }

    /// The octets of the BIT STRING in a SubjectPublicKeyInfo.
    fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.signing.public_key().as_ref(),
            Self::Ec(key) => key.signing.public_key().as_ref(),
            Self::Ed25519(key) => key.public(),
            Self::X25519(key) => key.public(),
            Self::MlDsa(key) => key.public_key(),
            Self::MlKem(key) => &key.public_key,
        }
    }

    /// DER of the SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    pub(super) fn public_key_info(&self) -> der::Result<Vec<u8>> {
        let (oid, parameters) = match self {
            Self::Rsa(_) => (RSA_ENCRYPTION, Some(Null.into())),
            Self::Ec(key) => (ID_EC_PUBLIC_KEY, Some(Any::from(curve_oid(key.curve)))),
            Self::Ed25519(_) => (ID_ED_25519, None),
            Self::X25519(_) => (ID_X_25519, None),
            Self::MlDsa(key) => (key.dsa.oid(), None),
            Self::MlKem(key) => (key.kem.oid(), None),
        };
        SubjectPublicKeyInfo {
            algorithm: AlgorithmIdentifierOwned { oid, parameters },
            subject_public_key: BitStringRef::from_bytes(self.public_key())?,
        }
        .to_der()
    }

    pub(super) fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyFailure> {
        match (self, scheme) {
            (Self::Rsa(key), SignatureScheme::RsaPkcs1(digest)) => {
                key.sign(rsa_pkcs1(digest)?, message)
            }
            (Self::Rsa(key), SignatureScheme::RsaPss(digest)) => {
                key.sign(rsa_pss(digest)?, message)
            }
            (Self::Ec(key), SignatureScheme::Ecdsa(curve, digest)) if key.curve == curve => {
                key.sign(digest, message)
            }
            (Self::Ed25519(key), SignatureScheme::Ed25519) => key.sign(message),
            (Self::MlDsa(key), SignatureScheme::MlDsa(dsa)) if key.dsa == dsa => key.sign(message),
            (Self::Ec(_), SignatureScheme::Ecdsa(..)) => {
                Err(KeyFailure::Unsuitable("ECDSA on another curve"))
            }
            (_, SignatureScheme::Ecdsa(..)) => Err(KeyFailure::Unsuitable("ECDSA")),
            (_, SignatureScheme::RsaPkcs1(_) | SignatureScheme::RsaPss(_)) => {
                Err(KeyFailure::Unsuitable("RSA"))
            }
            (_, SignatureScheme::Ed25519) => Err(KeyFailure::Unsuitable("Ed25519")),
            (_, SignatureScheme::MlDsa(dsa)) => Err(KeyFailure::Unsuitable(dsa.name())),
        }
    }

    pub(super) fn decrypt(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let Self::Rsa(key) = self else {
            return Err(KeyFailure::Unsuitable("RSA"));
        };
        key.decrypt(transport, encrypted_key)
    }

    pub(super) fn decrypt_labelled(
        &self,
        digest: Digest,
        label: &[u8],
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let Self::Rsa(key) = self else {
            return Err(KeyFailure::Unsuitable("RSA"));
        };
        key.decrypt_oaep(digest, Some(label), encrypted_key)
    }

    pub(super) fn agree(
        &self,
        curve: Curve,
        public_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let Self::Ec(key) = self else {
            return Err(KeyFailure::Unsuitable("ECDH"));
        };
        if key.curve != curve {
            return Err(KeyFailure::Unsuitable("ECDH on another curve"));
        }
        key.agree(public_key)
    }

    pub(super) fn agree_x25519(&self, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let Self::X25519(key) = self else {
            return Err(KeyFailure::Unsuitable("X25519"));
        };
        key.agree(public_key)
    }

    pub(super) fn decapsulate(
        &self,
        kem: MlKem,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        if let Self::MlKem(key) = self
            && key.kem == kem
        {
            return key.decapsulate(ciphertext);
        }
        Err(KeyFailure::Unsuitable(kem.name()))
    }

    fn rsa(rsa_private_key: &[u8]) -> Result<Self, KeyRejection> {
        let refused = |_| KeyRejection::Refused;
        let signing = rsa::KeyPair::from_der(rsa_private_key).map_err(|_| KeyRejection::Refused)?;
        let pkcs8 = signing.as_der().map_err(refused)?;
        let decrypting =
            PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| KeyRejection::Refused)?;
        Ok(Self::Rsa(Box::new(RsaKey {
            pkcs1: Pkcs1PrivateDecryptingKey::new(decrypting.clone()).map_err(refused)?,
            oaep: OaepPrivateDecryptingKey::new(decrypting).map_err(refused)?,
            signing,
        })))
    }

    fn ec(curve: Curve, ec_private_key: &[u8]) -> Result<Self, KeyRejection> {
        let (signing, agreement) = match curve {
            Curve::P256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, &agreement::ECDH_P256),
            Curve::P384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, &agreement::ECDH_P384),
            Curve::P521 => (&ECDSA_P521_SHA512_ASN1_SIGNING, &agreement::ECDH_P521),
        };
        Ok(Self::Ec(Box::new(EcKey {
            curve,
            signing: EcdsaKeyPair::from_private_key_der(signing, ec_private_key)
                .map_err(|_| KeyRejection::Refused)?,
            agreement: agreement::PrivateKey::from_private_key_der(agreement, ec_private_key)
                .map_err(|_| KeyRejection::Refused)?,
        })))
    }

    /// A SEC 1 key names its curve inside, where aws-lc checks it.
    fn ec_on_any_curve(ec_private_key: &[u8]) -> Result<Self, KeyRejection> {
        [Curve::P256, Curve::P384, Curve::P521]
            .into_iter()
            .find_map(|curve| Self::ec(curve, ec_private_key).ok())
            .ok_or(KeyRejection::Refused)
    }
}

impl RsaKey {
    fn sign(
        &self,
        encoding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyFailure> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyFailure::Failed)?;
        Ok(signature)
    }

    fn decrypt(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        match transport {
            KeyTransport::Pkcs1 => {
                let mut buffer = Zeroizing::new(vec![0; self.signing.public_modulus_len()]);
                let opened = self.pkcs1.decrypt(encrypted_key, &mut buffer);
                let length = opened.map_err(|_| KeyFailure::Failed)?.len();
                buffer.truncate(length);
                Ok(buffer)
            }
            KeyTransport::Oaep(digest) => self.decrypt_oaep(digest, None, encrypted_key),
        }
    }

    fn decrypt_oaep(
        &self,
        digest: Digest,
        label: Option<&[u8]>,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let mut buffer = Zeroizing::new(vec![0; self.signing.public_modulus_len()]);
        let length = self
            .oaep
            .decrypt(oaep_algorithm(digest), encrypted_key, &mut buffer, label)
            .map_err(|_| KeyFailure::Failed)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

impl EcKey {
    fn sign(&self, digest: Digest, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let algorithm = ecdsa(self.curve, digest)?;
        let signed = if algorithm == self.signing.algorithm() {
            self.signing.sign(&SystemRandom::new(), message)
        } else {
            self.with_algorithm(algorithm)?
                .sign(&SystemRandom::new(), message)
        };
        Ok(signed.map_err(|_| KeyFailure::Failed)?.as_ref().to_vec())
    }

    /// The same key for an unusual digest.
    fn with_algorithm(
        &self,
        algorithm: &'static EcdsaSigningAlgorithm,
    ) -> Result<EcdsaKeyPair, KeyFailure> {
        let pkcs8 = self.signing.to_pkcs8v1().map_err(|_| KeyFailure::Failed)?;
        EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).map_err(|_| KeyFailure::Failed)
    }

    fn agree(&self, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let peer = UnparsedPublicKey::new(self.agreement.algorithm(), public_key);
        agreement::agree(&self.agreement, peer, KeyFailure::Failed, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }
}

fn named_curve(oid: ObjectIdentifier) -> Result<Curve, KeyRejection> {
    match oid {
        SECP_256_R_1 => Ok(Curve::P256),
        SECP_384_R_1 => Ok(Curve::P384),
        SECP_521_R_1 => Ok(Curve::P521),
        other => Err(KeyRejection::Unsupported(other.to_string())),
    }
}

fn curve_oid(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => SECP_256_R_1,
        Curve::P384 => SECP_384_R_1,
        Curve::P521 => SECP_521_R_1,
    }
}

fn rsa_pkcs1(digest: Digest) -> Result<&'static dyn RsaEncoding, KeyFailure> {
    match digest {
        Digest::Sha1 => Err(KeyFailure::Unsuitable("SHA-1")),
        Digest::Sha256 => Ok(&RSA_PKCS1_SHA256),
        Digest::Sha384 => Ok(&RSA_PKCS1_SHA384),
        Digest::Sha512 => Ok(&RSA_PKCS1_SHA512),
    }
}

fn rsa_pss(digest: Digest) -> Result<&'static dyn RsaEncoding, KeyFailure> {
    match digest {
        Digest::Sha1 => Err(KeyFailure::Unsuitable("SHA-1")),
        Digest::Sha256 => Ok(&RSA_PSS_SHA256),
        Digest::Sha384 => Ok(&RSA_PSS_SHA384),
        Digest::Sha512 => Ok(&RSA_PSS_SHA512),
    }
}

fn ecdsa(curve: Curve, digest: Digest) -> Result<&'static EcdsaSigningAlgorithm, KeyFailure> {
    match (curve, digest) {
        (Curve::P256, Digest::Sha256) => Ok(&ECDSA_P256_SHA256_ASN1_SIGNING),
        (Curve::P384, Digest::Sha384) => Ok(&ECDSA_P384_SHA384_ASN1_SIGNING),
        (Curve::P521, Digest::Sha256) => Ok(&ECDSA_P521_SHA256_ASN1_SIGNING),
        (Curve::P521, Digest::Sha384) => Ok(&ECDSA_P521_SHA384_ASN1_SIGNING),
        (Curve::P521, Digest::Sha512) => Ok(&ECDSA_P521_SHA512_ASN1_SIGNING),
        (Curve::P256 | Curve::P384 | Curve::P521, _) => {
            Err(KeyFailure::Unsuitable("this digest on its curve"))
        }
    }
}
