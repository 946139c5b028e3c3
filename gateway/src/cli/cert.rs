//! `postern cert …`: other people's certificates.

use std::path::{Path, PathBuf};

use certstore::certificate::{Certificate, CertificateError, Purpose, lint, read_certificates};
use certstore::database::{CertificateSource, DatabaseError, StoredCertificate};
use certstore::lookup::{Explanation, SourceOutcome, SourceReport, add_anchor};
use certstore::trust::{Anchor, AnchorScope};
use policy::address::Address;
use serde_json::{Value, json};

use super::arguments::{CertCommand, PublishCommand};
use super::import;
use super::kept_aside;
use super::opened::{self, Opened};
use super::output::{Output, time};
use super::publish;
use super::trouble::Trouble;

/// Certificates read from the store at once.
const PAGE: u32 = 1000;

pub(super) async fn obey(
    given: Option<&Path>,
    command: CertCommand,
    output: &Output,
) -> Result<(), Trouble> {
    if let CertCommand::Lint { files } = &command {
        return lint_files(files, output);
    }
    let opened = opened::store(given).await?;
    match command {
        CertCommand::Lint { .. } => Ok(()),
        CertCommand::Import { files } => import::import(&opened, &files, output).await,
        CertCommand::List { pending: true } => kept_aside::list(&opened, output).await,
        CertCommand::List { pending: false } => list(&opened, output).await,
        CertCommand::Accept { sha256 } => kept_aside::accept(&opened, &sha256, output).await,
        CertCommand::Reject { sha256 } => kept_aside::reject(&opened, &sha256, output).await,
        CertCommand::Pin { address, file } => pin(&opened, &address, &file, output).await,
        CertCommand::Export { address } => export(&opened, &address, output).await,
        CertCommand::Find { address, explain } => find(&opened, &address, explain, output).await,
        CertCommand::Publish(PublishCommand::Smimea { domain, ttl }) => {
            publish::smimea(&opened, domain.as_deref(), ttl, output).await
        }
    }
}

/// What whoever orders certificates could do better.
pub(super) fn advice(certificate: &Certificate) -> Vec<String> {
    lint(certificate).iter().map(ToString::to_string).collect()
}

/// Prints what the S/MIME Baseline Requirements ask for and the certificates of files lack.
fn lint_files(files: &[PathBuf], output: &Output) -> Result<(), Trouble> {
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for file in files {
        for found in read_certificates(&opened::read(file)?) {
            let broken = |error| Trouble::data(format!("{}: {error}", file.display()));
            let certificate = found.map_err(broken)?;
            let (id, advice) = (certificate.sha256().to_string(), advice(&certificate));
            rows.extend(advice.iter().map(|advice| vec![id.clone(), advice.clone()]));
            objects.push(json!({ "id": id, "subject": certificate.subject(), "advice": advice }));
        }
    }
    output.list(&objects, &["SHA256", "ADVICE"], &rows);
    Ok(())
}

async fn list(opened: &Opened, output: &Output) -> Result<(), Trouble> {
    let mut objects = Vec::new();
    let mut rows = Vec::new();
    for stored in all(opened).await? {
        let certificate = &stored.certificate;
        let id = certificate.sha256().to_string();
        let addresses: Vec<_> = certificate
            .addresses()
            .iter()
            .map(ToString::to_string)
            .collect();
        let (until, source) = (time(certificate.not_after()), stored.source.as_str());
        let mut object = json!({
            "id": id, "subject": certificate.subject(), "issuer": certificate.issuer(),
            "serial": certificate.serial(), "addresses": addresses, "source": source,
            "not_before": time(certificate.not_before()), "not_after": until,
        });
        if stored.source == CertificateSource::Harvested {
            let message_id = kept_aside::message_id(opened, certificate).await?;
            if let Some(fields) = object.as_object_mut() {
                fields.insert("message_id".to_owned(), message_id.into());
            }
        }
        objects.push(object);
        rows.push(vec![
            id,
            source.to_owned(),
            until,
            addresses.join(" "),
            certificate.subject().to_owned(),
        ]);
    }
    output.list(
        &objects,
        &["SHA256", "SOURCE", "NOT AFTER", "ADDRESSES", "SUBJECT"],
        &rows,
    );
    Ok(())
}

/// Every certificate, read page by page.
async fn all(opened: &Opened) -> Result<Vec<StoredCertificate>, Trouble> {
    let mut all: Vec<StoredCertificate> = Vec::new();
    loop {
        let after = all.last().map(|stored| stored.certificate.sha256());
        let page = opened
            .store
            .database
            .certificates(after.as_ref(), PAGE)
            .await;
        let page = page.map_err(|error| Trouble::unavailable(error.to_string()))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Trusts a certificate by itself: it is its address's anchor, and nobody else's.
async fn pin(opened: &Opened, address: &str, file: &Path, output: &Output) -> Result<(), Trouble> {
    let address = opened::address(address)?;
    let found = read_certificates(&opened::read(file)?).into_iter().next();
    let certificate = found.unwrap_or(Err(CertificateError::NoneFound));
    let certificate =
        certificate.map_err(|error| Trouble::data(format!("{}: {error}", file.display())))?;
    if !certificate.addresses().contains(&address) {
        return Err(Trouble::data(format!(
            "the certificate does not name {address}"
        )));
    }
    let (id, subject) = (
        certificate.sha256().to_string(),
        certificate.subject().to_owned(),
    );
    let (database, now) = (&opened.store.database, opened.clock.now());
    let certificates = [certificate];
    let pinned = database.add_certificates(&certificates, CertificateSource::Pinned, now);
    pinned.await.map_err(unavailable)?;
    let [certificate] = certificates;
    let anchor = Anchor {
        certificate,
        scope: AnchorScope::Address(address.clone()),
        revocation: None,
    };
    let added = add_anchor(database, &anchor, now)
        .await
        .map_err(unavailable)?;
    let outcome = if added { "pinned" } else { "pinned already" };
    output.print(
        || json!({ "id": id, "subject": subject, "address": address.as_str(), "outcome": outcome }),
        || format!("{outcome} for {address}: {id}"),
    );
    Ok(())
}

/// What is said when the database does not answer.
pub(super) fn unavailable(error: DatabaseError) -> Trouble {
    Trouble::unavailable(error.to_string())
}

async fn export(opened: &Opened, address: &str, output: &Output) -> Result<(), Trouble> {
    let address = opened::address(address)?;
    let stored = opened
        .store
        .database
        .certificates_of(&address, CertificateSource::ALL)
        .await;
    let stored = stored.map_err(|error| Trouble::unavailable(error.to_string()))?;
    if stored.is_empty() {
        return Err(Trouble::no(format!(
            "no certificate of {address} is stored"
        )));
    }
    let pem = |certificate: &Certificate| {
        encodify::pem::STANDARD.encode("CERTIFICATE", certificate.der())
    };
    let objects: Vec<_> = stored
        .iter()
        .map(|stored| json!({ "id": stored.certificate.sha256().to_string(), "pem": pem(&stored.certificate) }))
        .collect();
    let text: Vec<_> = stored
        .iter()
        .map(|stored| pem(&stored.certificate).trim_end().to_owned())
        .collect();
    output.print(|| Value::Array(objects), || text.join("\n"));
    Ok(())
}

async fn find(
    opened: &Opened,
    address: &str,
    explain: bool,
    output: &Output,
) -> Result<(), Trouble> {
    let address = opened::address(address)?;
    let answer = opened
        .store
        .lookup
        .explain(&address, Purpose::Encryption)
        .await;
    output.print(
        || found_json(&address, &answer),
        || found_text(&answer, explain),
    );
    match answer.selection.chosen {
        Some(_) => Ok(()),
        None => Err(Trouble::no(format!(
            "no certificate of {address} can be used"
        ))),
    }
}

pub(super) fn found_json(address: &Address, answer: &Explanation) -> Value {
    let considered = answer.selection.considered.iter().map(|one| {
        json!({
            "sha256": one.sha256.to_string(), "source": one.source,
            "verdict": one.verdict.to_string(), "reason": one.reason,
        })
    });
    let sources = answer.sources.iter().map(|source| {
        let (outcome, reason) = outcome(source);
        json!({
            "name": source.name, "outcome": outcome, "reason": reason,
            "milliseconds": source.milliseconds,
        })
    });
    let certificate = answer.selection.chosen.as_ref().map(|(trusted, source)| {
        let certificate = trusted.certificate();
        json!({
            "sha256": certificate.sha256().to_string(), "subject": certificate.subject(),
            "source": source, "not_after": time(certificate.not_after()),
        })
    });
    json!({
        "address": address.as_str(), "certificate": certificate,
        "considered": considered.collect::<Vec<_>>(), "sources": sources.collect::<Vec<_>>(),
    })
}

pub(super) fn found_text(answer: &Explanation, explain: bool) -> String {
    let mut lines = Vec::new();
    for one in &answer.selection.considered {
        lines.push(format!(
            "{} {} ({}): {}",
            one.verdict, one.sha256, one.source, one.reason
        ));
        lines.push(format!(
            "    {}, until {}",
            one.subject,
            time(one.not_after)
        ));
    }
    for source in answer.sources.iter().filter(|_| explain) {
        let (outcome, reason) = outcome(source);
        let took = source.milliseconds;
        lines.push(
            format!("source {}: {outcome} in {took} ms {reason}", source.name)
                .trim_end()
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// What a source answered, and why or with what reservation.
fn outcome(report: &SourceReport) -> (&'static str, &str) {
    let reason = match &report.outcome {
        SourceOutcome::Unavailable(reason) => reason,
        SourceOutcome::Found | SourceOutcome::None => &report.note,
    };
    (report.outcome.as_str(), reason)
}
