//! `postern policy …`.

mod compare;
mod explain;
mod junit;

use std::path::Path;

use policy::diagnostic::Source;
use policy::import::import_csv;
use policy::schema::schema;
use serde_json::json;

use super::arguments::PolicyCommand;
use super::opened;
use super::output::{Output, line};
use super::trouble::{Trouble, say};
use crate::app::{Checked, check_policy, load_policy};
use crate::config::Config;

pub(super) async fn obey(
    given: Option<&Path>,
    command: PolicyCommand,
    output: &Output,
) -> Result<(), Trouble> {
    match command {
        PolicyCommand::Test { junit } => test(given, junit.as_deref(), output),
        PolicyCommand::Explain(question) => explain::explain(given, &question, output).await,
        PolicyCommand::Compare { new, facts } => compare::compare(given, &new, &facts, output),
        PolicyCommand::Show => {
            let (_, checked) = loaded(given)?;
            let text = checked.policy.print();
            output.print(|| json!({ "policy": text }), || text.trim_end().to_owned());
            Ok(())
        }
        PolicyCommand::Schema => {
            line(&format!("{:#}", schema()));
            Ok(())
        }
        PolicyCommand::Import { file } => import(&file, output),
    }
}

/// The configuration and its policy.
fn loaded(given: Option<&Path>) -> Result<(Config, Checked), Trouble> {
    let config = opened::config(given)?;
    let checked = load_policy(&config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    Ok((config, checked))
}

fn test(given: Option<&Path>, junit: Option<&Path>, output: &Output) -> Result<(), Trouble> {
    let (config, checked) = loaded(given)?;
    let outcomes = check_policy(&checked.policy, &config);
    if let Some(file) = junit {
        junit::write(file, &outcomes)?;
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some());
    let count = failed.clone().count();
    if output.json {
        let objects = outcomes.iter().map(|outcome| {
            json!({
                "id": outcome.name, "file": outcome.file, "line": outcome.line,
                "passed": outcome.failure.is_none(), "differences": outcome.failure.as_deref().unwrap_or_default(),
            })
        });
        line(&serde_json::Value::Array(objects.collect()).to_string());
    } else {
        for outcome in failed {
            let failure = outcome.failure.as_deref().unwrap_or_default();
            line(&format!(
                "{}:{}: {}\n{failure}",
                outcome.file, outcome.line, outcome.name
            ));
        }
        line(&format!(
            "{} passed, {count} failed",
            outcomes.len() - count
        ));
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Trouble::failed())
    }
}

fn import(file: &Path, output: &Output) -> Result<(), Trouble> {
    let name = file.display().to_string();
    let text = String::from_utf8(opened::read(file)?);
    let text = text.map_err(|_| Trouble::data(format!("{name} is not UTF-8 text")))?;
    let source = Source::new(name, text);
    let imported = import_csv(&source).map_err(|mistakes| Trouble::data_mistakes(&mistakes))?;
    for warning in &imported.warnings {
        say(&warning.shown());
    }
    let text = imported.text;
    output.print(|| json!({ "policy": text }), || text.trim_end().to_owned());
    Ok(())
}
