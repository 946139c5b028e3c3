//! sMIMECapabilities: what somebody says that he can read (RFC 8551, section 2.5.2), in a signature or in a certificate
//! (RFC 4262).
//!
//! It is a hint and no promise: what is not known, or cannot be read, is passed over.

use const_oid::db::{rfc5912, rfc6268};
use der::asn1::{Any, ObjectIdentifier};
use der::{Decode, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element};
use super::certificate_outline::{CertificateOutline, PublicKey};
use super::key_agreement::KeyWrapAlgorithm;
use super::key_transport::ReadableTransport;
use super::{
    Capabilities, ContentCipher, Digest, KeyDerivation, KeyTransport, MlKem, rsa_parameters,
};

/// Capabilities beyond this number are not looked at.
const MAX_CAPABILITIES: usize = 128;

impl Capabilities {
    /// What we read with the key of this certificate (DER): every cipher, and how a key may be sent to a key of its kind.
    #[must_use]
    pub fn readable_with(certificate: &[u8]) -> Self {
        let key = CertificateOutline::read(certificate).map(|outline| outline.public_key);
        let mut readable = Self {
            ciphers: ContentCipher::ALL.to_vec(),
            compression: true,
            ..Self::default()
        };
        match key {
            Ok(PublicKey::Rsa { .. }) => readable.key_transports = KeyTransport::ALL.to_vec(),
            Ok(PublicKey::Ec { .. }) => readable.key_agreements = X963.to_vec(),
            Ok(PublicKey::X25519(_)) => readable.key_agreements = KeyDerivation::ALL.to_vec(),
            Ok(PublicKey::MlKem { kem, .. }) => readable.key_encapsulations = vec![kem],
            Ok(PublicKey::Ed25519(_) | PublicKey::MlDsa { .. } | PublicKey::Unsupported(_))
            | Err(_) => {}
        }
        readable
    }

    /// What a certificate (DER) says of its owner in the extension of RFC 4262; None if it has none.
    #[must_use]
    pub fn of_certificate(certificate: &[u8]) -> Option<Self> {
        let outline = CertificateOutline::read(certificate).ok()?;
        let list = Element::only(outline.capabilities?).ok()?;
        Self::read(&list).ok()
    }

    /// Nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// SMIMECapabilities.
    pub(super) fn read(list: &Element<'_>) -> Result<Self, BerError> {
        let mut elements = list.children()?;
        let mut known = Self::default();
        for _ in 0..MAX_CAPABILITIES {
            let Some(element) = elements.next_element()? else {
                break;
            };
            if let Ok(capability) = Algorithm::from_element(&element) {
                known.add(&capability);
            }
        }
        Ok(known)
    }

    fn add(&mut self, capability: &Algorithm<'_>) {
        if let Some(cipher) = ContentCipher::from_oid(capability.oid) {
            push_new(&mut self.ciphers, cipher);
        } else if let Some(transport) = key_transport(capability) {
            push_new(&mut self.key_transports, transport);
        } else if let Some(derivation) = KeyDerivation::from_oid(capability.oid) {
            push_new(&mut self.key_agreements, derivation);
        } else if let Some(kem) = MlKem::from_oid(capability.oid) {
            push_new(&mut self.key_encapsulations, kem);
        } else if capability.oid == rfc6268::ID_ALG_ZLIB_COMPRESS {
            self.compression = true;
        }
    }

    /// SMIMECapabilities, as they are written.
    pub(super) fn to_list(&self) -> der::Result<Vec<AlgorithmIdentifierOwned>> {
        let ciphers = self.ciphers.iter().map(|cipher| Ok(bare(cipher.oid())));
        let transports = self.key_transports.iter().copied().map(written_transport);
        let agreements = self.key_agreements.iter().filter_map(|derivation| {
            let oid = derivation.oid()?;
            Some(
                Any::encode_from(&bare(KeyWrapAlgorithm::Aes256.oid())).map(|wrap| {
                    AlgorithmIdentifierOwned {
                        oid,
                        parameters: Some(wrap),
                    }
                }),
            )
        });
        let kems = self.key_encapsulations.iter();
        let encapsulations = kems.map(|kem| Ok(bare(kem.oid())));
        let compression = self
            .compression
            .then(|| Ok(bare(rfc6268::ID_ALG_ZLIB_COMPRESS)));
        ciphers
            .chain(transports)
            .chain(agreements)
            .chain(encapsulations)
            .chain(compression)
            .collect()
    }
}

/// X25519 alone goes with HKDF.
const X963: [KeyDerivation; 4] = [
    KeyDerivation::X963(Digest::Sha256),
    KeyDerivation::X963(Digest::Sha384),
    KeyDerivation::X963(Digest::Sha512),
    KeyDerivation::X963(Digest::Sha1),
];

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn bare(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid,
        parameters: None,
    }
}

/// A key transport in either form: with the parameters that a message would have, or with those of RFC 3560, section 5.
fn key_transport(capability: &Algorithm<'_>) -> Option<KeyTransport> {
    if let Ok(ReadableTransport::Plain(transport)) = ReadableTransport::read(capability) {
        return Some(transport);
    }
    if capability.oid != rfc5912::ID_RSAES_OAEP {
        return None;
    }
    let untagged = OaepCapability::from_der(capability.parameters?.encoded()).ok()?;
    let digest = Digest::from_oid(untagged.hash_func.oid)?;
    let same = untagged.mask_gen_func == rsa_parameters::mask_gen_algorithm(digest).ok()?;
    same.then_some(KeyTransport::Oaep(digest))
}

/// RSAES-OAEP-params as RFC 3560, section 5 prints them: without tags.
#[derive(Sequence)]
struct OaepCapability {
    hash_func: AlgorithmIdentifierOwned,
    mask_gen_func: AlgorithmIdentifierOwned,
}

fn written_transport(transport: KeyTransport) -> der::Result<AlgorithmIdentifierOwned> {
    let parameters = match transport {
        KeyTransport::Pkcs1 => return transport.algorithm(),
        // All defaults.
        KeyTransport::Oaep(Digest::Sha1) => Any::from_der(&Vec::<Any>::new().to_der()?)?,
        KeyTransport::Oaep(digest) => Any::encode_from(&OaepCapability {
            hash_func: rsa_parameters::hash_algorithm(digest),
            mask_gen_func: rsa_parameters::mask_gen_algorithm(digest)?,
        })?,
    };
    Ok(AlgorithmIdentifierOwned {
        oid: rfc5912::ID_RSAES_OAEP,
        parameters: Some(parameters),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_hex(list: &[&str]) -> Capabilities {
        let contents: Vec<u8> = list.iter().flat_map(|one| unhex(one)).collect();
        let mut bytes = vec![0x30, 0x82];
        bytes.extend(u16::try_from(contents.len()).unwrap().to_be_bytes());
        bytes.extend(contents);
        Capabilities::read(&Element::only(&bytes).unwrap()).unwrap()
    }

    fn unhex(text: &str) -> Vec<u8> {
        text.split_whitespace()
            .map(|octet| u8::from_str_radix(octet, 16).unwrap())
            .collect()
    }

    #[test]
    fn the_values_that_the_standards_print() {
        let oaep_sha1 = "30 0D 06 09 2A 86 48 86 F7 0D 01 01 07 30 00";
        let oaep_sha256 = "30 38 06 09 2A 86 48 86 F7 0D 01 01 07 30 2B 30 0D 06 09 60 86 48 01 65 03 04 02 01 05 00 \
                           30 1A 06 09 2A 86 48 86 F7 0D 01 01 08 30 0D 06 09 60 86 48 01 65 03 04 02 01 05 00";
        let x963_sha384 = "30 15 06 06 2B 81 04 01 0B 02 30 0B 06 09 60 86 48 01 65 03 04 01 05";
        let hkdf_sha512 =
            "30 1A 06 0B 2A 86 48 86 F7 0D 01 09 10 03 15 30 0B 06 09 60 86 48 01 65 03 04 01 05";
        let rc2_40 = "30 0D 06 08 2A 86 48 86 F7 0D 03 02 02 01 28";
        let aes_128_cbc = "30 0B 06 09 60 86 48 01 65 03 04 01 02";
        let known = of_hex(&[
            oaep_sha1,
            rc2_40,
            aes_128_cbc,
            oaep_sha256,
            x963_sha384,
            hkdf_sha512,
            aes_128_cbc,
        ]);
        assert_eq!(
            known,
            Capabilities {
                ciphers: vec![ContentCipher::Aes128Cbc],
                key_transports: vec![
                    KeyTransport::Oaep(Digest::Sha1),
                    KeyTransport::Oaep(Digest::Sha256)
                ],
                key_agreements: vec![
                    KeyDerivation::X963(Digest::Sha384),
                    KeyDerivation::Hkdf(Digest::Sha512)
                ],
                key_encapsulations: vec![],
                compression: false,
            }
        );
        let written = |capabilities: &Capabilities| capabilities.to_list().unwrap().to_der();
        let transports = Capabilities {
            key_transports: known.key_transports.clone(),
            ..Capabilities::default()
        };
        let list = written(&transports).unwrap();
        assert_eq!(list[2..], [unhex(oaep_sha1), unhex(oaep_sha256)].concat());
    }

    #[test]
    fn what_is_written_is_read() {
        let all = Capabilities {
            ciphers: ContentCipher::ALL.to_vec(),
            key_transports: KeyTransport::ALL.to_vec(),
            key_agreements: KeyDerivation::ALL.to_vec(),
            key_encapsulations: MlKem::ALL.to_vec(),
            compression: true,
        };
        let list = all.to_list().unwrap().to_der().unwrap();
        let read = Capabilities::read(&Element::only(&list).unwrap());
        assert_eq!(read, Ok(all));
        assert!(Capabilities::default().is_empty());
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        for (list, expected) in [
            (&b"\x30\x00"[..], true),
            (b"\x30\x02\x05\x00", true),
            (b"\x30\x05\x30\x03\x06\x01\x2a", true),
            (b"\x30\x03\x30\x7f\x00", false),
            (b"\x04\x00", false),
        ] {
            let read = Capabilities::read(&Element::only(list).unwrap());
            assert_eq!(
                read.is_ok_and(|read| read.is_empty()),
                expected,
                "{list:x?}"
            );
        }
        let many = [&[0x30, 0x82, 0x0f, 0xa0][..], &[0x05, 0x00].repeat(2000)].concat();
        assert!(Capabilities::read(&Element::only(&many).unwrap()).is_ok());
    }
}
