//! What the program says about a wrong configuration: every mistake at once, with its place and what is allowed.
//!
//! Each folder of `tests/bad_config` holds a `postern.toml`, a `policy.toml` where the default one will not do, and the
//! exact text, below the exit status, that is `expected.txt`. `BLESS=1` writes that file from what the program says: read it before you keep it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use integration::gateway::binary;
use integration::process;

const POLICY: &str = "[[rule]]\nname = \"all\"\nwhen = { direction = \"outbound\" }\n";

#[test]
fn every_mistake_is_told_with_its_place() -> Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_config");
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in fs::read_dir(&cases)? {
        let case = case?.path();
        let name = case.file_name().context("a case without a name")?;
        let name = name.to_string_lossy().into_owned();
        let said = check(&case).with_context(|| name.clone())?;
        let expected = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &said)?;
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if said != wanted {
            wrong.push(format!("{name}\n--- expected\n{wanted}--- said\n{said}"));
        }
        count += 1;
    }
    assert!(count >= 30, "only {count} cases");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    Ok(())
}

/// What `postern check` says about a copy of the case's files, in a folder that is called the same everywhere.
fn check(case: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().canonicalize()?;
    fs::write(path.join("policy.toml"), POLICY)?;
    for file in fs::read_dir(case)? {
        let file = file?.path();
        fs::copy(&file, path.join(file.file_name().context("no name")?))?;
    }
    let mut postern = Command::new(binary()?);
    postern
        .arg("--config")
        .arg(path.join("postern.toml"))
        .arg("check");
    let finished = process::finish(postern.current_dir(&path), b"")?;
    ensure!(!finished.status.success(), "nothing was found wrong");
    ensure!(!path.join("data").exists(), "it made a data folder");
    let place = format!("{}/", path.display());
    let said = finished.stderr.replace(&place, "");
    Ok(format!("{}\n{said}", finished.status))
}
