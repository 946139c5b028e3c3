//! Content-encryption keys encrypted to RSA keys: PKCS#1 v1.5 (RFC 3370, section 4.2.1) and OAEP (RFC 3560).

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use const_oid::db::rfc5912;
use der::asn1::Null;
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, AlgorithmError};
use super::{Decryptor, Digest, KeyFailure, KeyTransport, rsa_parameters};

impl KeyTransport {
    /// Every key transport that can be written and read, best first.
    pub const ALL: [Self; 5] = [
        Self::Oaep(Digest::Sha256),
        Self::Oaep(Digest::Sha384),
        Self::Oaep(Digest::Sha512),
        Self::Oaep(Digest::Sha1),
        Self::Pkcs1,
    ];

    pub(super) fn algorithm(self) -> der::Result<AlgorithmIdentifierOwned> {
        match self {
            Self::Pkcs1 => Ok(AlgorithmIdentifierOwned {
                oid: rfc5912::RSA_ENCRYPTION,
                parameters: Some(Null.into()),
            }),
            Self::Oaep(digest) => rsa_parameters::oaep(digest),
        }
    }

    /// Encrypts a content-encryption key to `public_key` (DER of a SubjectPublicKeyInfo).
    pub(super) fn encrypt(
        self,
        public_key: &[u8],
        content_key: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        let key = PublicEncryptingKey::from_der(public_key).map_err(|_| Unspecified)?;
        let mut encrypted = vec![0; key.key_size_bytes()];
        let length = match self {
            Self::Pkcs1 => Pkcs1PublicEncryptingKey::new(key)?
                .encrypt(content_key, &mut encrypted)?
                .len(),
            Self::Oaep(digest) => OaepPublicEncryptingKey::new(key)?
                .encrypt(oaep_algorithm(digest), content_key, &mut encrypted, None)?
                .len(),
        };
        encrypted.truncate(length);
        Ok(encrypted)
    }
}

/// RSAES-OAEP with MGF1 on the same digest, as aws-lc calls it.
pub(crate) fn oaep_algorithm(digest: Digest) -> &'static OaepAlgorithm {
    match digest {
        Digest::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Digest::Sha256 => &OAEP_SHA256_MGF1SHA256,
        Digest::Sha384 => &OAEP_SHA384_MGF1SHA384,
        Digest::Sha512 => &OAEP_SHA512_MGF1SHA512,
    }
}

/// A key transport as a message has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadableTransport<'a> {
    Plain(KeyTransport),
    /// RSAES-OAEP with a label that is not empty.
    Labelled(Digest, &'a [u8]),
}

impl<'a> ReadableTransport<'a> {
    pub(super) fn read(algorithm: &Algorithm<'a>) -> Result<Self, AlgorithmError> {
        match algorithm.oid {
            rfc5912::RSA_ENCRYPTION => Ok(Self::Plain(KeyTransport::Pkcs1)),
            rfc5912::ID_RSAES_OAEP => Ok(match rsa_parameters::read_oaep(algorithm)? {
                (digest, []) => Self::Plain(KeyTransport::Oaep(digest)),
                (digest, label) => Self::Labelled(digest, label),
            }),
            _ => Err(algorithm.unsupported()),
        }
    }

    pub(super) fn decrypt(
        self,
        decryptor: &dyn Decryptor,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        match self {
            Self::Plain(transport) => decryptor.decrypt_key(transport, encrypted_key),
            Self::Labelled(digest, label) => {
                decryptor.decrypt_labelled_key(digest, label, encrypted_key)
            }
        }
    }
}
