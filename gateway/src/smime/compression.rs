//! Compressed messages (RFC 8551, section 3.6; RFC 3274): unpacked within bounds, or left as they are.
//!
//! Compression protects nothing. It is undone where something encrypted was opened, and looked through where it stands
//! around a signature.

use certstore::cms::{self, CompressedData, ContentInfo, DecompressFailure};

use super::entity::{entity, with_content_of};
use super::form::SmimeForm;
use crate::message::Message;

/// What a content may unpack to, in bytes; it may be less, by its own size.
const MOST_UNPACKED: usize = 64 << 20;

/// Why a compressed content stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Packed {
    /// It cannot be unpacked, or should not be.
    #[error("{0}")]
    Kept(#[from] DecompressFailure),
    /// What it unpacks to is no content of a message.
    #[error("there is no MIME content in what is compressed")]
    NoEntity,
}

/// `message` with what it holds compressed as its content; None where it is not compressed as a whole, or stays so.
pub(super) fn looked_through(message: &Message, form: &SmimeForm<'_>) -> Option<Message> {
    let SmimeForm::Pkcs7(bytes) = form else {
        return None;
    };
    let Ok(ContentInfo::Compressed(compressed)) = cms::parse(bytes) else {
        return None;
    };
    let entity = unpacked(&compressed, true).ok()?;
    with_content_of(message, &entity)
}

/// The entity that is compressed. `is_authentic` is whether nobody but the sender can have put the bytes together.
///
/// # Errors
/// [`Packed`]: then it stays as it is.
pub(super) fn unpacked(
    compressed: &CompressedData<'_>,
    is_authentic: bool,
) -> Result<Message, Packed> {
    let bytes = compressed.decompress(MOST_UNPACKED)?;
    entity(bytes, is_authentic).ok_or(Packed::NoEntity)
}
