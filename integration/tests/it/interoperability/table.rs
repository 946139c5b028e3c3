//! `docs/interoperability.md`: how the cells become a page, and how a page is compared with the one that is kept.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use integration::mime::{self, Leaf};

use super::Column;

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Works,
    /// It is read, and said to be weak.
    Weak,
    /// The program's own words.
    Cannot(String),
    /// Postern does not write it.
    NotWritten,
    /// The program is not here.
    NotInstalled,
}

impl Cell {
    /// Where the test fails anyway.
    pub(crate) fn failed() -> Self {
        Self::Cannot("it failed".to_owned())
    }

    /// What a program read, beside what was written.
    ///
    /// # Errors
    /// It read something else.
    pub(crate) fn of(read: Option<Result<Vec<u8>>>, expected: &[Leaf]) -> Result<Self> {
        let entity = match read {
            None => return Ok(Self::NotInstalled),
            Some(Err(refusal)) => return Ok(Self::Cannot(refusal.to_string())),
            Some(Ok(entity)) => entity,
        };
        let leaves = mime::leaves(&mime::crlf(&entity))?;
        if leaves != expected {
            bail!("it reads {leaves:?}");
        }
        Ok(Self::Works)
    }
}

type Table = Vec<(String, Vec<Cell>)>;

/// Both tables and what stands around them.
pub(crate) struct Page {
    columns: Vec<&'static str>,
    versions: String,
    installed: Vec<bool>,
    pub(crate) written: Table,
    pub(crate) read: Table,
}

const HEAD: &str = "\
# Who reads whom

Each row is a way to sign or encrypt mail, each column another S/MIME program. This page is made by a test, which sends a mail
for each cell through the built gateway:

    BLESS=1 cargo test -p integration --test it interoperability

**works**: the reader has the very content that was written, and holds it to be signed by its sender where it is signed.
**weak**: Postern says that the algorithm is weak; a weak cipher stays closed unless the configuration opens it. **cannot (1)**: the program cannot, in its own words below.
**not written**: Postern reads such mail and never writes it. Postern's own column is a second gateway. Who cannot read what
Postern wrote was also given the same by each of the others, and could not read that either: else the test fails. No program at hand but Postern knows X25519 as RFC 8418 has it.
";

impl Page {
    pub(crate) fn new(peers: &[Column]) -> Self {
        let names = peers.iter().map(|column| column.peer.name());
        let versions = peers.iter().map(|column| {
            let version = column.version.as_deref().unwrap_or("not installed");
            format!("{} {version}", column.peer.name())
        });
        Self {
            columns: names.chain(["Postern"]).collect(),
            versions: versions.collect::<Vec<_>>().join(", "),
            installed: peers
                .iter()
                .map(|column| column.version.is_some())
                .chain([true])
                .collect(),
            written: Vec::new(),
            read: Vec::new(),
        }
    }

    /// Compares the page with the one that is kept; with `BLESS=1` keeps this one. Columns of programs that are not installed
    /// are not compared.
    pub(crate) fn compare(&self) -> Result<()> {
        let file = page_file();
        let text = self.to_string();
        if std::env::var_os("BLESS").is_some() {
            return Ok(fs::write(file, text)?);
        }
        let kept = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let comparable = |page: &str| -> Vec<String> {
            page.lines()
                .filter(|line| !line.starts_with("Tried with "))
                .map(str::to_owned)
                .collect()
        };
        if self.installed.iter().all(|installed| *installed) {
            compare_lines(&comparable(&kept), &comparable(&text))
        } else {
            compare_lines(&self.rows_of(&kept), &self.rows_of(&text))
        }
    }

    /// The rows of both tables, without the columns of what is not installed, and without the numbers of the words.
    fn rows_of(&self, page: &str) -> Vec<String> {
        let rows = page.lines().filter(|line| line.starts_with("| "));
        rows.map(|row| {
            let mut cells = row.trim_matches('|').split(" | ");
            let name = cells.next().unwrap_or_default().to_owned();
            let kept = cells
                .zip(&self.installed)
                .filter(|(_, installed)| **installed);
            kept.fold(name, |row, (cell, _)| {
                let cell = cell.split('(').next().unwrap_or_default().trim();
                format!("{row} | {cell}")
            })
        })
        .collect()
    }

    fn table(&self, rows: &Table, words: &mut Vec<String>, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n| | {} |", self.columns.join(" | "))?;
        writeln!(out, "|---|{}", "---|".repeat(self.columns.len()))?;
        for (name, cells) in rows {
            write!(out, "| {name} |")?;
            for (cell, column) in cells.iter().zip(&self.columns) {
                match cell {
                    Cell::Works => write!(out, " works |")?,
                    Cell::Weak => write!(out, " weak |")?,
                    Cell::NotWritten => write!(out, " not written |")?,
                    Cell::NotInstalled => write!(out, " not installed |")?,
                    Cell::Cannot(said) => {
                        let said = format!("{column}: {}", shortened(said));
                        let known = words.iter().position(|known| *known == said);
                        let number = known.unwrap_or_else(|| {
                            words.push(said);
                            words.len() - 1
                        });
                        write!(out, " cannot ({}) |", number + 1)?;
                    }
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Vec::new();
        let mut out = String::from(HEAD);
        writeln!(out, "\nTried with {}.", self.versions)?;
        writeln!(out, "\n## Postern writes, they read")?;
        self.table(&self.written, &mut words, &mut out)?;
        writeln!(out, "\n## They write, Postern reads")?;
        self.table(&self.read, &mut words, &mut out)?;
        writeln!(out, "\n## In their own words\n")?;
        for (number, said) in (1..).zip(&words) {
            writeln!(out, "{number}. {said}")?;
        }
        f.write_str(&out)
    }
}

/// One line at most, without paths, and nothing that a table or a page would take for its own.
fn shortened(words: &str) -> String {
    const LONGEST: usize = 140;
    let line = words
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("no words");
    let plain = line
        .split(' ')
        .map(|word| if word.contains("/tmp") { "…" } else { word });
    let plain = plain
        .collect::<Vec<_>>()
        .join(" ")
        .replace(['|', '<', '>', '`'], "'");
    plain.chars().take(LONGEST).collect()
}

fn compare_lines(kept: &[String], new: &[String]) -> Result<()> {
    let gone = kept
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("- {line}"));
    let come = new
        .iter()
        .filter(|line| !kept.contains(line))
        .map(|line| format!("+ {line}"));
    let changes: Vec<String> = gone.chain(come).collect();
    if changes.is_empty() {
        return Ok(());
    }
    bail!(
        "docs/interoperability.md is not what this run saw (BLESS=1 keeps it):\n{}",
        changes.join("\n")
    )
}

fn page_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/interoperability.md")
}
