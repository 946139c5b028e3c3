//! Which facts a policy asks for, so that nobody finds out what no rule looks at.

use crate::rule::{Condition, ContentCondition, Property};

/// Facts that are dear: they need a directory, a clock or a look into the content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The groups of our users.
    pub groups: bool,
    /// What time it is.
    pub moment: bool,
    /// Names and types of attachments.
    pub attachments: bool,
    /// What a message is.
    pub properties: Vec<Property>,
}

impl Needs {
    /// What these conditions look at.
    pub(super) fn of<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Self {
        let mut needs = Self::default();
        conditions.for_each(|condition| needs.add(condition));
        needs
    }

    fn add(&mut self, condition: &Condition) {
        match condition {
            Condition::Group(_) => self.groups = true,
            Condition::Time(_) => self.moment = true,
            Condition::Content(content) => self.add_content(content),
            Condition::All(inner) | Condition::Any(inner) => {
                inner.iter().for_each(|condition| self.add(condition));
            }
            Condition::Not(inner) => self.add(inner),
            Condition::Direction(_)
            | Condition::Recipient(_)
            | Condition::Sender(_)
            | Condition::Session(_) => {}
        }
    }

    fn add_content(&mut self, condition: &ContentCondition) {
        match condition {
            ContentCondition::Attachment(_) | ContentCondition::AttachmentType(_) => {
                self.attachments = true;
            }
            ContentCondition::Is(property, _) if !self.properties.contains(property) => {
                self.properties.push(*property);
            }
            ContentCondition::Is(..)
            | ContentCondition::Subject(_)
            | ContentCondition::Header(..)
            | ContentCondition::Size(_) => {}
        }
    }
}
