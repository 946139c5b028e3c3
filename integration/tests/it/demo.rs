//! `postern demo` says two lines to type; typed as they stand, they show a mail that was signed and encrypted.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::binary;
use integration::process::{self, Daemon};

#[test]
fn the_two_lines_of_the_demo_work_as_they_stand() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut demo = Command::new(binary()?);
    demo.arg("demo")
        .current_dir(folder.path())
        .env_remove("POSTERN_CONFIG");
    let daemon = Daemon::start(&mut demo, &folder.path().join("log"))?;
    let line = |program: &str| {
        let printed = daemon.printed();
        let found = printed.lines().find(|line| line.contains(program));
        found.map(|line| line.trim().to_owned())
    };
    let both = || line("curl -").zip(line("openssl cms"));
    let (curl, openssl) = process::until(Duration::from_secs(30), "the lines to type", both)
        .with_context(|| daemon.printed())?;
    println!("{curl}\n{openssl}");
    let typed = |line: &str| {
        let mut shell = Command::new("bash");
        process::run(
            shell
                .args(["-o", "pipefail", "-c", line])
                .current_dir(folder.path()),
            b"",
        )
    };
    typed(&curl)?;
    // The mail arrives a moment after its acknowledgement.
    let shown = process::until(Duration::from_secs(20), "the mail", || typed(&openssl).ok());
    let shown = String::from_utf8(shown.with_context(|| daemon.printed())?)?;
    assert!(shown.contains("The secret is 42."), "{shown}");
    Ok(())
}
