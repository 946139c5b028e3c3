//! Values of TOML.

use std::fmt::Display;

/// A text in quotes (TOML 1.0, basic strings).
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// One text, or a list of several.
pub(super) fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values = values.into_iter().map(|value| quoted(&value.to_string()));
    let values: Vec<String> = values.collect();
    format!("[{}]", values.join(", "))
}
