//! What an attempt came to for one recipient, in the terms of RFC 3463 and in words.

use smtp_proto::Response;

use crate::spool::Fate;

/// Longest reply that is kept, in characters.
const LONGEST_REPLY: usize = 512;

/// What an attempt came to for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) fate: Fate,
    /// Enhanced status code (RFC 3463).
    pub(super) status: (u8, u8, u16),
    /// The reply, one line, without control characters.
    pub(super) text: String,
    /// Whether the next hop said it, and not we.
    pub(super) is_reply: bool,
}

impl Verdict {
    /// Delivered without SMTP.
    pub(super) fn delivered(text: &str) -> Self {
        Self::ours(Fate::Delivered, (2, 0, 0), text)
    }

    /// A temporary failure of X.`subject`.`detail` that we found ourselves.
    pub(super) fn deferred(subject: u8, detail: u16, text: &str) -> Self {
        Self::ours(Fate::Deferred, (4, subject, detail), text)
    }

    /// A permanent failure of X.`subject`.`detail` that we found ourselves.
    pub(super) fn failed(subject: u8, detail: u16, text: &str) -> Self {
        Self::ours(Fate::Failed, (5, subject, detail), text)
    }

    /// What a reply means. One that is neither 2xx nor 5xx is temporary: what is not understood is never final.
    pub(super) fn of(reply: &Response<String>) -> Self {
        let (fate, class) = match reply.code {
            200..=299 => (Fate::Delivered, 2),
            500..=599 => (Fate::Failed, 5),
            _ => (Fate::Deferred, 4),
        };
        let [given, subject, detail] = reply.esc;
        let mut text = reply.code.to_string();
        if given != 0 {
            text += &format!(" {given}.{subject}.{detail}");
        }
        text = text + " " + &reply.message;
        // A status of another class than the reply's says nothing.
        let status = if given == class {
            (class, subject, u16::from(detail))
        } else {
            (class, 0, 0)
        };
        Self {
            fate,
            status,
            text: one_line(&text),
            is_reply: true,
        }
    }

    /// The same as a temporary failure, whatever it was.
    pub(super) fn but_temporary(mut self) -> Self {
        self.fate = Fate::Deferred;
        self.status.0 = 4;
        self
    }

    /// The same as a permanent failure, because the message was tried long enough.
    pub(super) fn but_expired(mut self) -> Self {
        self.fate = Fate::Failed;
        self.status = (5, 4, 7);
        self
    }

    fn ours(fate: Fate, status: (u8, u8, u16), text: &str) -> Self {
        Self {
            fate,
            status,
            text: one_line(text),
            is_reply: false,
        }
    }
}

/// A stranger's text as one harmless line.
fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '\r' | '\n' | '\t' => ' ',
            _ if c.is_control() => '?',
            _ => c,
        })
        .take(LONGEST_REPLY)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_become_verdicts() {
        for (code, esc, message, fate, status, text) in [
            (
                250,
                [2, 0, 0],
                "ok",
                Fate::Delivered,
                (2, 0, 0),
                "250 2.0.0 ok",
            ),
            (
                550,
                [5, 1, 1],
                "no\nsuch",
                Fate::Failed,
                (5, 1, 1),
                "550 5.1.1 no such",
            ),
            (
                451,
                [0, 0, 0],
                "later",
                Fate::Deferred,
                (4, 0, 0),
                "451 later",
            ),
            (
                550,
                [2, 1, 5],
                "odd",
                Fate::Failed,
                (5, 0, 0),
                "550 2.1.5 odd",
            ),
            (354, [0, 0, 0], "go", Fate::Deferred, (4, 0, 0), "354 go"),
            (
                999,
                [0, 0, 0],
                "\u{1b}[31m",
                Fate::Deferred,
                (4, 0, 0),
                "999 ?[31m",
            ),
            (0, [0, 0, 0], "", Fate::Deferred, (4, 0, 0), "0"),
        ] {
            let verdict = Verdict::of(&Response {
                code,
                esc,
                message: message.to_owned(),
            });
            assert_eq!((verdict.fate, verdict.status), (fate, status), "{code}");
            assert_eq!(verdict.text, text);
        }
        let long = Verdict::deferred(0, 0, &"ü".repeat(5000));
        assert_eq!(long.text.chars().count(), LONGEST_REPLY);
    }
}
