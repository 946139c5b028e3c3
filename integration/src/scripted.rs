//! A peer that is a library: a small program around it answers requests, one line each, for as long as the tests run.
//!
//! A request is words separated by single blanks; its answer is `ok BASE64`, or `error TEXT` with the library's own words.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use encodify::base64;
use tempfile::NamedTempFile;

use crate::pki;

/// A program that is started by its first request, and ends with the test program.
pub struct Scripted {
    name: &'static str,
    command: fn() -> Result<Command>,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Scripted {
    /// The program that `command` starts.
    #[must_use]
    pub const fn new(name: &'static str, command: fn() -> Result<Command>) -> Self {
        Self {
            name,
            command,
            running: Mutex::new(None),
        }
    }

    /// Its name, which stands before its errors.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the program makes of `words`: texts, or paths of files.
    ///
    /// # Errors
    /// It says no: the text is its own after its name. Or it cannot be started.
    pub fn ask(&self, words: &[&dyn Word]) -> Result<Vec<u8>> {
        let words: Vec<String> = words.iter().map(|word| word.text()).collect();
        ensure!(
            words.iter().all(|word| !word.contains([' ', '\n'])),
            "a blank within a word: {words:?}"
        );
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            *running = Some(Running::start((self.command)()?)?);
        }
        let program = running.as_mut().context("no program")?;
        match program.ask(&words.join(" "))?.trim_end().split_once(' ') {
            Some(("ok", result)) => Ok(base64::STANDARD.decode(result)?),
            Some(("error", text)) => bail!("{}: {text}", self.name),
            _ => bail!("{} ended: {:?}", self.name, program.child.try_wait()?),
        }
    }
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no stdout")?);
        Ok(Self {
            child,
            requests,
            answers,
        })
    }

    fn ask(&mut self, request: &str) -> Result<String> {
        let requests = self.requests.as_mut().context("the program has ended")?;
        writeln!(requests, "{request}")?;
        requests.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.requests.take());
        self.child.wait().ok();
    }
}

/// A word of a request.
pub trait Word {
    /// As it is sent.
    fn text(&self) -> String;
}

impl Word for &str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl Word for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Word for &Path {
    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Word for PathBuf {
    fn text(&self) -> String {
        self.display().to_string()
    }
}

/// A folder with these files (name and text) and what `install` makes of them; it is made again whenever one of them
/// changes.
///
/// # Errors
/// Those of `install`, which needs the network the first time.
pub fn installed(
    name: &str,
    files: &[(&str, &str)],
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = pki::shared_folder()?.join(name);
    let is_current = |(file, text): &(&str, &str)| {
        fs::read_to_string(folder.join(file)).is_ok_and(|found| found == *text)
    };
    if !files.iter().all(is_current) {
        fs::remove_file(folder.join("complete")).ok();
    }
    pki::once(&folder, None, |folder| {
        for (file, text) in files {
            fs::write(folder.join(file), text)?;
        }
        install(folder)
    })?;
    Ok(folder)
}

/// Bytes as a file for as long as the value lives.
///
/// # Errors
/// It cannot be written.
pub fn kept(bytes: &[u8]) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_answers_until_it_ends() -> Result<()> {
        let shell = Scripted::new("sh", || {
            let mut shell = Command::new("sh");
            shell.args([
                "-c",
                "read a; echo ok YWI=; read a; echo error no $a; read a; echo",
            ]);
            Ok(shell)
        });
        assert_eq!(shell.ask(&[&"x"])?, b"ab");
        let refused = shell.ask(&[&"such", &"thing"]).unwrap_err();
        assert_eq!(refused.to_string(), "sh: no such thing");
        assert!(shell.ask(&[&"x"]).is_err());
        assert!(shell.ask(&[&"a b"]).is_err());
        Ok(())
    }
}
