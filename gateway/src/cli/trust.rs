//! `postern trust …`: certificates that others are judged by.

use std::path::{Path, PathBuf};

use certstore::certificate::{Certificate, Fingerprint, read_certificates};
use certstore::lookup::add_anchor;
use certstore::trust::{Anchor, AnchorScope, RevocationMode, mozilla_mail_roots};
use serde_json::{Value, json};

use super::arguments::{Revocation, TrustCommand};
use super::opened::{self, Opened};
use super::output::{Output, time};
use super::trouble::{Trouble, say};
use crate::config::expand;

pub(super) async fn obey(
    given: Option<&Path>,
    command: TrustCommand,
    output: &Output,
) -> Result<(), Trouble> {
    let opened = opened::store(given).await?;
    match command {
        TrustCommand::Add {
            files,
            domain,
            revocation,
        } => {
            let scope = scope(&domain)?;
            add(
                &opened,
                &read(&files)?,
                &scope,
                revocation.map(mode),
                output,
            )
            .await
        }
        TrustCommand::List => list(&opened, output).await,
        TrustCommand::Remove { sha256 } => remove(&opened, &sha256, output).await,
        TrustCommand::Distrust { sha256, undo } => distrust(&opened, &sha256, undo, output).await,
        TrustCommand::Import { module, folder, .. } => {
            let roots = mozilla(&module, &folder)?;
            add(&opened, &roots, &AnchorScope::Everybody, None, output).await
        }
    }
}

const fn mode(revocation: Revocation) -> RevocationMode {
    match revocation {
        Revocation::Off => RevocationMode::Off,
        Revocation::Soft => RevocationMode::Soft,
        Revocation::Hard => RevocationMode::Hard,
    }
}

fn read(files: &[PathBuf]) -> Result<Vec<Certificate>, Trouble> {
    let mut certificates = Vec::new();
    for file in files {
        for certificate in read_certificates(&opened::read(file)?) {
            let broken = |error| Trouble::data(format!("{}: {error}", file.display()));
            certificates.push(certificate.map_err(broken)?);
        }
    }
    Ok(certificates)
}

/// Those for mail where that is known, else all, and which of both is said.
fn mozilla(module: &Path, folder: &Path) -> Result<Vec<Certificate>, Trouble> {
    if module.is_file() {
        let roots = mozilla_mail_roots(module);
        let roots = roots.map_err(|error| Trouble::unavailable(error.to_string()))?;
        say(&format!(
            "{} roots that Mozilla trusts for mail, from {}",
            roots.len(),
            module.display()
        ));
        return Ok(roots);
    }
    let files = expand(folder);
    if files.is_empty() {
        let (module, folder) = (module.display(), folder.display());
        return Err(Trouble::unavailable(format!(
            "neither {module} (package libnss3) nor roots in {folder} (package ca-certificates) are there"
        )));
    }
    let roots = read(&files)?;
    say(&format!(
        "{} roots from {}; which of them are trusted for mail and which for web servers alone is not known there \
         (install libnss3 to take those for mail alone)",
        roots.len(),
        folder.display()
    ));
    Ok(roots)
}

async fn add(
    opened: &Opened,
    certificates: &[Certificate],
    scope: &AnchorScope,
    revocation: Option<RevocationMode>,
    output: &Output,
) -> Result<(), Trouble> {
    let domains: &[String] = match scope {
        AnchorScope::Domains(domains) => domains,
        AnchorScope::Everybody | AnchorScope::Address(_) => &[],
    };
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for certificate in certificates {
        let (id, subject) = (certificate.sha256().to_string(), certificate.subject());
        let anchor = Anchor {
            certificate: certificate.clone(),
            scope: scope.clone(),
            revocation,
        };
        let added = add_anchor(&opened.store.database, &anchor, opened.clock.now()).await;
        let added = added.map_err(|error| Trouble::unavailable(error.to_string()))?;
        let outcome = if added { "trusted" } else { "trusted already" };
        objects.push(json!({
            "id": id, "subject": subject, "domains": domains, "outcome": outcome,
            "revocation": revocation.map(RevocationMode::as_str),
        }));
        rows.push(vec![id, outcome.to_owned(), subject.to_owned()]);
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
            "not_after": until, "added": time(anchor.added), "revocation": anchor.revocation,
        }));
        rows.push(vec![
            id,
            scope.to_owned(),
            until,
            certificate.subject().to_owned(),
        ]);
    }
    list_distrusted(opened, &mut objects, &mut rows).await?;
    output.list(&objects, &["SHA256", "FOR", "NOT AFTER", "SUBJECT"], &rows);
    Ok(())
}

async fn list_distrusted(
    opened: &Opened,
    objects: &mut Vec<Value>,
    rows: &mut Vec<Vec<String>>,
) -> Result<(), Trouble> {
    let stored = opened.store.database.distrusted().await;
    let stored = stored.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let configured = opened.config.trust.distrust.iter().copied();
    for fingerprint in configured.chain(stored) {
        let id = fingerprint.to_string();
        objects.push(json!({ "id": id, "scope": "nobody" }));
        rows.push(vec![
            id,
            "nobody".to_owned(),
            String::new(),
            "(distrusted)".to_owned(),
        ]);
    }
    Ok(())
}

async fn distrust(
    opened: &Opened,
    sha256: &str,
    undo: bool,
    output: &Output,
) -> Result<(), Trouble> {
    let fingerprint = fingerprint(sha256)?;
    let (database, now) = (&opened.store.database, opened.clock.now());
    let changed = match undo {
        true => database.remove_distrusted(&fingerprint, now).await,
        false => database.add_distrusted(&fingerprint, now).await,
    };
    let changed = changed.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let text = match (undo, changed) {
        (false, true) => "distrusted",
        (false, false) => "distrusted already",
        (true, true) => "no longer distrusted",
        (true, false) => {
            let text = "the store does not distrust it (what the configuration distrusts is changed there)";
            return Err(Trouble::no(text));
        }
    };
    output.print(
        || json!({ "id": fingerprint.to_string(), "outcome": text }),
        || format!("{text}: {fingerprint}"),
    );
    Ok(())
}

fn fingerprint(sha256: &str) -> Result<Fingerprint, Trouble> {
    sha256
        .parse()
        .map_err(|error| Trouble::data(format!("{sha256:?}: {error}")))
}

async fn remove(opened: &Opened, sha256: &str, output: &Output) -> Result<(), Trouble> {
    let fingerprint = fingerprint(sha256)?;
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
