//! Conditions of a rule: patterns that can match, lists that are not empty, nesting that stays readable.

use std::fmt::Display;
use std::sync::Arc;

use super::lists::Lists;
use super::text;
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place};
use crate::document::{self, Texts};
use crate::pattern::{Pattern, PatternError};
use crate::rule::{Addresses, Condition, ContentCondition, SessionCondition};
use crate::syntax::When;

/// How deep `all`, `any` and `not` may be nested.
const DEEPEST: usize = 8;
/// What the name of a list follows, where addresses are named. No address begins so.
const LIST: &str = "list:";

/// A rule without `when` matches everything.
pub(super) fn compile(
    when: Option<&When<'_>>,
    lists: &Lists,
    diagnostics: &Diagnostics,
) -> Condition {
    when.map_or(Condition::All(Vec::new()), |when| {
        Reader { lists, diagnostics }.condition(when, DEEPEST)
    })
}

struct Reader<'d> {
    lists: &'d Lists,
    diagnostics: &'d Diagnostics,
}

impl Reader<'_> {
    fn condition(&self, when: &When<'_>, depth: usize) -> Condition {
        if depth == 0 {
            let message = format!("conditions are nested deeper than {DEEPEST}");
            self.error(when.place, message);
            return Condition::All(Vec::new());
        }
        // What is cheap and known early comes first.
        let mut all = self.of_envelope(when);
        all.extend(self.of_session(when).into_iter().map(Condition::Session));
        all.extend(self.of_content(when).into_iter().map(Condition::Content));
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

    fn of_envelope(&self, when: &When<'_>) -> Vec<Condition> {
        let mut all = Vec::new();
        all.extend(when.direction.map(|d| Condition::Direction(d.value)));
        if let Some(texts) = &when.recipient {
            let addresses = self.addresses("recipient", texts, Pattern::address);
            all.push(Condition::Recipient(addresses));
        }
        if let Some(texts) = &when.sender {
            let addresses = self.addresses("sender", texts, Pattern::sender);
            all.push(Condition::Sender(addresses));
        }
        if let Some(texts) = &when.group {
            all.push(Condition::Group(self.parsed("group", texts, Pattern::text)));
        }
        if let Some(texts) = &when.time {
            all.push(Condition::Time(self.parsed("time", texts, str::parse)));
        }
        all
    }

    fn of_session(&self, when: &When<'_>) -> Vec<SessionCondition> {
        let mut all = Vec::new();
        if let Some(texts) = &when.authenticated {
            let patterns = self.parsed("authenticated", texts, Pattern::text);
            all.push(SessionCondition::Authenticated(patterns));
        }
        if let Some(texts) = &when.client {
            all.push(SessionCondition::Client(self.parsed(
                "client",
                texts,
                str::parse,
            )));
        }
        if let Some(kinds) = &when.tls {
            self.refuse_empty(kinds, "tls", when.place);
            all.push(SessionCondition::Tls(
                kinds.iter().map(|kind| kind.value).collect(),
            ));
        }
        all
    }

    fn of_content(&self, when: &When<'_>) -> Vec<ContentCondition> {
        let patterns = |key, texts| self.parsed(key, texts, Pattern::text);
        let mut all = Vec::new();
        if let Some(texts) = &when.subject {
            all.push(ContentCondition::Subject(patterns("subject", texts)));
        }
        for (name, texts) in &when.header {
            text::check_field_name(name, self.diagnostics);
            let patterns = patterns(&name.value, texts);
            all.push(ContentCondition::Header(name.value.clone(), patterns));
        }
        all.extend(when.size.map(|size| ContentCondition::Size(size.value)));
        if let Some(texts) = &when.attachment {
            all.push(ContentCondition::Attachment(patterns("attachment", texts)));
        }
        if let Some(texts) = &when.attachment_type {
            all.push(ContentCondition::AttachmentType(patterns(
                "attachment-type",
                texts,
            )));
        }
        let properties = when.properties.iter();
        all.extend(properties.map(|(property, is)| ContentCondition::Is(*property, *is)));
        all
    }

    fn addresses(
        &self,
        key: &str,
        texts: &Texts<'_>,
        parse: fn(&str) -> Result<Pattern, PatternError>,
    ) -> Addresses {
        let (names, patterns): (Vec<_>, Vec<_>) = texts
            .value
            .iter()
            .cloned()
            .partition(|text| text.value.starts_with(LIST));
        let mut lists = Vec::with_capacity(names.len());
        for name in &names {
            let written = name.value.trim_start_matches(LIST);
            match self.lists.get(written) {
                Some(list) => lists.push(Arc::clone(list)),
                None => {
                    let help = document::help(written, self.lists.keys().map(String::as_str), '"');
                    let message = format!("there is no list {written:?} in [lists]");
                    self.diagnostics
                        .push(Diagnostic::error(name.place, message).with_help(help));
                }
            }
        }
        self.refuse_empty(&texts.value, key, texts.place);
        let patterns = self.each(key, &patterns, parse);
        Addresses::new(patterns, lists)
    }

    fn parsed<T, E: Display>(
        &self,
        key: &str,
        texts: &Texts<'_>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        self.refuse_empty(&texts.value, key, texts.place);
        self.each(key, &texts.value, parse)
    }

    fn each<T, E: Display>(
        &self,
        key: &str,
        texts: &[Located<'_, String>],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(texts.len());
        for Located { value, place } in texts {
            match parse(value) {
                Ok(parsed) => values.push(parsed),
                Err(error) => self.error(*place, format!("`{key}` cannot be {value:?}: {error}")),
            }
        }
        values
    }

    fn refuse_empty<T>(&self, list: &[T], key: &str, place: Place<'_>) {
        if list.is_empty() {
            self.error(
                place,
                format!("the list of `{key}` is empty, so that nothing matches"),
            );
        }
    }

    fn error(&self, place: Place<'_>, message: String) {
        self.diagnostics.push(Diagnostic::error(place, message));
    }
}
