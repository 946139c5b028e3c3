//! Certification authorities of our own: certificate and sealed key.

use std::time::SystemTime;

use super::changes::{ChangeKind, forget_old, note};
use super::{CertificateSource, Database, DatabaseError, certificates, seconds, time};
use crate::certificate::Certificate;

/// A certification authority of our own.
#[derive(Debug, Clone)]
pub struct StoredAuthority {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key: PKCS#8, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub added: SystemTime,
}

impl Database {
    /// Adds an authority; the newest one issues. False if it is there already.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_authority(
        &self,
        certificate: &Certificate,
        sealed: &[u8],
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let fingerprint = certificate.sha256();
        let mut transaction = self.begin().await?;
        certificates::add(
            &mut transaction,
            certificate,
            CertificateSource::Issued,
            now,
        )
        .await?;
        let written = sqlx::query(
            "INSERT INTO authority (certificate, sealed, added) VALUES ($1, $2, $3) \
             ON CONFLICT (certificate) DO NOTHING",
        )
        .bind(&fingerprint.as_bytes()[..])
        .bind(sealed)
        .bind(seconds(now))
        .execute(&mut *transaction)
        .await?;
        let new = written.rows_affected() > 0;
        if new {
            let subject = fingerprint.to_string();
            note(&mut transaction, ChangeKind::Authority, &subject, now).await?;
            forget_old(&mut transaction, now).await?;
        }
        transaction.commit().await?;
        Ok(new)
    }

    /// All authorities, newest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn authorities(&self) -> Result<Vec<StoredAuthority>, DatabaseError> {
        let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT der, sealed, authority.added FROM authority \
             JOIN certificate ON sha256 = certificate ORDER BY id DESC",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(der, sealed, added)| {
                Ok(StoredAuthority {
                    certificate: certificates::parse(&der)?,
                    sealed,
                    added: time(added),
                })
            })
            .collect()
    }
}
