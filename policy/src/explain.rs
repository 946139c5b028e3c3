//! Why a policy decides as it does: every rule up to the deciding one, condition by condition.
//!
//! Says the same as `evaluate`, slowly and in words.

use crate::compile::Policy;
use crate::decision::RuleRef;
use crate::document::Words;
use crate::evaluate::Answer;
use crate::facts::{Content, Facts, Session, SessionTls};
use crate::pattern::NULL_SENDER;
use crate::rule::{Condition, ContentCondition, SessionCondition, Truth};

/// Longest condition or fact that is shown, in characters.
const LONGEST: usize = 200;

/// An answer and how it came about.
#[derive(Debug, Clone)]
pub struct Explanation<'p> {
    /// The answer of [`Policy::evaluate`].
    pub answer: Answer<'p>,
    /// Every rule that was asked, in order; the last one gave the answer, unless no rule matches.
    pub considered: Vec<Considered<'p>>,
}

/// A rule that was asked.
#[derive(Debug, Clone)]
pub struct Considered<'p> {
    /// The rule.
    pub rule: &'p RuleRef,
    /// Its conditions.
    pub why: Explained,
}

/// A condition, whether it holds, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The condition, as the policy writes it; `all`, `any` or `not` if it has parts.
    pub condition: String,
    /// Whether it holds.
    pub truth: Truth,
    /// What the mail has there; none if it has parts.
    pub found: Option<String>,
    /// The conditions within.
    pub parts: Vec<Self>,
}

impl Policy {
    /// The decision for what is known, and how every rule on the way to it answered.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation<'_> {
        let answer = self.evaluate(facts);
        let mut considered = Vec::new();
        for rule in &self.rules {
            let why = explained(&rule.condition, facts);
            let is_last = why.truth != Truth::No;
            considered.push(Considered {
                rule: &rule.decision.rule,
                why,
            });
            if is_last {
                break;
            }
        }
        Explanation { answer, considered }
    }
}

impl Explained {
    /// The parts that made it so, in one line.
    #[must_use]
    pub fn because(&self) -> String {
        if self.parts.is_empty() {
            return match &self.found {
                Some(found) => format!("{}: it is {found}", self.condition),
                None => "it has no conditions".to_owned(),
            };
        }
        let decisive: Vec<String> = match self.condition.as_str() {
            "not" => self.parts.iter().map(Self::because).collect(),
            _ => self
                .parts
                .iter()
                .filter(|part| part.truth == self.truth)
                .map(Self::because)
                .collect(),
        };
        let first_is_enough = matches!(
            (self.condition.as_str(), self.truth),
            ("all", Truth::No) | ("any", Truth::Yes)
        );
        match (self.condition.as_str(), decisive.first()) {
            ("not", Some(inner)) => format!("not ({inner})"),
            (_, Some(first)) if first_is_enough => first.clone(),
            _ => decisive.join(", and "),
        }
    }
}

fn explained(condition: &Condition, facts: &Facts<'_>) -> Explained {
    let inner: Option<(&str, &[Condition])> = match condition {
        Condition::All(inner) => Some(("all", inner)),
        Condition::Any(inner) => Some(("any", inner)),
        Condition::Not(inner) => Some(("not", std::slice::from_ref(inner))),
        Condition::Direction(_)
        | Condition::Recipient(_)
        | Condition::Sender(_)
        | Condition::Group(_)
        | Condition::Session(_)
        | Condition::Time(_)
        | Condition::Content(_) => None,
    };
    let truth = condition.holds(facts);
    match inner {
        Some((name, inner)) => Explained {
            condition: name.to_owned(),
            truth,
            found: None,
            parts: inner.iter().map(|inner| explained(inner, facts)).collect(),
        },
        None => Explained {
            condition: shortened(&condition.to_string()),
            truth,
            found: Some(shortened(&found(condition, facts))),
            parts: Vec::new(),
        },
    }
}

/// What the mail has where the condition looks.
fn found(condition: &Condition, facts: &Facts<'_>) -> String {
    const UNKNOWN: &str = "not known";
    match condition {
        Condition::Direction(_) => facts.direction.word().to_owned(),
        Condition::Recipient(_) => facts.recipient.canonical().to_owned(),
        Condition::Sender(_) => {
            let sender = facts
                .sender
                .map_or(NULL_SENDER, |sender| sender.canonical());
            sender.to_owned()
        }
        Condition::Group(_) => facts.groups.map_or(UNKNOWN.to_owned(), several),
        Condition::Time(_) => facts
            .moment
            .map_or(UNKNOWN.to_owned(), |moment| moment.to_string()),
        Condition::Session(condition) => facts.session.map_or(UNKNOWN.to_owned(), |session| {
            found_in_session(condition, &session)
        }),
        Condition::Content(condition) => {
            facts.content.map_or("not there yet".to_owned(), |content| {
                found_in_content(condition, &content)
            })
        }
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => String::new(),
    }
}

fn found_in_session(condition: &SessionCondition, session: &Session<'_>) -> String {
    let nobody = || "nobody".to_owned();
    match condition {
        SessionCondition::Authenticated(_) => {
            session.authenticated.map_or_else(nobody, str::to_owned)
        }
        SessionCondition::Client(_) => session
            .client
            .map_or_else(nobody, |client| client.to_string()),
        SessionCondition::Tls(_) => match session.tls {
            None => "none".to_owned(),
            Some(SessionTls {
                version,
                client_certificate: true,
            }) => {
                format!("{} with a client certificate", version.word())
            }
            Some(SessionTls { version, .. }) => version.word().to_owned(),
        },
    }
}

fn found_in_content(condition: &ContentCondition, content: &Content<'_>) -> String {
    match condition {
        ContentCondition::Subject(_) => format!("{:?}", content.subject.unwrap_or_default()),
        ContentCondition::Header(name, _) => {
            let own = content
                .headers
                .iter()
                .filter(|(field, _)| field.eq_ignore_ascii_case(name));
            several(&own.map(|(_, value)| value.clone()).collect::<Vec<_>>())
        }
        ContentCondition::Size(_) => format!("{} B", content.size),
        ContentCondition::Attachment(_) => several(
            &content
                .attachments
                .iter()
                .map(|part| part.name.clone())
                .collect::<Vec<_>>(),
        ),
        ContentCondition::AttachmentType(_) => {
            let types = content
                .attachments
                .iter()
                .map(|part| part.media_type.clone());
            several(&types.collect::<Vec<_>>())
        }
        ContentCondition::Is(property, _) => property
            .of(content)
            .map_or("not known".to_owned(), |is| is.to_string()),
    }
}

fn several(texts: &[String]) -> String {
    if texts.is_empty() {
        return "absent".to_owned();
    }
    let quoted = texts.iter().map(|text| format!("{text:?}"));
    quoted.collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::Address;
    use crate::facts::Direction;
    use crate::generated::{compiled, policies};

    #[test]
    fn each_earlier_rule_says_why_it_did_not_match() {
        let policy = compiled(
            r#"
            [[rule]]
            name = "a"
            when = { direction = "inbound" }
            [[rule]]
            name = "b"
            when = { recipient = "*@y", subject = "x*" }
            [[rule]]
            name = "c"
            when = { any = [{ size = "> 1 MB" }, { header = { X-A = "1" } }] }
            [[rule]]
            name = "d"
            when = { not = { sender = "a@*" } }
            [[rule]]
            name = "e"
            "#,
        )
        .unwrap();
        let (sender, recipient) = (
            Address::parse("a@x").unwrap(),
            Address::parse("B@Y").unwrap(),
        );
        let facts = Facts {
            content: Some(Content {
                subject: Some("z"),
                size: 9,
                ..Content::EMPTY
            }),
            ..Facts::of_envelope(Direction::Outbound, Some(&sender), &recipient)
        };
        let explanation = policy.explain(&facts);
        let said: Vec<_> = explanation
            .considered
            .iter()
            .map(|one| (one.rule.name.as_str(), one.why.because()))
            .collect();
        let expected = [
            ("a", "direction = \"inbound\": it is outbound"),
            ("b", "subject = [\"x*\"]: it is \"z\""),
            (
                "c",
                "size = \">= 1000001 B\": it is 9 B, and header = { \"X-A\" = [\"1\"] }: it is absent",
            ),
            ("d", "not (sender = [\"a@*\"]: it is a@x)"),
            ("e", "it has no conditions"),
        ];
        assert_eq!(said, expected.map(|(rule, why)| (rule, why.to_owned())));
        let early = policy.explain(&Facts {
            content: None,
            ..facts
        });
        assert_eq!((early.answer, early.considered.len()), (Answer::NotYet, 2));
    }

    proptest! {
        #[test]
        fn an_explanation_says_what_the_evaluator_says(text in policies(), has_content in any::<bool>()) {
            let Some(policy) = compiled(&text) else { return Ok(()) };
            let recipient = Address::parse("b@x").unwrap();
            let facts = Facts {
                content: has_content.then_some(Content::EMPTY),
                ..Facts::of_envelope(Direction::Outbound, None, &recipient)
            };
            let explanation = policy.explain(&facts);
            let last = explanation.considered.last().map(|last| (last.rule, last.why.truth));
            match explanation.answer {
                Answer::Decided(decision) => prop_assert_eq!(last, Some((&decision.rule, Truth::Yes))),
                Answer::NotYet => prop_assert_eq!(last.map(|(_, truth)| truth), Some(Truth::NotYet)),
                Answer::Unavailable(rule) => prop_assert_eq!(last, Some((rule, Truth::Unavailable))),
                Answer::NoRule => prop_assert!(last.is_none_or(|(_, truth)| truth == Truth::No)),
            }
        }
    }
}
