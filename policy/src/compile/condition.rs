//! Conditions of a rule: patterns that can match, lists that are not empty, nesting that stays readable.

use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place};
use crate::document::Texts;
use crate::pattern::{Pattern, PatternError};
use crate::rule::Condition;
use crate::syntax::When;

/// How deep `all`, `any` and `not` may be nested.
const DEEPEST: usize = 8;

/// A rule without `when` matches everything.
pub(super) fn compile(when: Option<&When<'_>>, diagnostics: &Diagnostics) -> Condition {
    when.map_or(Condition::All(Vec::new()), |when| {
        Reader { diagnostics }.condition(when, DEEPEST)
    })
}

struct Reader<'d> {
    diagnostics: &'d Diagnostics,
}

impl Reader<'_> {
    fn condition(&self, when: &When<'_>, depth: usize) -> Condition {
        if depth == 0 {
            let message = format!("conditions are nested deeper than {DEEPEST}");
            self.diagnostics
                .push(Diagnostic::error(when.place, message));
            return Condition::All(Vec::new());
        }
        let mut all = Vec::new();
        // What is cheap and known early comes first.
        all.extend(when.direction.map(|d| Condition::Direction(d.value)));
        if let Some(texts) = &when.recipient {
            all.push(Condition::Recipient(self.patterns(
                "recipient",
                texts,
                Pattern::address,
            )));
        }
        if let Some(texts) = &when.sender {
            all.push(Condition::Sender(self.patterns(
                "sender",
                texts,
                Pattern::sender,
            )));
        }
        if let Some(texts) = &when.subject {
            all.push(Condition::Subject(self.patterns(
                "subject",
                texts,
                Pattern::text,
            )));
        }
        for (name, texts) in &when.header {
            self.check_field_name(name);
            let patterns = self.patterns(&name.value, texts, Pattern::text);
            all.push(Condition::Header(name.value.clone(), patterns));
        }
        let inner = |when: &When<'_>| self.condition(when, depth - 1);
        all.extend(when.all.iter().map(inner));
        if let Some(any) = &when.any {
            self.refuse_empty(any, "any", when.place);
            all.push(Condition::Any(any.iter().map(inner).collect()));
        }
        if let Some(not) = &when.not {
            all.push(Condition::Not(Box::new(inner(not))));
        }
        match <[Condition; 1]>::try_from(all) {
            Ok([single]) => single,
            Err(all) => Condition::All(all),
        }
    }

    fn patterns(
        &self,
        key: &str,
        texts: &Texts<'_>,
        parse: fn(&str) -> Result<Pattern, PatternError>,
    ) -> Vec<Pattern> {
        self.refuse_empty(&texts.value, key, texts.place);
        let mut patterns = Vec::with_capacity(texts.value.len());
        for Located { value, place } in &texts.value {
            match parse(value) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let message = format!("`{key}` cannot be {value:?}: {error}");
                    self.diagnostics.push(Diagnostic::error(*place, message));
                }
            }
        }
        patterns
    }

    fn refuse_empty<T>(&self, list: &[T], key: &str, place: Place<'_>) {
        if list.is_empty() {
            let message = format!("the list of `{key}` is empty, so that nothing matches");
            self.diagnostics.push(Diagnostic::error(place, message));
        }
    }

    /// RFC 5322, section 3.6.8: printable ASCII without the colon.
    fn check_field_name(&self, name: &Located<'_, String>) {
        let is_wrong = |c: char| !c.is_ascii_graphic() || c == ':';
        if name.value.is_empty() || name.value.contains(is_wrong) {
            let message = format!("{:?} is no name of a header field", name.value);
            self.diagnostics
                .push(Diagnostic::error(name.place, message));
        }
    }
}
