//! What a rule may look at, for one recipient of one message. Left out: how any of it was learned.
//!
//! Three states are kept apart: what is there, what is absent, and what nobody could find out. The last is never taken
//! for the second: a rule that needs it neither matches nor fails to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::document::Words;
use crate::schedule::Moment;

/// Which way mail goes for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To one of our users.
    Inbound,
    /// To anybody else.
    Outbound,
}

impl Words for Direction {
    const WORDS: &'static [(&'static str, Self)] =
        &[("inbound", Self::Inbound), ("outbound", Self::Outbound)];
}

/// What is known of a message, for one of its recipients.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which way it goes for this recipient.
    pub direction: Direction,
    /// MAIL FROM; none is the null reverse-path `<>`.
    pub sender: Option<&'a Address>,
    /// RCPT TO.
    pub recipient: &'a Address,
    /// How the mail came in; none if nobody knows.
    pub session: Option<Session<'a>>,
    /// The groups of our user in this mail: the sender of outbound, the recipient of inbound mail. None if they could
    /// not be found out.
    pub groups: Option<&'a [String]>,
    /// When it came, in the policy's time zone; the same at RCPT and at DATA. None if nobody knows.
    pub moment: Option<Moment>,
    /// None as long as the envelope alone is known.
    pub content: Option<Content<'a>>,
}

impl<'a> Facts<'a> {
    /// An envelope by itself: from an unnamed client without AUTH or TLS, of users in no group, at no known time.
    #[must_use]
    pub const fn of_envelope(
        direction: Direction,
        sender: Option<&'a Address>,
        recipient: &'a Address,
    ) -> Self {
        Self {
            direction,
            sender,
            recipient,
            session: Some(Session::UNNAMED),
            groups: Some(&[]),
            moment: None,
            content: None,
        }
    }
}

/// The SMTP session that a message came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session<'a> {
    /// The client's address; none for mail that came by no network.
    pub client: Option<IpAddr>,
    /// The identity that the client proved by AUTH or by its certificate.
    pub authenticated: Option<&'a str>,
    /// TLS of the session; none if it was in clear.
    pub tls: Option<SessionTls>,
}

impl Session<'_> {
    /// No client, no AUTH, no TLS.
    pub const UNNAMED: Self = Self {
        client: None,
        authenticated: None,
        tls: None,
    };
}

/// TLS of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SessionTls {
    /// The version of the protocol.
    pub version: TlsVersion,
    /// Whether the client showed a certificate that was accepted.
    #[serde(default)]
    pub client_certificate: bool,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    V1_3,
}

impl Words for TlsVersion {
    const WORDS: &'static [(&'static str, Self)] = &[("1.2", Self::V1_2), ("1.3", Self::V1_3)];
}

/// What is known of a message once its content is there.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The subject, decoded; a message without the field has an empty one.
    pub subject: Option<&'a str>,
    /// Header fields: name, and value decoded and unfolded.
    pub headers: &'a [(String, String)],
    /// The names of the header fields that are known; none if all are.
    pub known_headers: Option<&'a [String]>,
    /// Bytes of the whole message, header included.
    pub size: u64,
    /// Its attachments.
    pub attachments: &'a [Attachment],
    /// Whether the client signed it.
    pub is_signed: bool,
    /// Whether it came encrypted (CMS EnvelopedData or AuthEnvelopedData).
    pub is_encrypted: bool,
    /// Whether it is a calendar message (RFC 6047).
    pub is_calendar: bool,
    /// Whether it answers a mail that came to us encrypted; none if that could not be found out.
    pub answers_encrypted: Option<bool>,
}

impl Content<'_> {
    /// An empty message.
    pub const EMPTY: Self = Self {
        subject: None,
        headers: &[],
        known_headers: None,
        size: 0,
        attachments: &[],
        is_signed: false,
        is_encrypted: false,
        is_calendar: false,
        answers_encrypted: Some(false),
    };
}

/// A MIME part that is not the text of the mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attachment {
    /// Its file name, decoded; empty if it has none.
    #[serde(default)]
    pub name: String,
    /// Its type and subtype, such as `application/pdf`.
    #[serde(default, rename = "type")]
    pub media_type: String,
}
