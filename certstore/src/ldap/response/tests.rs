use policy::mutation::mutations;

use super::*;

fn sample() -> Vec<Vec<u8>> {
    let alice = Entry {
        name: "mail=alice@example.org,o=x".to_owned(),
        attributes: vec![
            ("mail".to_owned(), vec![b"alice@example.org".to_vec()]),
            (
                "userCertificate;binary".to_owned(),
                vec![vec![0x30; 900], vec![0x30; 100]],
            ),
        ],
    };
    vec![
        bind_response(1, ResultCode::Success, ""),
        entry(200, &alice),
        search_done(70_000, ResultCode::SizeLimitExceeded, "too many"),
        extended_response(0, ResultCode::Unavailable, "", Some("1.3.6.1.4.1.1466.20036")),
        // Done, with a paged results control.
        b"\x30\x2c\x02\x01\x03\x65\x07\x0a\x01\x00\x04\x00\x04\x00\xa0\x1e\x30\x1c\x04\x161.2.840.113556.1.4.319\
          \x04\x02\x30\x00"
            .to_vec(),
    ]
}

#[test]
fn what_is_written_can_be_read() {
    let sample = sample();
    for message in sample.iter().take(4) {
        assert_eq!(
            check_response(message),
            Ok(()),
            "{}",
            message.escape_ascii()
        );
        assert_eq!(
            super::super::message_length(message, 10_000),
            Ok(Some(message.len()))
        );
    }
    assert_eq!(
        sample[0],
        b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
    );
    let refused = refusal(128, 7, ResultCode::UnwillingToPerform, "");
    assert_eq!(
        refused,
        b"\x30\x0d\x02\x02\x00\x80\x67\x07\x0a\x01\x35\x04\x00\x04\x00"
    );
    assert_eq!(extended_result(&sample[3]), Ok(52));
    assert!(extended_result(&sample[0]).is_err());
}

#[test]
fn answers_that_would_mislead_a_reader_are_refused() {
    for (message, why) in [
        (&b"\x30\x03\x02\x01\x01"[..], "no operation"),
        (b"\x30\x05\x02\x01\x01\x65\x00", "a result without a code"),
        (
            b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x01",
            "cut off",
        ),
        (
            b"\x30\x0d\x02\x01\x01\x65\x08\x0a\x01\x00\x04\x00\x04\x01\xff",
            "a text that is none",
        ),
        (
            b"\x30\x0c\x02\x01\x01\x79\x07\x0a\x01\x00\x04\x00\x04\x00",
            "an operation that nobody asked for",
        ),
        (
            b"\x30\x0c\x02\x01\x01\x63\x07\x0a\x01\x00\x04\x00\x04\x00",
            "a request",
        ),
        (
            b"\x30\x09\x02\x01\x01\x64\x04\x24\x02\x04\x05",
            "an element beyond its frame",
        ),
    ] {
        assert!(check_response(message).is_err(), "{why}");
    }
    let mut deep = vec![0x30, 0x00];
    for _ in 0..40 {
        deep = [&[0x30, u8::try_from(deep.len()).unwrap()][..], &deep].concat();
    }
    let length = u8::try_from(deep.len()).unwrap();
    let message = [&[0x30, length + 5, 2, 1, 1, 0x64, length][..], &deep].concat();
    assert_eq!(
        check_response(&message),
        Err(LdapError::Malformed(BerError::TooDeep))
    );
}

#[test]
fn damaged_answers_do_no_harm() {
    for damaged in mutations(&sample()).take(5_000) {
        // Whatever it says, it says so without a panic and soon.
        let _verdict = (check_response(&damaged), extended_result(&damaged));
    }
}
