//! What the configuration says about trust, with the files that it names read.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use certstore::certificate::read_certificates;
use certstore::lookup::{Lookup, TrustSettings};
use certstore::trust::{Anchor, AnchorScope, Crl, RevocationMode};

use super::StoreError;
use crate::config::{TrustConfig, expand};
use crate::observe;

/// How often files are looked at, and what is near its end is fetched.
const INTERVAL: Duration = Duration::from_secs(30);

/// What the configuration says, with its anchors.
///
/// # Errors
/// [`StoreError::AnchorFile`] or [`StoreError::Anchor`].
pub fn settings(trust: &TrustConfig) -> Result<TrustSettings, StoreError> {
    let mut anchors = Vec::new();
    for group in &trust.anchors {
        let scope = match &group.domains {
            None => AnchorScope::Everybody,
            Some(domains) => AnchorScope::Domains(domains.clone()),
        };
        for path in &group.files {
            read_anchors(path, &scope, group.revocation, &mut anchors)?;
        }
    }
    Ok(TrustSettings {
        anchors,
        distrusted: trust.distrust.iter().copied().collect(),
        revocation: trust.revocation,
        fetch_issuers: trust.fetch_issuers,
    })
}

fn read_anchors(
    path: &PathBuf,
    scope: &AnchorScope,
    revocation: Option<RevocationMode>,
    anchors: &mut Vec<Anchor>,
) -> Result<(), StoreError> {
    let bytes = fs::read(path).map_err(|error| StoreError::AnchorFile {
        path: path.clone(),
        error,
    })?;
    for certificate in read_certificates(&bytes) {
        let certificate = certificate.map_err(|error| StoreError::Anchor {
            path: path.clone(),
            error,
        })?;
        anchors.push(Anchor {
            certificate,
            scope: scope.clone(),
            revocation,
        });
    }
    Ok(())
}

/// The CRLs in files.
///
/// # Errors
/// [`StoreError::CrlFile`].
pub fn crls(trust: &TrustConfig) -> Result<Vec<Crl>, StoreError> {
    let files = trust.crls.iter().flat_map(|pattern| expand(pattern));
    files.map(read_crl).collect()
}

fn read_crl(path: PathBuf) -> Result<Crl, StoreError> {
    let read = fs::read(&path).map_err(|error| error.to_string());
    let crl = read.and_then(|bytes| Crl::read(&bytes).map_err(|error| error.to_string()));
    crl.map_err(|reason| StoreError::CrlFile { path, reason })
}

/// Keeps what validation stands on fresh, for ever: CRL files that changed are read again, and what was fetched is
/// fetched again before its end.
pub(super) async fn keep_fresh(trust: TrustConfig, lookup: std::sync::Arc<Lookup>) {
    let mut seen = stamps(&trust);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = stamps(&trust);
        if now != seen {
            // Read on a thread that may block: lists can be large.
            let of = trust.clone();
            match tokio::task::spawn_blocking(move || crls(&of)).await {
                Ok(Ok(crls)) => {
                    observe::crl_files_read(crls.len());
                    lookup.evidence().set_files(crls);
                    lookup.invalidate_all();
                    seen = now;
                }
                // Half written, perhaps: what was read before stays, and it is tried again.
                Ok(Err(error)) => observe::crl_files_unreadable(&error.to_string()),
                Err(panic) => observe::crl_files_unreadable(&panic.to_string()),
            }
        }
        lookup.refresh_evidence().await;
    }
}

/// What tells one state of the files from another.
fn stamps(trust: &TrustConfig) -> Vec<(PathBuf, Option<std::time::SystemTime>, u64)> {
    let files = trust.crls.iter().flat_map(|pattern| expand(pattern));
    files
        .filter_map(|path| {
            let data = fs::metadata(&path).ok()?;
            Some((path, data.modified().ok(), data.len()))
        })
        .collect()
}
