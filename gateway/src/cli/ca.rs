//! `postern ca …`: the built-in certification authority.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certstore::certificate::Certificate;
use certstore::issue::{Authority, IssueRequest, Issued, KeyAlgorithm, Usage};
use certstore::lookup::add_anchor;
use certstore::trust::{Anchor, AnchorScope, RevocationMode};
use policy::address::Address;
use serde_json::json;

use super::arguments::CaCommand;
use super::opened::{self, Opened};
use super::output::{Output, time};
use super::trouble::Trouble;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long the authority is valid.
const AUTHORITY_DAYS: u32 = 3650;
/// How long a user's certificate is valid: the most that the S/MIME baseline requirements allow is 825 days.
const USER_DAYS: u32 = 730;

pub(super) async fn obey(
    given: Option<&Path>,
    command: CaCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    match command {
        CaCommand::Init { subject, algorithm } => {
            let scope = AnchorScope::Domains(opened.config.internal_domains.clone());
            let certificate = init(&opened, &subject, algorithm.into(), scope).await?;
            let id = certificate.sha256().to_string();
            let pem = pem(&certificate);
            output.print(
                || json!({ "id": id, "subject": certificate.subject(), "pem": pem }),
                || pem.trim_end().to_owned(),
            );
            Ok(())
        }
        CaCommand::Issue {
            address,
            algorithm,
            out,
            passphrase_file,
        } => {
            let key = algorithm.into();
            issue(&opened, &address, key, out, passphrase_file, output).await
        }
    }
}

/// Makes the authority, and trusts it for `scope`.
pub(super) async fn init(
    opened: &Opened,
    subject: &str,
    key: KeyAlgorithm,
    scope: AnchorScope,
) -> Result<Certificate, Trouble> {
    if authority(opened).await?.is_some() {
        return Err(Trouble::cannot_create(
            "there is an authority already; it is never overwritten",
        ));
    }
    let now = opened.clock.now();
    let made = Authority::create(subject, key, DAY * AUTHORITY_DAYS, now);
    let made = made.map_err(|error| Trouble::data(error.to_string()))?;
    let (certificate, pkcs8) = made;
    let stored = opened
        .store
        .vault
        .store_authority(&certificate, &pkcs8)
        .await;
    stored.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let anchor = Anchor {
        certificate: certificate.clone(),
        scope,
        // It publishes no CRL; what it issued is known here.
        revocation: Some(RevocationMode::Off),
    };
    let trusted = add_anchor(&opened.store.database, &anchor, now).await;
    trusted.map_err(|error| Trouble::unavailable(error.to_string()))?;
    Ok(certificate)
}

/// The authority, if one was made.
pub(super) async fn authority(opened: &Opened) -> Result<Option<Authority>, Trouble> {
    let signer = opened.store.vault.authority().await;
    let signer = signer.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let authority = signer.map(Authority::new).transpose();
    authority.map_err(|error| Trouble::unavailable(error.to_string()))
}

/// Issues one certificate for all that its key can do.
pub(super) fn issue_to(
    opened: &Opened,
    authority: &Authority,
    address: &Address,
    key: KeyAlgorithm,
) -> Result<Issued, Trouble> {
    let request = IssueRequest {
        address: address.clone(),
        common_name: None,
        key,
        usage: Usage::Both,
        validity: DAY * USER_DAYS,
    };
    let issued = authority.issue(&request, opened.clock.now());
    issued.map_err(|error| Trouble::data(error.to_string()))
}

async fn issue(
    opened: &Opened,
    address: &str,
    key: KeyAlgorithm,
    out: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    output: &Output,
) -> Result<(), Trouble> {
    let owner = opened::address(address)?;
    let Some(authority) = authority(opened).await? else {
        return Err(Trouble::no(
            "there is no authority yet: run `postern ca init`",
        ));
    };
    let (certificate, pkcs8) = issue_to(opened, &authority, &owner, key)?;
    let kept = opened
        .store
        .vault
        .keep_issued(&owner, &certificate, &pkcs8)
        .await;
    kept.map_err(|error| Trouble::unavailable(error.to_string()))?;
    if let Some(out) = &out {
        let passphrase = opened::passphrase(passphrase_file.as_deref())?;
        export(opened, &owner, &certificate, out, &passphrase).await?;
    }
    let (id, until) = (
        certificate.sha256().to_string(),
        time(certificate.not_after()),
    );
    output.print(
        || json!({ "id": id, "owner": owner.as_str(), "serial": certificate.serial(), "not_after": until }),
        || format!("issued to {owner}: {id}, until {until}"),
    );
    Ok(())
}

/// Writes key and certificate to a new file that its owner alone can read.
async fn export(
    opened: &Opened,
    owner: &Address,
    certificate: &Certificate,
    out: &Path,
    passphrase: &str,
) -> Result<(), Trouble> {
    let (vault, fingerprint) = (&opened.store.vault, certificate.sha256());
    let lost = |error: certstore::vault::ExportError| Trouble::unavailable(error.to_string());
    if out
        .extension()
        .is_some_and(|extension| extension == "p12" || extension == "pfx")
    {
        let file = vault
            .export_pkcs12(owner, &fingerprint, passphrase)
            .await
            .map_err(lost)?;
        write_private(out, &file)
    } else {
        let file = vault.export_pem(owner, &fingerprint).await.map_err(lost)?;
        write_private(out, file.as_bytes())
    }
}

/// Writes a new file with mode 0600; an existing one is left alone.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| Trouble::cannot_create(format!("{}: {error}", path.display())))
}

/// A certificate as PEM.
pub(super) fn pem(certificate: &Certificate) -> String {
    encodify::pem::STANDARD.encode("CERTIFICATE", certificate.der())
}
