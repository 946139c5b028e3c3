//! `postern cert publish …`: our users' certificates in the form that others look them up in.

use std::sync::Arc;

use certstore::source::smimea::{owner_name, zone_record};
use policy::address::canonical_domain;
use serde_json::{Value, json};

use super::opened::Opened;
use super::output::Output;
use super::trouble::Trouble;
use crate::publication::People;

/// One record for each certificate, for the zone of its domain.
pub(super) async fn smimea(
    opened: &Opened,
    domain: Option<&str>,
    ttl: u32,
    output: &Output,
) -> Result<(), Trouble> {
    let mut domains = opened.config.internal_domains.clone();
    if let Some(domain) = domain {
        let domain = canonical_domain(domain)
            .map_err(|error| Trouble::data(format!("{domain:?} is no domain: {error}")))?;
        domains.retain(|internal| *internal == domain);
        if domains.is_empty() {
            return Err(Trouble::data(format!(
                "{domain} is not one of internal-domains"
            )));
        }
    }
    let database = opened.store.database.clone();
    let people = People::new(database, domains, Arc::clone(&opened.clock))
        .all()
        .await;
    let people = people.map_err(|error| Trouble::unavailable(error.to_string()))?;
    let mut objects = Vec::new();
    let mut lines = Vec::new();
    for person in people {
        let address = person.address.canonical();
        let owner = owner_name(person.address.local_part(), person.address.domain());
        lines.push(format!("; {address}"));
        for certificate in &person.certificates {
            let record = zone_record(&owner, certificate, ttl);
            objects.push(json!({
                "id": certificate.sha256().to_string(), "address": address, "name": owner, "record": record,
            }));
            lines.push(record);
        }
    }
    output.print(|| Value::Array(objects), || lines.join("\n"));
    Ok(())
}
