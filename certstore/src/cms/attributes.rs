//! The signed attributes of a SignerInfo, read (RFC 5652, section 11; RFC 8551, section 2.5; RFC 5035).
//!
//! They are kept as they were received: the signature is over those very bytes.

use std::collections::HashSet;
use std::time::SystemTime;

use const_oid::db::rfc5911;
use der::Decode;
use der::asn1::ObjectIdentifier;
use x509_cert::time::Time;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Reader, Tag};
use super::{Capabilities, Digest, RecipientId, SignatureFault};

/// A SET OF Attribute.
pub(super) struct Attributes<'a> {
    contents: &'a [u8],
    attributes: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    oid: ObjectIdentifier,
    values: Reader<'a>,
}

impl<'a> Attributes<'a> {
    /// Reads the attributes in an element, whatever its tag.
    pub(super) fn read(element: &Element<'a>) -> Result<Self, BerError> {
        let mut elements = element.children()?;
        let mut attributes = Vec::new();
        while let Some(element) = elements.next_element()? {
            let mut fields = element.children()?;
            let oid = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
            let values = fields.expect(Tag::SET)?.children()?;
            fields.finish()?;
            attributes.push(Attribute { oid, values });
        }
        Ok(Self {
            contents: element.contents(),
            attributes,
        })
    }

    /// The bytes that were signed, or authenticated: the attributes as received, with the tag SET OF in place of the
    /// implicit one (RFC 5652, section 5.4; RFC 5083, section 2.2).
    pub(super) fn as_set(&self) -> Vec<u8> {
        let length = self.contents.len();
        let octets = length.to_be_bytes();
        let significant = octets.iter().skip_while(|octet| **octet == 0);
        let mut set = Vec::with_capacity(2 + octets.len() + length);
        set.push(0x31);
        match u8::try_from(length) {
            Ok(short @ 0..0x80) => set.push(short),
            Ok(_) | Err(_) => {
                set.push(0x80 | significant.clone().fold(0, |count, _| count + 1));
                set.extend(significant);
            }
        }
        set.extend_from_slice(self.contents);
        set
    }

    /// The content type that was signed, and the digest of the content: both must be there, once (RFC 5652, section 5.3).
    pub(super) fn content_type_and_digest(
        &self,
    ) -> Result<(ObjectIdentifier, &'a [u8]), SignatureFault> {
        let content_type = self.required(rfc5911::ID_CONTENT_TYPE, "content-type")?;
        let digest = self.required(rfc5911::ID_MESSAGE_DIGEST, "message-digest")?;
        Ok((
            content_type
                .object_identifier()
                .map_err(malformed("content-type"))?,
            digest.primitive().map_err(malformed("message-digest"))?,
        ))
    }

    /// No type of attribute may be there twice, known to us or not: two readers might believe two of them.
    pub(super) fn each_once(&self) -> Result<(), SignatureFault> {
        let mut seen = HashSet::with_capacity(self.attributes.len());
        match self.attributes.iter().find(|one| !seen.insert(one.oid)) {
            Some(double) => Err(SignatureFault::Attributes(format!(
                "the attribute {} is there more than once",
                double.oid
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn signing_time(&self) -> Result<Option<SystemTime>, SignatureFault> {
        let Some(value) = self.single(rfc5911::ID_SIGNING_TIME, "signing-time")? else {
            return Ok(None);
        };
        let time = Time::from_der(value.encoded())
            .map_err(|_| malformed("signing-time")(BerError::InvalidValue))?;
        Ok(Some(time.to_system_time()))
    }

    /// What the signer says it can read. What cannot be read counts as nothing: these are hints.
    pub(super) fn capabilities(&self) -> Capabilities {
        match self.single(rfc5911::SMIME_CAPABILITIES, "sMIMECapabilities") {
            Ok(Some(list)) => Capabilities::read(&list).unwrap_or_default(),
            Ok(None) | Err(_) => Capabilities::default(),
        }
    }

    /// The certificate that the signer wants others to encrypt to (RFC 8551, section 2.5.3): a hint as well.
    pub(super) fn encryption_certificate(&self) -> Option<RecipientId> {
        let preference = self
            .single(rfc5911::ID_AA_ENCRYP_KEY_PREF, "encrypKeyPref")
            .ok()??;
        let tag = preference.tag();
        if tag == Tag::context(0) {
            RecipientId::from_issuer_and_serial(&preference).ok()
        } else if tag == Tag::context(1) {
            let identifier = preference.children().ok()?.expect(Tag::OCTET_STRING).ok()?;
            subject_key_identifier(&identifier)
        } else if tag == Tag::context(2) {
            subject_key_identifier(&preference)
        } else {
            None
        }
    }

    /// The digest of the signer's certificate, if the signer bound the signature to one (RFC 5035, sections 3 and 4).
    pub(super) fn signing_certificate(&self) -> Result<Option<(Digest, &'a [u8])>, SignatureFault> {
        const NAME: &str = "signing-certificate";
        if let Some(value) = self.single(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, NAME)? {
            return certificate_digest(&value, Digest::Sha256)
                .map(Some)
                .map_err(malformed(NAME));
        }
        match self.single(rfc5911::ID_AA_SIGNING_CERTIFICATE, NAME)? {
            Some(value) => certificate_digest(&value, Digest::Sha1)
                .map(Some)
                .map_err(malformed(NAME)),
            None => Ok(None),
        }
    }

    /// Whether these could be taken for the signed attributes of a message.
    pub(super) fn look_signed(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute.oid == rfc5911::ID_MESSAGE_DIGEST)
    }

    fn required(&self, oid: ObjectIdentifier, name: &str) -> Result<Element<'a>, SignatureFault> {
        self.single(oid, name)?
            .ok_or_else(|| SignatureFault::Attributes(format!("the attribute {name} is missing")))
    }

    /// The one value of an attribute that may be there once, with one value.
    fn single(
        &self,
        oid: ObjectIdentifier,
        name: &str,
    ) -> Result<Option<Element<'a>>, SignatureFault> {
        let mut found = self.attributes.iter().filter(|one| one.oid == oid);
        let Some(attribute) = found.next() else {
            return Ok(None);
        };
        let mut values = attribute.values.clone();
        let value = values.element().map_err(malformed(name))?;
        if found.next().is_some() || !values.is_empty() {
            return Err(SignatureFault::Attributes(format!(
                "the attribute {name} is there more than once"
            )));
        }
        Ok(Some(value))
    }
}

/// Of the first ESSCertID or ESSCertIDv2, which is that of the signer.
fn certificate_digest<'a>(
    value: &Element<'a>,
    default: Digest,
) -> Result<(Digest, &'a [u8]), BerError> {
    let mut identifiers = value.children()?.expect(Tag::SEQUENCE)?.children()?;
    let mut fields = identifiers.expect(Tag::SEQUENCE)?.children()?;
    let digest = match fields.optional(Tag::SEQUENCE)? {
        Some(algorithm) => Digest::from_oid(Algorithm::from_element(&algorithm)?.oid)
            .ok_or(BerError::InvalidValue)?,
        None => default,
    };
    Ok((digest, fields.expect(Tag::OCTET_STRING)?.primitive()?))
}

fn subject_key_identifier(element: &Element<'_>) -> Option<RecipientId> {
    let octets = element.octets().ok()?.into_owned();
    Some(RecipientId::SubjectKeyIdentifier(octets))
}

fn malformed(attribute: &str) -> impl Fn(BerError) -> SignatureFault {
    move |reason| SignatureFault::Attributes(format!("the attribute {attribute}: {reason}"))
}
