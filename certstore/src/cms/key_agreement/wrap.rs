//! AES key wrap (RFC 3394, RFC 3565).

use aes_kw::{KeyInit, KwAes192};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use const_oid::db::rfc5911;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

/// What key wrap adds to a key, in bytes.
const OVERHEAD: usize = 8;
/// The shortest key that can be wrapped, in bytes.
const SHORTEST_KEY: usize = 16;

/// AES key wrap by the length of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cms) enum KeyWrapAlgorithm {
    Aes128,
    Aes192,
    Aes256,
}

impl KeyWrapAlgorithm {
    /// As strong as the key that is to be wrapped, whose length is given in bytes.
    pub(in crate::cms) fn for_key(length: usize) -> Self {
        match length {
            0..=16 => Self::Aes128,
            17..=24 => Self::Aes192,
            _ => Self::Aes256,
        }
    }

    pub(in crate::cms) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        [Self::Aes128, Self::Aes192, Self::Aes256]
            .into_iter()
            .find(|wrap| wrap.oid() == oid)
    }

    pub(in crate::cms) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128 => rfc5911::ID_AES_128_WRAP,
            Self::Aes192 => rfc5911::ID_AES_192_WRAP,
            Self::Aes256 => rfc5911::ID_AES_256_WRAP,
        }
    }

    /// Length of its own key, in bytes.
    pub(in crate::cms) fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    pub(in crate::cms) fn wrap(
        self,
        key: &[u8],
        content_key: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        let mut wrapped = vec![0; content_key.len() + OVERHEAD];
        let length = match self {
            Self::Aes128 => AesKek::new(&AES_128, key)?
                .wrap(content_key, &mut wrapped)?
                .len(),
            Self::Aes192 => aes_192(key)?
                .wrap_key(content_key, &mut wrapped)
                .map_err(|_| Unspecified)?
                .len(),
            Self::Aes256 => AesKek::new(&AES_256, key)?
                .wrap(content_key, &mut wrapped)?
                .len(),
        };
        wrapped.truncate(length);
        Ok(wrapped)
    }

    pub(in crate::cms) fn unwrap(
        self,
        key: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        if wrapped.len() < SHORTEST_KEY + OVERHEAD {
            return Err(Unspecified);
        }
        let mut content_key = Zeroizing::new(vec![0; wrapped.len()]);
        let length = match self {
            Self::Aes128 => AesKek::new(&AES_128, key)?
                .unwrap(wrapped, &mut content_key)?
                .len(),
            Self::Aes192 => aes_192(key)?
                .unwrap_key(wrapped, &mut content_key)
                .map_err(|_| Unspecified)?
                .len(),
            Self::Aes256 => AesKek::new(&AES_256, key)?
                .unwrap(wrapped, &mut content_key)?
                .len(),
        };
        content_key.truncate(length);
        Ok(content_key)
    }
}

/// aws-lc has no key wrap with 192 bits.
fn aes_192(key: &[u8]) -> Result<KwAes192, Unspecified> {
    KwAes192::new_from_slice(key).map_err(|_| Unspecified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_3394() {
        let key = |length: u8| (0..length).collect::<Vec<_>>();
        let content_key: Vec<u8> = (0..16).map(|index| index * 0x11).collect();
        for (wrap, expected) in [
            (
                KeyWrapAlgorithm::Aes128,
                "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
            ),
            (
                KeyWrapAlgorithm::Aes192,
                "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d",
            ),
            (
                KeyWrapAlgorithm::Aes256,
                "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7",
            ),
        ] {
            let key = key(u8::try_from(wrap.key_length()).unwrap());
            let wrapped = wrap.wrap(&key, &content_key).unwrap();
            let printed: String = wrapped.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(printed, expected);
            assert_eq!(*wrap.unwrap(&key, &wrapped).unwrap(), content_key);
            for length in 0..wrapped.len() {
                assert!(wrap.unwrap(&key, &wrapped[..length]).is_err());
            }
            let mut changed = wrapped.clone();
            changed[9] ^= 1;
            assert!(wrap.unwrap(&key, &changed).is_err());
        }
    }
}
