//! SMIMEA records: read from answers, and written for zones.

use std::fmt::Write;

use hickory_resolver::proto::rr::rdata::TLSA;

use crate::certificate::Certificate;
use crate::source::Association;

/// What a record says; none if it uses numbers that have no meaning.
pub(super) fn association(record: &TLSA) -> Option<Association> {
    Some(Association {
        usage: u8::from(record.cert_usage).try_into().ok()?,
        selector: u8::from(record.selector).try_into().ok()?,
        matching: u8::from(record.matching).try_into().ok()?,
        data: record.cert_data.clone(),
    })
}

/// Longest run of characters in a line of a zone file.
const LINE: usize = 64;

/// A whole certificate as a line of a zone file in several pieces (RFC 8162, section 2; usage 3, DANE-EE). `ttl` is in
/// seconds.
#[must_use]
pub fn zone_record(owner: &str, certificate: &Certificate, ttl: u32) -> String {
    let mut text = format!("{owner} {ttl} IN SMIMEA 3 0 0 (");
    for (at, octet) in certificate.der().iter().enumerate() {
        if at % (LINE / 2) == 0 {
            text.push_str("\n    ");
        }
        // Writing into a String does not fail.
        let _written = write!(text, "{octet:02x}");
    }
    text.push_str(" )");
    text
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};

    use super::*;
    use crate::samples::Sample;
    use crate::source::{self, Usage};

    #[test]
    fn numbers_that_mean_nothing_make_no_association() {
        for (usage, selector, matching, is_known) in [
            (3, 0, 0, true),
            (0, 1, 2, true),
            (4, 0, 0, false),
            (255, 0, 0, false),
            (3, 2, 0, false),
            (3, 0, 3, false),
        ] {
            let record = TLSA::new(
                CertUsage::from(usage),
                Selector::from(selector),
                Matching::from(matching),
                vec![1, 2],
            );
            let association = association(&record);
            assert_eq!(
                association.is_some(),
                is_known,
                "{usage} {selector} {matching}"
            );
        }
        let whole = TLSA::new(3.into(), 1.into(), 1.into(), vec![7]);
        let expected = Association {
            usage: Usage::DaneEe,
            selector: source::Selector::PublicKey,
            matching: source::Matching::Sha256,
            data: vec![7],
        };
        assert_eq!(association(&whole), Some(expected));
    }

    #[test]
    fn a_zone_record_holds_the_certificate() {
        let (certificate, _) = Sample::ec("a@b.example").self_signed();
        let record = zone_record("x._smimecert.b.example.", &certificate, 300);
        let (head, data) = record.split_once('(').unwrap();
        assert_eq!(head, "x._smimecert.b.example. 300 IN SMIMEA 3 0 0 ");
        assert!(record.lines().all(|line| line.len() <= 72));
        let digits: String = data.chars().filter(char::is_ascii_hexdigit).collect();
        let octets: Vec<u8> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(octets, certificate.der());
    }
}
