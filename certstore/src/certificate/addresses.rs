//! The mail addresses of a certificate: rfc822Name (RFC 5280, section 4.2.1.6), SmtpUTF8Mailbox (RFC 9598) and the
//! subject's emailAddress attribute (RFC 8550, section 3).
//!
//! An entry counts only if it is a mailbox as it stands. One with white space, control characters or anything else that
//! a reader might trim or cut is kept aside and matches nothing, so that " ceo@example.org" never speaks for the CEO.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc3280::EMAIL_ADDRESS;
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use policy::address::Address;
use x509_cert::ext::pkix::name::OtherName;
use x509_cert::name::Name;

/// id-on-SmtpUTF8Mailbox (RFC 9598, section 3).
const SMTP_UTF8_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9");

/// Which entry an address was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Rfc822Name,
    SmtpUtf8Mailbox,
    EmailAddressAttribute,
}

/// What the entries of one certificate amount to.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    pub(super) exact: Vec<Address>,
    /// So many of them, the first ones, are alternative names.
    pub(super) alternative: usize,
    pub(super) odd: Vec<String>,
}

impl Addresses {
    /// Reads the subject and the DER of the subject alternative name, if there is one.
    pub(super) fn read(subject: &Name, alternative_names: Option<&[u8]>) -> der::Result<Self> {
        let mut addresses = Self::default();
        if let Some(der) = alternative_names {
            addresses.read_alternative_names(der)?;
        }
        addresses.alternative = addresses.exact.len();
        for attribute in subject.iter().filter(|a| a.oid == EMAIL_ADDRESS) {
            addresses.add(Entry::EmailAddressAttribute, attribute.value.value());
        }
        Ok(addresses)
    }

    /// Takes the entries one by one: a name form that is foreign to mail, however odd, does not hide the others.
    fn read_alternative_names(&mut self, der: &[u8]) -> der::Result<()> {
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|names| {
            while !names.is_finished() {
                self.read_general_name(names.decode()?);
            }
            Ok(())
        })
    }

    fn read_general_name(&mut self, name: AnyRef<'_>) {
        let rfc822_name = Tag::ContextSpecific {
            constructed: false,
            number: TagNumber(1),
        };
        let other_name = Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(0),
        };
        if name.tag() == rfc822_name {
            self.add(Entry::Rfc822Name, name.value());
        } else if name.tag() == other_name {
            let Ok(other) = decode_other_name(name.value()) else {
                return;
            };
            if other.type_id == SMTP_UTF8_MAILBOX {
                self.add(Entry::SmtpUtf8Mailbox, other.value.value());
            }
        }
    }

    fn add(&mut self, entry: Entry, bytes: &[u8]) {
        match exact_address(entry, bytes) {
            Some(address) if self.exact.contains(&address) => {}
            Some(address) => self.exact.push(address),
            None => self.odd.push(bytes.escape_ascii().to_string()),
        }
    }
}

/// The content octets of an IMPLICIT `OtherName`.
fn decode_other_name(content: &[u8]) -> der::Result<OtherName> {
    let mut reader = SliceReader::new(content)?;
    let other = OtherName {
        type_id: reader.decode()?,
        value: {
            let explicit: AnyRef<'_> = reader.decode()?;
            der::Any::from_der(explicit.value())?
        },
    };
    reader.finish()?;
    Ok(other)
}

fn exact_address(entry: Entry, bytes: &[u8]) -> Option<Address> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fits_entry = match entry {
        Entry::Rfc822Name | Entry::EmailAddressAttribute => text.is_ascii(),
        // Only for a local part that an rfc822Name cannot hold (RFC 9598, section 3).
        Entry::SmtpUtf8Mailbox => text
            .rsplit_once('@')
            .is_some_and(|(local_part, _)| !local_part.is_ascii()),
    };
    let has_blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
    if !fits_entry || has_blank {
        return None;
    }
    Address::parse(text).ok().filter(|a| a.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_mailbox_is_an_address() {
        use Entry::{Rfc822Name, SmtpUtf8Mailbox};
        for (entry, bytes, expected) in [
            (Rfc822Name, &b"a@example.org"[..], true),
            (Rfc822Name, b"A.B+c@Example.ORG", true),
            (Rfc822Name, b" a@example.org", false),
            (Rfc822Name, b"a@example.org ", false),
            (Rfc822Name, b"a@example.org\n", false),
            (Rfc822Name, b"a\tb@example.org", false),
            (Rfc822Name, b"\"a b\"@example.org", false),
            (Rfc822Name, b"a@example.org\0.evil.org", false),
            (Rfc822Name, b"\xff@example.org", false),
            (Rfc822Name, "é@example.org".as_bytes(), false),
            (Rfc822Name, b"", false),
            (Rfc822Name, b"example.org", false),
            (SmtpUtf8Mailbox, "é@example.org".as_bytes(), true),
            (SmtpUtf8Mailbox, b"a@example.org", false),
            (SmtpUtf8Mailbox, "é\u{a0}@example.org".as_bytes(), false),
        ] {
            assert_eq!(
                exact_address(entry, bytes).is_some(),
                expected,
                "{entry:?} {}",
                bytes.escape_ascii()
            );
        }
    }
}
