//! `postern store …`: everything of the store in one sealed file, and back.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use certstore::archive::{self, ArchiveError, ArchiveKey};
use certstore::database::TransferError;
use serde_json::json;

use super::arguments::StoreCommand;
use super::opened::{self, Opened};
use super::output::Output;
use super::trouble::Trouble;

pub(super) async fn obey(
    given: Option<&Path>,
    command: StoreCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    let (file, passphrase_file) = match &command {
        StoreCommand::Export {
            file,
            passphrase_file,
        }
        | StoreCommand::Import {
            file,
            passphrase_file,
        } => (file, passphrase_file.as_deref()),
    };
    let passphrase = opened::passphrase(passphrase_file)?;
    if passphrase_file.is_some() && passphrase.is_empty() {
        return Err(Trouble::data("the passphrase is empty"));
    }
    let rows = match &command {
        StoreCommand::Export { .. } => {
            let under = match passphrase_file {
                Some(_) => ArchiveKey::Passphrase(&passphrase),
                None => ArchiveKey::Vault,
            };
            export(&opened, under, file).await?
        }
        StoreCommand::Import { .. } => import(&opened, &passphrase, file).await?,
    };
    let done = match command {
        StoreCommand::Export { .. } => "exported",
        StoreCommand::Import { .. } => "imported",
    };
    output.print(
        || json!({ "id": file.display().to_string(), "outcome": done, "rows": rows }),
        || format!("{done}: {rows} rows"),
    );
    Ok(())
}

/// Writes a file that was not there before; a broken one does not stay.
async fn export(opened: &Opened, under: ArchiveKey<'_>, path: &Path) -> Result<u64, Trouble> {
    let failed =
        |error| Trouble::cannot_create(format!("{} cannot be written: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let file = options.open(path).map_err(failed)?;
    let store = &opened.store;
    let to = BufWriter::new(&file);
    let exported = archive::export(&store.database, &store.vault_key, under, to).await;
    let exported = match exported {
        Ok(rows) => file.sync_all().map(|()| rows).map_err(failed),
        Err(error) => Err(trouble(path, &error)),
    };
    if exported.is_err() {
        // What is half written helps nobody; that it cannot be removed changes nothing about the error.
        let _left = fs::remove_file(path);
    }
    exported
}

async fn import(opened: &Opened, passphrase: &str, path: &Path) -> Result<u64, Trouble> {
    let file = File::open(path)
        .map_err(|error| Trouble::data(format!("{} cannot be read: {error}", path.display())))?;
    let store = &opened.store;
    let from = BufReader::new(file);
    archive::import(&store.database, &store.vault_key, passphrase, from)
        .await
        .map_err(|error| trouble(path, &error))
}

fn trouble(path: &Path, error: &ArchiveError) -> Trouble {
    let text = format!("{}: {error}", path.display());
    match error {
        ArchiveError::Transfer(TransferError::Database(_)) | ArchiveError::Seal(_) => {
            Trouble::unavailable(text)
        }
        ArchiveError::Transfer(_)
        | ArchiveError::File(_)
        | ArchiveError::NoArchive
        | ArchiveError::Closed(_)
        | ArchiveError::OtherVaultKey => Trouble::data(text),
    }
}
