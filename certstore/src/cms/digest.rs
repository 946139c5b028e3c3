//! The digests: their identifiers, their names, and the digests of one content, each computed once.

use aws_lc_rs::digest;
use const_oid::db::rfc5912;
use der::asn1::ObjectIdentifier;

use super::Digest;

impl Digest {
    /// Every digest that can be read, best first.
    const ALL: [Self; 4] = [Self::Sha512, Self::Sha384, Self::Sha256, Self::Sha1];

    /// The name for people: "SHA-256".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The `micalg` parameter of multipart/signed (RFC 8551, section 3.5.3.2): "sha-256".
    #[must_use]
    pub fn micalg(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => rfc5912::ID_SHA_1,
            Self::Sha256 => rfc5912::ID_SHA_256,
            Self::Sha384 => rfc5912::ID_SHA_384,
            Self::Sha512 => rfc5912::ID_SHA_512,
        }
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == oid)
    }

    pub(super) fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// Length of a digest value, in bytes.
    pub(super) fn length(self) -> usize {
        self.implementation().output_len()
    }

    pub(super) fn of(self, message: &[u8]) -> digest::Digest {
        digest::digest(self.implementation(), message)
    }

    pub(super) fn of_parts(self, parts: &[&[u8]]) -> digest::Digest {
        let mut context = digest::Context::new(self.implementation());
        for part in parts {
            context.update(part);
        }
        context.finish()
    }
}

/// The digests of one content, each computed when it is first asked for and never again.
pub(super) struct ContentDigests<'a> {
    content: &'a [u8],
    known: Vec<(Digest, digest::Digest)>,
}

impl<'a> ContentDigests<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            known: Vec::new(),
        }
    }

    pub(super) fn content(&self) -> &'a [u8] {
        self.content
    }

    pub(super) fn digest(&mut self, digest: Digest) -> digest::Digest {
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == digest) {
            return *value;
        }
        let value = digest.of(self.content);
        self.known.push((digest, value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_standard_ones() {
        for (digest, expected) in [
            (Digest::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                Digest::Sha256,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            assert!(format!("{:?}", digest.of(b"abc")).ends_with(expected));
            assert_eq!(
                digest.of_parts(&[b"a", b"", b"bc"]).as_ref(),
                digest.of(b"abc").as_ref()
            );
            assert_eq!(Digest::from_oid(digest.oid()), Some(digest));
            let mut digests = ContentDigests::new(b"abc");
            assert_eq!(
                digests.digest(digest).as_ref(),
                digests.digest(digest).as_ref()
            );
            assert_eq!(digests.known.len(), 1);
        }
    }
}
