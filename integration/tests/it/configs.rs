//! What `configs/` shows to operators is right: every key of `postern.toml` is one, and every worked policy passes its tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use integration::gateway::binary;
use integration::pki::pki;
use integration::process;

#[test]
fn every_worked_policy_passes_its_own_tests() -> Result<()> {
    let mut count = 0;
    for policy in fs::read_dir(configs().join("policies"))? {
        let policy = policy?.path();
        let folder = tempfile::tempdir()?;
        fs::copy(
            configs().join("postern.toml"),
            folder.path().join("postern.toml"),
        )?;
        fs::copy(&policy, folder.path().join("policy.toml"))?;
        let said = check(folder.path()).with_context(|| policy.display().to_string())?;
        assert!(
            said.contains("tests pass, 0 warnings") && !said.contains(" 0 tests"),
            "{said}"
        );
        count += 1;
    }
    assert!(count > 0, "no policies");
    Ok(())
}

#[test]
fn every_key_that_is_shown_commented_out_is_a_key() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let shown = fs::read_to_string(configs().join("postern.toml"))?;
    let all: Vec<&str> = shown.lines().map(uncommented).collect();
    fs::write(folder.path().join("postern.toml"), all.join("\n"))?;
    fs::copy(
        configs().join("policies/partners.toml"),
        folder.path().join("policy.toml"),
    )?;
    for name in ["roots", "partner"] {
        fs::create_dir(folder.path().join(name))?;
        fs::copy(pki()?.ca(), folder.path().join(name).join("ca.pem"))?;
    }
    check(folder.path()).map(drop)
}

/// The line without its `# `, where that hides a key or the head of a table.
fn uncommented(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("# ") else {
        return line;
    };
    let key = rest.split(" = ").next().unwrap_or_default();
    let is_key = rest.contains(" = ") && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_key || rest.starts_with('[') {
        rest
    } else {
        line
    }
}

fn check(folder: &Path) -> Result<String> {
    let mut postern = Command::new(binary()?);
    let said = process::run(postern.arg("check").current_dir(folder), b"")?;
    Ok(String::from_utf8(said)?)
}

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}
