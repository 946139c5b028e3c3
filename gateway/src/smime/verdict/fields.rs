//! A verdict as it stands in a message: `Authentication-Results` (RFC 8601) with `smime` (RFC 7281), and one field in
//! plain words.
//!
//! Names out of certificates are strangers' text. They stand in quoted strings or between semicolons of ours, cut to a
//! length, without line ends.

use policy::address::Address;

use super::{Coverage, Layer, Verdict, VerdictResult, moment};
use crate::smime::decrypt::EncryptedLayer;

/// Longest piece of text, in characters.
const LONGEST: usize = 400;

/// The verdict as a header field with its line ends, in the name of `hostname`.
#[must_use]
pub fn authentication_results(hostname: &str, verdict: &Verdict) -> Vec<u8> {
    let mut field = format!(
        "Authentication-Results: {hostname};\r\n\tsmime={}",
        verdict.result
    );
    let reason = match verdict.reason {
        Some(reason) => format!("{reason}: {}", verdict.text),
        None if verdict.text.is_empty() => String::new(),
        None => format!("note: {}", verdict.text),
    };
    if !reason.is_empty() {
        field.push_str(&format!("\r\n\treason={}", quoted(&reason)));
    }
    if let Some(part) = verdict.part {
        field.push_str(&format!("\r\n\tbody.smime-part={part}"));
    }
    if let Some(certificate) = &verdict.certificate {
        if let Some(address) = verdict.signer.as_ref().or(certificate.addresses().first()) {
            field.push_str(&format!(
                "\r\n\tbody.smime-identifier={}",
                identifier(address)
            ));
        }
        field.push_str(&format!(
            "\r\n\tbody.smime-serial={}",
            quoted(&certificate.serial())
        ));
        let issuer = hex_escaped(certificate.issuer());
        field.push_str(&format!("\r\n\tbody.smime-issuer={}", quoted(&issuer)));
    }
    field.push_str("\r\n");
    field.into_bytes()
}

/// The verdict in plain words as a header field with its line ends.
#[must_use]
pub fn verdict_field(verdict: &Verdict) -> Vec<u8> {
    let mut field = format!("X-Postern-Verdict: {}", verdict.result);
    if let Some(reason) = verdict.reason {
        field.push_str(&format!(" ({reason})"));
    }
    let pieces = [signed(verdict), plain(&verdict.text)]
        .into_iter()
        .chain(verdict.layers.iter().filter_map(decrypted))
        .chain(
            verdict
                .closed
                .iter()
                .map(|closed| plain(&format!("not decrypted: {closed}"))),
        )
        .chain(verdict.headers.iter().flat_map(|headers| {
            [
                ("from inside", &headers.restored),
                ("changed on the way", &headers.changed),
            ]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| plain(&format!("{what}: {}", names.join(", "))))
        }));
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        field.push_str(&format!(";\r\n\t{piece}"));
    }
    field.push_str("\r\n");
    field.into_bytes()
}

fn signed(verdict: &Verdict) -> String {
    let covered = match verdict.covered {
        Coverage::Nothing => return "not signed".to_owned(),
        Coverage::Part => "a part",
        Coverage::Content => "the content",
        Coverage::HeadersAndContent => "header fields and content",
    };
    let pass = verdict
        .signers
        .iter()
        .find(|signer| signer.result == VerdictResult::Pass);
    let time = pass.and_then(|signer| signer.report.signing_time);
    match (&verdict.signer, time) {
        (Some(signer), Some(time)) => {
            plain(&format!("{covered} signed by {signer} at {}", moment(time)))
        }
        (Some(signer), None) => plain(&format!("{covered} signed by {signer}")),
        (None, _) => format!("{covered} signed"),
    }
}

fn decrypted(layer: &Layer) -> Option<String> {
    let Layer::Encrypted(EncryptedLayer {
        cipher,
        is_authenticated,
        is_weak,
        ..
    }) = layer
    else {
        return None;
    };
    let weak = if *is_weak { ", weak" } else { "" };
    let authenticated = if *is_authenticated {
        "authenticated"
    } else {
        "not authenticated"
    };
    Some(plain(&format!(
        "decrypted: {cipher}, {authenticated}{weak}"
    )))
}

/// Printable ASCII without semicolons, which are ours.
fn plain(text: &str) -> String {
    text.chars()
        .take(LONGEST)
        .map(|char| match char {
            ';' => ',',
            ' '..='~' => char,
            _ => '?',
        })
        .collect()
}

/// A quoted-string (RFC 5322, section 3.2.4) of one line at most: whatever is not printable ASCII becomes `?`.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars().take(LONGEST) {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='~' => quoted.push(char),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

/// An address as it is, if it is made of atoms (RFC 8601, section 2.2: pvalue), else in quotes.
fn identifier(address: &Address) -> String {
    let text = address.canonical();
    let is_atoms = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"@.-_+".contains(&byte));
    if is_atoms {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A distinguished name without anything beyond ASCII (RFC 4514, section 2.4: hex pairs).
fn hex_escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii() {
            escaped.push(char);
        } else {
            let mut utf8 = [0; 4];
            for byte in char.encode_utf8(&mut utf8).bytes() {
                escaped.push_str(&format!("\\{byte:02X}"));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::Reason;
    use super::*;

    fn field(verdict: &Verdict) -> String {
        String::from_utf8(authentication_results("gw.example.org", verdict)).unwrap()
    }

    #[test]
    fn an_unsigned_message_has_no_more_than_that() {
        let expected = "Authentication-Results: gw.example.org;\r\n\tsmime=none\r\n";
        assert_eq!(field(&Verdict::unsigned()), expected);
    }

    #[test]
    fn a_strangers_text_stays_within_its_quotes() {
        let text = "CN=\"x\"\\; smime=pass\r\nX-Postern: 1\u{2028}ü";
        let verdict = Verdict::refused(VerdictResult::Fail, Reason::Untrusted, text);
        let expected = "Authentication-Results: gw.example.org;\r\n\tsmime=fail\r\n\t\
                        reason=\"untrusted: CN=\\\"x\\\"\\\\; smime=pass??X-Postern: 1??\"\r\n";
        assert_eq!(field(&verdict), expected);
    }

    #[test]
    fn plain_words_are_ours_alone() {
        let text = "CN=x; signed by ceo@example.org\r\nX-Postern: 1";
        let verdict = Verdict {
            covered: Coverage::Content,
            ..Verdict::refused(VerdictResult::Fail, Reason::Untrusted, text)
        };
        let expected = "X-Postern-Verdict: fail (untrusted);\r\n\tthe content signed;\r\n\t\
                        CN=x, signed by ceo@example.org??X-Postern: 1\r\n";
        assert_eq!(
            String::from_utf8(verdict_field(&verdict)).unwrap(),
            expected
        );
        let unsigned = String::from_utf8(verdict_field(&Verdict::unsigned())).unwrap();
        assert_eq!(unsigned, "X-Postern-Verdict: none;\r\n\tnot signed\r\n");
    }

    #[test]
    fn a_pass_may_have_a_note() {
        let verdict = Verdict {
            result: VerdictResult::Pass,
            text: "look".to_owned(),
            ..Verdict::unsigned()
        };
        let expected = "Authentication-Results: gw.example.org;\r\n\tsmime=pass\r\n\t\
                        reason=\"note: look\"\r\n";
        assert_eq!(field(&verdict), expected);
    }

    #[test]
    fn lines_stay_short() {
        let verdict = Verdict::refused(VerdictResult::Fail, Reason::Untrusted, "\"".repeat(5_000));
        assert!(field(&verdict).lines().all(|line| line.len() < 998));
    }

    #[test]
    fn names_beyond_ascii_are_escaped() {
        assert_eq!(hex_escaped("CN=Jürgen"), "CN=J\\C3\\BCrgen");
        let odd = Address::parse("\"a b\"@example.org").unwrap();
        assert_eq!(identifier(&odd), "\"\\\"a b\\\"@example.org\"");
        let plain = Address::parse("A.b+c@example.org").unwrap();
        assert_eq!(identifier(&plain), "a.b+c@example.org");
    }
}
