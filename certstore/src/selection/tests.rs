use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use super::*;
use crate::trust::{Anchor, AnchorScope};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A CA, and certificates for a@example.org under it.
struct Office {
    issuer: Issuer<'static, KeyPair>,
    trust: Trust,
}

impl Office {
    fn open() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let certificate = Certificate::from_der(root.der()).unwrap();
        let scope = AnchorScope::Everybody;
        Self {
            issuer: Issuer::new(params, key),
            trust: Trust::new(
                vec![Anchor {
                    certificate,
                    scope,
                    revocation: None,
                }],
                vec![],
            ),
        }
    }

    /// Valid from one day to another, counted from the question's day.
    fn issue(&self, from: i32, to: i32, address: &str) -> Certificate {
        let mut params = CertificateParams::default();
        params.not_before = day(from).into();
        params.not_after = day(to).into();
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        let key = KeyPair::generate().unwrap();
        let issued = params.signed_by(&key, &self.issuer).unwrap();
        Certificate::from_der(issued.der()).unwrap()
    }
}

fn day(number: i32) -> SystemTime {
    let question = UNIX_EPOCH + DAY * 20_000;
    let distance = DAY * number.unsigned_abs();
    match number < 0 {
        true => question - distance,
        false => question + distance,
    }
}

fn question() -> Question {
    Question {
        address: Address::parse("a@example.org").unwrap(),
        purpose: Purpose::Encryption,
        at: day(0),
    }
}

fn candidates(certificates: &[&Certificate]) -> Vec<Candidate> {
    let from = |certificate: &&Certificate| Candidate {
        certificate: (*certificate).clone(),
        source: "imported".to_owned(),
    };
    certificates.iter().map(from).collect()
}

#[test]
fn the_newest_that_is_trusted_is_chosen_and_the_others_hear_why() {
    let office = Office::open();
    let address = "a@example.org";
    let newest = office.issue(-1, 10, address);
    let longer = office.issue(-1, 20, address);
    let old = office.issue(-9, 99, address);
    let expired = office.issue(-9, -2, address);
    let future = office.issue(1, 9, address);
    let other = office.issue(-1, 30, "b@example.org");
    let all = candidates(&[&old, &newest, &expired, &longer, &future, &other, &longer]);
    let selection = select(all, &question(), &office.trust, &[]);
    let (chosen, source) = selection.chosen.unwrap();
    assert_eq!(
        (chosen.certificate(), source.as_str()),
        (&longer, "imported")
    );
    let heard: Vec<_> = selection
        .considered
        .iter()
        .map(|one| (one.sha256, one.verdict, one.reason.as_str()))
        .collect();
    let starts = [
        (&future, Verdict::Refused, "not-yet-valid: "),
        (&other, Verdict::Refused, "address-mismatch: "),
        (&longer, Verdict::Chosen, "trusted, and the newest"),
        (&longer, Verdict::Refused, "the same certificate"),
        (
            &newest,
            Verdict::Refused,
            "as new as the chosen one, but expires",
        ),
        (&old, Verdict::Refused, "older than the chosen one"),
        (&expired, Verdict::Refused, "expired: "),
    ];
    assert_eq!(heard.len(), starts.len());
    for ((sha256, verdict, reason), (certificate, expected, start)) in heard.into_iter().zip(starts)
    {
        assert_eq!(
            (sha256, verdict),
            (certificate.sha256(), expected),
            "{reason}"
        );
        assert!(reason.starts_with(start), "{reason}");
    }
}

#[test]
fn nothing_to_choose_from_chooses_nothing() {
    let office = Office::open();
    let selection = select(vec![], &question(), &office.trust, &[]);
    assert_eq!((selection.chosen, selection.considered), (None, vec![]));
}

#[test]
fn any_order_of_candidates_gives_the_same_answer() {
    let office = Office::open();
    let all: Vec<Candidate> = [
        (-1, 5),
        (-1, 5),
        (-1, 9),
        (-4, 9),
        (-4, -2),
        (2, 9),
        (-1, 9),
    ]
    .into_iter()
    .zip(["ldap", "local", "ldap", "local", "ldap", "local", "http"])
    .map(|((from, to), source)| Candidate {
        certificate: office.issue(from, to, "a@example.org"),
        source: source.to_owned(),
    })
    .collect();
    let expected = select(all.clone(), &question(), &office.trust, &[]);
    assert!(expected.chosen.is_some());
    proptest!(|(shuffled in Just(all).prop_shuffle())| {
        prop_assert_eq!(&select(shuffled, &question(), &office.trust, &[]), &expected);
    });
}
