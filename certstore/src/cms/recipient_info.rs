//! RecipientInfos (RFC 5652, section 6.2) as they are read: who is named, and the encrypted key for each.

use std::borrow::Cow;

use der::asn1::ObjectIdentifier;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Reader, Tag};
use super::encode::ID_ORI_KEM;
use super::kem::KeyEncapsulation;
use super::{CmsError, RecipientId};

/// Recipients that one message may name.
const MAX_RECIPIENTS: usize = 10_000;

/// A content-encryption key, encrypted to one recipient.
#[derive(Debug, Clone)]
pub(super) struct EncryptedKey<'a> {
    pub(super) method: KeyMethod<'a>,
    pub(super) octets: Cow<'a, [u8]>,
}

/// How the key was encrypted.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyMethod<'a> {
    /// To an RSA key.
    Transport(Algorithm<'a>),
    /// By agreement with an elliptic curve or X25519 key.
    Agreement(KeyAgreement<'a>),
    /// By encapsulation of a secret for a KEM key.
    Encapsulation(KeyEncapsulation<'a>),
}

/// The part of a KeyAgreeRecipientInfo that all its recipients share.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyAgreement<'a> {
    /// The originator's public key, and its algorithm; None if it is only named, which mail does not do (RFC 5753,
    /// section 3.1.1).
    pub(super) originator_key: Option<(ObjectIdentifier, &'a [u8])>,
    pub(super) user_keying_material: Option<Element<'a>>,
    pub(super) algorithm: Algorithm<'a>,
}

/// The recipients of a message. Those that share a password or a symmetric key with the sender are left out: nobody
/// receives mail in this way.
#[derive(Debug, Clone, Default)]
pub(super) struct Recipients<'a> {
    /// As long as `keys`, and in the same order.
    pub(super) ids: Vec<RecipientId>,
    pub(super) keys: Vec<EncryptedKey<'a>>,
}

impl<'a> Recipients<'a> {
    /// Reads the elements of a RecipientInfos.
    pub(super) fn read(mut infos: Reader<'a>) -> Result<Self, CmsError> {
        let malformed = CmsError::in_structure("RecipientInfo");
        let mut recipients = Self::default();
        while let Some(info) = infos.next_element().map_err(&malformed)? {
            let tag = info.tag();
            if tag == Tag::SEQUENCE {
                recipients.read_transport(&info).map_err(&malformed)?;
            } else if tag == Tag::context(1) {
                recipients.read_agreement(&info).map_err(&malformed)?;
            } else if tag == Tag::context(4) {
                recipients.read_other(&info).map_err(&malformed)?;
            }
            if recipients.ids.len() > MAX_RECIPIENTS {
                return Err(CmsError::TooMany {
                    what: "recipients",
                    limit: MAX_RECIPIENTS,
                });
            }
        }
        Ok(recipients)
    }

    /// KeyTransRecipientInfo (RFC 5652, section 6.2.1).
    fn read_transport(&mut self, info: &Element<'a>) -> Result<(), BerError> {
        let mut fields = info.children()?;
        fields.expect(Tag::INTEGER)?;
        let id = RecipientId::read(&mut fields)?;
        let algorithm = Algorithm::read(&mut fields)?;
        let octets = fields.expect(Tag::OCTET_STRING)?.octets()?;
        fields.finish()?;
        self.push(id, KeyMethod::Transport(algorithm), octets);
        Ok(())
    }

    /// KeyAgreeRecipientInfo (RFC 5652, section 6.2.2).
    fn read_agreement(&mut self, info: &Element<'a>) -> Result<(), BerError> {
        let mut fields = info.children()?;
        fields.expect(Tag::INTEGER)?;
        let originator = fields.expect(Tag::context(0))?.only_child()?;
        let user_keying_material = match fields.optional(Tag::context(1))? {
            Some(explicit) => Some(explicit.only_child()?),
            None => None,
        };
        let agreement = KeyAgreement {
            originator_key: originator_key(&originator)?,
            user_keying_material,
            algorithm: Algorithm::read(&mut fields)?,
        };
        let mut encrypted_keys = fields.expect(Tag::SEQUENCE)?.children()?;
        fields.finish()?;
        while let Some(encrypted_key) = encrypted_keys.next_element()? {
            if self.ids.len() > MAX_RECIPIENTS {
                break;
            }
            let mut fields = encrypted_key.children()?;
            let id = match fields.optional(Tag::context(0))? {
                Some(identifier) => recipient_key_identifier(&identifier)?,
                None => RecipientId::from_issuer_and_serial(&fields.expect(Tag::SEQUENCE)?)?,
            };
            let octets = fields.expect(Tag::OCTET_STRING)?.octets()?;
            fields.finish()?;
            self.push(id, KeyMethod::Agreement(agreement), octets);
        }
        Ok(())
    }

    /// OtherRecipientInfo (RFC 5652, section 6.2.5); what is no KEMRecipientInfo is left out.
    fn read_other(&mut self, info: &Element<'a>) -> Result<(), BerError> {
        let mut fields = info.children()?;
        let kind = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        if kind != ID_ORI_KEM {
            return Ok(());
        }
        let (id, encapsulation, octets) = KeyEncapsulation::read(&fields.expect(Tag::SEQUENCE)?)?;
        fields.finish()?;
        self.push(id, KeyMethod::Encapsulation(encapsulation), octets);
        Ok(())
    }

    fn push(&mut self, id: RecipientId, method: KeyMethod<'a>, octets: Cow<'a, [u8]>) {
        self.ids.push(id);
        self.keys.push(EncryptedKey { method, octets });
    }
}

/// The octets of an OriginatorPublicKey, if the originator is given so.
fn originator_key<'a>(
    originator: &Element<'a>,
) -> Result<Option<(ObjectIdentifier, &'a [u8])>, BerError> {
    if originator.tag() != Tag::context(1) {
        return Ok(None);
    }
    let mut fields = originator.children()?;
    let algorithm = Algorithm::read(&mut fields)?;
    let key = fields.expect(Tag::BIT_STRING)?.bit_string()?;
    fields.finish()?;
    Ok(Some((algorithm.oid, key)))
}

/// RecipientKeyIdentifier; its date and other attribute tell nothing that we need.
fn recipient_key_identifier(element: &Element<'_>) -> Result<RecipientId, BerError> {
    let identifier = element.children()?.expect(Tag::OCTET_STRING)?.octets()?;
    Ok(RecipientId::SubjectKeyIdentifier(identifier.into_owned()))
}
