//! Asks a policy: the first rule that matches decides, for each recipient.
//!
//! With the envelope alone, a rule decides only if every earlier one surely does not match: an answer, once given, is
//! the answer that the whole message gets too. What nobody could find out is neither yes nor no: it holds the later rules
//! back. Takes time in proportion to the rules, and no memory.

use crate::compile::Policy;
use crate::decision::{Decision, RuleRef};
use crate::facts::Facts;
use crate::rule::{Gate, Truth};

/// What a policy says of the mail for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'p> {
    /// This rule decides.
    Decided(&'p Decision),
    /// The first rule that may match needs the content.
    NotYet,
    /// The first rule that may match needs what nobody could find out: the mail must wait.
    Unavailable(&'p RuleRef),
    /// No rule matches: the mail is refused.
    NoRule,
}

impl Policy {
    /// The decision for what is known; never [`Answer::NotYet`] if the content is.
    #[must_use]
    pub fn evaluate(&self, facts: &Facts<'_>) -> Answer<'_> {
        let mail = Gate::of_mail(facts);
        for rule in self.rules.iter().filter(|rule| rule.gate.opens_for(mail)) {
            match rule.condition.holds(facts) {
                Truth::No => {}
                Truth::Unavailable => return Answer::Unavailable(&rule.decision.rule),
                Truth::NotYet => return Answer::NotYet,
                Truth::Yes => return Answer::Decided(&rule.decision),
            }
        }
        Answer::NoRule
    }
}

#[cfg(test)]
mod tests;
