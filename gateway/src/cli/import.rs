//! `postern cert import`: one certificate or a hundred thousand.
//!
//! What can be read is kept, in batches; what cannot is reported and stops nothing. Run again, it does what is left to do.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use certstore::certificate::{Certificate, Row, RowError, read_rows};
use certstore::database::CertificateSource;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::cert::{advice, unavailable};
use super::opened::{self, Opened};
use super::output::{Output, line};
use super::trouble::Trouble;

/// Certificates that are kept in one transaction.
const BATCH: usize = 1000;
/// So many rows are shown one by one in text; of more, only those that were refused.
const MOST_SHOWN: usize = 100;
/// Folders within folders.
const DEEPEST: usize = 8;

/// What became of the rows so far.
#[derive(Default)]
struct Report {
    objects: Vec<Value>,
    lines: Vec<Vec<String>>,
    imported: usize,
    known: usize,
    refused: usize,
}

/// A row that waits for its batch.
struct Waiting {
    file: String,
    place: String,
    certificate: Result<Certificate, String>,
}

pub(super) async fn import(
    opened: &Opened,
    paths: &[PathBuf],
    output: &Output,
) -> Result<(), Trouble> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, DEEPEST, &mut files)?;
    }
    let mut report = Report::default();
    let bar = progress_bar(&files);
    for file in &files {
        import_file(opened, file, &bar, &mut report).await?;
    }
    bar.finish_and_clear();
    report.print(output);
    match report.refused {
        0 => Ok(()),
        refused => Err(Trouble::data(format!(
            "{refused} certificates could not be read"
        ))),
    }
}

async fn import_file(
    opened: &Opened,
    file: &Path,
    bar: &ProgressBar,
    report: &mut Report,
) -> Result<(), Trouble> {
    let bytes = opened::read(file)?;
    let begun = bar.position();
    let mut waiting = Vec::with_capacity(BATCH);
    let mut rows = read_rows(file, &bytes).peekable();
    if rows.peek().is_none() {
        let nothing = Waiting::new(file, String::new(), Err("no certificate found".to_owned()));
        keep(opened, vec![nothing], report).await?;
    }
    while let Some(Row {
        place,
        certificate,
        end,
    }) = rows.next()
    {
        let certificate = certificate.map_err(|error: RowError| error.to_string());
        waiting.push(Waiting::new(file, place, certificate));
        if waiting.len() == BATCH || rows.peek().is_none() {
            keep(opened, std::mem::take(&mut waiting), report).await?;
            bar.set_position(begun + u64::try_from(end).unwrap_or(u64::MAX));
        }
    }
    Ok(())
}

/// Keeps a batch and reports it.
async fn keep(opened: &Opened, batch: Vec<Waiting>, report: &mut Report) -> Result<(), Trouble> {
    let certificates: Vec<Certificate> = batch
        .iter()
        .filter_map(|row| row.certificate.clone().ok())
        .collect();
    let (database, now) = (&opened.store.database, opened.clock.now());
    let added = database
        .add_each(&certificates, CertificateSource::Imported, now)
        .await;
    let mut added = added.map_err(unavailable)?.into_iter();
    for row in batch {
        report.add(row, &mut added);
    }
    Ok(())
}

impl Waiting {
    fn new(file: &Path, place: String, certificate: Result<Certificate, String>) -> Self {
        Self {
            file: file.display().to_string(),
            place,
            certificate,
        }
    }
}

impl Report {
    fn add(&mut self, row: Waiting, added: &mut impl Iterator<Item = bool>) {
        let Waiting {
            file,
            place,
            certificate,
        } = row;
        let (outcome, certificate) = match certificate {
            Ok(certificate) => {
                let is_new = added.next().unwrap_or_default();
                let count = if is_new {
                    &mut self.imported
                } else {
                    &mut self.known
                };
                *count += 1;
                (outcome(is_new, &certificate), Some(certificate))
            }
            Err(reason) => {
                self.refused += 1;
                (format!("refused: {reason}"), None)
            }
        };
        let id = certificate
            .as_ref()
            .map(|one| one.sha256().to_string())
            .unwrap_or_default();
        let subject = certificate
            .as_ref()
            .map(Certificate::subject)
            .unwrap_or_default();
        let advice = certificate.as_ref().map(advice).unwrap_or_default();
        self.objects.push(json!({
            "id": id, "file": file, "place": place, "subject": subject, "outcome": outcome,
            "advice": advice,
        }));
        if certificate.is_none() || self.lines.len() < MOST_SHOWN {
            self.lines
                .push(vec![file, place, outcome, subject.to_owned()]);
        }
    }

    fn print(&self, output: &Output) {
        let shown: Vec<_> = match self.objects.len() > MOST_SHOWN {
            false => self.lines.clone(),
            true => {
                let is_refused =
                    |row: &&Vec<String>| row.iter().any(|cell| cell.starts_with("refused"));
                self.lines.iter().filter(is_refused).cloned().collect()
            }
        };
        output.list(
            &self.objects,
            &["FILE", "PLACE", "OUTCOME", "SUBJECT"],
            &shown,
        );
        if !output.json && self.objects.len() > MOST_SHOWN {
            line(&format!(
                "{} imported, {} known already, {} refused",
                self.imported, self.known, self.refused
            ));
        }
    }
}

fn outcome(is_new: bool, certificate: &Certificate) -> String {
    let outcome = if is_new { "imported" } else { "known already" };
    match certificate.addresses().is_empty() && !certificate.is_authority() {
        true => format!("{outcome}, but it names no address"),
        false => outcome.to_owned(),
    }
}

/// A file, or the files in a folder and in those within it, in name order.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Err(Trouble::data(format!(
            "{}: folders too deep",
            path.display()
        )));
    }
    let unreadable = |error| Trouble::data(format!("{} cannot be read: {error}", path.display()));
    let entries = fs::read_dir(path).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    paths
        .iter()
        .try_for_each(|path| collect(path, depth - 1, files))
}

/// A bar over the bytes of all files; nothing where nobody looks.
fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    let bar = ProgressBar::new(sizes.map(|facts| facts.len()).sum());
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
