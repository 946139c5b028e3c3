//! The test corpus on disk, for tests only: `$POSTERN_CORPUS`, else the folder beside the checkout.

use std::path::{Path, PathBuf};

use super::{Certificate, CertificateError, read_certificates};

/// The files below `folder`, in name order; none, with a printed line, where there is no corpus.
#[expect(clippy::print_stdout, reason = "a test says what it could not try")]
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let found = files_below(&root().join(folder));
    if found.is_empty() {
        println!("skipped: no corpus at {}", root().join(folder).display());
    }
    found
}

/// What the files below `folder` hold, each entry with the name of its file.
pub(crate) fn certificates(folder: &str) -> Vec<(String, Result<Certificate, CertificateError>)> {
    files(folder)
        .into_iter()
        .flat_map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let entries = read_certificates(&std::fs::read(&path).unwrap());
            entries.into_iter().map(move |entry| (name.clone(), entry))
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}

fn root() -> PathBuf {
    std::env::var_os("POSTERN_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    )
}
