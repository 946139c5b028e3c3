use std::collections::BTreeSet;

use super::*;
use crate::compile::{CompileOptions, Policy};
use crate::diagnostic::Source;

/// The keys that the parser would have taken where `unknown` stands, by its own words.
fn taken(policy: &str) -> BTreeSet<String> {
    let files = [Source::new("p", policy)];
    let found = Policy::compile(&files, &CompileOptions::default()).unwrap_err();
    let is_it = |message: &str| message.starts_with("unknown key `unknown`");
    let found = found.iter().find(|found| is_it(&found.message)).unwrap();
    let (_, list) = found
        .help
        .as_ref()
        .unwrap()
        .split_once("allowed: ")
        .unwrap();
    list.split(", ")
        .map(|key| key.trim_matches('`').to_owned())
        .collect()
}

fn described(table: &Value) -> BTreeSet<String> {
    table["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_schema_has_the_keys_that_the_parser_takes() {
    let schema = schema();
    let properties = &schema["properties"];
    let test = &properties["test"]["items"]["properties"];
    for (policy, table) in [
        ("unknown = 1", &schema),
        ("[defaults]\nunknown = 1", &properties["defaults"]),
        ("[[rule]]\nunknown = 1", &properties["rule"]["items"]),
        ("[[rule]]\nwhen.unknown = 1", &schema["$defs"]["when"]),
        ("[[test]]\nunknown = 1", &properties["test"]["items"]),
        ("[[test]]\ngiven.unknown = 1", &test["given"]),
        (
            "[[test]]\nexpect.\"a@x\".unknown = 1",
            &test["expect"]["additionalProperties"],
        ),
        (
            "[[test]]\ngiven.attachments = [{ unknown = 1 }]",
            &schema["$defs"]["attachment"],
        ),
        (
            "[lists]\na = { unknown = 1 }",
            &properties["lists"]["additionalProperties"]["anyOf"][1],
        ),
    ] {
        assert_eq!(described(table), taken(policy), "{policy}");
        assert_eq!(table["additionalProperties"], false, "{policy}");
    }
}

/// What the parser says of `key = value` in a rule, or in its `when`.
fn complaint(is_condition: bool, key: &str, value: &str) -> Option<String> {
    let table = if is_condition {
        format!("when = {{ {key} = {value} }}")
    } else {
        format!("{key} = {value}")
    };
    let files = [Source::new(
        "p",
        format!("[[rule]]\nname = \"r\"\n{table}\n"),
    )];
    let found = Policy::compile(&files, &CompileOptions::default()).err()?;
    let is_about_it = |message: &&str| {
        message.starts_with(&format!("`{key}` must be"))
            || message.starts_with(&format!("`{key}` cannot be"))
    };
    let mut messages = found.iter().map(|found| found.message.as_str());
    messages.find(is_about_it).map(str::to_owned)
}

#[test]
fn the_schema_has_the_types_and_words_that_the_parser_takes() {
    let conditions = CONDITIONS.iter().map(|key| (true, key));
    let orders = [ORDERS, RULE_ORDERS]
        .into_iter()
        .flatten()
        .map(|key| (false, key));
    for (is_condition, key) in conditions.chain(orders) {
        let said = |value: &str| complaint(is_condition, key.name, value);
        match key.kind {
            Kind::Words(words) | Kind::WordOrWords(words) => {
                for word in words() {
                    assert_eq!(said(&format!("\"{word}\"")), None, "{}", key.name);
                }
                assert!(said("\"no such word\"").is_some(), "{}", key.name);
            }
            Kind::Flag => assert_eq!(
                (said("true"), said("1").is_some()),
                (None, true),
                "{}",
                key.name
            ),
            Kind::Text | Kind::TextOrTexts | Kind::TextsByName => {
                assert!(
                    said("7").is_some() || said("{ a = 7 }").is_some(),
                    "{}",
                    key.name
                );
            }
            Kind::Texts | Kind::Attachments => {}
        }
        let takes_several = matches!(key.kind, Kind::TextOrTexts | Kind::WordOrWords(_));
        let refuses_a_list = said("[]").is_some_and(|said| said.contains("not a list"));
        assert_eq!(refuses_a_list, !takes_several, "{}", key.name);
    }
}

#[test]
fn the_schema_that_is_shipped_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/policy.schema.json");
    let shipped: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(
        shipped,
        schema(),
        "`postern policy schema > configs/policy.schema.json` writes it"
    );
}

#[test]
fn every_key_is_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.md");
    let docs = std::fs::read_to_string(path).unwrap();
    for key in [CONDITIONS, ORDERS, RULE_ORDERS, GIVEN, EXPECTED]
        .into_iter()
        .flatten()
    {
        assert!(docs.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
}
