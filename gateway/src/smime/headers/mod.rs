//! Header protection (RFC 9788): header fields that are signed and encrypted with the content.
//!
//! Writing is `protect`, reading `read` and `restore`. What is read is taken only from within the signature or the
//! encryption of the whole message; what is in between, or beside it, is a stranger's.

mod confidentiality;
mod legacy_display;
mod protect;
mod read;
mod restore;

pub use protect::{Protected, protect};
pub(super) use read::examine;
pub use read::{HeaderReport, HeaderScheme};
pub use restore::Revealed;

pub use crate::config::{HeaderPolicy, HeaderProtection};
use crate::message::{Field, Message, Part, PartKind};

/// Whether the entity says that it protects header fields.
pub(super) fn are_within(entity: &Message) -> bool {
    entity.parts().first().is_some_and(is_protecting)
}

/// Whether a root part says that it protects header fields, or is a message that may do so.
pub(super) fn is_protecting(root: &Part) -> bool {
    root.kind == PartKind::Message
        || ["hp", "protected-headers"]
            .into_iter()
            .any(|name| root.content_type.parameter(name).is_some())
}

/// Fields that do not come from whoever wrote the message, or that only he may see; the way writes them. They are never
/// protected, and never taken from within (RFC 9788, section 7).
fn is_of_the_way(field: &Field<'_>) -> bool {
    const NAMES: [&str; 13] = [
        "Received",
        "Return-Path",
        "Delivered-To",
        "Received-SPF",
        "Authentication-Results",
        "DKIM-Signature",
        "DomainKey-Signature",
        "Bcc",
        "Resent-Bcc",
        "HP-Outer",
        "MIME-Version",
        "",
        "X-Original-To",
    ];
    const BEGINNINGS: [&[u8]; 3] = [b"arc-", b"x-postern-", b"content-"];
    let name = field.name.to_ascii_lowercase();
    NAMES.into_iter().any(|known| field.is(known))
        || BEGINNINGS.into_iter().any(|start| name.starts_with(start))
}
