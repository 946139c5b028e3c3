//! The one table from failure to SMTP reply and log level.
//!
//! A failure has two texts: the reply's, for the peer, which says what to do; and the log's, with the details. Whatever
//! is not in the table is a 451: an unknown failure is never final and never silent.

use std::fmt;

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
