//! What directories send, and what strangers send to ours.

use std::hint::black_box;

use certstore::ldap::{Operation, message_length, read_request};
use certstore::source::{MOST_CERTIFICATES, http, ldap};

/// Longest LDAP message, in bytes: small, so that it is exceeded.
const LONGEST_MESSAGE: usize = 2_000;

/// What a client sends to our LDAP publication.
#[must_use]
pub fn ldap_request(input: &[u8]) -> bool {
    let Ok(Some(length)) = message_length(input, LONGEST_MESSAGE) else {
        return false;
    };
    assert!((2..=LONGEST_MESSAGE).contains(&length));
    let Some(message) = input.get(..length) else {
        return false;
    };
    let Ok(request) = read_request(message) else {
        return false;
    };
    if let Operation::Search(search) = &request.operation {
        assert!(search.base.len() + search.attributes.len() <= input.len());
    }
    black_box(request);
    true
}

/// A value of an attribute that holds certificates.
#[must_use]
pub fn ldap_value(input: &[u8]) -> bool {
    let (certificates, unreadable) = ldap::read_value(input);
    assert!(certificates.len() <= MOST_CERTIFICATES.min(input.len()));
    !certificates.is_empty() && unreadable == 0
}

/// What a web server answers: the Content-Type in the first line, then the body.
#[must_use]
pub fn http_certificates(input: &[u8]) -> bool {
    let mut pieces = input.splitn(2, |byte| *byte == b'\n');
    let content_type = pieces.next().unwrap_or_default();
    let body = pieces.next().unwrap_or_default();
    let content_type = std::str::from_utf8(content_type).unwrap_or_default();
    match http::read_body(content_type, body) {
        Ok(certificates) => {
            assert!(certificates.len() <= MOST_CERTIFICATES.min(input.len()));
            !certificates.is_empty()
        }
        Err(_) => false,
    }
}
