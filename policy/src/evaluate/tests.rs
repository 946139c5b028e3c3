use proptest::prelude::*;

use super::*;
use crate::address::Address;
use crate::compile::CompileOptions;
use crate::diagnostic::Source;
use crate::facts::{Content, Direction};

fn policy(text: &str) -> Policy {
    let files = [Source::new("policy.toml", text)];
    match Policy::compile(&files, &CompileOptions::default()) {
        Ok((policy, _)) => policy,
        Err(found) => panic!("{found:#?}"),
    }
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

/// Tables of conditions over few texts, so that rules often meet.
fn conditions() -> impl Strategy<Value = String> {
    let text = || prop::sample::select(vec!["*", "a@x", "b@x", "*@x", "a*", "?@y", "~/^b/"]);
    let leaf = prop_oneof![
        prop::sample::select(vec!["inbound", "outbound"])
            .prop_map(|d| format!("direction = \"{d}\"")),
        text().prop_map(|t| format!("sender = \"{t}\"")),
        text().prop_map(|t| format!("recipient = [\"{t}\", \"c@z\"]")),
        text().prop_map(|t| format!("subject = \"{t}\"")),
        text().prop_map(|t| format!("group = \"{t}\"")),
        text().prop_map(|t| format!("attachment = \"{t}\"")),
        prop::sample::select(vec!["> 5 B", "< 5 B"]).prop_map(|s| format!("size = \"{s}\"")),
        prop::sample::select(vec!["none", "any", "1.3"]).prop_map(|s| format!("tls = \"{s}\"")),
        prop::sample::select(vec!["signed", "calendar"]).prop_map(|s| format!("{s} = true")),
        text().prop_map(|t| format!("header = {{ X-A = \"{t}\" }}")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..3);
        let tables = |list: Vec<String>| list.join(" }, { ");
        prop_oneof![
            list().prop_map(move |list| format!("all = [{{ {} }}]", tables(list))),
            list().prop_map(move |list| format!("any = [{{ {} }}]", tables(list))),
            inner
                .clone()
                .prop_map(|inner| format!("not = {{ {inner} }}")),
        ]
    })
}

/// Policies as operators might write them, many of them wrong.
fn policies() -> impl Strategy<Value = String> {
    let word = |key: &'static str, words: Vec<&'static str>| {
        prop::option::of(prop::sample::select(words))
            .prop_map(move |word| word.map_or_else(String::new, |w| format!("{key} = \"{w}\"\n")))
    };
    let rule = (
        prop::option::weighted(0.9, conditions()),
        word("encrypt", vec!["required", "preferred", "no"]),
        word("no-certificate", vec!["reject", "hold", "ask", "tls", "clear"]),
        word("on-unavailable", vec!["defer", "next", "clear"]),
    );
    let rule = rule.prop_map(|(when, encrypt, no_certificate, on_unavailable)| {
        let when = when.map_or_else(String::new, |when| format!("when = {{ {when} }}\n"));
        format!("{when}{encrypt}{no_certificate}{on_unavailable}")
    });
    prop::collection::vec(rule, 0..4).prop_map(|rules| {
        let named = |(number, rule)| format!("[[rule]]\nname = \"{number}\"\n{rule}");
        rules.iter().enumerate().map(named).collect()
    })
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
        let files = [Source::new("policy.toml", text)];
        let Ok((policy, _)) = Policy::compile(&files, &CompileOptions::default()) else {
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
