use std::time::{Duration, Instant};

use super::*;
use crate::address::Address;
use crate::facts::Direction;
use crate::generated::compiled;

fn record(number: u64, recipient: &str) -> RecordedFacts {
    RecordedFacts {
        id: format!("m{number}"),
        direction: Direction::Outbound,
        sender: None,
        recipient: Address::parse(recipient).unwrap(),
        client: None,
        authenticated: None,
        tls: None,
        groups: None,
        time: None,
        subject: Some("offer".to_owned()),
        headers: Vec::new(),
        kept_headers: vec!["X-Spam".to_owned()],
        size: 1_000,
        attachments: Vec::new(),
        signed: false,
        encrypted: false,
        calendar: false,
        in_reply_to_encrypted: None,
        certificate: None,
        verified_tls: None,
    }
}

fn policy(rules: &[(&str, &str, &str)]) -> Policy {
    let rule = |(name, when, orders): &(&str, &str, &str)| {
        format!("[[rule]]\nname = \"{name}\"\nwhen = {{ {when} }}\n{orders}\n")
    };
    compiled(&rules.iter().map(rule).collect::<String>()).unwrap()
}

#[test]
fn what_would_leave_in_clear_is_found() {
    let old = policy(&[
        ("partners", "recipient = \"*@p\"", "encrypt = \"required\""),
        (
            "rest",
            "direction = \"outbound\"",
            "encrypt = \"preferred\"",
        ),
    ]);
    let new = policy(&[
        ("partners", "recipient = \"*@p\"", "encrypt = \"preferred\""),
        (
            "rest",
            "direction = \"outbound\"",
            "encrypt = \"preferred\"",
        ),
    ]);
    for (certificate, is_newly_clear) in [
        (None, true),
        (Some(Availability::None), true),
        (Some(Availability::Usable), false),
        (Some(Availability::Unavailable), false),
    ] {
        let known = RecordedFacts {
            certificate,
            ..record(0, "b@p")
        };
        let records = [known, record(1, "b@q")].into_iter();
        let comparison = compare(&old, &new, records, 2, |_| {});
        assert_eq!((comparison.records, comparison.changed), (2, 1));
        assert_eq!(
            comparison.newly_clear.count,
            u64::from(is_newly_clear),
            "{certificate:?}"
        );
        let (change, changes) = comparison.changes.first_key_value().unwrap();
        let differing: Vec<_> = change.orders.iter().map(|(key, ..)| *key).collect();
        assert_eq!(differing, ["encrypt", "no-certificate"]);
        assert_eq!((changes.count, changes.samples[0].id.as_str()), (1, "m0"));
        let back = compare(&new, &old, std::iter::once(record(0, "b@p")), 1, |_| {});
        assert_eq!((back.changed, back.newly_clear.count), (1, 0));
    }
}

#[test]
fn what_was_not_recorded_decides_nothing() {
    let old = policy(&[("all", "direction = \"outbound\"", "")]);
    for (when, undecidable) in [
        ("header = { X-Spam = \"yes\" }", 0),
        ("header = { X-Class = \"secret\" }", 1),
        ("not = { group = \"a\" }", 1),
    ] {
        let new = policy(&[("first", when, ""), ("all", "direction = \"outbound\"", "")]);
        let comparison = compare(&old, &new, std::iter::once(record(0, "b@p")), 1, |_| {});
        assert_eq!(comparison.undecidable.count, undecidable, "{when}");
    }
}

#[test]
fn the_report_does_not_depend_on_the_threads() {
    let old = policy(&[("all", "direction = \"outbound\"", "")]);
    let new = policy(&[
        ("even", "recipient = \"*@p0\"", ""),
        ("all", "direction = \"outbound\"", ""),
    ]);
    let records = || (0..5_000).map(|number| record(number, &format!("b@p{}", number % 2)));
    let mut heard = 0;
    let one = compare(&old, &new, records(), 1, |count| heard = count);
    assert_eq!((one.records, one.changed, heard), (5_000, 2_500, 5_000));
    for threads in [0, 2, 7] {
        assert_eq!(compare(&old, &new, records(), threads, |_| {}), one);
    }
    let numbers = one.changes.values().flat_map(|changes| &changes.samples);
    assert_eq!(
        numbers.map(|sample| sample.number).collect::<Vec<_>>(),
        [0, 2, 4, 6, 8]
    );
}

#[test]
fn records_are_read_as_they_are_written() {
    let full = RecordedFacts {
        time: Some("mon 08:30".parse().unwrap()),
        certificate: Some(Availability::Usable),
        groups: Some(vec!["cn=a".to_owned()]),
        ..record(1, "b@p")
    };
    let text = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<RecordedFacts>(&text).unwrap(), full);
    let short = r#"{"direction": "outbound", "recipient": "b@p"}"#;
    let short: RecordedFacts = serde_json::from_str(short).unwrap();
    assert_eq!((short.groups, short.sender), (None, None));
    for wrong in [
        "{}",
        r#"{"direction": "outbound", "recipient": "b"}"#,
        r#"{"direction": "up", "recipient": "b@p"}"#,
    ] {
        assert!(
            serde_json::from_str::<RecordedFacts>(wrong).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_million_records_are_a_matter_of_seconds() {
    let rules: Vec<_> = (0..100)
        .map(|n| {
            (
                format!("r{n}"),
                format!("recipient = \"*@p{n}\", subject = \"*a*\""),
            )
        })
        .collect();
    let rules: Vec<_> = rules
        .iter()
        .map(|(name, when)| (name.as_str(), when.as_str(), ""))
        .collect();
    let (old, new) = (policy(&rules), policy(&rules));
    let records = (0..20_000).map(|number| record(number, &format!("b@p{}", number % 100)));
    let start = Instant::now();
    assert_eq!(compare(&old, &new, records, 2, |_| {}).records, 20_000);
    // A fiftieth of a million in a fiftieth of 30 s; twice that for a busy machine and a build that is not optimised.
    assert!(
        start.elapsed() < Duration::from_millis(1_200),
        "{:?}",
        start.elapsed()
    );
}
