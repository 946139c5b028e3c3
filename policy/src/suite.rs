//! Runs the `[[test]]` tables of a policy.

use std::borrow::Cow;

use crate::address::Address;
use crate::compile::{Expectation, Policy, Test, TestMail};
use crate::decision::{Decision, Stop};
use crate::evaluate::Answer;
use crate::facts::{Content, Direction, Facts, Session};
use crate::rule::Property;

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line of its `[[test]]`, counted from 1.
    pub line: usize,
    /// For each recipient that differs: its name and who decided, and below it what was expected (`-`) and what was found
    /// (`+`). None if the test passed.
    pub failure: Option<String>,
}

impl Policy {
    /// Runs every test; `internal_domains`, in canonical form, tell the direction where a test does not.
    #[must_use]
    pub fn run_tests(&self, internal_domains: &[String]) -> Vec<Outcome> {
        let run = |test| self.run_test(test, internal_domains);
        self.tests.iter().map(run).collect()
    }

    fn run_test(&self, test: &Test, internal_domains: &[String]) -> Outcome {
        let mut failure = String::new();
        for expected in &test.expect {
            let recipient = &expected.recipient;
            let is_ours = |ours: &String| ours == recipient.domain();
            let derived = if internal_domains.iter().any(is_ours) {
                Direction::Inbound
            } else {
                Direction::Outbound
            };
            let direction = test.mail.direction.unwrap_or(derived);
            let answer = self.evaluate(&test.mail.facts(direction, recipient));
            let differences = differences(expected, answer);
            if !differences.is_empty() {
                failure.push_str(&format!(
                    "{recipient}: {}\n{differences}",
                    decided_by(answer)
                ));
            }
        }
        Outcome {
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            failure: (!failure.is_empty()).then_some(failure),
        }
    }
}

impl TestMail {
    fn facts<'a>(&'a self, direction: Direction, recipient: &'a Address) -> Facts<'a> {
        let is = |property| self.properties.contains(&property);
        Facts {
            direction,
            sender: self.sender.as_ref(),
            recipient,
            session: Some(Session {
                client: self.client,
                authenticated: self.authenticated.as_deref(),
                tls: self.tls,
            }),
            groups: self.groups.as_deref(),
            moment: self.moment,
            content: Some(Content {
                subject: self.subject.as_deref(),
                headers: &self.headers,
                known_headers: None,
                size: self.size,
                attachments: &self.attachments,
                is_signed: is(Property::Signed),
                is_encrypted: is(Property::Encrypted),
                is_calendar: is(Property::Calendar),
                answers_encrypted: Some(is(Property::AnswersEncrypted)),
            }),
        }
    }
}

fn decided_by(answer: Answer<'_>) -> String {
    match answer {
        Answer::Decided(Decision { rule, .. }) => {
            format!("rule {:?} decides ({}:{})", rule.name, rule.file, rule.line)
        }
        Answer::Unavailable(rule) => format!(
            "rule {:?} needs what the test does not say ({}:{})",
            rule.name, rule.file, rule.line
        ),
        Answer::NotYet | Answer::NoRule => "no rule matches".to_owned(),
    }
}

/// A line for what was expected and one for what was found, for everything that differs.
fn differences(expected: &Expectation, answer: Answer<'_>) -> String {
    let decision = match answer {
        Answer::Decided(decision) => Some(decision),
        Answer::NotYet | Answer::Unavailable(_) | Answer::NoRule => None,
    };
    let is_deferred = matches!(answer, Answer::Unavailable(_));
    let is_refused = !is_deferred && decision.is_none_or(Decision::is_refusal);
    let is_held = decision.is_some_and(|decision| matches!(decision.stop, Some(Stop::Hold(_))));
    let mut differences = String::new();
    let mut compare = |key: &str, wanted: &str, found: &str| {
        if wanted != found {
            differences.push_str(&format!("- {key} = {wanted}\n+ {key} = {found}\n"));
        }
    };
    let flags = [
        ("refused", expected.refused, is_refused),
        ("held", expected.held, is_held),
        ("deferred", expected.deferred, is_deferred),
    ];
    if let Some(wanted) = &expected.rule {
        let found = decision.map_or_else(|| "none".to_owned(), |d| format!("{:?}", d.rule.name));
        compare("rule", &format!("{wanted:?}"), &found);
    }
    for (key, wanted, found) in flags {
        if let Some(wanted) = wanted {
            compare(key, &wanted.to_string(), &found.to_string());
        }
    }
    let orders = decision.map(Decision::orders).unwrap_or_default();
    for (key, wanted) in &expected.orders {
        let found = orders.iter().find(|(own, _)| own == key);
        compare(
            key,
            wanted,
            found.map_or("none", |(_, value): &(_, Cow<'_, str>)| value),
        );
    }
    differences
}
