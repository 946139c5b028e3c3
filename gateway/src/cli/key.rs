//! `postern key …`: our users' private keys.

use std::path::{Path, PathBuf};

use certstore::vault::ImportOptions;
use serde_json::json;

use super::arguments::{KeyCommand, KeyPurpose};
use super::opened::{self, Opened};
use super::output::{Output, time};
use super::trouble::Trouble;

pub(super) async fn obey(
    given: Option<&Path>,
    command: KeyCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    match command {
        KeyCommand::Import {
            address,
            file,
            passphrase_file,
            purpose,
        } => import(&opened, &address, &file, passphrase_file, purpose, output).await,
        KeyCommand::List => list(&opened, output).await,
    }
}

async fn import(
    opened: &Opened,
    address: &str,
    file: &Path,
    passphrase_file: Option<PathBuf>,
    purpose: Option<KeyPurpose>,
    output: &Output,
) -> Result<(), Trouble> {
    let owner = opened::address(address)?;
    let passphrase = opened::passphrase(passphrase_file.as_deref())?;
    let options = ImportOptions {
        purpose: purpose.map(Into::into),
        ..ImportOptions::default()
    };
    let bytes = opened::read(file)?;
    let keys = opened
        .store
        .vault
        .import(&owner, &bytes, &passphrase, options)
        .await;
    let keys = keys.map_err(|error| Trouble::data(format!("{}: {error}", file.display())))?;
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for key in keys {
        let id = key.certificate.sha256().to_string();
        let outcome = if key.new { "imported" } else { "known already" };
        objects.push(json!({
            "id": id, "owner": owner.as_str(), "subject": key.certificate.subject(), "outcome": outcome,
            "purpose": key.purpose.as_str(), "warnings": key.warnings,
        }));
        let subject = key.certificate.subject().to_owned();
        rows.push(vec![
            id,
            outcome.to_owned(),
            key.purpose.as_str().to_owned(),
            subject,
        ]);
        for warning in key.warnings {
            rows.push(vec![format!("warning: {warning}")]);
        }
    }
    output.list(
        &objects,
        &["SHA256", "OUTCOME", "PURPOSE", "SUBJECT"],
        &rows,
    );
    Ok(())
}

async fn list(opened: &Opened, output: &Output) -> Result<(), Trouble> {
    let keys = opened.store.vault.keys(None).await;
    let keys = keys.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for key in keys {
        let certificate = &key.certificate;
        let id = certificate.sha256().to_string();
        let (purpose, origin, state) = (
            key.purpose.as_str(),
            key.origin.as_str(),
            key.state.as_str(),
        );
        let until = time(certificate.not_after());
        objects.push(json!({
            "id": id, "owner": key.owner, "purpose": purpose, "origin": origin, "state": state,
            "subject": certificate.subject(), "issuer": certificate.issuer(), "serial": certificate.serial(),
            "not_before": time(certificate.not_before()), "not_after": until, "added": time(key.added),
        }));
        rows.push(vec![
            key.owner.clone(),
            purpose.into(),
            state.into(),
            origin.into(),
            until,
            id,
        ]);
    }
    output.list(
        &objects,
        &["OWNER", "PURPOSE", "STATE", "ORIGIN", "NOT AFTER", "SHA256"],
        &rows,
    );
    Ok(())
}

impl From<KeyPurpose> for certstore::database::KeyPurpose {
    fn from(purpose: KeyPurpose) -> Self {
        match purpose {
            KeyPurpose::Signing => Self::Signing,
            KeyPurpose::Encryption => Self::Encryption,
            KeyPurpose::Both => Self::Both,
        }
    }
}
