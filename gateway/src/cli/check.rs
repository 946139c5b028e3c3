//! `postern check`: every mistake at once, before anything runs.

use std::path::Path;

use serde_json::json;

use super::opened;
use super::output::Output;
use super::trouble::{Trouble, say};
use crate::app::{self, check_policy, load_policy};

pub(super) fn check(given: Option<&Path>, output: &Output) -> Result<(), Trouble> {
    let config = opened::config(given)?;
    // What `run` would stumble over in these files, it is told here.
    app::settings(&config.trust)?;
    app::crls(&config.trust)?;
    let checked = load_policy(&config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    let outcomes = check_policy(&checked.policy, &config);
    for warning in &checked.warnings {
        say(&warning.shown());
    }
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .collect();
    for outcome in &failed {
        say(&format!(
            "{}:{}: error: test {:?} fails\n{}",
            outcome.file,
            outcome.line,
            outcome.name,
            outcome.failure.as_deref().unwrap_or_default()
        ));
    }
    if !failed.is_empty() {
        return Err(Trouble::failed());
    }
    let (rules, tests, warnings) = (
        checked.policy.rule_count(),
        outcomes.len(),
        checked.warnings.len(),
    );
    output.print(
        || json!({ "rules": rules, "tests": tests, "warnings": warnings }),
        || format!("configuration and policy are right: {rules} rules, {tests} tests pass, {warnings} warnings"),
    );
    Ok(())
}
