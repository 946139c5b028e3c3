//! `postern cert list --pending`, `accept`, `reject`: certificates from signed mail that wait for an operator.

use certstore::certificate::{Certificate, Fingerprint};
use serde_json::json;

use super::cert::unavailable;
use super::opened::Opened;
use super::output::{Output, time};
use super::trouble::Trouble;

pub(super) async fn list(opened: &Opened, output: &Output) -> Result<(), Trouble> {
    let pending = opened.store.database.pending().await.map_err(unavailable)?;
    let mut objects = Vec::with_capacity(pending.len());
    let mut rows = Vec::with_capacity(pending.len());
    for sighting in pending {
        let certificate = &sighting.certificate;
        let addresses: Vec<_> = certificate
            .addresses()
            .iter()
            .map(ToString::to_string)
            .collect();
        let reason = sighting.pending.unwrap_or_default();
        let id = certificate.sha256().to_string();
        objects.push(json!({
            "id": id, "subject": certificate.subject(), "issuer": certificate.issuer(),
            "addresses": addresses, "reason": reason, "signer": sighting.address,
            "message_id": sighting.message_id, "seen": time(sighting.seen),
            "not_after": time(certificate.not_after()),
        }));
        rows.push(vec![
            id,
            time(sighting.seen),
            certificate.issuer().to_owned(),
            reason,
        ]);
    }
    output.list(&objects, &["SHA256", "SEEN", "ISSUER", "REASON"], &rows);
    Ok(())
}

pub(super) async fn accept(opened: &Opened, sha256: &str, output: &Output) -> Result<(), Trouble> {
    let fingerprint = fingerprint(sha256)?;
    let (database, now) = (&opened.store.database, opened.clock.now());
    let accepted = database
        .accept(&fingerprint, now)
        .await
        .map_err(unavailable)?;
    told(accepted, &fingerprint, "accepted", output)
}

pub(super) async fn reject(opened: &Opened, sha256: &str, output: &Output) -> Result<(), Trouble> {
    let fingerprint = fingerprint(sha256)?;
    let rejected = opened.store.database.reject(&fingerprint).await;
    told(
        rejected.map_err(unavailable)?,
        &fingerprint,
        "rejected",
        output,
    )
}

/// The mail that a harvested certificate came with first.
pub(super) async fn message_id(
    opened: &Opened,
    certificate: &Certificate,
) -> Result<Option<String>, Trouble> {
    let sighting = opened.store.database.sighting(&certificate.sha256()).await;
    Ok(sighting
        .map_err(unavailable)?
        .map(|sighting| sighting.message_id))
}

fn fingerprint(text: &str) -> Result<Fingerprint, Trouble> {
    text.parse()
        .map_err(|error| Trouble::data(format!("{text:?}: {error}")))
}

fn told(
    is_done: bool,
    fingerprint: &Fingerprint,
    outcome: &str,
    output: &Output,
) -> Result<(), Trouble> {
    if !is_done {
        return Err(Trouble::no(format!(
            "no certificate {fingerprint} is kept aside"
        )));
    }
    let id = fingerprint.to_string();
    output.print(
        || json!({ "id": id, "outcome": outcome }),
        || format!("{outcome}: {id}"),
    );
    Ok(())
}
