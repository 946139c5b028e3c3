//! Conditions on the content of a message.

use super::{Property, SizeRange, Truth, any_matches, each_in_one};
use crate::facts::Content;
use crate::pattern::Pattern;

/// What the message must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentCondition {
    /// One of these matches the subject; without a subject it is the empty text.
    Subject(Vec<Pattern>),
    /// One of these matches a header field of this name; without such a field none does.
    Header(String, Vec<Pattern>),
    /// The message has such a size.
    Size(SizeRange),
    /// One of these matches the name of an attachment.
    Attachment(Vec<Pattern>),
    /// One of these matches the type of an attachment.
    AttachmentType(Vec<Pattern>),
    /// The message is so, or is not.
    Is(Property, bool),
}

impl ContentCondition {
    /// Whether a message is so; [`Truth::Unavailable`] where nobody could find out.
    #[must_use]
    pub fn holds(&self, content: &Content<'_>) -> Truth {
        let attachments = content.attachments;
        match self {
            Self::Subject(patterns) => {
                any_matches(patterns, content.subject.unwrap_or_default()).into()
            }
            Self::Header(name, patterns) => header_matches(content, name, patterns),
            Self::Size(range) => range.contains(content.size).into(),
            Self::Attachment(patterns) => attachments
                .iter()
                .any(|part| any_matches(patterns, &part.name))
                .into(),
            Self::AttachmentType(patterns) => attachments
                .iter()
                .any(|part| any_matches(patterns, &part.media_type))
                .into(),
            Self::Is(property, wanted) => property.of(content).map(|found| found == *wanted).into(),
        }
    }

    /// Whether it surely holds for every message.
    pub(super) fn always_holds(&self) -> bool {
        match self {
            Self::Subject(patterns) => patterns.iter().any(Pattern::matches_all),
            Self::Header(..)
            | Self::Size(_)
            | Self::Attachment(_)
            | Self::AttachmentType(_)
            | Self::Is(..) => false,
        }
    }

    /// Whether `wide` looks at the same thing and holds for every message that this one holds for.
    pub(super) fn is_narrower(&self, wide: &Self) -> bool {
        match (self, wide) {
            (Self::Subject(own), Self::Subject(wide))
            | (Self::Attachment(own), Self::Attachment(wide))
            | (Self::AttachmentType(own), Self::AttachmentType(wide)) => {
                each_in_one(own, wide, Pattern::covers)
            }
            (Self::Header(name, own), Self::Header(wide_name, wide)) => {
                name.eq_ignore_ascii_case(wide_name) && each_in_one(own, wide, Pattern::covers)
            }
            (Self::Size(own), Self::Size(wide)) => wide.covers(*own),
            (Self::Is(own, is), Self::Is(wide, wide_is)) => (own, is) == (wide, wide_is),
            _ => false,
        }
    }
}

/// A field that was never recorded may have been there.
fn header_matches(content: &Content<'_>, name: &str, patterns: &[Pattern]) -> Truth {
    let is_own = |known: &String| known.eq_ignore_ascii_case(name);
    if !content
        .known_headers
        .is_none_or(|known| known.iter().any(is_own))
    {
        return Truth::Unavailable;
    }
    let mut fields = content.headers.iter();
    fields
        .any(|(field, value)| is_own(field) && any_matches(patterns, value))
        .into()
}
