//! LDAP messages (RFC 4511), as far as looking certificates up needs them: where one ends, what a client asks, what a
//! server answers.
//!
//! No I/O and no state. Everything is read by the bounded BER reader of `cms`: what nests too deep, runs on for ever or
//! is no message is refused before anybody interprets it. Changes to a directory are not known here at all.

mod filter;
mod request;
mod response;

pub use filter::Filter;
pub use request::{Authentication, Operation, Request, Scope, Search, read_request};
pub use response::{
    Entry, ResultCode, bind_response, entry, extended_response, refusal, search_done,
};
pub(crate) use response::{check_response, extended_result};

use crate::cms::BerError;

/// The name of the extended operation StartTLS (RFC 4511, section 4.14).
pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// Why bytes are not an LDAP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LdapError {
    /// A message begins with a SEQUENCE of known length.
    #[error("something that is no LDAP message")]
    NotLdap,
    /// It says that it is longer than allowed.
    #[error("an LDAP message of {0} bytes, longer than is allowed")]
    TooLong(usize),
    /// It is not built as LDAP messages are.
    #[error("a malformed LDAP message: {0}")]
    Malformed(#[from] BerError),
}

/// Length in bytes of the first message in `bytes`, header included; none if too little of it is there to tell.
///
/// # Errors
/// [`LdapError`] if no message begins like this, or if it is longer than `longest`.
pub fn message_length(bytes: &[u8], longest: usize) -> Result<Option<usize>, LdapError> {
    let (header, contents) = match bytes {
        [] | [0x30] => return Ok(None),
        [0x30, length @ ..=0x7f, ..] => (2, usize::from(*length)),
        // The indefinite form is not allowed (RFC 4511, section 5.1), and nobody needs more than four octets.
        [0x30, octets @ 0x81..=0x84, rest @ ..] => {
            let count = usize::from(octets & 0x7f);
            let Some(octets) = rest.get(..count) else {
                return Ok(None);
            };
            let length = octets
                .iter()
                .fold(0, |all, octet| all << 8 | usize::from(*octet));
            (2 + count, length)
        }
        _ => return Err(LdapError::NotLdap),
    };
    let length = header + contents;
    if length > longest {
        return Err(LdapError::TooLong(length));
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_message_is_known_from_its_beginning() {
        for (bytes, expected) in [
            (&b""[..], Ok(None)),
            (b"\x30", Ok(None)),
            (b"\x30\x00", Ok(Some(2))),
            (b"\x30\x05\x02", Ok(Some(7))),
            (b"\x30\x82\x01", Ok(None)),
            (b"\x30\x82\x01\x00", Ok(Some(260))),
            (b"\x30\x84\x00\x00\x00\x05", Ok(Some(11))),
            (
                b"\x30\x84\xff\xff\xff\xff",
                Err(LdapError::TooLong(0xffff_ffff + 6)),
            ),
            (b"\x30\x82\x03\xe5", Err(LdapError::TooLong(1001))),
            (b"\x30\x80\x02\x01", Err(LdapError::NotLdap)),
            (b"\x30\x85\x00\x00\x00\x00\x05", Err(LdapError::NotLdap)),
            (b"GET / HTTP/1.1", Err(LdapError::NotLdap)),
            (b"\x16\x03\x01", Err(LdapError::NotLdap)),
        ] {
            let found = message_length(bytes, 1000);
            assert_eq!(found, expected, "{}", bytes.escape_ascii());
        }
    }
}
