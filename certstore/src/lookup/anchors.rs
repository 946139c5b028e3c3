//! Trust anchors between the database, where their scope is text, and the trust module.

use std::time::SystemTime;

use policy::address::Address;

use crate::database::{Database, DatabaseError};
use crate::trust::{Anchor, AnchorScope, Trust};

const EVERYBODY: &str = "*";

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
    for scope in scope_texts(&anchor.scope) {
        new |= database
            .add_anchor(&anchor.certificate, &scope, now)
            .await?;
    }
    Ok(new)
}

/// What is trusted now: the anchors of the configuration and those in the database.
pub(super) async fn load_trust(
    database: &Database,
    configured: &[Anchor],
) -> Result<Trust, DatabaseError> {
    let mut anchors = configured.to_vec();
    for stored in database.anchors().await? {
        anchors.push(Anchor {
            scope: parse_scope(&stored.scope)?,
            certificate: stored.certificate,
        });
    }
    Ok(Trust::new(anchors, database.intermediates().await?))
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
