//! What the header fields say: who, to whom, about what.
//!
//! Addresses come from [`policy::address`] alone. A field that it cannot read in full names nobody.

use std::collections::HashSet;

use encodify::rfc2047;
use mail_parser::decoders::charsets;
use policy::address::{Address, AddressError, mailboxes};

use super::{Field, Message};

/// Why a message is from nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FromError {
    /// There is no From field.
    #[error("the message has no From field")]
    Missing,
    /// There are several From fields, of which readers take the first or the last.
    #[error("the message has several From fields")]
    Repeated,
    /// A header line is no field, so that others may see another From than we do.
    #[error("the header has a line that is no header field")]
    Ambiguous,
    /// It cannot be read in full.
    #[error("the From field cannot be read: {0}")]
    Unreadable(AddressError),
}

impl Message {
    /// The addresses of the one From field (RFC 5322, section 3.6.2); never empty.
    ///
    /// # Errors
    /// [`FromError`]: then the message is nobody's.
    pub fn from_addresses(&self) -> Result<Vec<Address>, FromError> {
        let mut fields = self.fields_named("From");
        let field = fields.next().ok_or(FromError::Missing)?;
        if fields.next().is_some() {
            return Err(FromError::Repeated);
        }
        if !self.header.is_clean {
            return Err(FromError::Ambiguous);
        }
        let addresses = addresses(&field).map_err(FromError::Unreadable)?;
        if addresses.is_empty() {
            Err(FromError::Missing)
        } else {
            Ok(addresses)
        }
    }

    /// The address of the Sender field, where there is one field with one address.
    #[must_use]
    pub fn sender(&self) -> Option<Address> {
        let mut fields = self.fields_named("Sender");
        let (field, None) = (fields.next()?, fields.next()) else {
            return None;
        };
        let mut named = addresses(&field).ok()?;
        let sender = named.pop();
        sender.filter(|_| named.is_empty())
    }

    /// Everybody named in To, Cc and their Resent- forms, in canonical form. Who is not among them is hidden: named by
    /// the envelope alone.
    #[must_use]
    pub fn visible_recipients(&self) -> HashSet<String> {
        const VISIBLE: [&str; 4] = ["To", "Cc", "Resent-To", "Resent-Cc"];
        self.fields()
            .filter(|field| VISIBLE.into_iter().any(|name| field.is(name)))
            .filter_map(|field| addresses(&field).ok())
            .flatten()
            .map(|address| address.canonical().to_owned())
            .collect()
    }

    /// The first Subject, decoded (RFC 2047).
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        self.fields_named("Subject")
            .next()
            .map(|field| field.decoded())
    }

    /// All fields: the names as written, the values unfolded and decoded (RFC 2047).
    #[must_use]
    pub fn decoded_fields(&self) -> Vec<(String, String)> {
        self.fields()
            .filter_map(|field| {
                let name = std::str::from_utf8(field.name)
                    .ok()
                    .filter(|name| !name.is_empty())?;
                Some((name.to_owned(), field.decoded()))
            })
            .collect()
    }

    /// The Message-ID with its angle brackets, where it is printable ASCII.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        let value = self.fields_named("Message-ID").next()?.value().into_owned();
        let text = String::from_utf8(value).ok()?;
        text.bytes()
            .all(|byte| byte.is_ascii_graphic())
            .then_some(text)
    }

    /// How many hops the message has behind it (RFC 5321, section 6.3).
    #[must_use]
    pub fn received_count(&self) -> usize {
        self.fields_named("Received").count()
    }

    /// Whether it is a report about another message (RFC 6522: delivery status, disposition notification, feedback).
    #[must_use]
    pub fn is_report(&self) -> bool {
        self.content_type().is("multipart", "report")
    }

    /// Whether it is a calendar message (RFC 6047): a part text/calendar with a method, alone or as one of the
    /// alternatives.
    #[must_use]
    pub fn is_calendar(&self) -> bool {
        let is_alternative = |index: usize| {
            let around = self.parts().get(index);
            around.is_some_and(|part| part.content_type.is("multipart", "alternative"))
        };
        self.parts().iter().any(|part| {
            part.content_type.is("text", "calendar")
                && part.content_type.parameter("method").is_some()
                && part.parent.is_none_or(is_alternative)
        })
    }
}

impl Field<'_> {
    /// The value as text for people and policy: unfolded, encoded words decoded.
    #[must_use]
    pub fn decoded(&self) -> String {
        rfc2047::decode_text(&self.value(), charsets::decode_append).into_owned()
    }
}

fn addresses(field: &Field<'_>) -> Result<Vec<Address>, AddressError> {
    let mailboxes = mailboxes(&field.value())?;
    Ok(mailboxes
        .into_iter()
        .map(|mailbox| mailbox.address)
        .collect())
}
