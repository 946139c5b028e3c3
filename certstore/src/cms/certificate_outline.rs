//! What CMS needs to know of a certificate, and no more: its names for RecipientInfos, and its key.
//!
//! Read leniently and byte-exact: a certificate that breaks a rule elsewhere (a long serial number, an odd extension)
//! still names its owner. Nothing here says that a certificate is to be trusted.

use const_oid::db::{rfc5280, rfc5911, rfc5912, rfc8410};
use der::asn1::ObjectIdentifier;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Reader, Tag};
use super::{CmsError, Curve, Digest, KeyKind, MlDsa, MlKem, RecipientId, Unsupported};

/// The kind of the public key in a certificate (DER).
///
/// # Errors
/// [`CmsError::Malformed`] if it is no certificate, [`CmsError::Unsupported`] if its key is of no supported
/// kind.
pub fn key_kind(certificate: &[u8]) -> Result<KeyKind, CmsError> {
    match CertificateOutline::read(certificate)?.public_key {
        PublicKey::Rsa { bits, .. } => Ok(KeyKind::Rsa { bits }),
        PublicKey::Ec { curve, .. } => Ok(KeyKind::Ec(curve)),
        PublicKey::X25519(_) => Ok(KeyKind::X25519),
        PublicKey::Ed25519(_) => Ok(KeyKind::Ed25519),
        PublicKey::MlKem { kem, .. } => Ok(KeyKind::MlKem(kem)),
        PublicKey::MlDsa { dsa, .. } => Ok(KeyKind::MlDsa(dsa)),
        PublicKey::Unsupported(oid) => Err(CmsError::Unsupported(Unsupported::of(oid))),
    }
}

impl RecipientId {
    /// The issuer and serial number of a certificate (DER), byte for byte.
    ///
    /// # Errors
    /// [`CmsError::Malformed`] if it is no certificate.
    pub fn of(certificate: &[u8]) -> Result<Self, CmsError> {
        let outline = CertificateOutline::read(certificate)?;
        Ok(Self::IssuerAndSerial {
            issuer: outline.issuer.encoded().to_vec(),
            serial: outline.serial.contents().to_vec(),
        })
    }

    /// Whether this identifier names the certificate (DER). What is no certificate is not named by anything.
    #[must_use]
    pub fn names(&self, certificate: &[u8]) -> bool {
        CertificateOutline::read(certificate).is_ok_and(|outline| outline.is_named_by(self))
    }

    /// Reads a RecipientIdentifier or SignerIdentifier, which are alike (RFC 5652, sections 5.3 and 6.2.1).
    pub(super) fn read(fields: &mut Reader<'_>) -> Result<Self, BerError> {
        match fields.optional(Tag::context(0))? {
            Some(identifier) => Ok(Self::SubjectKeyIdentifier(
                identifier.octets()?.into_owned(),
            )),
            None => Self::from_issuer_and_serial(&fields.expect(Tag::SEQUENCE)?),
        }
    }

    pub(super) fn from_issuer_and_serial(element: &Element<'_>) -> Result<Self, BerError> {
        let mut fields = element.children()?;
        let issuer = fields.expect(Tag::SEQUENCE)?.encoded().to_vec();
        let serial = fields.expect(Tag::INTEGER)?.primitive()?.to_vec();
        fields.finish()?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }
}

/// The parts of a certificate that CMS uses.
#[derive(Debug, Clone)]
pub(super) struct CertificateOutline<'a> {
    pub(super) encoded: &'a [u8],
    pub(super) serial: Element<'a>,
    pub(super) issuer: Element<'a>,
    subject: Element<'a>,
    /// DER of the SubjectPublicKeyInfo.
    pub(super) public_key_info: &'a [u8],
    pub(super) public_key: PublicKey<'a>,
    key_bits: &'a [u8],
    pub(super) subject_key_identifier: Option<&'a [u8]>,
    /// The value of the extension of RFC 4262.
    pub(super) capabilities: Option<&'a [u8]>,
    /// The first octet of the KeyUsage bits; None if the extension is absent.
    key_usage: Option<u8>,
}

/// A public key by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublicKey<'a> {
    Rsa {
        /// DER of the RSAPublicKey.
        key: &'a [u8],
        bits: u32,
        /// Whether the certificate restricts the key to RSASSA-PSS (RFC 4055, section 1.2).
        pss_only: bool,
    },
    Ec {
        curve: Curve,
        /// The point (SEC 1, section 2.3.3).
        point: &'a [u8],
    },
    /// 32 octets, if it is right (RFC 8410, section 4).
    X25519(&'a [u8]),
    /// Likewise.
    Ed25519(&'a [u8]),
    MlKem {
        kem: MlKem,
        /// The encapsulation key (FIPS 203, section 7.1).
        key: &'a [u8],
    },
    MlDsa {
        dsa: MlDsa,
        /// The public key (FIPS 204, section 5.1).
        key: &'a [u8],
    },
    Unsupported(ObjectIdentifier),
}

impl<'a> CertificateOutline<'a> {
    pub(super) fn read(certificate: &'a [u8]) -> Result<Self, CmsError> {
        Self::read_fields(certificate).map_err(CmsError::in_structure("Certificate"))
    }

    fn read_fields(certificate: &'a [u8]) -> Result<Self, BerError> {
        let outer = Element::only(certificate)?;
        let mut fields = outer.children()?.expect(Tag::SEQUENCE)?.children()?;
        fields.optional(Tag::context(0))?;
        let serial = fields.expect(Tag::INTEGER)?;
        fields.expect(Tag::SEQUENCE)?;
        let issuer = fields.expect(Tag::SEQUENCE)?;
        fields.expect(Tag::SEQUENCE)?;
        let subject = fields.expect(Tag::SEQUENCE)?;
        let public_key_info = fields.expect(Tag::SEQUENCE)?;
        let (public_key, key_bits) = PublicKey::read(&public_key_info)?;
        let mut outline = Self {
            encoded: certificate,
            serial,
            issuer,
            subject,
            public_key_info: public_key_info.encoded(),
            public_key,
            key_bits,
            subject_key_identifier: None,
            capabilities: None,
            key_usage: None,
        };
        fields.optional(Tag::context(1))?;
        fields.optional(Tag::context(2))?;
        if let Some(extensions) = fields.optional(Tag::context(3))? {
            outline.read_extensions(extensions.only_child()?.children()?)?;
        }
        Ok(outline)
    }

    fn read_extensions(&mut self, mut extensions: Reader<'a>) -> Result<(), BerError> {
        while let Some(extension) = extensions.next_element()? {
            let mut fields = extension.children()?;
            let oid = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
            let Some(value) = last(fields)? else { continue };
            let inner = Element::only(value.contents()).and_then(|inner| inner.primitive());
            if oid == rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER {
                self.subject_key_identifier = inner.ok();
            } else if oid == rfc5280::ID_CE_KEY_USAGE {
                self.key_usage = inner.ok().map(|bits| bits.get(1).copied().unwrap_or(0));
            } else if oid == rfc5911::SMIME_CAPABILITIES {
                self.capabilities = Some(value.contents());
            }
        }
        Ok(())
    }

    pub(super) fn is_named_by(&self, id: &RecipientId) -> bool {
        match id {
            RecipientId::IssuerAndSerial { issuer, serial } => {
                self.serial.contents() == serial && self.issuer.encoded() == issuer
            }
            RecipientId::SubjectKeyIdentifier(identifier) => match self.subject_key_identifier {
                Some(own) => own == identifier,
                // Without the extension, the common way to make one (RFC 5280, section 4.2.1.2).
                None => Digest::Sha1.of(self.key_bits).as_ref() == identifier,
            },
        }
    }

    /// Whether its issuer is itself, by name: a root, or a certificate of its own making.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer.encoded() == self.subject.encoded()
    }

    /// Whether content-encryption keys may be encrypted to this key (RFC 8550, section 4.4.2).
    pub(super) fn may_encrypt(&self) -> bool {
        const KEY_ENCIPHERMENT: u8 = 0x20;
        const KEY_AGREEMENT: u8 = 0x08;
        let usage = self.key_usage.unwrap_or(KEY_ENCIPHERMENT | KEY_AGREEMENT);
        match self.public_key {
            PublicKey::Rsa { pss_only, .. } => !pss_only && usage & KEY_ENCIPHERMENT != 0,
            PublicKey::Ec { .. } | PublicKey::X25519(_) => usage & KEY_AGREEMENT != 0,
            // RFC 9935, section 5.
            PublicKey::MlKem { .. } => usage & KEY_ENCIPHERMENT != 0,
            PublicKey::Ed25519(_) | PublicKey::MlDsa { .. } | PublicKey::Unsupported(_) => false,
        }
    }
}

impl<'a> PublicKey<'a> {
    /// The key of a SubjectPublicKeyInfo, and the octets of its BIT STRING.
    fn read(public_key_info: &Element<'a>) -> Result<(Self, &'a [u8]), BerError> {
        let mut fields = public_key_info.children()?;
        let algorithm = Algorithm::read(&mut fields)?;
        let bits = fields.expect(Tag::BIT_STRING)?.bit_string()?;
        let key = match algorithm.oid {
            rfc5912::RSA_ENCRYPTION => Self::rsa(bits, false)?,
            rfc5912::ID_RSASSA_PSS => Self::rsa(bits, true)?,
            rfc5912::ID_EC_PUBLIC_KEY => match curve(&algorithm) {
                Some(curve) => Self::Ec { curve, point: bits },
                None => Self::Unsupported(named_curve(&algorithm).unwrap_or(algorithm.oid)),
            },
            rfc8410::ID_X_25519 => Self::X25519(bits),
            rfc8410::ID_ED_25519 => Self::Ed25519(bits),
            oid => Self::post_quantum(oid, bits),
        };
        Ok((key, bits))
    }

    fn post_quantum(oid: ObjectIdentifier, key: &'a [u8]) -> Self {
        match (MlKem::from_oid(oid), MlDsa::from_oid(oid)) {
            (Some(kem), _) => Self::MlKem { kem, key },
            (None, Some(dsa)) => Self::MlDsa { dsa, key },
            (None, None) => Self::Unsupported(oid),
        }
    }

    fn rsa(key: &'a [u8], pss_only: bool) -> Result<Self, BerError> {
        let modulus = Element::only(key)?.children()?.expect(Tag::INTEGER)?;
        let bits = bit_length(modulus.primitive()?).ok_or(BerError::OutOfRange)?;
        Ok(Self::Rsa {
            key,
            bits,
            pss_only,
        })
    }
}

/// The curve of an EC key's AlgorithmIdentifier, if it is one of ours.
fn curve(algorithm: &Algorithm<'_>) -> Option<Curve> {
    match named_curve(algorithm)? {
        rfc5912::SECP_256_R_1 => Some(Curve::P256),
        rfc5912::SECP_384_R_1 => Some(Curve::P384),
        rfc5912::SECP_521_R_1 => Some(Curve::P521),
        _ => None,
    }
}

fn named_curve(algorithm: &Algorithm<'_>) -> Option<ObjectIdentifier> {
    let parameters = algorithm.parameters?;
    if parameters.tag() != Tag::OBJECT_IDENTIFIER {
        return None;
    }
    parameters.object_identifier().ok()
}

/// The number of bits of a big-endian integer.
fn bit_length(octets: &[u8]) -> Option<u32> {
    let start = octets.iter().position(|octet| *octet != 0)?;
    let octets = octets.get(start..)?;
    let bits = u32::try_from(octets.len()).ok()?.checked_mul(8)?;
    Some(bits - octets.first()?.leading_zeros())
}

fn last<'a>(mut fields: Reader<'a>) -> Result<Option<Element<'a>>, BerError> {
    let mut last = None;
    while let Some(field) = fields.next_element()? {
        last = Some(field);
    }
    Ok(last)
}
