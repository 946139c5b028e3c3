//! The one table from failure to SMTP reply and log level.
//!
//! A failure has two texts: the reply's, for the peer, which says what to do; and the log's, with the details. Whatever
//! is not in the table is a 451: an unknown failure is never final and never silent.

use std::fmt;

use policy::address::Address;

/// One SMTP reply (RFC 5321, section 4.2) with its enhanced status code (RFC 3463).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three-digit code.
    pub code: u16,
    /// Class, subject, detail; none in greetings and in answers to HELO, EHLO and DATA (354).
    pub enhanced: Option<(u8, u8, u16)>,
    /// One line of text for each line of the reply, without line ends.
    pub lines: Vec<String>,
}

impl Reply {
    /// A reply of one line with an enhanced status code.
    #[must_use]
    pub fn new(code: u16, enhanced: (u8, u8, u16), text: impl Into<String>) -> Self {
        Self {
            code,
            enhanced: Some(enhanced),
            lines: vec![text.into()],
        }
    }

    /// A reply of one line without an enhanced status code.
    #[must_use]
    pub fn bare(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            enhanced: None,
            lines: vec![text.into()],
        }
    }

    /// Whether it is a 2xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it is a 4xx.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some((class, subject, detail)) = self.enhanced {
            write!(f, " {class}.{subject}.{detail}")?;
        }
        for line in &self.lines {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

/// Why a message, or one recipient of it, was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The client may not send outbound.
    RelayDenied,
    /// No rule of the policy matches.
    NoRule,
    /// A rule refuses, with the operator's text.
    RefusedByRule {
        /// The rule's name.
        rule: String,
        /// Its text.
        text: String,
    },
    /// A key may not sign for this From from this client.
    NotEntitled(String),
    /// A signature is required, and there is no usable key.
    NoSigner(String),
    /// Encryption is required, and no certificate can be used; why, certificate by certificate.
    NoCertificate(String),
    /// Decryption is required and impossible, or a signature that must be good is not.
    Unacceptable(String),
    /// It passed through too many servers.
    Loop,
    /// It is no message that can be processed safely.
    Malformed(String),
    /// It grew beyond what the program can carry.
    TooLarge(String),
    /// A directory gave no answer, so "no certificate" would be a guess.
    DirectoryUnavailable(String),
    /// What a rule asks about the mail could not be found out.
    FactUnavailable(String),
    /// A decrypted copy has no next hop that it may leave to.
    NoProtectedRoute,
    /// The time for one message is over.
    OutOfTime,
    /// The spool has no room.
    SpoolFull,
    /// Something of ours does not work now; what, is for the log.
    Internal(String),
}

impl Failure {
    /// Its line in the table: reply code, enhanced status code, text for the peer.
    fn row(&self) -> (u16, (u8, u8, u16), String) {
        match self {
            Self::RelayDenied => (
                550,
                (5, 7, 1),
                "this client may not send to outside addresses here".into(),
            ),
            Self::NoRule => (
                550,
                (5, 7, 1),
                "no rule of the policy allows this mail".into(),
            ),
            Self::RefusedByRule { text, .. } => (550, (5, 7, 1), text.clone()),
            Self::NotEntitled(why) => (550, (5, 7, 0), format!("not entitled to sign: {why}")),
            Self::NoSigner(why) => (
                550,
                (5, 7, 5),
                format!("a signature is required and cannot be made: {why}"),
            ),
            Self::NoCertificate(why) => (
                550,
                (5, 7, 5),
                format!("encryption is required and no certificate is usable: {why}"),
            ),
            Self::Unacceptable(why) => (550, (5, 7, 7), why.clone()),
            Self::Loop => (
                554,
                (5, 4, 6),
                "more than 30 Received fields: this message is in a loop".into(),
            ),
            Self::Malformed(why) => (554, (5, 6, 0), format!("malformed message: {why}")),
            Self::TooLarge(why) => (552, (5, 3, 4), why.clone()),
            Self::DirectoryUnavailable(_) => (
                451,
                (4, 4, 3),
                "a certificate directory gives no answer now; try again later".into(),
            ),
            Self::FactUnavailable(_) => (
                451,
                (4, 4, 3),
                "what the policy asks about this mail cannot be found out now; try again later"
                    .into(),
            ),
            Self::NoProtectedRoute => (
                451,
                (4, 7, 0),
                "a decrypted copy has no protected way on; try again later".into(),
            ),
            Self::OutOfTime => (
                451,
                (4, 4, 3),
                "processing took too long; try again later".into(),
            ),
            Self::SpoolFull => (
                452,
                (4, 3, 1),
                "no room for mail now; try again later".into(),
            ),
            Self::Internal(_) => (451, (4, 3, 0), "a local error; try again later".into()),
        }
    }

    /// The reply to give.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let (code, enhanced, text) = self.row();
        Reply::new(code, enhanced, text)
    }

    /// Whether trying again later can help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.row().0 < 500
    }

    /// Whether the operator should look: something of ours is not as it should be.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::DirectoryUnavailable(_)
                | Self::FactUnavailable(_)
                | Self::NoProtectedRoute
                | Self::OutOfTime
                | Self::SpoolFull
                | Self::Internal(_)
        )
    }

    /// What the log adds to the reply's text.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Internal(detail)
            | Self::DirectoryUnavailable(detail)
            | Self::FactUnavailable(detail) => detail,
            Self::RefusedByRule { rule, .. } => rule,
            Self::NotEntitled(_)
            | Self::NoSigner(_)
            | Self::NoCertificate(_)
            | Self::Unacceptable(_)
            | Self::Malformed(_)
            | Self::TooLarge(_)
            | Self::RelayDenied
            | Self::NoRule
            | Self::Loop
            | Self::NoProtectedRoute
            | Self::OutOfTime
            | Self::SpoolFull => "",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, _, text) = self.row();
        f.write_str(&text)?;
        if !self.detail().is_empty() {
            write!(f, " ({})", self.detail())?;
        }
        Ok(())
    }
}

/// Everything that stands against a message: at DATA there is one reply for all recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    failures: Vec<(Option<Address>, Failure)>,
}

impl Refusal {
    /// A refusal for the reasons of single recipients; none if there are no reasons.
    #[must_use]
    pub fn of_recipients(failures: Vec<(Address, Failure)>) -> Option<Self> {
        let failures: Vec<_> = failures
            .into_iter()
            .map(|(address, failure)| (Some(address), failure))
            .collect();
        (!failures.is_empty()).then_some(Self { failures })
    }

    /// The reasons, each with the recipient it holds for, or none where it holds for the message.
    #[must_use]
    pub fn failures(&self) -> &[(Option<Address>, Failure)] {
        &self.failures
    }

    /// The one reply: any temporary failure makes it temporary, and it names the recipients.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let worst = self
            .failures
            .iter()
            .find(|(_, failure)| failure.is_temporary());
        let Some((_, worst)) = worst.or(self.failures.first()) else {
            return Failure::Internal("a refusal without a reason".into()).reply();
        };
        let mut reply = worst.reply();
        let same_kind = self
            .failures
            .iter()
            .filter(|(_, other)| other.is_temporary() == worst.is_temporary());
        reply.lines = same_kind
            .map(|(address, failure)| match (address, failure.row().2) {
                (Some(address), text) => format!("<{address}>: {text}"),
                (None, text) => text,
            })
            .take(MOST_LINES)
            .collect();
        reply
    }
}

/// A reply names at most so many recipients; a longer one helps nobody.
const MOST_LINES: usize = 20;

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            failures: vec![(None, failure)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn one_temporary_failure_makes_the_reply_temporary() {
        let refusal = Refusal::of_recipients(vec![
            (
                address("a@x.example"),
                Failure::NoCertificate("none is known".into()),
            ),
            (
                address("b@x.example"),
                Failure::DirectoryUnavailable("ldap: timed out".into()),
            ),
        ])
        .unwrap();
        let reply = refusal.reply();
        assert_eq!((reply.code, reply.enhanced), (451, Some((4, 4, 3))));
        assert_eq!(reply.lines.len(), 1);
        assert!(reply.lines[0].starts_with("<b@x.example>: "), "{reply}");
        assert!(
            !reply.to_string().contains("timed out"),
            "details are for the log"
        );
    }

    #[test]
    fn a_refusal_names_each_recipient() {
        let no = |name: &str| {
            (
                address(name),
                Failure::NoCertificate("none is known".into()),
            )
        };
        let reply = Refusal::of_recipients(vec![no("a@x.example"), no("b@x.example")])
            .unwrap()
            .reply();
        assert_eq!((reply.code, reply.enhanced), (550, Some((5, 7, 5))));
        assert_eq!(reply.lines.len(), 2);
    }

    #[test]
    fn no_failures_are_no_refusal() {
        assert_eq!(Refusal::of_recipients(Vec::new()), None);
    }
}
