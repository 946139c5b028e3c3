//! Private keys for Ed25519 and X25519 (RFC 8410), as `software_key` uses them.

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::key_rejection::KeyRejection;
use crate::cms::KeyFailure;
use crate::cms::ber::{Element, Tag};

/// A key that signs.
pub(super) struct Ed25519Key(Ed25519KeyPair);

impl Ed25519Key {
    /// `private_key` is a CurvePrivateKey (RFC 8410, section 7).
    pub(super) fn read(private_key: &[u8]) -> Result<Self, KeyRejection> {
        Ed25519KeyPair::from_seed_unchecked(&seed(private_key)?)
            .map(Self)
            .map_err(|_| KeyRejection::Refused)
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyRejection> {
        let pkcs8 = self.0.to_pkcs8v1().map_err(|_| KeyRejection::Refused)?;
        Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    pub(super) fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let signature = self.0.try_sign(message).map_err(|_| KeyFailure::Failed)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// A key that agrees.
pub(super) struct X25519Key {
    private: PrivateKey,
    public: agreement::PublicKey,
}

impl X25519Key {
    /// `private_key` is a CurvePrivateKey (RFC 8410, section 7).
    pub(super) fn read(private_key: &[u8]) -> Result<Self, KeyRejection> {
        let private = PrivateKey::from_private_key(&X25519, &seed(private_key)?)
            .map_err(|_| KeyRejection::Refused)?;
        let public = private
            .compute_public_key()
            .map_err(|_| KeyRejection::Refused)?;
        Ok(Self { private, public })
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyRejection> {
        // A PrivateKeyInfo of version 0, id-X25519, and an OCTET STRING within an OCTET STRING: all of fixed length.
        const HEAD: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20";
        let seed: Curve25519SeedBin<'_> = self
            .private
            .as_be_bytes()
            .map_err(|_| KeyRejection::Refused)?;
        Ok(Zeroizing::new([HEAD, seed.as_ref()].concat()))
    }

    pub(super) fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    /// The shared secret with `public_key`. aws-lc refuses one that is all zero (RFC 8418, section 2).
    pub(super) fn agree(&self, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let peer = UnparsedPublicKey::new(&X25519, public_key);
        agreement::agree(&self.private, peer, KeyFailure::Failed, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }
}

/// The 32 octets in a CurvePrivateKey.
fn seed(private_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyRejection> {
    let inner = Element::only(private_key)?;
    if inner.tag() != Tag::OCTET_STRING {
        return Err(KeyRejection::Damaged);
    }
    Ok(Zeroizing::new(inner.primitive()?.to_vec()))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey as VerificationKey};

    use super::*;
    use crate::cms::{Curve, Digest, KeyTransport, SignatureScheme};
    use crate::vault::software_key::SoftwareKey;

    /// A PrivateKeyInfo of the algorithm that `last` ends the identifier of.
    fn pkcs8(last: u8, seed: u8) -> Vec<u8> {
        let mut key = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65".to_vec();
        key.extend([last, 0x04, 0x22, 0x04, 0x20]);
        key.extend([seed; 32]);
        key
    }

    const X25519_ID: u8 = 110;
    const ED25519_ID: u8 = 112;

    #[test]
    fn keys_are_kept_as_they_were_read() {
        for last in [X25519_ID, ED25519_ID] {
            let key = SoftwareKey::read(&pkcs8(last, 7)).unwrap();
            assert_eq!(*key.to_pkcs8().unwrap(), pkcs8(last, 7));
        }
    }

    #[test]
    fn an_ed25519_key_signs_and_nothing_else() {
        let key = SoftwareKey::read(&pkcs8(ED25519_ID, 7)).unwrap();
        let signature = key.sign(SignatureScheme::Ed25519, b"a message").unwrap();
        let SoftwareKey::Ed25519(pair) = &key else {
            panic!("{key:?}");
        };
        VerificationKey::new(&ED25519, pair.public())
            .verify(b"a message", &signature)
            .unwrap();
        for scheme in [
            SignatureScheme::RsaPkcs1(Digest::Sha256),
            SignatureScheme::Ecdsa(Curve::P256, Digest::Sha256),
        ] {
            assert!(key.sign(scheme, b"a message").is_err());
        }
        assert!(key.agree_x25519(&[9; 32]).is_err());
        assert!(key.decrypt(KeyTransport::Pkcs1, &[0; 256]).is_err());
    }

    #[test]
    fn x25519_keys_agree_and_nothing_else() {
        let [one, other] = [7, 8].map(|seed| SoftwareKey::read(&pkcs8(X25519_ID, seed)).unwrap());
        let public = |key: &SoftwareKey| {
            let SoftwareKey::X25519(key) = key else {
                panic!("not an X25519 key");
            };
            key.public().to_vec()
        };
        assert_eq!(
            one.agree_x25519(&public(&other)).unwrap(),
            other.agree_x25519(&public(&one)).unwrap()
        );
        for bad in [&[0; 32][..], &[9; 31], &[]] {
            assert_eq!(one.agree_x25519(bad), Err(KeyFailure::Failed));
        }
        assert!(one.agree(Curve::P256, &[4; 65]).is_err());
        assert!(one.sign(SignatureScheme::Ed25519, b"").is_err());
    }

    #[test]
    fn damaged_keys_are_refused() {
        for last in [X25519_ID, ED25519_ID] {
            let key = pkcs8(last, 7);
            for length in 0..key.len() {
                assert!(SoftwareKey::read(&key[..length]).is_err());
            }
            for index in [14, 15] {
                let mut key = key.clone();
                key[index] ^= 1;
                assert!(SoftwareKey::read(&key).is_err(), "byte {index}");
            }
        }
    }
}
