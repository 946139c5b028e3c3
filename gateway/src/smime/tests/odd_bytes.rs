//! Odd message bytes are carried into a signed form that every hop keeps, and that OpenSSL verifies.

use super::people::{openssl, text};
use super::*;

/// The content that OpenSSL sees in a mail that it verifies.
fn verified(mail: &Message) -> Vec<u8> {
    let file = PEOPLE.file("odd.eml", mail.content());
    let authority = text(&PEOPLE.authority_file);
    let file = text(&file);
    openssl(&["cms", "-verify", "-in", file, "-CAfile", authority])
}

/// ASCII without NUL, lines of at most 998 characters, no CR or LF that is not part of a line end.
fn passes_a_seven_bit_hop(mail: &[u8]) -> bool {
    let ends_well =
        |line: &[u8]| line.ends_with(b"\r\n") && !line[..line.len() - 2].contains(&b'\r');
    mail.is_ascii()
        && !mail.contains(&0)
        && mail
            .split_inclusive(|byte| *byte == b'\n')
            .all(|line| line.len() <= 1000 && ends_well(line))
}

#[test]
fn odd_bytes_pass_a_seven_bit_hop_when_signed() {
    let long = "x".repeat(5_000);
    let octets = "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n\
                  Content-Transfer-Encoding: binary\r\n\r\n";
    let mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_a b'()+_,-./:=?\"\r\n\r\n\
                 --=_a b'()+_,-./:=?\r\n\r\none\ntwo\r\n--=_a b'()+_,-./:=? \t\r\n\r\nthree\r\n--=_a b'()+_,-./:=?--";
    let plain = |body: &str| format!("\r\n{body}").into_bytes();
    let binary = b"\0\xff\r\n\n\r\r\n\x80";
    for (name, content, expected) in [
        ("a long line", plain(&long), vec![long.as_bytes()]),
        ("a bare LF", plain("one\ntwo\r\n"), vec![b"one\ntwo\r\n"]),
        ("a bare CR", plain("one\rtwo\r\n"), vec![b"one\rtwo\r\n"]),
        ("a CR at the end", plain("one\r"), vec![b"one\r"]),
        ("a NUL", plain("one\0two\r\n"), vec![b"one\0two\r\n"]),
        ("no line end", plain("one"), vec![b"one"]),
        ("no body", b"".to_vec(), vec![b""]),
        ("an empty body", plain(""), vec![b""]),
        (
            "eight bits that nobody explains",
            b"\r\nK\xf6ln\r\n".to_vec(),
            vec![b"K\xf6ln\r\n"],
        ),
        (
            "binary",
            [octets.as_bytes(), binary].concat(),
            vec![binary.as_slice()],
        ),
        (
            "an odd boundary",
            mixed.as_bytes().to_vec(),
            vec![b"one\ntwo", b"three"],
        ),
    ] {
        let head = "From: alice@example.org\r\nSubject: odd\r\n".as_bytes();
        let mail = message([head, &content].concat());
        for form in [Form::Clear, Form::Opaque] {
            let signed = sign(&mail, &*PEOPLE.alice, &profile(form), now());
            let signed = message(signed.unwrap());
            assert!(passes_a_seven_bit_hop(signed.content()), "{name}, {form:?}");
            assert_eq!(
                judge(&signed).result,
                VerdictResult::Pass,
                "{name}, {form:?}"
            );
            let seen = contents(&message(verified(&signed)));
            let seen: Vec<_> = seen.iter().map(|(_, content)| content.as_slice()).collect();
            assert_eq!(seen, expected, "{name}, {form:?}");
        }
    }
}
