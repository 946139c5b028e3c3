//! Facts that were kept, so that another policy can be asked about mail that is long gone. Never content: what rules look
//! at, and no more.
//!
//! One record is one recipient of one message. As text it is one JSON object; keys that are left out are absent, and those
//! that are `null` were never known.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::facts::{Attachment, Content, Direction, Facts, Session, SessionTls};
use crate::fate::Availability;
use crate::schedule::Moment;

/// The facts of one recipient of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecordedFacts {
    /// What the record is found by: a queue id, a Message-ID, a line of a log.
    #[serde(default)]
    pub id: String,
    /// Which way it went.
    pub direction: Direction,
    /// MAIL FROM; none is the null reverse-path.
    #[serde(default)]
    pub sender: Option<Address>,
    /// RCPT TO.
    pub recipient: Address,
    /// The client's address.
    #[serde(default)]
    pub client: Option<IpAddr>,
    /// The identity that the client proved.
    #[serde(default)]
    pub authenticated: Option<String>,
    /// TLS of the session.
    #[serde(default)]
    pub tls: Option<SessionTls>,
    /// The groups of our user; none if they were not known.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// When it came, in the time zone of the policy of that time; none if nobody knows.
    #[serde(default)]
    pub time: Option<Moment>,
    /// The subject; none if it was not kept.
    #[serde(default)]
    pub subject: Option<String>,
    /// The header fields that were kept.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The names of the header fields that would have been kept; of others nothing is known.
    #[serde(default)]
    pub kept_headers: Vec<String>,
    /// Bytes of the message.
    #[serde(default)]
    pub size: u64,
    /// Names and types of attachments.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Whether the client signed it.
    #[serde(default)]
    pub signed: bool,
    /// Whether it came encrypted.
    #[serde(default)]
    pub encrypted: bool,
    /// Whether it is a calendar message.
    #[serde(default)]
    pub calendar: bool,
    /// Whether it answers a mail that came encrypted; none if that was not known.
    #[serde(default)]
    pub in_reply_to_encrypted: Option<bool>,
    /// What the recipient's certificate was like; none if nobody looked.
    #[serde(default)]
    pub certificate: Option<Availability>,
    /// Whether the next hop offered TLS that could be verified; none if nobody looked.
    #[serde(default)]
    pub verified_tls: Option<bool>,
}

impl RecordedFacts {
    /// What a policy is asked with.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            direction: self.direction,
            sender: self.sender.as_ref(),
            recipient: &self.recipient,
            session: Some(Session {
                client: self.client,
                authenticated: self.authenticated.as_deref(),
                tls: self.tls,
            }),
            groups: self.groups.as_deref(),
            moment: self.time,
            content: Some(Content {
                subject: self.subject.as_deref(),
                headers: &self.headers,
                known_headers: Some(&self.kept_headers),
                size: self.size,
                attachments: &self.attachments,
                is_signed: self.signed,
                is_encrypted: self.encrypted,
                is_calendar: self.calendar,
                answers_encrypted: self.in_reply_to_encrypted,
            }),
        }
    }
}
