use policy::mutation::mutations;

use super::*;

/// `ldapsearch -x`: an anonymous bind.
const BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
/// A search below `o=x` for mail=a@b, attributes `userCertificate;binary`.
const SEARCH: &[u8] = b"\x30\x40\x02\x01\x02\x63\x3b\x04\x03o=x\x0a\x01\x02\x0a\x01\x00\x02\x01\x0a\x02\x01\x00\x01\x01\x00\
    \xa3\x0b\x04\x04Mail\x04\x03a@b\x30\x18\x04\x16userCertificate;binary";
const UNBIND: &[u8] = b"\x30\x05\x02\x01\x03\x42\x00";
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// `(|(&(objectClass=*)(!(a=b)))(mail=a*))`, with a critical control.
const ODD: &[u8] = b"\x30\x4d\x02\x01\x05\x63\x3b\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\xff\
    \xa1\x26\xa0\x17\x87\x0bobjectClass\xa2\x08\xa3\x06\x04\x01a\x04\x01b\xa4\x0b\x04\x04mail\x30\x03\x80\x01a\x30\x00\
    \xa0\x0b\x30\x09\x04\x041.23\x01\x01\xff";

fn operation(message: &[u8]) -> Operation {
    read_request(message).unwrap().operation
}

#[test]
fn what_clients_send_is_read() {
    let anonymous = Operation::Bind {
        version: 3,
        name: String::new(),
        authentication: Authentication::Anonymous,
    };
    assert_eq!(operation(BIND), anonymous);
    assert_eq!(operation(UNBIND), Operation::Unbind);
    assert_eq!(
        operation(START_TLS),
        Operation::Extended(super::super::START_TLS.to_owned())
    );
    let search = Search {
        base: "o=x".to_owned(),
        scope: Scope::Subtree,
        size_limit: 10,
        types_only: false,
        filter: Filter::Equal {
            attribute: "mail".to_owned(),
            value: b"a@b".to_vec(),
        },
        attributes: vec!["usercertificate;binary".to_owned()],
    };
    assert_eq!(operation(SEARCH), Operation::Search(search));
}

#[test]
fn filters_and_controls_are_read_as_far_as_they_matter() {
    let request = read_request(ODD).unwrap();
    assert!(request.has_critical_control);
    let Operation::Search(search) = request.operation else {
        panic!("{request:?}");
    };
    let equal = Filter::Equal {
        attribute: "a".to_owned(),
        value: b"b".to_vec(),
    };
    let both = Filter::And(vec![
        Filter::Present("objectclass".to_owned()),
        Filter::Not(Box::new(equal)),
    ]);
    assert_eq!(search.filter, Filter::Or(vec![both, Filter::Other]));
    assert!(search.types_only);
}

#[test]
fn what_is_no_request_is_refused() {
    let malformed = |error| Err(LdapError::Malformed(error));
    for (message, expected) in [
        (&b""[..], malformed(BerError::Truncated)),
        (b"\x04\x00", Err(LdapError::NotLdap)),
        (b"\x30\x00", malformed(BerError::Missing)),
        (b"\x30\x03\x02\x01\x01", malformed(BerError::Truncated)),
        // A negative number; a tag that no request has; a response; a scope of 7.
        (
            b"\x30\x05\x02\x01\xff\x42\x00",
            malformed(BerError::InvalidValue),
        ),
        (
            b"\x30\x05\x02\x01\x01\x5e\x00",
            malformed(BerError::UnexpectedTag),
        ),
        (
            b"\x30\x05\x02\x01\x01\x65\x00",
            malformed(BerError::UnexpectedTag),
        ),
        (
            b"\x30\x0a\x02\x01\x01\x63\x05\x04\x00\x0a\x01\x07",
            malformed(BerError::InvalidValue),
        ),
        (
            b"\x30\x05\x02\x01\x03\x42\x00\x00",
            malformed(BerError::TrailingData),
        ),
    ] {
        assert_eq!(
            read_request(message),
            expected,
            "{}",
            message.escape_ascii()
        );
    }
}

#[test]
fn a_filter_that_nests_for_ever_is_refused() {
    let mut filter = b"\x87\x01a".to_vec();
    for _ in 0..40 {
        filter = [&[0xa2, u8::try_from(filter.len()).unwrap()][..], &filter].concat();
    }
    let head = b"\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00";
    let search = [&head[..], &filter, b"\x30\x00"].concat();
    let length = u8::try_from(search.len()).unwrap();
    let search = [b"\x02\x01\x01\x63", &[length][..], &search].concat();
    let length = u8::try_from(search.len()).unwrap();
    let message = [&[0x30, length][..], &search].concat();
    assert_eq!(
        read_request(&message),
        Err(LdapError::Malformed(BerError::TooDeep))
    );
}

#[test]
fn damaged_requests_do_no_harm() {
    for damaged in mutations(&[BIND, SEARCH, UNBIND, START_TLS, ODD]).take(20_000) {
        if let Ok(Request {
            operation: Operation::Search(search),
            ..
        }) = read_request(&damaged)
        {
            assert!(search.base.len() + search.attributes.len() <= damaged.len());
        }
    }
}
