//! Policies as operators might write them, many of them wrong, for tests of what holds for all of them.

use proptest::prelude::*;

use crate::compile::{CompileOptions, Policy};
use crate::diagnostic::Source;

/// Compiles a generated policy; none if it is wrong.
pub(crate) fn compiled(text: &str) -> Option<Policy> {
    let files = [Source::new("policy.toml", text)];
    let options = CompileOptions {
        profiles: &["strong"],
        ..CompileOptions::default()
    };
    Policy::compile(&files, &options)
        .ok()
        .map(|(policy, _)| policy)
}

/// The text of a policy with few rules over few texts, so that they often meet.
pub(crate) fn policies() -> impl Strategy<Value = String> {
    let rules = prop::collection::vec((prop::option::weighted(0.9, conditions()), orders()), 0..4);
    let defaults = prop::option::weighted(0.3, some_orders());
    (defaults, rules).prop_map(|(defaults, rules)| {
        let mut text = String::from("[lists]\nl = [\"a@x\", \"*@*.y\", \"z\"]\n");
        if let Some(defaults) = defaults {
            text.push_str(&format!("[defaults]\n{defaults}"));
        }
        for (number, (when, orders)) in rules.into_iter().enumerate() {
            let when = when.map_or_else(String::new, |when| format!("when = {{ {when} }}\n"));
            text.push_str(&format!("[[rule]]\nname = \"{number}\"\n{when}{orders}"));
        }
        text
    })
}

/// Tables of conditions, without their braces.
fn conditions() -> impl Strategy<Value = String> {
    let text = || prop::sample::select(vec!["*", "a@x", "b@x", "*@x", "a*", "?@y", "~/^b/"]);
    let of = |key: &'static str| text().prop_map(move |text| format!("{key} = \"{text}\""));
    let word = |key: &'static str, words: Vec<&'static str>| {
        prop::sample::select(words).prop_map(move |word| format!("{key} = \"{word}\""))
    };
    let leaf = prop_oneof![
        word("direction", vec!["inbound", "outbound"]),
        of("sender"),
        word("sender", vec!["<>", "list:l"]),
        text().prop_map(|text| format!("recipient = [\"{text}\", \"c@z\"]")),
        text().prop_map(|text| format!("recipient = [\"list:l\", \"{text}\"]")),
        of("subject"),
        of("group"),
        of("authenticated"),
        of("attachment"),
        of("attachment-type"),
        text().prop_map(|text| format!("header = {{ X-A = \"{text}\" }}")),
        word("size", vec!["> 5 B", "< 5 B", ">= 1 KiB"]),
        word("tls", vec!["none", "any", "1.3", "client-certificate"]),
        word("client", vec!["10.0.0.0/8", "::1"]),
        word(
            "time",
            vec!["mon-fri 08:00-18:00", "sat,sun", "22:00-06:00"]
        ),
        prop::sample::select(vec![
            "signed",
            "encrypted",
            "calendar",
            "in-reply-to-encrypted"
        ])
        .prop_map(|property| format!("{property} = true")),
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

/// Orders of a rule, which may extend the first one.
fn orders() -> impl Strategy<Value = String> {
    let others = prop::sample::select(vec![
        "",
        "",
        "",
        "extends = \"0\"\n",
        "reject = \"no\"\n",
        "hold = \"look\"\n",
        "pass = true\n",
        "strip-subject-tag = true\n",
    ]);
    (some_orders(), others).prop_map(|(orders, other)| format!("{orders}{other}"))
}

fn some_orders() -> impl Strategy<Value = String> {
    let word = |key: &'static str, words: &'static [&'static str]| {
        prop::option::weighted(0.4, prop::sample::select(words)).prop_map(move |word| {
            word.map_or_else(String::new, |word| format!("{key} = \"{word}\"\n"))
        })
    };
    let requirement = &["required", "preferred", "no"];
    let words = (
        word("encrypt", requirement),
        word("no-certificate", &["reject", "hold", "ask", "tls", "clear"]),
        word("on-unavailable", &["defer", "next", "clear"]),
        word("no-tls", &["reject", "hold"]),
        word("ask-then", &["reject", "hold", "tls"]),
        word("ask-deadline", &["90s", "36h", "7d"]),
        word("sign", requirement),
        word("no-signer", &["reject", "unsigned"]),
        word("signer", &["sender", "domain", "office@x"]),
        word("decrypt", requirement),
        word("on-undecryptable", &["hold", "reject", "deliver"]),
        word("verify", requirement),
    );
    let rarely = prop::sample::select(vec![
        "",
        "",
        "",
        "on-bad-signature = \"hold\"\n",
        "mixed = \"split\"\n",
        "encrypt-to-self = false\n",
        "header-protection = \"shy\"\n",
        "strip-signature = true\n",
        "rewrap = true\n",
        "profile = \"strong\"\n",
        "note = \"true\"\n",
        "hidden-recipients = \"together\"\n",
        "add-header = { X-A = [\"1\", \"2\"], X-B = \"\\\"\\\\\" }\n",
    ]);
    (words, rarely).prop_map(|(w, rarely)| {
        [
            &w.0, &w.1, &w.2, &w.3, &w.4, &w.5, &w.6, &w.7, &w.8, &w.9, &w.10, &w.11,
        ]
        .into_iter()
        .map(String::as_str)
        .chain([rarely])
        .collect()
    })
}
