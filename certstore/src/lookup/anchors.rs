//! What is trusted: what the configuration says and what the database holds, put together. Scopes and modes are text in
//! the database.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use policy::address::Address;

use crate::certificate::Fingerprint;
use crate::database::{Database, DatabaseError};
use crate::trust::{
    Anchor, AnchorScope, Evidence, RevocationMode, RevocationPolicy, Trust, TrustParts,
};

const EVERYBODY: &str = "*";

/// What the configuration says about trust.
#[derive(Debug, Clone, Default)]
pub struct TrustSettings {
    /// Anchors, beside those in the database.
    pub anchors: Vec<Anchor>,
    /// Certificates that nobody shall believe, beside those in the database.
    pub distrusted: HashSet<Fingerprint>,
    /// How revocation is looked at.
    pub revocation: RevocationPolicy,
    /// Whether unknown issuers are fetched.
    pub fetch_issuers: bool,
}

impl From<Vec<Anchor>> for TrustSettings {
    fn from(anchors: Vec<Anchor>) -> Self {
        Self {
            anchors,
            ..Self::default()
        }
    }
}

/// Keeps an anchor that an operator added. False if it is there already.
///
/// # Errors
/// [`DatabaseError`].
pub async fn add_anchor(
    database: &Database,
    anchor: &Anchor,
    now: SystemTime,
) -> Result<bool, DatabaseError> {
    let mut new = false;
    let mode = anchor.revocation.map(RevocationMode::as_str);
    for scope in scope_texts(&anchor.scope) {
        new |= database
            .add_anchor(&anchor.certificate, &scope, mode, now)
            .await?;
    }
    Ok(new)
}

/// What is trusted now: what the configuration says and what the database holds.
pub(super) async fn load_trust(
    database: &Database,
    settings: &TrustSettings,
    evidence: &Arc<Evidence>,
) -> Result<Trust, DatabaseError> {
    let mut anchors = settings.anchors.clone();
    for stored in database.anchors().await? {
        anchors.push(Anchor {
            scope: parse_scope(&stored.scope)?,
            certificate: stored.certificate,
            revocation: stored.revocation.as_deref().and_then(RevocationMode::parse),
        });
    }
    let mut distrusted = settings.distrusted.clone();
    distrusted.extend(database.distrusted().await?);
    Ok(Trust::of(TrustParts {
        anchors,
        intermediates: database.intermediates().await?,
        distrusted,
        revocation: settings.revocation,
        fetch_issuers: settings.fetch_issuers,
        evidence: Arc::clone(evidence),
    }))
}

fn scope_texts(scope: &AnchorScope) -> Vec<String> {
    match scope {
        AnchorScope::Everybody => vec![EVERYBODY.to_owned()],
        AnchorScope::Domains(domains) => domains
            .iter()
            .map(|domain| format!("@{}", domain.to_ascii_lowercase()))
            .collect(),
        AnchorScope::Address(address) => vec![address.canonical().to_owned()],
    }
}

fn parse_scope(text: &str) -> Result<AnchorScope, DatabaseError> {
    if text == EVERYBODY {
        return Ok(AnchorScope::Everybody);
    }
    if let Some(domain) = text.strip_prefix('@') {
        return Ok(AnchorScope::Domains(vec![domain.to_owned()]));
    }
    Address::parse(text)
        .map(AnchorScope::Address)
        .map_err(|_| DatabaseError::Damaged(format!("an anchor for {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_the_database() {
        let domains = |names: &[&str]| {
            AnchorScope::Domains(names.iter().map(|name| (*name).to_owned()).collect())
        };
        let address = Address::parse("a@b.example").unwrap();
        for (scope, expected) in [
            (AnchorScope::Everybody, vec![AnchorScope::Everybody]),
            (
                domains(&["a.example", "B.example"]),
                vec![domains(&["a.example"]), domains(&["b.example"])],
            ),
            (
                AnchorScope::Address(address.clone()),
                vec![AnchorScope::Address(address)],
            ),
        ] {
            let texts = scope_texts(&scope);
            let parsed: Vec<_> = texts
                .iter()
                .map(|text| parse_scope(text).unwrap())
                .collect();
            assert_eq!(parsed, expected);
        }
        assert!(parse_scope("").is_err());
    }
}
