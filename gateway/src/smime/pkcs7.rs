//! CMS within MIME: application/pkcs7-mime and what stands for it (RFC 8551, section 3.2).

use std::borrow::Cow;

use encodify::{base64, pem};

use crate::message::{Message, Part};

/// More than the [`header`] of an entity takes.
const HEADER_BYTES: usize = 256;

/// How long an entity is at most, with a CMS of `der` bytes.
pub(super) const fn entity_len(der: usize) -> usize {
    HEADER_BYTES + base64::MIME.encoded_len(der)
}

/// Header fields and blank line of an entity of this smime-type, whose body is base64 (RFC 8551, section 3.2.2).
pub(super) fn header(smime_type: &str) -> String {
    format!(
        "Content-Type: application/pkcs7-mime; smime-type={smime_type};\r\n\tname=\"smime.p7m\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n"
    )
}

/// The CMS bytes that `part` holds: its transfer encoding undone, and whatever armour is left after that.
pub(super) fn contents<'m>(message: &'m Message, part: &Part) -> Cow<'m, [u8]> {
    let decoded = part.decoded(message.content());
    if is_ber(&decoded) {
        return decoded;
    }
    let text = decoded.trim_ascii_start();
    let armoured = if text.starts_with(b"-----BEGIN ") {
        pem::STANDARD.decode(text).ok().map(|block| block.contents)
    } else {
        // Base64 of which no field tells.
        base64::MIME.decode(text).ok()
    };
    armoured
        .filter(|inner| is_ber(inner))
        .map_or(decoded, Cow::Owned)
}

/// CMS begins with a SEQUENCE, which no armour does.
fn is_ber(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && !bytes.get(1).is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether the part says that it is CMS: by its type, or as an unnamed type by its file name (RFC 8551, section 3.2.1).
pub(super) fn is_pkcs7_mime(part: &Part) -> bool {
    let content_type = &part.content_type;
    content_type.is("application", "pkcs7-mime")
        || content_type.is("application", "x-pkcs7-mime")
        || (is_unnamed(part) && (has_extension(part, ".p7m") || has_extension(part, ".p7c")))
}

/// Whether the part says that it is a detached signature.
pub(super) fn is_pkcs7_signature(part: &Part) -> bool {
    let content_type = &part.content_type;
    content_type.is("application", "pkcs7-signature")
        || content_type.is("application", "x-pkcs7-signature")
        || (is_unnamed(part) && has_extension(part, ".p7s"))
}

/// Whether the type is one that programs give to what they do not know.
fn is_unnamed(part: &Part) -> bool {
    let content_type = &part.content_type;
    content_type.main == "application"
        && (content_type.subtype == "octet-stream" || content_type.subtype.starts_with("x-"))
}

fn has_extension(part: &Part, extension: &str) -> bool {
    let name = part.file_name.as_deref().unwrap_or_default();
    let start = name.len().checked_sub(extension.len());
    let end = start.and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(extension))
}
