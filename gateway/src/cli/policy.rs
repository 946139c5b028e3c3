//! `postern policy …`.

use std::path::Path;

use serde_json::json;

use super::arguments::PolicyCommand;
use super::opened;
use super::output::{Output, line};
use super::trouble::Trouble;
use crate::app::{check_policy, load_policy};

pub(super) fn obey(
    given: Option<&Path>,
    command: &PolicyCommand,
    output: &Output,
) -> Result<(), Trouble> {
    match command {
        PolicyCommand::Test => test(given, output),
    }
}

fn test(given: Option<&Path>, output: &Output) -> Result<(), Trouble> {
    let config = opened::config(given)?;
    let checked = load_policy(&config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    let outcomes = check_policy(&checked.policy, &config);
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some())
        .count();
    if output.json {
        let objects = outcomes.iter().map(|outcome| {
            json!({
                "id": outcome.name, "file": outcome.file, "line": outcome.line,
                "passed": outcome.failure.is_none(), "differences": outcome.failure.as_deref().unwrap_or_default(),
            })
        });
        line(&serde_json::Value::Array(objects.collect()).to_string());
    } else {
        for outcome in outcomes.iter().filter(|outcome| outcome.failure.is_some()) {
            line(&format!(
                "{}:{}: {}\n{}",
                outcome.file,
                outcome.line,
                outcome.name,
                outcome.failure.as_deref().unwrap_or_default()
            ));
        }
        line(&format!(
            "{} passed, {failed} failed",
            outcomes.len() - failed
        ));
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Trouble::failed())
    }
}
