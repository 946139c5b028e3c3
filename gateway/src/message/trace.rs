//! Our Received field (RFC 5321, section 4.4).

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::SystemTime;

use jiff::{Timestamp, fmt::rfc2822, tz::TimeZone};

use crate::observe::QueueId;
use crate::smtp::{Client, Envelope};

/// The field that is put above a message taken in, with its line ends.
///
/// A recipient is named only where it is the only one and among the `visible` ones (see
/// [`Message::visible_recipients`](super::Message::visible_recipients)): a hidden one stays hidden.
#[must_use]
pub fn received_field(
    hostname: &str,
    envelope: &Envelope,
    visible: &HashSet<String>,
    id: QueueId,
    now: SystemTime,
) -> Vec<u8> {
    let client = &envelope.client;
    let mut field = format!(
        "Received: from {} ({})\r\n\tby {hostname} with {} id {id}",
        greeting(&client.helo),
        literal(client.address),
        protocol(client, envelope.smtputf8),
    );
    if let [recipient] = envelope.recipients.as_slice()
        && visible.contains(recipient.canonical())
    {
        field.push_str("\r\n\tfor <");
        field.push_str(recipient.as_str());
        field.push('>');
    }
    field.push_str(";\r\n\t");
    field.push_str(&date(now));
    field.push_str("\r\n");
    field.into_bytes()
}

/// What the client called itself, if that can stand in a header; it is a stranger's text.
fn greeting(helo: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_fit = !helo.is_empty() && helo.len() <= 255 && helo.bytes().all(is_plain);
    if is_fit { helo } else { "unknown" }
}

/// An address literal (RFC 5321, section 4.1.3).
fn literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

/// The protocol's registered name (RFC 3848; RFC 6531, section 4.3).
const fn protocol(client: &Client, smtputf8: bool) -> &'static str {
    match (smtputf8, client.extended, client.tls.is_some()) {
        (true, _, false) => "UTF8SMTP",
        (true, _, true) => "UTF8SMTPS",
        (false, true, true) => "ESMTPS",
        (false, true, false) => "ESMTP",
        (false, false, _) => "SMTP",
    }
}

/// A date-time (RFC 5322, section 3.3), in UTC.
fn date(now: SystemTime) -> String {
    let moment = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    // Fails only for years that have no four digits.
    rfc2822::to_string(&moment.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use policy::address::Address;

    use super::*;
    use crate::smtp::Body;

    fn envelope(helo: &str, recipients: &[&str]) -> Envelope {
        Envelope {
            client: Client {
                address: [192, 0, 2, 1].into(),
                helo: helo.to_owned(),
                extended: true,
                tls: None,
                may_relay: true,
                is_inbound: false,
            },
            reverse_path: None,
            recipients: recipients
                .iter()
                .map(|text| Address::parse(text).unwrap())
                .collect(),
            body: Body::SevenBit,
            smtputf8: false,
        }
    }

    fn field(envelope: &Envelope) -> String {
        let visible = HashSet::from(["ann@example.org".to_owned()]);
        let now = UNIX_EPOCH + Duration::from_secs(1_795_537_218);
        let field = received_field(
            "gw.example.org",
            envelope,
            &visible,
            QueueId::new(now, 7),
            now,
        );
        String::from_utf8(field).unwrap()
    }

    #[test]
    fn a_lone_visible_recipient_is_named() {
        let id = QueueId::new(UNIX_EPOCH + Duration::from_secs(1_795_537_218), 7);
        assert_eq!(
            field(&envelope("mail.example.org", &["Ann@example.org"])),
            format!(
                "Received: from mail.example.org ([192.0.2.1])\r\n\tby gw.example.org with ESMTP id {id}\r\n\t\
                 for <Ann@example.org>;\r\n\tTue, 24 Nov 2026 16:20:18 +0000\r\n"
            )
        );
    }

    #[test]
    fn hidden_and_several_recipients_are_not_named() {
        for recipients in [
            &["bob@example.org"][..],
            &["ann@example.org", "bob@example.org"],
        ] {
            assert!(
                !field(&envelope("a", recipients)).contains("for <"),
                "{recipients:?}"
            );
        }
    }

    #[test]
    fn the_greeting_cannot_forge_a_field() {
        for (helo, expected) in [
            ("a.example", "a.example"),
            ("[IPv6:::1]", "[IPv6:::1]"),
            ("x\r\nSubject: y", "unknown"),
            ("x (y)", "unknown"),
            ("", "unknown"),
        ] {
            let start = format!("Received: from {expected} (");
            assert!(
                field(&envelope(helo, &["a@example.org"])).starts_with(&start),
                "{helo:?}"
            );
        }
    }

    #[test]
    fn protocols_have_their_registered_names() {
        let mut envelope = envelope("a", &["a@example.org"]);
        for (extended, tls, smtputf8, expected) in [
            (false, false, false, "SMTP"),
            (true, false, false, "ESMTP"),
            (true, true, false, "ESMTPS"),
            (true, false, true, "UTF8SMTP"),
            (true, true, true, "UTF8SMTPS"),
        ] {
            envelope.client.extended = extended;
            envelope.client.tls = tls.then(|| ("TLSv1.3".to_owned(), String::new()));
            envelope.smtputf8 = smtputf8;
            assert!(field(&envelope).contains(&format!(" with {expected} id ")));
        }
    }
}
