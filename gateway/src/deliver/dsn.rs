//! The message that tells a sender of failed delivery (RFC 3464): for people, for programs, and the original's outer headers.
//!
//! Nothing of the content goes back, nor anything that was decrypted here. Its own reverse-path is null and it is never made
//! for a message that had none, so that no two servers tell each other of failures for ever.

use std::fmt::Write;
use std::time::SystemTime;

use bytes::Bytes;
use encodify::qp;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use policy::address::Address;

use super::verdict::Verdict;
use crate::observe::QueueId;
use crate::spool::{CopyId, NewCopy, Transport};

/// Most of the original headers that goes back, in bytes.
const HEADERS: usize = 64 * 1024;
/// Longest line that is sent as it is (RFC 5322, section 2.1.1), in bytes.
const LINE: usize = 998;

/// Failed delivery of one copy.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    /// Our own name.
    pub(super) hostname: &'a str,
    /// The sender, who is told.
    pub(super) reverse_path: &'a Address,
    /// The copy.
    pub(super) copy: CopyId,
    /// When it was stored.
    pub(super) arrived: SystemTime,
    /// Who does not get it, and why.
    pub(super) recipients: Vec<(&'a Address, &'a Verdict)>,
    /// The next hop that said so, if it has a name.
    pub(super) remote: Option<&'a str>,
    /// The outer header block of the message as it came in.
    pub(super) original_headers: Bytes,
}

impl Failure<'_> {
    /// The message to the sender, with the new queue id `id`.
    pub(super) fn report(&self, id: QueueId, now: SystemTime) -> NewCopy {
        let content = self.content(id, now);
        NewCopy {
            id: CopyId {
                message: id,
                number: 1,
            },
            reverse_path: None,
            recipients: vec![self.reverse_path.clone()],
            smtputf8: !self.reverse_path.as_str().is_ascii(),
            content: content.into(),
            transport: Transport::Any,
            original_headers: Bytes::new(),
            message_id: Some(format!("<{id}@{}>", self.hostname)),
            subject: Some(SUBJECT.to_owned()),
        }
    }

    fn content(&self, id: QueueId, now: SystemTime) -> String {
        let host = self.hostname;
        let boundary = format!("=_{id}");
        let mut text = String::with_capacity(4096 + self.original_headers.len());
        let head = [
            format!("From: Mail Delivery <MAILER-DAEMON@{host}>"),
            format!("To: <{}>", self.reverse_path),
            format!("Subject: {SUBJECT}"),
            format!("Date: {}", date(now)),
            format!("Message-ID: <{id}@{host}>"),
            "Auto-Submitted: auto-replied".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: multipart/report; report-type=delivery-status;".to_owned(),
            format!("\tboundary=\"{boundary}\""),
            String::new(),
        ];
        for line in head {
            text += &line;
            text += "\r\n";
        }
        part(
            &mut text,
            &boundary,
            "text/plain; charset=utf-8",
            self.for_people(),
        );
        part(
            &mut text,
            &boundary,
            "message/delivery-status",
            self.for_programs(now),
        );
        let headers = header_lines(&self.original_headers);
        part(&mut text, &boundary, "text/rfc822-headers", headers);
        text += &format!("--{boundary}--\r\n");
        text
    }

    fn for_people(&self) -> String {
        let mut text = format!(
            "This is the mail gateway {}.\r\n\r\n\
             Your message could not be delivered to:\r\n\r\n",
            self.hostname
        );
        for (address, verdict) in &self.recipients {
            text += &format!("  {address}\r\n    {}\r\n\r\n", verdict.text);
        }
        text += &format!(
            "It was not delivered to them, and no further attempt will be made. If you ask your\r\n\
             postmaster about it, name this id: {}\r\n",
            self.copy
        );
        text
    }

    /// RFC 3464, section 2. Plain ASCII, whatever the addresses and replies are.
    fn for_programs(&self, now: SystemTime) -> String {
        let mut text = format!(
            "Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n",
            self.hostname,
            date(self.arrived)
        );
        for (address, verdict) in &self.recipients {
            let (class, subject, detail) = verdict.status;
            text += &format!(
                "\r\nFinal-Recipient: {}\r\nAction: failed\r\nStatus: {class}.{subject}.{detail}\r\n",
                final_recipient(address)
            );
            if verdict.is_reply {
                if let Some(remote) = self.remote {
                    text += &format!("Remote-MTA: dns; {remote}\r\n");
                }
                text += &format!("Diagnostic-Code: smtp; {}\r\n", escaped(&verdict.text));
            }
            text += &format!("Last-Attempt-Date: {}\r\n", date(now));
        }
        text
    }
}

const SUBJECT: &str = "Your message could not be delivered";

/// Appends a body part; quoted-printable if it is not short lines of ASCII.
fn part(text: &mut String, boundary: &str, content_type: &str, body: impl AsRef<[u8]>) {
    let body = body.as_ref();
    text.push_str(&format!("--{boundary}\r\nContent-Type: {content_type}\r\n"));
    let plain = std::str::from_utf8(body)
        .ok()
        .filter(|body| body.is_ascii() && body.split("\r\n").all(|line| line.len() <= LINE));
    match plain {
        Some(body) => {
            text.push_str("\r\n");
            text.push_str(body);
        }
        None => {
            text.push_str("Content-Transfer-Encoding: quoted-printable\r\n\r\n");
            text.push_str(&qp::BODY.encode(body));
        }
    }
    if !text.ends_with("\r\n") {
        text.push_str("\r\n");
    }
}

/// The header block without its blank line, and cut at a line end if it is too long.
fn header_lines(block: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(block, b"\r\n\r\n").map_or(block.len(), |found| found + 2);
    let headers = block.get(..end).unwrap_or(block);
    let Some((kept, _)) = headers.split_at_checked(HEADERS) else {
        return headers;
    };
    let last_line = memchr::memmem::rfind(kept, b"\r\n").map_or(0, |found| found + 2);
    kept.get(..last_line).unwrap_or_default()
}

/// With its address type; one beyond ASCII in the seven-bit form of RFC 6533, section 3.
fn final_recipient(address: &Address) -> String {
    let text = address.as_str();
    if text.is_ascii() {
        format!("rfc822; {text}")
    } else {
        format!("utf-8; {}", escaped(text))
    }
}

/// Characters beyond ASCII as `\x{…}` (RFC 6533, section 3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
        } else {
            // Writing to a String does not fail.
            write!(escaped, "\\x{{{:X}}}", u32::from(c)).ok();
        }
    }
    escaped
}

/// RFC 5322, section 3.3, in UTC.
fn date(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = time.to_zoned(TimeZone::UTC);
    zoned.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use mail_parser::MessageParser;
    use smtp_proto::Response;

    use super::*;

    fn verdict(code: u16, message: &str) -> Verdict {
        Verdict::of(&Response {
            code,
            esc: [5, 1, 1],
            message: message.to_owned(),
        })
    }

    fn report(headers: &[u8], to: &[(&str, Verdict)]) -> NewCopy {
        let reverse_path = Address::parse("alice@example.org").unwrap();
        let addresses: Vec<_> = to
            .iter()
            .map(|(to, _)| Address::parse(to).unwrap())
            .collect();
        let failure = Failure {
            hostname: "gw.example.org",
            reverse_path: &reverse_path,
            copy: "0123456789abcdef.1".parse().unwrap(),
            arrived: UNIX_EPOCH + Duration::from_secs(1_795_536_000),
            recipients: addresses
                .iter()
                .zip(to.iter().map(|(_, verdict)| verdict))
                .collect(),
            remote: Some("mx.example.com"),
            original_headers: Bytes::copy_from_slice(headers),
        };
        let id = "fedcba9876543210".parse().unwrap();
        failure.report(id, UNIX_EPOCH + Duration::from_secs(1_795_536_060))
    }

    #[test]
    fn it_is_a_delivery_status_notification() {
        let expired = Verdict::deferred(4, 1, "connection refused").but_expired();
        let copy = report(
            b"Subject: hello\r\nFrom: alice@example.org\r\n\r\nSECRET",
            &[
                ("bob@example.com", verdict(550, "no such user")),
                ("carol@example.com", expired),
            ],
        );
        assert_eq!(copy.reverse_path, None);
        assert_eq!(
            copy.recipients,
            [Address::parse("alice@example.org").unwrap()]
        );
        assert!(!copy.smtputf8);
        let message = MessageParser::default().parse(&copy.content).unwrap();
        let content_type = message.content_type().unwrap();
        assert_eq!(content_type.subtype(), Some("report"));
        assert_eq!(
            content_type.attribute("report-type"),
            Some("delivery-status")
        );
        let raw = std::str::from_utf8(&copy.content).unwrap();
        assert!(!raw.contains("SECRET"));
        assert!(raw.contains("Auto-Submitted: auto-replied\r\n"));
        assert!(raw.contains("Date: Tue, 24 Nov 2026 16:01:00 +0000\r\n"));
        let status = "Content-Type: message/delivery-status\r\n\r\n\
            Reporting-MTA: dns; gw.example.org\r\n\
            Arrival-Date: Tue, 24 Nov 2026 16:00:00 +0000\r\n\
            \r\n\
            Final-Recipient: rfc822; bob@example.com\r\n\
            Action: failed\r\n\
            Status: 5.1.1\r\n\
            Remote-MTA: dns; mx.example.com\r\n\
            Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\
            Last-Attempt-Date: Tue, 24 Nov 2026 16:01:00 +0000\r\n\
            \r\n\
            Final-Recipient: rfc822; carol@example.com\r\n\
            Action: failed\r\n\
            Status: 5.4.7\r\n\
            Last-Attempt-Date: Tue, 24 Nov 2026 16:01:00 +0000\r\n\
            --=_fedcba9876543210\r\n";
        assert!(raw.contains(status), "{raw}");
        assert!(raw.ends_with(
            "Content-Type: text/rfc822-headers\r\n\r\n\
             Subject: hello\r\nFrom: alice@example.org\r\n--=_fedcba9876543210--\r\n"
        ));
    }

    #[test]
    fn whatever_comes_in_what_goes_out_is_short_lines_of_ascii() {
        let endless = vec![b'x'; 3 * HEADERS];
        let many = b"X: y\r\n".repeat(HEADERS);
        for headers in [
            &b""[..],
            b"\r\n\r\n",
            b"Subject: Gr\xfc\xdfe\r\n",
            b"no line end",
            &endless,
            &many,
        ] {
            let copy = report(
                headers,
                &[("b\u{fc}b@example.com", verdict(550, "n\u{f6}"))],
            );
            assert!(copy.content.is_ascii());
            assert!(copy.content.len() < HEADERS + 8192);
            assert!(
                copy.content
                    .split(|&b| b == b'\n')
                    .all(|line| line.len() <= LINE)
            );
            assert!(!crate::message::has_bare_line_end(&copy.content));
            let raw = std::str::from_utf8(&copy.content).unwrap();
            assert!(raw.contains("Final-Recipient: utf-8; b\\x{FC}b@example.com\r\n"));
            assert!(raw.contains("Diagnostic-Code: smtp; 550 5.1.1 n\\x{F6}\r\n"));
        }
    }
}
