//! What operators do with a policy beside running it: check, test, explain, compare, import, print, complete in an editor.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use integration::gateway::binary;
use integration::process::{self, Finished};
use serde_json::Value;

const POLICY: &str = r#"[lists]
partners = { file = "partners.txt" }

[[rule]]
name = "large"
when = { direction = "outbound", size = "> 1 MB" }
reject = "use the file exchange"

[[rule]]
name = "partners"
when = { direction = "outbound", recipient = "list:partners" }
encrypt = "required"

[[rule]]
name = "night"
when = { time = "22:00-06:00" }
reject = "closed"

[[rule]]
name = "rest"

[[test]]
name = "a partner"
given = { sender = "a@example.org", recipients = ["bob@partner.example"] }
expect = { "bob@partner.example" = { rule = "partners", encrypt = "preferred" } }
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Result<Self> {
        let folder = Self(tempfile::tempdir()?);
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
        fs::copy(
            configs.join("postern.toml"),
            folder.0.path().join("postern.toml"),
        )?;
        folder.write("policy.toml", POLICY)?;
        folder.write(
            "partners.txt",
            "# from the CRM\npartner.example\n\n  *@*.partner.example # all of them\n",
        )?;
        Ok(folder)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.0.path().join(name), text)?)
    }

    fn postern(&self, arguments: &[&str]) -> Result<Finished> {
        let mut postern = Command::new(binary()?);
        process::finish(postern.args(arguments).current_dir(self.0.path()), b"")
    }

    /// What it prints; it must succeed.
    fn printed(&self, arguments: &[&str]) -> Result<String> {
        let mut postern = Command::new(binary()?);
        let said = process::run(postern.args(arguments).current_dir(self.0.path()), b"")?;
        Ok(String::from_utf8(said)?)
    }
}

#[test]
fn a_failing_test_is_shown_as_a_difference() -> Result<()> {
    let folder = Folder::new()?;
    let finished = folder.postern(&["policy", "test", "--junit", "junit.xml"])?;
    assert_eq!(finished.status.code(), Some(1));
    let said = String::from_utf8(finished.stdout)?;
    let difference = "policy.toml:22: a partner\n\
        bob@partner.example: rule \"partners\" decides (policy.toml:9)\n\
        - encrypt = preferred\n+ encrypt = required\n\n0 passed, 1 failed\n";
    assert_eq!(said, difference);
    let junit = fs::read_to_string(folder.0.path().join("junit.xml"))?;
    assert!(
        junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("+ encrypt = required"),
        "{junit}"
    );
    assert_eq!(folder.postern(&["check"])?.status.code(), Some(1));
    Ok(())
}

#[test]
fn mistakes_are_marked_in_their_lines() -> Result<()> {
    let folder = Folder::new()?;
    folder.write("partners.txt", "partner.example\nnot a domain\n")?;
    let finished = folder.postern(&["check"])?;
    assert_eq!(finished.status.code(), Some(78));
    assert!(
        finished
            .stderr
            .starts_with("partners.txt:2:1: error: a list cannot hold \"not a domain\""),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("\n2 | not a domain\n  | ^^^\n"),
        "{}",
        finished.stderr
    );
    Ok(())
}

#[test]
fn an_explanation_names_the_rule_and_why_not_the_others() -> Result<()> {
    let folder = Folder::new()?;
    let arguments =
        "policy explain --from a@example.org --to x@sub.partner.example c@other.example --time";
    let mut arguments: Vec<_> = arguments.split(' ').collect();
    arguments.extend(["mon 23:00", "--json"]);
    let said: Value = serde_json::from_str(&folder.printed(&arguments)?)?;
    let [partner, other] = said["recipients"].as_array().context("a list")?.as_slice() else {
        anyhow::bail!("two recipients: {said}");
    };
    assert_eq!(
        (&partner["rule"], &partner["line"]),
        (&"partners".into(), &9.into())
    );
    assert_eq!(
        partner["earlier"][0]["because"],
        "size = \">= 1000001 B\": it is 0 B"
    );
    let reply = partner["reply"].as_str().context("a reply")?;
    assert!(reply.starts_with("550 5.7.5 "), "{reply}");
    assert_eq!(other["rule"], "night");
    assert_eq!(other["reply"], "550 5.7.1 closed");
    let earlier = other["earlier"].as_array().context("a list")?;
    assert_eq!(earlier.len(), 2);
    Ok(())
}

#[test]
fn a_message_is_asked_about_as_it_is() -> Result<()> {
    let folder = Folder::new()?;
    let large = format!(
        "From: a@example.org\nSubject: x\n\n{}",
        "text\n".repeat(250_000)
    );
    folder.write("mail.eml", &large)?;
    let arguments =
        "policy explain --offline --from a@example.org --to bob@partner.example --message mail.eml";
    let said = folder.printed(&arguments.split(' ').collect::<Vec<_>>())?;
    assert!(
        said.contains("decided by \"large\"") && said.contains("reply: 550 5.7.1 use the file"),
        "{said}"
    );
    Ok(())
}

#[test]
fn another_policy_is_compared_on_recorded_facts() -> Result<()> {
    let folder = Folder::new()?;
    let record = |id: u32, to: &str| {
        format!(
            "{{\"id\": \"m{id}\", \"direction\": \"outbound\", \"recipient\": \"{to}\", \"time\": \"mon 09:00\"}}\n"
        )
    };
    folder.write(
        "facts.jsonl",
        &(record(1, "bob@partner.example") + &record(2, "c@other.example")),
    )?;
    folder.write(
        "weaker.toml",
        &POLICY.replace("\"required\"", "\"preferred\""),
    )?;
    let compare = |new| ["--json", "policy", "compare", new, "--facts", "facts.jsonl"];
    let same: Value = serde_json::from_str(&folder.printed(&compare("policy.toml"))?)?;
    assert_eq!((&same["records"], &same["changed"]), (&2.into(), &0.into()));
    let finished = folder.postern(&compare("weaker.toml"))?;
    assert_eq!(finished.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&finished.stdout)?;
    assert_eq!(said["newly_clear"]["samples"][0]["id"], "m1");
    folder.write("facts.jsonl", "{}\n")?;
    let broken = folder.postern(&compare("policy.toml"))?;
    assert_eq!(broken.status.code(), Some(65));
    assert!(
        broken.stderr.contains("facts.jsonl:1: no record of facts"),
        "{}",
        broken.stderr
    );
    Ok(())
}

#[test]
fn a_table_becomes_a_policy_and_a_policy_is_printed() -> Result<()> {
    let folder = Folder::new()?;
    folder.write(
        "table.csv",
        "pattern;sign;encrypt;fallback\npartner.example;yes;yes;bounce\n*;no;no;\n",
    )?;
    let imported = folder.printed(&["policy", "import", "table.csv"])?;
    folder.write("policy.toml", &imported)?;
    let shown = folder.printed(&["policy", "show"])?;
    folder.write("policy.toml", &shown)?;
    let again = folder.printed(&["policy", "show"])?;
    assert_eq!(shown, again);
    assert!(
        shown.contains("recipient = [\"*@partner.example\"]"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn the_shipped_schema_is_the_printed_one() -> Result<()> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/policy.schema.json");
    let printed = Folder::new()?.printed(&["policy", "schema"])?;
    let (printed, shipped): (Value, Value) = (
        serde_json::from_str(&printed)?,
        serde_json::from_str(&fs::read_to_string(shipped)?)?,
    );
    assert_eq!(printed, shipped);
    Ok(())
}
