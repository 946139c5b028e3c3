//! Conditions and orders that the language knows, and that whoever runs the policy cannot do yet.

use super::CompileOptions;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::syntax::{File, Orders};

/// Refuses each of them, in rules and in defaults; what a test expects is nobody's order.
pub(super) fn check(files: &[File<'_>], options: &CompileOptions<'_>, diagnostics: &Diagnostics) {
    let check_value = |key: &str, value: &str, place: Place<'_>| {
        let found = options
            .unavailable
            .iter()
            .find(|(own, word)| *own == key && (word.is_empty() || *word == value));
        let message = match found {
            None => return,
            Some((_, "")) => format!("`{key}` is not available in this version"),
            Some((_, word)) => format!("`{key} = {word:?}` is not available in this version"),
        };
        diagnostics.push(Diagnostic::error(place, message));
    };
    let check_orders = |orders: &Orders<'_>| {
        for (key, written) in orders.written() {
            check_value(key, &written.value, written.place);
        }
    };
    for file in files {
        if let Some(defaults) = &file.defaults {
            check_orders(&defaults.orders);
        }
        for rule in &file.rules {
            check_orders(&rule.orders);
            for (key, word, place) in rule.when.iter().flat_map(|when| when.written()) {
                check_value(key, word, place);
            }
        }
    }
}
