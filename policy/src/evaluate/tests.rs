use proptest::prelude::*;

use super::*;
use crate::address::Address;
use crate::facts::{Content, Direction};
use crate::generated::{compiled, policies};

fn policy(text: &str) -> Policy {
    compiled(text).unwrap()
}

#[test]
fn an_earlier_rule_that_needs_content_holds_back_the_later_ones() {
    let policy = policy(
        r#"
        [[rule]]
        name = "subject"
        when = { subject = "x*", recipient = "*@partner.example" }
        [[rule]]
        name = "rest"
        when = { recipient = "*@*.example" }
        "#,
    );
    for (recipient, envelope, content) in [
        ("b@partner.example", "not yet", "rest"),
        ("b@other.example", "rest", "rest"),
        ("b@example.org", "none", "none"),
    ] {
        let recipient = Address::parse(recipient).unwrap();
        let mut facts = Facts::of_envelope(Direction::Outbound, None, &recipient);
        assert_eq!(name(policy.evaluate(&facts)), envelope);
        facts.content = Some(Content::EMPTY);
        assert_eq!(name(policy.evaluate(&facts)), content);
    }
}

fn name(answer: Answer<'_>) -> &str {
    match answer {
        Answer::Decided(decision) => &decision.rule.name,
        Answer::NotYet => "not yet",
        Answer::Unavailable(_) => "unavailable",
        Answer::NoRule => "none",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn answers_are_total_and_never_change(
        text in policies(),
        direction in prop::sample::select(vec![Direction::Inbound, Direction::Outbound]),
        recipient in prop::sample::select(vec!["a@x", "b@x", "c@y"]),
        has_sender in any::<bool>(),
        subject in prop::option::of(prop::sample::select(vec!["a@x", "b", ""])),
    ) {
        let Some(policy) = compiled(&text) else {
            return Ok(());
        };
        let recipient = Address::parse(recipient).unwrap();
        let headers = [("x-a".to_owned(), "b@x".to_owned())];
        let groups = [subject.unwrap_or("g").to_owned()];
        let envelope = Facts {
            groups: has_sender.then_some(&groups),
            ..Facts::of_envelope(direction, has_sender.then_some(&recipient), &recipient)
        };
        let whole = Facts {
            content: Some(Content { subject, headers: &headers, size: 7, ..Content::EMPTY }),
            ..envelope
        };
        let answer = policy.evaluate(&whole);
        prop_assert_ne!(answer, Answer::NotYet);
        prop_assert_eq!(answer, policy.evaluate(&whole));
        let early = policy.evaluate(&envelope);
        if early != Answer::NotYet {
            prop_assert_eq!(early, answer);
        }
    }
}

#[test]
fn a_thousand_rules_are_asked_in_microseconds() {
    let rules = (0..1_000).map(|number| {
        format!(
            "[[rule]]\nname = \"{number}\"\nencrypt = \"required\"\n\
             when = {{ direction = \"outbound\", recipient = [\"*@p{number}.example\", \"*@*.p{number}.example\"] }}\n"
        )
    });
    let policy = policy(&rules.collect::<String>());
    let recipient = Address::parse("bob@p999.example").unwrap();
    let facts = Facts::of_envelope(Direction::Outbound, None, &recipient);
    let start = std::time::Instant::now();
    for _ in 0..1_000 {
        assert_eq!(name(std::hint::black_box(&policy).evaluate(&facts)), "999");
    }
    let each = start.elapsed() / 1_000;
    // Optimised it is a few microseconds; wide enough for a busy machine and a build that is not.
    assert!(each < std::time::Duration::from_micros(500), "{each:?}");
}
