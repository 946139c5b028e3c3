//! Runs the `[[test]]` tables of a policy.

use crate::compile::{Expectation, Policy, Test};
use crate::decision::Decision;
use crate::evaluate::Answer;
use crate::facts::{Content, Direction, Facts};

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line of its `[[test]]`, counted from 1.
    pub line: usize,
    /// One line for each difference; none if it passed.
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
        let mut differences = String::new();
        for expected in &test.expect {
            let recipient = &expected.recipient;
            let is_ours = internal_domains
                .iter()
                .any(|ours| ours == recipient.domain());
            let derived = if is_ours {
                Direction::Inbound
            } else {
                Direction::Outbound
            };
            let answer = self.evaluate(&Facts {
                direction: test.direction.unwrap_or(derived),
                sender: test.sender.as_ref(),
                recipient,
                content: Some(Content {
                    subject: test.subject.as_deref(),
                    headers: &test.headers,
                }),
            });
            compare(expected, answer, &mut differences);
        }
        Outcome {
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            failure: (!differences.is_empty()).then_some(differences),
        }
    }
}

/// Adds a line for each difference, or one if no rule matched where one was expected to.
fn compare(expected: &Expectation, answer: Answer<'_>, differences: &mut String) {
    let decision = match answer {
        Answer::Decided(decision) => Some(decision),
        Answer::NotYet | Answer::NoRule => None,
    };
    let by = decision.map_or_else(
        || "no rule matches".to_owned(),
        |d| format!("rule {:?}, {}:{}", d.rule.name, d.rule.file, d.rule.line),
    );
    let mut differs = |key: &str, wanted: &str, found: &str| {
        if wanted != found {
            let recipient = &expected.recipient;
            differences.push_str(&format!(
                "{recipient}: {key}: expected {wanted}, got {found} ({by})\n"
            ));
        }
    };
    let refused = decision.is_none_or(Decision::is_refusal);
    if let Some(wanted) = expected.refused {
        differs("refused", &wanted.to_string(), &refused.to_string());
    }
    if let Some(wanted) = &expected.rule {
        let found = decision.map_or_else(|| "none".to_owned(), |d| format!("{:?}", d.rule.name));
        differs("rule", &format!("{wanted:?}"), &found);
    }
    for (key, wanted) in &expected.orders {
        let orders = decision.map(Decision::orders);
        let found = orders.iter().flatten().find(|(own, _)| own == key);
        differs(key, wanted, found.map_or("none", |(_, word)| *word));
    }
}
