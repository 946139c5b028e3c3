//! Trust anchors that operators added, each with the scope that it holds for.

use std::time::SystemTime;

use super::changes::{ChangeKind, forget_old, note};
use super::{Database, DatabaseError, certificates, seconds, time};
use crate::certificate::{Certificate, Fingerprint};

/// A trust anchor as it is kept.
#[derive(Debug, Clone)]
pub struct StoredAnchor {
    /// The certificate that paths may end at.
    pub certificate: Certificate,
    /// `*` for everybody, `@domain` for the addresses of one domain, or one canonical address.
    pub scope: String,
    /// How much an answer about revocation is insisted on: `off`, `soft` or `hard`; none: as for everybody.
    pub revocation: Option<String>,
    /// When it was added.
    pub added: SystemTime,
}

impl Database {
    /// Adds an anchor for a scope, written as in [`StoredAnchor`], or changes what it says about revocation. False if it
    /// is there already and says the same.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_anchor(
        &self,
        certificate: &Certificate,
        scope: &str,
        revocation: Option<&str>,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let fingerprint = certificate.sha256();
        let mut transaction = self.begin().await?;
        let written = sqlx::query(
            "INSERT INTO anchor (sha256, scope, der, added, revocation) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (sha256, scope) DO UPDATE SET revocation = excluded.revocation \
             WHERE anchor.revocation IS DISTINCT FROM excluded.revocation",
        )
        .bind(&fingerprint.as_bytes()[..])
        .bind(scope)
        .bind(certificate.der())
        .bind(seconds(now))
        .bind(revocation)
        .execute(&mut *transaction)
        .await?;
        let new = written.rows_affected() > 0;
        if new {
            note(
                &mut transaction,
                ChangeKind::Trust,
                &fingerprint.to_string(),
                now,
            )
            .await?;
            forget_old(&mut transaction, now).await?;
        }
        transaction.commit().await?;
        Ok(new)
    }

    /// Removes an anchor with all its scopes. False if there was none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remove_anchor(
        &self,
        fingerprint: &Fingerprint,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query("DELETE FROM anchor WHERE sha256 = $1")
            .bind(&fingerprint.as_bytes()[..])
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            > 0;
        if removed {
            note(
                &mut transaction,
                ChangeKind::Trust,
                &fingerprint.to_string(),
                now,
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(removed)
    }

    /// All anchors, in the order of their fingerprints.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn anchors(&self) -> Result<Vec<StoredAnchor>, DatabaseError> {
        let rows: Vec<(Vec<u8>, String, i64, Option<String>)> = sqlx::query_as(
            "SELECT der, scope, added, revocation FROM anchor ORDER BY sha256, scope",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(der, scope, added, revocation)| {
                Ok(StoredAnchor {
                    certificate: certificates::parse(&der)?,
                    scope,
                    added: time(added),
                    revocation,
                })
            })
            .collect()
    }
}
