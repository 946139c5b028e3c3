//! The JSON Schema (2020-12) of a policy file, for editors that complete and check TOML. Made from the words that the
//! parser knows; a test holds its keys against those that the parser takes.

mod keys;

use serde_json::{Map, Value, json};

use keys::{CONDITIONS, EXPECTED, GIVEN, Key, Kind, ORDERS, RULE_ORDERS};

/// Names of tables that are described once and used often.
const DEFINITIONS: &str = "#/$defs/";

/// The schema.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postern policy",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "defaults": defaults(),
            "lists": {
                "type": "object",
                "description": "Names for many addresses, used as list:NAME.",
                "additionalProperties": {
                    "anyOf": [
                        { "type": "array", "items": { "type": "string" } },
                        table("A file of one entry a line.", &[("file", json!({ "type": "string" }))], &["file"]),
                    ],
                },
            },
            "rule": { "type": "array", "items": rule() },
            "test": { "type": "array", "items": test() },
        },
        "$defs": {
            "when": when(),
            "attachment": table(
                "An attachment.",
                &[("name", json!({ "type": "string" })), ("type", json!({ "type": "string" }))],
                &[],
            ),
        },
    })
}

fn defaults() -> Value {
    let zone = json!({ "type": "string", "description": "The IANA time zone of `time`." });
    let mut table = table(
        "What rules order that do not say otherwise.",
        &[("time-zone", zone)],
        &[],
    );
    add(&mut table, ORDERS);
    table
}

fn rule() -> Value {
    let own = [
        (
            "name",
            json!({ "type": "string", "minLength": 1, "description": "What logs and traces call it." }),
        ),
        (
            "extends",
            json!({ "type": "string", "description": "A rule whose orders it takes over where it is silent." }),
        ),
        ("when", json!({ "$ref": format!("{DEFINITIONS}when") })),
    ];
    let mut table = table("One rule; the first that matches decides.", &own, &["name"]);
    add(&mut table, ORDERS);
    add(&mut table, RULE_ORDERS);
    table
}

fn when() -> Value {
    let itself = json!({ "$ref": format!("{DEFINITIONS}when") });
    let own = [
        (
            "all",
            json!({ "type": "array", "items": itself, "description": "All of these hold." }),
        ),
        (
            "any",
            json!({ "type": "array", "items": itself, "minItems": 1, "description": "One of these holds." }),
        ),
        ("not", itself.clone()),
    ];
    let mut table = table("Conditions; all of them must hold.", &own, &[]);
    add(&mut table, CONDITIONS);
    table
}

fn test() -> Value {
    let mut given = table("The mail.", &[], &["recipients"]);
    add(&mut given, GIVEN);
    let mut expected = table(
        "What must be decided; what is left out is not looked at.",
        &[],
        &[],
    );
    for keys in [EXPECTED, ORDERS, RULE_ORDERS] {
        add(&mut expected, keys);
    }
    let own = [
        ("name", json!({ "type": "string" })),
        ("given", given),
        (
            "expect",
            json!({ "type": "object", "additionalProperties": expected }),
        ),
    ];
    table(
        "Mail that the policy is asked about.",
        &own,
        &["name", "given", "expect"],
    )
}

/// A table that takes these keys and no others.
fn table(description: &str, keys: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn add(table: &mut Value, keys: &[Key]) {
    let Some(properties) = table.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for key in keys {
        let mut value = value(key.kind);
        if let Some(value) = value.as_object_mut() {
            value.insert("description".to_owned(), key.about.into());
        }
        properties.insert(key.name.to_owned(), value);
    }
}

fn value(kind: Kind) -> Value {
    let text = json!({ "type": "string" });
    match kind {
        Kind::Text => text,
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Words(words) => json!({ "enum": words() }),
        Kind::WordOrWords(words) => one_or_several(&json!({ "enum": words() })),
        Kind::TextOrTexts => one_or_several(&text),
        Kind::Texts => json!({ "type": "array", "items": text }),
        Kind::TextsByName => {
            json!({ "type": "object", "additionalProperties": one_or_several(&text) })
        }
        Kind::Attachments => {
            json!({ "type": "array", "items": { "$ref": format!("{DEFINITIONS}attachment") } })
        }
    }
}

fn one_or_several(one: &Value) -> Value {
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

#[cfg(test)]
mod tests;
