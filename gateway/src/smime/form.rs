//! Which form of S/MIME a message has as a whole (RFC 8551, section 3.10).
//!
//! A header only says where to look. Whether something is signed, encrypted, and for whom, is what its CMS says once it is
//! read.

use std::borrow::Cow;

use bytes::Bytes;
use certstore::cms::{self, ContentInfo, RecipientId};
use certstore::trust::TrustedCertificate;
use memchr::memmem;

use super::pkcs7::{contents, is_pkcs7_mime, is_pkcs7_signature};
use super::{compression, headers};
use crate::message::{Message, Part, PartKind};

/// What a message is, as a whole, by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmimeForm<'m> {
    /// No S/MIME, or only within.
    None,
    /// Perhaps S/MIME, but two readers may see two messages: nothing is made of it.
    Ambiguous,
    /// multipart/signed with a CMS signature.
    ClearSigned {
        /// The first part with its header, exactly as it was received.
        signed: &'m [u8],
        /// The second part's CMS, decoded.
        signature: Cow<'m, [u8]>,
    },
    /// application/pkcs7-mime: signed, encrypted or certificates alone.
    Pkcs7(Cow<'m, [u8]>),
    /// multipart/signed with a CMS protocol that is not what RFC 1847, section 2.1, asks for.
    Malformed(&'static str),
}

/// Finds the form of `message`.
#[must_use]
pub fn recognise(message: &Message) -> SmimeForm<'_> {
    if message.is_ambiguous() {
        return if mentions_smime(message) {
            SmimeForm::Ambiguous
        } else {
            SmimeForm::None
        };
    }
    let Some(root) = message.parts().first() else {
        return SmimeForm::None;
    };
    if is_clear_signed(message, 0, root) {
        return clear_signed(message, root);
    }
    if root.kind == PartKind::Leaf && (is_pkcs7_mime(root) || is_pkcs7_signature(root)) {
        return SmimeForm::Pkcs7(contents(message, root));
    }
    SmimeForm::None
}

/// The entity that a signature of the whole message covers, whether it is right or not, if it is S/MIME itself or says that it
/// protects header fields: nobody looks into another one. A clear-signed one is not copied.
pub(super) fn signed_entity(message: &Message, form: &SmimeForm<'_>) -> Option<Message> {
    let content = match form {
        SmimeForm::ClearSigned { signed, .. } => {
            let mut parts = message.children(0);
            parts.next().filter(|part| is_worth_reading(part))?;
            message.content().slice_ref(signed)
        }
        SmimeForm::Pkcs7(bytes) => match cms::parse(bytes) {
            Ok(ContentInfo::Signed(signed)) => Bytes::copy_from_slice(signed.content()?),
            _ => return None,
        },
        SmimeForm::None | SmimeForm::Ambiguous | SmimeForm::Malformed(_) => return None,
    };
    let entity = Message::parse(content).ok()?;
    let is_worth_it = entity.parts().first().is_some_and(is_worth_reading);
    is_worth_it.then_some(entity)
}

fn is_worth_reading(root: &Part) -> bool {
    is_pkcs7_mime(root)
        || root.content_type.is("multipart", "signed")
        || headers::is_protecting(root)
}

/// Whether `message` is ciphertext, perhaps with signatures and compression around it: who signed it need not know what it says.
pub(super) fn is_ciphertext(message: &Message) -> bool {
    const MOST_LAYERS: usize = 4;
    let inner = |outer: &Message| {
        let form = recognise(outer);
        signed_entity(outer, &form).or_else(|| compression::looked_through(outer, &form))
    };
    std::iter::successors(Some(message.clone()), inner)
        .take(MOST_LAYERS)
        .any(|layer| is_encrypted(&layer))
}

/// Whether some part, but not the whole, says that it is signed. Attached messages speak for themselves alone.
pub(super) fn has_signed_part(message: &Message) -> bool {
    let parts = message.parts();
    let is_attached = |part: &Part| {
        let around = std::iter::successors(Some(part), |part| parts.get(part.parent?));
        around.skip(1).any(|part| part.kind == PartKind::Message)
    };
    parts.iter().enumerate().skip(1).any(|(index, part)| {
        let says_signed = is_clear_signed(message, index, part)
            || (part.kind == PartKind::Leaf
                && is_pkcs7_mime(part)
                && has_signer(&contents(message, part)));
        says_signed && !is_attached(part)
    })
}

fn has_signer(bytes: &[u8]) -> bool {
    let signed = cms::parse(bytes);
    matches!(signed, Ok(ContentInfo::Signed(signed)) if signed.signer_count() > 0)
}

/// What a client has done to a whole message already, by its CMS and not by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientForm {
    /// Nothing.
    Plain,
    /// There is a signer: it is not signed again.
    Signed,
    /// It is encrypted to these.
    Encrypted(Vec<RecipientId>),
}

impl ClientForm {
    /// Reads the CMS of `message`, if it is one.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let (bytes, is_beside) = match recognise(message) {
            SmimeForm::ClearSigned { signature, .. } => (signature, true),
            SmimeForm::Pkcs7(bytes) => (bytes, false),
            SmimeForm::None | SmimeForm::Ambiguous | SmimeForm::Malformed(_) => return Self::Plain,
        };
        match cms::parse(&bytes) {
            Ok(ContentInfo::Signed(signed)) if signed.signer_count() > 0 => Self::Signed,
            Ok(ContentInfo::Enveloped(enveloped)) if !is_beside => {
                Self::Encrypted(enveloped.recipients().to_vec())
            }
            Ok(_) | Err(_) => Self::Plain,
        }
    }

    /// Whether it is encrypted, to whomever.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(ids) if !ids.is_empty())
    }

    /// Whether it is encrypted to this very certificate.
    #[must_use]
    pub fn is_encrypted_to(&self, recipient: &TrustedCertificate) -> bool {
        let certificate = recipient.certificate();
        matches!(self, Self::Encrypted(ids) if ids.iter().any(|id| certificate.is_named_by(id)))
    }
}

/// Whether the whole message is encrypted, to whomever.
#[must_use]
pub fn is_encrypted(message: &Message) -> bool {
    ClientForm::of(message).is_encrypted()
}

/// Whether any Content-Type reads like S/MIME, for headers of which no one reading is right.
fn mentions_smime(message: &Message) -> bool {
    message.fields_named("Content-Type").any(|field| {
        let value = field.value().to_ascii_lowercase();
        [b"/signed".as_slice(), b"pkcs7", b".p7"]
            .into_iter()
            .any(|word| memmem::find(&value, word).is_some())
    })
}

/// Whether the part is multipart/signed by CMS: by its protocol, or by its second part where no protocol is named.
fn is_clear_signed(message: &Message, index: usize, part: &Part) -> bool {
    if !part.content_type.is("multipart", "signed") {
        return false;
    }
    let Some(protocol) = part.content_type.parameter("protocol") else {
        return message
            .children(index)
            .nth(1)
            .is_some_and(is_pkcs7_signature);
    };
    let protocol = protocol.to_ascii_lowercase();
    matches!(
        protocol.as_str(),
        "application/pkcs7-signature" | "application/x-pkcs7-signature"
    )
}

fn clear_signed<'m>(message: &'m Message, root: &Part) -> SmimeForm<'m> {
    if root.kind != PartKind::Multipart {
        return SmimeForm::Malformed("multipart/signed without parts");
    }
    let children: Vec<&Part> = message.children(0).take(3).collect();
    let [signed, signature] = children.as_slice() else {
        return SmimeForm::Malformed("multipart/signed has to have two parts");
    };
    if root.is_damaged || signed.is_damaged || signature.is_damaged {
        return SmimeForm::Malformed(
            "a boundary of multipart/signed is missing or stands within a line",
        );
    }
    if !is_pkcs7_signature(signature) {
        return SmimeForm::Malformed("the second part of multipart/signed is no CMS signature");
    }
    SmimeForm::ClearSigned {
        signed: message.slice(&signed.range()),
        signature: contents(message, signature),
    }
}
