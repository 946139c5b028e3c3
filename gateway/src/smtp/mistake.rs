//! The one table from a client's mistake to the reply that says so.

use policy::address::AddressError;

use crate::failure::Reply;

/// What a client did wrong, or asked for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mistake {
    /// A CR without LF, or an LF without CR, in a command.
    BareLineEnd,
    /// A command line over the limit.
    LineTooLong,
    /// A NUL byte in a command.
    NulByte,
    /// A command that is not UTF-8.
    NotUtf8,
    /// Another protocol, such as HTTP or TLS.
    OtherProtocol,
    /// No verb that we know.
    UnknownCommand,
    /// A verb of the standards that we do not offer.
    NotImplemented,
    /// Arguments of the wrong form; holds the right form.
    Arguments(&'static str),
    /// A command out of order; holds what must come first.
    Sequence(&'static str),
    /// A path with a source route (RFC 5321, appendix C).
    SourceRoute,
    /// MAIL with a mailbox that is none.
    Sender(AddressError),
    /// RCPT with a mailbox that is none.
    Recipient(AddressError),
    /// An address beyond ASCII, without SMTPUTF8.
    NeedsSmtpUtf8,
    /// A parameter that we did not offer; holds its keyword.
    UnknownParameter(String),
    /// A parameter given twice; holds its keyword.
    RepeatedParameter(String),
    /// A message over the limit, in bytes.
    TooBig(u64),
    /// MAIL in clear on a listener that requires TLS.
    TlsRequired,
    /// STARTTLS within TLS.
    TlsAlready,
    /// More recipients than one message may have.
    TooManyRecipients,
    /// DATA without a recipient.
    NoRecipients,
    /// Bytes behind STARTTLS, sent before our answer to it.
    BytesAfterStartTls,
    /// A CR without LF, or an LF without CR, in the content.
    BareLineEndInContent,
    /// One mistake too many.
    TooMany,
}

impl Mistake {
    /// The reply to it.
    pub(super) fn reply(&self) -> Reply {
        let (code, enhanced, text) = match self {
            Self::BareLineEnd => (500, (5, 5, 2), "Bare CR or LF; lines end with CR LF"),
            Self::LineTooLong => (500, (5, 5, 2), "Line too long"),
            Self::NulByte => (500, (5, 5, 2), "NUL bytes are not allowed"),
            Self::NotUtf8 => (500, (5, 5, 2), "Commands are ASCII or UTF-8"),
            Self::OtherProtocol => (554, (5, 5, 1), "This is an SMTP server"),
            Self::UnknownCommand => (500, (5, 5, 1), "Command not recognized"),
            Self::NotImplemented => (502, (5, 5, 1), "Command not implemented"),
            Self::SourceRoute => (501, (5, 1, 0), "Source routes are not accepted"),
            Self::NeedsSmtpUtf8 => (553, (5, 6, 7), "This address needs SMTPUTF8 in MAIL"),
            Self::TlsRequired => (530, (5, 7, 0), "Must issue a STARTTLS command first"),
            Self::TlsAlready => (503, (5, 5, 1), "TLS is in use already"),
            Self::TooManyRecipients => (
                452,
                (4, 5, 3),
                "Too many recipients; send the rest in another message",
            ),
            Self::NoRecipients => (554, (5, 5, 1), "No valid recipients"),
            Self::BytesAfterStartTls => (554, (5, 5, 1), "Nothing may be pipelined after STARTTLS"),
            Self::BareLineEndInContent => (554, (5, 6, 0), "Bare CR/LF in the message is refused"),
            Self::TooMany => (421, (4, 7, 0), "Too many errors, closing connection"),
            Self::Arguments(form) => return Reply::new(501, (5, 5, 4), format!("Syntax: {form}")),
            Self::Sequence(first) => {
                return Reply::new(503, (5, 5, 1), format!("Send {first} first"));
            }
            Self::Sender(error) => return Reply::new(553, (5, 1, 7), error.to_string()),
            Self::Recipient(error) => return Reply::new(553, (5, 1, 3), error.to_string()),
            Self::UnknownParameter(keyword) => {
                return Reply::new(
                    555,
                    (5, 5, 4),
                    format!("Parameter {keyword} not recognized"),
                );
            }
            Self::RepeatedParameter(keyword) => {
                return Reply::new(501, (5, 5, 4), format!("Parameter {keyword} given twice"));
            }
            Self::TooBig(limit) => {
                return Reply::new(
                    552,
                    (5, 3, 4),
                    format!("Message over the limit of {limit} bytes"),
                );
            }
        };
        Reply::new(code, enhanced, text)
    }

    /// Whether the connection ends with it: where the next command begins can no longer be trusted, or nobody who
    /// speaks SMTP is there.
    pub(super) const fn closes(&self) -> bool {
        matches!(
            self,
            Self::BareLineEnd
                | Self::OtherProtocol
                | Self::BytesAfterStartTls
                | Self::BareLineEndInContent
                | Self::TooMany
        )
    }
}
