use proptest::prelude::*;

use super::Condition::*;
use super::{Condition, Content, Facts, Gate, Pattern, Truth};
use crate::address::Address;
use crate::facts::Direction::{Inbound, Outbound};

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts
        .iter()
        .map(|text| Pattern::text(text).unwrap())
        .collect()
}

fn not(condition: Condition) -> Condition {
    Not(Box::new(condition))
}

#[test]
fn what_needs_content_is_not_known_before_it() {
    let subject = || Subject(patterns(&["x*"]));
    let recipient = || Recipient(patterns(&["b@*"]));
    let stranger = || Recipient(patterns(&["c@*"]));
    for (condition, envelope, content) in [
        (All(vec![]), Truth::Yes, Truth::Yes),
        (Any(vec![]), Truth::No, Truth::No),
        (Direction(Outbound), Truth::Yes, Truth::Yes),
        (Direction(Inbound), Truth::No, Truth::No),
        (Sender(patterns(&["<>"])), Truth::Yes, Truth::Yes),
        (Sender(patterns(&["*@*"])), Truth::No, Truth::No),
        (recipient(), Truth::Yes, Truth::Yes),
        (subject(), Truth::NotYet, Truth::Yes),
        (not(subject()), Truth::NotYet, Truth::No),
        (All(vec![subject(), stranger()]), Truth::No, Truth::No),
        (All(vec![subject(), recipient()]), Truth::NotYet, Truth::Yes),
        (Any(vec![subject(), stranger()]), Truth::NotYet, Truth::Yes),
        (Any(vec![subject(), recipient()]), Truth::Yes, Truth::Yes),
        (
            Header("x-a".into(), patterns(&["1"])),
            Truth::NotYet,
            Truth::No,
        ),
        (
            Header("X-A".into(), patterns(&["2", "3"])),
            Truth::NotYet,
            Truth::Yes,
        ),
        (
            Header("X-B".into(), patterns(&["*"])),
            Truth::NotYet,
            Truth::No,
        ),
    ] {
        let address = Address::parse("B@x").unwrap();
        let headers = [
            ("X-a".to_owned(), "0".to_owned()),
            ("X-A".to_owned(), "3".to_owned()),
        ];
        let mut facts = Facts {
            direction: Outbound,
            sender: None,
            recipient: &address,
            content: None,
        };
        assert_eq!(condition.holds(&facts), envelope, "{condition:?}");
        facts.content = Some(Content {
            subject: Some("X1"),
            headers: &headers,
        });
        assert_eq!(condition.holds(&facts), content, "{condition:?}");
    }
}

#[test]
fn implications_are_seen() {
    let inbound = || Direction(Inbound);
    let outbound = || Direction(Outbound);
    let to = |texts: &[&str]| Recipient(patterns(texts));
    for (narrow, wide, implies) in [
        (All(vec![]), All(vec![]), true),
        (to(&["a@x"]), All(vec![]), true),
        (All(vec![]), to(&["a@x"]), false),
        (All(vec![]), to(&["**"]), true),
        (to(&["a@x"]), to(&["*@x"]), true),
        (to(&["a@x", "a@y"]), to(&["*@x"]), false),
        (to(&["a@x", "a@y"]), to(&["*@x", "*@y"]), true),
        (to(&["a@x"]), Sender(patterns(&["*@x"])), false),
        (inbound(), to(&["a@x"]), true),
        (outbound(), inbound(), false),
        (to(&["a@x"]), outbound(), true),
        (All(vec![to(&["a@x"]), outbound()]), to(&["*@x"]), true),
        (to(&["a@x"]), All(vec![to(&["*@x"]), outbound()]), true),
        (to(&["a@x"]), All(vec![to(&["*@x"]), inbound()]), false),
        (to(&["a@x"]), Any(vec![to(&["*@y"]), to(&["*@x"])]), true),
        (Any(vec![to(&["a@x"]), to(&["b@x"])]), to(&["*@x"]), true),
        (Any(vec![to(&["a@x"]), to(&["b@y"])]), to(&["*@x"]), false),
        (not(to(&["*@x"])), not(to(&["a@x"])), true),
        (not(to(&["a@x"])), not(to(&["*@x"])), false),
        (to(&["a@x"]), not(inbound()), true),
        (not(outbound()), to(&["a@x"]), true),
        (All(vec![inbound(), outbound()]), Any(vec![]), true),
        (
            Header("a".into(), patterns(&["1"])),
            Header("A".into(), patterns(&["?"])),
            true,
        ),
        (
            Header("a".into(), patterns(&["1"])),
            Header("b".into(), patterns(&["?"])),
            false,
        ),
        (All(vec![]), Header("a".into(), patterns(&["*"])), false),
    ] {
        assert_eq!(
            narrow.implies(&wide, Outbound),
            implies,
            "{narrow:?} → {wide:?}"
        );
    }
    assert!(inbound().may_hold(Inbound) && !inbound().may_hold(Outbound));
}

#[test]
fn gates_turn_away_other_domains_and_directions() {
    let condition = All(vec![
        Direction(Outbound),
        Recipient(patterns(&["*@a.example", "*@*.b.example"])),
    ]);
    let gate = Gate::of_condition(&condition);
    for (recipient, direction, opens) in [
        ("x@a.example", Outbound, true),
        ("x@y.b.example", Outbound, true),
        ("x@a.example", Inbound, false),
        ("x@c.example", Outbound, false),
        ("a.example@d.test", Outbound, false),
    ] {
        let recipient = Address::parse(recipient).unwrap();
        let mail = Facts {
            direction,
            sender: None,
            recipient: &recipient,
            content: None,
        };
        assert_eq!(gate.opens_for(Gate::of_mail(&mail)), opens, "{recipient}");
    }
}

/// Small conditions over few texts, so that they often meet.
fn conditions() -> impl Strategy<Value = Condition> {
    let texts = || {
        let text = prop::sample::select(vec![
            "*", "a@x", "b@x", "*@x", "?@x", "<>", "a*", "*@*.y", "*@z.y", "*.y",
        ]);
        prop::collection::vec(text, 1..3).prop_map(|texts| patterns(&texts))
    };
    let leaf = prop_oneof![
        prop::sample::select(vec![Inbound, Outbound]).prop_map(Direction),
        texts().prop_map(Sender),
        texts().prop_map(Recipient),
        texts().prop_map(Subject),
        texts().prop_map(|texts| Header("X-A".into(), texts)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Any),
            inner.prop_map(not),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_implication_is_never_wrong(
        narrow in conditions(),
        wide in conditions(),
        direction in prop::sample::select(vec![Inbound, Outbound]),
        recipient in prop::sample::select(vec!["a@x", "b@x", "a@y", "a@z.y", "b@w.z.y"]),
        has_sender in any::<bool>(),
        subject in prop::sample::select(vec!["", "a@x", "zz"]),
    ) {
        let recipient = Address::parse(recipient).unwrap();
        let headers = [("x-a".to_owned(), subject.to_owned())];
        let facts = Facts {
            direction,
            sender: has_sender.then_some(&recipient),
            recipient: &recipient,
            content: Some(Content { subject: Some(subject), headers: &headers }),
        };
        if narrow.implies(&wide, direction) && narrow.holds(&facts) == Truth::Yes {
            prop_assert_eq!(wide.holds(&facts), Truth::Yes);
        }
        let envelope = Facts { content: None, ..facts };
        if !Gate::of_condition(&narrow).opens_for(Gate::of_mail(&envelope)) {
            prop_assert_eq!(narrow.holds(&envelope), Truth::No);
        }
        if narrow.holds(&envelope) != Truth::NotYet {
            prop_assert_eq!(narrow.holds(&envelope), narrow.holds(&facts));
        }
    }
}
