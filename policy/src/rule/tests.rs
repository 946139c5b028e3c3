use proptest::prelude::*;

use super::Condition::{
    All, Any, Content as OfContent, Direction, Group, Not, Session as InSession, Time,
};
use super::{
    Addresses, Condition, ContentCondition, Gate, Property, SessionCondition, TlsKind, Truth,
};
use crate::address::Address;
use crate::facts::Direction::{Inbound, Outbound};
use crate::facts::{Attachment, Content, Facts, Session, SessionTls, TlsVersion};
use crate::pattern::Pattern;

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts
        .iter()
        .map(|text| Pattern::text(text).unwrap())
        .collect()
}

fn to(texts: &[&str]) -> Condition {
    Condition::Recipient(Addresses::new(patterns(texts), Vec::new()))
}

fn from(texts: &[&str]) -> Condition {
    let parse = |text: &&str| Pattern::sender(text).unwrap();
    Condition::Sender(Addresses::new(
        texts.iter().map(parse).collect(),
        Vec::new(),
    ))
}

fn subject(texts: &[&str]) -> Condition {
    OfContent(ContentCondition::Subject(patterns(texts)))
}

fn header(name: &str, texts: &[&str]) -> Condition {
    OfContent(ContentCondition::Header(name.to_owned(), patterns(texts)))
}

fn size(range: &str) -> Condition {
    OfContent(ContentCondition::Size(range.parse().unwrap()))
}

fn is(property: Property, wanted: bool) -> Condition {
    OfContent(ContentCondition::Is(property, wanted))
}

fn client(networks: &[&str]) -> Condition {
    let networks = networks.iter().map(|text| text.parse().unwrap());
    InSession(SessionCondition::Client(networks.collect()))
}

fn tls(kinds: &[TlsKind]) -> Condition {
    InSession(SessionCondition::Tls(kinds.to_vec()))
}

fn group(texts: &[&str]) -> Condition {
    Group(patterns(texts))
}

fn time(period: &str) -> Condition {
    Time(vec![period.parse().unwrap()])
}

fn not(condition: Condition) -> Condition {
    Not(Box::new(condition))
}

/// Conditions, and whether they hold for an envelope and for the whole mail.
fn answered() -> Vec<(Condition, Truth, Truth)> {
    let matching = || subject(&["x*"]);
    let recipient = || to(&["b@*"]);
    let stranger = || to(&["c@*"]);
    vec![
        (All(vec![]), Truth::Yes, Truth::Yes),
        (Any(vec![]), Truth::No, Truth::No),
        (Direction(Outbound), Truth::Yes, Truth::Yes),
        (Direction(Inbound), Truth::No, Truth::No),
        (from(&["<>"]), Truth::Yes, Truth::Yes),
        (from(&["*@*"]), Truth::No, Truth::No),
        (recipient(), Truth::Yes, Truth::Yes),
        (matching(), Truth::NotYet, Truth::Yes),
        (not(matching()), Truth::NotYet, Truth::No),
        (All(vec![matching(), stranger()]), Truth::No, Truth::No),
        (
            All(vec![matching(), recipient()]),
            Truth::NotYet,
            Truth::Yes,
        ),
        (Any(vec![matching(), stranger()]), Truth::NotYet, Truth::Yes),
        (Any(vec![matching(), recipient()]), Truth::Yes, Truth::Yes),
        (header("x-a", &["1"]), Truth::NotYet, Truth::No),
        (header("X-A", &["2", "3"]), Truth::NotYet, Truth::Yes),
        (header("X-B", &["*"]), Truth::NotYet, Truth::No),
        (size("> 10 B"), Truth::NotYet, Truth::Yes),
        (is(Property::Signed, true), Truth::NotYet, Truth::No),
        (is(Property::Signed, false), Truth::NotYet, Truth::Yes),
        (
            is(Property::AnswersEncrypted, false),
            Truth::NotYet,
            Truth::Unavailable,
        ),
        (client(&["192.0.2.0/24"]), Truth::Yes, Truth::Yes),
        (tls(&[TlsKind::V1_2, TlsKind::None]), Truth::No, Truth::No),
        (tls(&[TlsKind::Any]), Truth::Yes, Truth::Yes),
        (tls(&[TlsKind::ClientCertificate]), Truth::No, Truth::No),
        (group(&["*"]), Truth::Unavailable, Truth::Unavailable),
        (not(group(&["*"])), Truth::Unavailable, Truth::Unavailable),
        (time("mon"), Truth::Unavailable, Truth::Unavailable),
        (All(vec![group(&["*"]), stranger()]), Truth::No, Truth::No),
        (
            All(vec![group(&["*"]), matching()]),
            Truth::NotYet,
            Truth::Unavailable,
        ),
        (
            Any(vec![group(&["*"]), recipient()]),
            Truth::Yes,
            Truth::Yes,
        ),
        (
            Any(vec![group(&["*"]), stranger()]),
            Truth::Unavailable,
            Truth::Unavailable,
        ),
    ]
}

#[test]
fn what_needs_content_is_not_known_before_it() {
    for (condition, envelope, content) in answered() {
        let address = Address::parse("B@x").unwrap();
        let headers = [
            ("X-a".to_owned(), "0".to_owned()),
            ("X-A".to_owned(), "3".to_owned()),
        ];
        let mut facts = Facts {
            session: Some(Session {
                client: Some("192.0.2.7".parse().unwrap()),
                authenticated: None,
                tls: Some(SessionTls {
                    version: TlsVersion::V1_3,
                    client_certificate: false,
                }),
            }),
            groups: None,
            ..Facts::of_envelope(Outbound, None, &address)
        };
        assert_eq!(condition.holds(&facts), envelope, "{condition:?}");
        facts.content = Some(Content {
            subject: Some("X1"),
            headers: &headers,
            size: 11,
            answers_encrypted: None,
            ..Content::EMPTY
        });
        assert_eq!(condition.holds(&facts), content, "{condition:?}");
    }
}

#[test]
fn implications_are_seen() {
    let inbound = || Direction(Inbound);
    let outbound = || Direction(Outbound);
    for (narrow, wide, implies) in [
        (All(vec![]), All(vec![]), true),
        (to(&["a@x"]), All(vec![]), true),
        (All(vec![]), to(&["a@x"]), false),
        (All(vec![]), to(&["**"]), true),
        (to(&["a@x"]), to(&["*@x"]), true),
        (to(&["a@x", "a@y"]), to(&["*@x"]), false),
        (to(&["a@x", "a@y"]), to(&["*@x", "*@y"]), true),
        (to(&["a@x"]), from(&["*@x"]), false),
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
        (header("a", &["1"]), header("A", &["?"]), true),
        (header("a", &["1"]), header("b", &["?"]), false),
        (All(vec![]), header("a", &["*"]), false),
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
        to(&["*@a.example", "*@*.b.example"]),
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
        let mail = Facts::of_envelope(direction, None, &recipient);
        assert_eq!(gate.opens_for(Gate::of_mail(&mail)), opens, "{recipient}");
    }
}

#[test]
fn implications_of_the_session_and_the_content_are_seen() {
    for (narrow, wide, implies) in [
        (
            client(&["10.1.0.0/16"]),
            client(&["::1", "10.0.0.0/8"]),
            true,
        ),
        (client(&["10.0.0.0/8"]), client(&["10.1.0.0/16"]), false),
        (
            tls(&[TlsKind::V1_2, TlsKind::V1_3]),
            tls(&[TlsKind::Any]),
            true,
        ),
        (
            tls(&[TlsKind::Any]),
            tls(&[TlsKind::V1_2, TlsKind::V1_3]),
            false,
        ),
        (tls(&[TlsKind::None]), tls(&[TlsKind::Any]), false),
        (size("> 10 MB"), size(">= 10 MB"), true),
        (size("> 1 MB"), size("> 10 MB"), false),
        (size("< 1 MB"), size("> 1 MB"), false),
        (is(Property::Signed, true), is(Property::Signed, true), true),
        (
            is(Property::Signed, true),
            is(Property::Signed, false),
            false,
        ),
        (group(&["cn=a"]), group(&["cn=*"]), true),
        (All(vec![]), group(&["*"]), false),
        (time("mon 09:00-10:00"), time("mon-fri 08:00-18:00"), true),
    ] {
        assert_eq!(
            narrow.implies(&wide, Outbound),
            implies,
            "{narrow:?} → {wide:?}"
        );
    }
}

/// Small conditions over few texts, so that they often meet.
fn conditions() -> impl Strategy<Value = Condition> {
    let texts = || {
        let text = prop::sample::select(vec![
            "*", "a@x", "b@x", "*@x", "?@x", "<>", "a*", "*@*.y", "*@z.y", "*.y",
        ]);
        prop::collection::vec(text, 1..7)
    };
    let leaf = prop_oneof![
        prop::sample::select(vec![Inbound, Outbound]).prop_map(Direction),
        texts().prop_map(|texts| from(&texts)),
        texts().prop_map(|texts| to(&texts)),
        texts().prop_map(|texts| subject(&texts)),
        texts().prop_map(|texts| header("X-A", &texts)),
        texts().prop_map(|texts| group(&texts)),
        texts().prop_map(|texts| OfContent(ContentCondition::Attachment(patterns(&texts)))),
        texts().prop_map(|texts| InSession(SessionCondition::Authenticated(patterns(&texts)))),
        prop::sample::select(vec!["10.0.0.0/8", "10.1.0.0/16", "::/0"])
            .prop_map(|net| client(&[net])),
        prop::sample::select(vec![TlsKind::None, TlsKind::Any, TlsKind::V1_3])
            .prop_map(|kind| tls(&[kind])),
        prop::sample::select(vec!["> 5 B", "< 5 B", ">= 7 B"]).prop_map(size),
        prop::sample::select(vec!["mon-fri", "mon 08:00-18:00", "22:00-06:00"]).prop_map(time),
        any::<bool>().prop_map(|wanted| is(Property::Encrypted, wanted)),
        any::<bool>().prop_map(|wanted| is(Property::AnswersEncrypted, wanted)),
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
        has_groups in any::<bool>(),
        has_session in any::<bool>(),
        has_tls in any::<bool>(),
        answers in prop::option::of(any::<bool>()),
        moment in prop::option::of(prop::sample::select(vec!["mon 09:00", "sun 23:00"])),
        size in 3..9_u64,
        subject in prop::sample::select(vec!["", "a@x", "zz"]),
    ) {
        let recipient = Address::parse(recipient).unwrap();
        let headers = [("x-a".to_owned(), subject.to_owned())];
        let groups = [subject.to_owned()];
        let attachments = [Attachment { name: subject.to_owned(), media_type: String::new() }];
        let session = Session {
            client: has_sender.then(|| "10.1.2.3".parse().unwrap()),
            authenticated: has_tls.then_some(subject),
            tls: has_tls.then_some(SessionTls { version: TlsVersion::V1_3, client_certificate: false }),
        };
        let envelope = Facts {
            session: has_session.then_some(session),
            groups: has_groups.then_some(&groups),
            moment: moment.map(|text| text.parse().unwrap()),
            ..Facts::of_envelope(direction, has_sender.then_some(&recipient), &recipient)
        };
        let facts = Facts {
            content: Some(Content {
                subject: Some(subject),
                headers: &headers,
                size,
                attachments: &attachments,
                answers_encrypted: answers,
                ..Content::EMPTY
            }),
            ..envelope
        };
        if narrow.implies(&wide, direction) && narrow.holds(&facts) == Truth::Yes {
            // What was not found out about the wide one may still be so.
            prop_assert!(matches!(wide.holds(&facts), Truth::Yes | Truth::Unavailable));
        }
        if !Gate::of_condition(&narrow).opens_for(Gate::of_mail(&envelope)) {
            prop_assert_eq!(narrow.holds(&envelope), Truth::No);
        }
        if narrow.holds(&envelope) != Truth::NotYet {
            prop_assert_eq!(narrow.holds(&envelope), narrow.holds(&facts));
        }
        prop_assert_ne!(narrow.holds(&facts), Truth::NotYet);
    }
}
