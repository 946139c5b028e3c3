//! From a session and a message to the facts that rules look at.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use policy::compile::Needs;
use policy::facts::{Attachment, Content, Session, SessionTls, TlsVersion};
use policy::rule::Property;
use policy::schedule::{Moment, Weekday};

use crate::message::{Message, Part, PartKind};
use crate::smime::ClientForm;
use crate::smtp::Client;

/// What one look at a message shows, for all of its recipients.
#[derive(Debug)]
pub struct Seen {
    size: u64,
    attachments: Vec<Attachment>,
    is_signed: bool,
    is_encrypted: bool,
    is_calendar: bool,
}

impl Seen {
    /// Looks for what the policy asks for, and for nothing else.
    #[must_use]
    pub fn in_message(message: &Message, needs: &Needs) -> Self {
        let asks = |property| needs.properties.contains(&property);
        let (asks_signed, asks_encrypted) = (asks(Property::Signed), asks(Property::Encrypted));
        let client_form = (asks_signed || asks_encrypted).then(|| ClientForm::of(message));
        Self {
            size: u64::try_from(message.content().len()).unwrap_or(u64::MAX),
            attachments: if needs.attachments {
                attachments(message)
            } else {
                Vec::new()
            },
            is_signed: asks_signed && client_form == Some(ClientForm::Signed),
            is_encrypted: asks_encrypted && client_form.is_some_and(|form| form.is_encrypted()),
            is_calendar: asks(Property::Calendar) && message.is_calendar(),
        }
    }

    /// As facts, with the header that was read already.
    #[must_use]
    pub fn content<'a>(
        &'a self,
        subject: Option<&'a str>,
        headers: &'a [(String, String)],
    ) -> Content<'a> {
        Content {
            subject,
            headers,
            known_headers: None,
            size: self.size,
            attachments: &self.attachments,
            is_signed: self.is_signed,
            is_encrypted: self.is_encrypted,
            is_calendar: self.is_calendar,
            answers_encrypted: None,
        }
    }
}

/// Every part that has a file name, or that is no text to be read at once.
fn attachments(message: &Message) -> Vec<Attachment> {
    let is_one = |part: &&Part| {
        let is_text = part.content_type.is_text() || part.kind == PartKind::Multipart;
        part.file_name.is_some() || !is_text
    };
    let attachment = |part: &Part| Attachment {
        name: part.file_name.clone().unwrap_or_default(),
        media_type: if part.content_type.is_default() {
            "text/plain".to_owned()
        } else {
            format!("{}/{}", part.content_type.main, part.content_type.subtype)
        },
    };
    message
        .parts()
        .iter()
        .filter(is_one)
        .map(attachment)
        .collect()
}

/// How a mail came in.
#[must_use]
pub fn session(client: &Client) -> Session<'_> {
    let tls = client.tls.as_ref().map(|(version, _)| SessionTls {
        version: if version == "TLSv1.3" {
            TlsVersion::V1_3
        } else {
            TlsVersion::V1_2
        },
        client_certificate: false,
    });
    Session {
        client: Some(client.address),
        authenticated: None,
        tls,
    }
}

/// A time of the week, where the operator's clocks stand; none if nobody knows that place.
#[must_use]
pub fn moment(now: SystemTime, time_zone: &str) -> Option<Moment> {
    let zone = TimeZone::get(time_zone).ok()?;
    let local = Timestamp::try_from(now).ok()?.to_zoned(zone);
    let weekday = match local.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Monday,
        jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
        jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
        jiff::civil::Weekday::Thursday => Weekday::Thursday,
        jiff::civil::Weekday::Friday => Weekday::Friday,
        jiff::civil::Weekday::Saturday => Weekday::Saturday,
        jiff::civil::Weekday::Sunday => Weekday::Sunday,
    };
    let (hour, minute) = (local.hour(), local.minute());
    Moment::new(weekday, hour.try_into().ok()?, minute.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_those_of_the_place() {
        // 2030-01-01 00:00 UTC, a Tuesday.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
        for (zone, expected) in [
            ("UTC", Some("tue 00:00")),
            ("Europe/Berlin", Some("tue 01:00")),
            ("America/New_York", Some("mon 19:00")),
            ("Nowhere/Land", None),
        ] {
            let found = moment(now, zone).map(|moment| moment.to_string());
            assert_eq!(found.as_deref(), expected, "{zone}");
        }
    }

    #[test]
    fn parts_that_are_no_text_are_attachments() {
        let mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
            --b\r\nContent-Type: application/pdf\r\n\r\nx\r\n\
            --b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n--b--\r\n";
        let message = Message::parse(mail.as_slice().into()).unwrap();
        let found = attachments(&message);
        let found: Vec<_> = found
            .iter()
            .map(|part| (part.name.as_str(), part.media_type.as_str()))
            .collect();
        assert_eq!(found, [("", "application/pdf"), ("a.txt", "text/plain")]);
    }
}
