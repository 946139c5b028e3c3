//! The details of an entry as bytes, before they are sealed.
//!
//! JSON, so that a later version can add fields and an operator with the key can read them.

use std::ops::Not;

use policy::address::Address;
use serde::{Deserialize, Serialize};

use super::{Details, Recipient, RecipientState, Transport};

#[derive(Serialize, Deserialize)]
struct Record {
    from: Option<String>,
    to: Vec<To>,
    #[serde(default, skip_serializing_if = "Not::not")]
    eight_bit: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    bare_line_end: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    smtputf8: bool,
    #[serde(default, skip_serializing_if = "Not::not")]
    private: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct To {
    address: String,
    #[serde(default, skip_serializing_if = "State::is_waiting")]
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
}

#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Waiting,
    Delivered,
    Failed,
}

pub(super) fn encode(details: &Details) -> Vec<u8> {
    let record = Record {
        from: details.reverse_path.as_ref().map(Address::to_string),
        to: details.recipients.iter().map(To::from).collect(),
        eight_bit: details.needs_eight_bit,
        bare_line_end: details.has_bare_line_end,
        smtputf8: details.smtputf8,
        private: details.transport == Transport::Private,
        message_id: details.message_id.clone(),
        subject: details.subject.clone(),
    };
    // Maps with keys that are no strings are all that serde_json refuses, and there are none.
    serde_json::to_vec(&record).unwrap_or_default()
}

/// None if the bytes are not what [`encode`] writes.
pub(super) fn decode(bytes: &[u8]) -> Option<Details> {
    let record: Record = serde_json::from_slice(bytes).ok()?;
    let reverse_path = match record.from {
        Some(text) => Some(Address::parse(&text).ok()?),
        None => None,
    };
    let recipients = record
        .to
        .into_iter()
        .map(|to| {
            Some(Recipient {
                address: Address::parse(&to.address).ok()?,
                state: to.state.into(),
                reply: to.reply,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Details {
        reverse_path,
        recipients,
        needs_eight_bit: record.eight_bit,
        has_bare_line_end: record.bare_line_end,
        smtputf8: record.smtputf8,
        transport: if record.private {
            Transport::Private
        } else {
            Transport::Any
        },
        message_id: record.message_id,
        subject: record.subject,
    })
}

impl From<&Recipient> for To {
    fn from(recipient: &Recipient) -> Self {
        Self {
            address: recipient.address.to_string(),
            state: match recipient.state {
                RecipientState::Waiting => State::Waiting,
                RecipientState::Delivered => State::Delivered,
                RecipientState::Failed => State::Failed,
            },
            reply: recipient.reply.clone(),
        }
    }
}

impl From<State> for RecipientState {
    fn from(state: State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Delivered => Self::Delivered,
            State::Failed => Self::Failed,
        }
    }
}

impl State {
    fn is_waiting(&self) -> bool {
        *self == Self::Waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_come_back_as_they_were() {
        let details = Details {
            reverse_path: Some(Address::parse("alice@example.org").unwrap()),
            recipients: vec![
                Recipient {
                    address: Address::parse("\"b \\\" b\"@example.com").unwrap(),
                    state: RecipientState::Failed,
                    reply: Some("550 5.1.1 no".into()),
                },
                Recipient {
                    address: Address::parse("c@example.com").unwrap(),
                    state: RecipientState::Waiting,
                    reply: None,
                },
            ],
            needs_eight_bit: true,
            has_bare_line_end: true,
            smtputf8: true,
            transport: Transport::Private,
            message_id: Some("<1@x>".into()),
            subject: Some("Grüße".into()),
        };
        assert_eq!(decode(&encode(&details)), Some(details));
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"{}",
            b"null",
            b"\xff\xfe",
            br#"{"from":null,"to":[{"address":"no address"}]}"#,
            br#"{"from":"a\r\nb@c","to":[]}"#,
        ] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
