//! `postern trust …`: certificates that others are judged by.

use std::path::{Path, PathBuf};

use certstore::certificate::{Fingerprint, read_certificates};
use certstore::lookup::add_anchor;
use certstore::trust::{Anchor, AnchorScope};
use serde_json::json;

use super::arguments::TrustCommand;
use super::opened::{self, Opened};
use super::output::{Output, time};
use super::trouble::Trouble;

pub(super) async fn obey(
    given: Option<&Path>,
    command: TrustCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    match command {
        TrustCommand::Add { files, domain } => add(&opened, &files, &domain, output).await,
        TrustCommand::List => list(&opened, output).await,
        TrustCommand::Remove { sha256 } => remove(&opened, &sha256, output).await,
    }
}

async fn add(
    opened: &Opened,
    files: &[PathBuf],
    domains: &[String],
    output: &Output,
) -> Result<(), Trouble> {
    let scope = scope(domains)?;
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for file in files {
        for certificate in read_certificates(&opened::read(file)?) {
            let broken = |error| Trouble::data(format!("{}: {error}", file.display()));
            let certificate = certificate.map_err(broken)?;
            let (id, subject) = (
                certificate.sha256().to_string(),
                certificate.subject().to_owned(),
            );
            let anchor = Anchor {
                certificate,
                scope: scope.clone(),
            };
            let added = add_anchor(&opened.store.database, &anchor, opened.clock.now()).await;
            let added = added.map_err(|error| Trouble::unavailable(error.to_string()))?;
            let outcome = if added { "trusted" } else { "trusted already" };
            objects.push(
                json!({ "id": id, "subject": subject, "domains": domains, "outcome": outcome }),
            );
            rows.push(vec![id, outcome.to_owned(), subject]);
        }
    }
    output.list(&objects, &["SHA256", "OUTCOME", "SUBJECT"], &rows);
    Ok(())
}

/// Everybody, or the domains named, in canonical form.
fn scope(domains: &[String]) -> Result<AnchorScope, Trouble> {
    if domains.is_empty() {
        return Ok(AnchorScope::Everybody);
    }
    let canonical = |domain: &String| {
        let address = opened::address(&format!("postmaster@{domain}"))?;
        Ok(address.domain().to_owned())
    };
    Ok(AnchorScope::Domains(
        domains
            .iter()
            .map(canonical)
            .collect::<Result<_, Trouble>>()?,
    ))
}

async fn list(opened: &Opened, output: &Output) -> Result<(), Trouble> {
    let anchors = opened.store.database.anchors().await;
    let anchors = anchors.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for anchor in anchors {
        let certificate = &anchor.certificate;
        let (id, until) = (
            certificate.sha256().to_string(),
            time(certificate.not_after()),
        );
        let scope = if anchor.scope == "*" {
            "everybody"
        } else {
            &anchor.scope
        };
        objects.push(json!({
            "id": id, "subject": certificate.subject(), "scope": scope,
            "not_after": until, "added": time(anchor.added),
        }));
        rows.push(vec![
            id,
            scope.to_owned(),
            until,
            certificate.subject().to_owned(),
        ]);
    }
    output.list(&objects, &["SHA256", "FOR", "NOT AFTER", "SUBJECT"], &rows);
    Ok(())
}

async fn remove(opened: &Opened, sha256: &str, output: &Output) -> Result<(), Trouble> {
    let fingerprint: Fingerprint = sha256
        .parse()
        .map_err(|error| Trouble::data(format!("{sha256:?}: {error}")))?;
    let removed = opened
        .store
        .database
        .remove_anchor(&fingerprint, opened.clock.now())
        .await;
    if removed.map_err(|error| Trouble::unavailable(error.to_string()))? {
        output.print(
            || json!({ "id": fingerprint.to_string() }),
            || format!("no longer trusted: {fingerprint}"),
        );
        Ok(())
    } else {
        let text = "no anchor of the store has this fingerprint (those of the configuration are removed there)";
        Err(Trouble::no(text))
    }
}
