//! Certificates that an operator distrusts, by their fingerprints.

use std::time::SystemTime;

use super::changes::{ChangeKind, forget_old, note};
use super::{Database, DatabaseError, seconds};
use crate::certificate::Fingerprint;

impl Database {
    /// Distrusts a certificate, known or not. False if it is distrusted already.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_distrusted(
        &self,
        fingerprint: &Fingerprint,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        self.change_distrusted(
            "INSERT INTO distrusted (sha256, added) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            fingerprint,
            now,
        )
        .await
    }

    /// Takes a certificate off the list. False if it was not on it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remove_distrusted(
        &self,
        fingerprint: &Fingerprint,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        self.change_distrusted(
            "DELETE FROM distrusted WHERE sha256 = $1 AND added <= $2",
            fingerprint,
            now,
        )
        .await
    }

    /// The fingerprints of all, in their order.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn distrusted(&self) -> Result<Vec<Fingerprint>, DatabaseError> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT sha256 FROM distrusted ORDER BY sha256")
                .fetch_all(&self.pool)
                .await?;
        let damaged = || DatabaseError::Damaged("a fingerprint of another length".to_owned());
        rows.into_iter()
            .map(|row| {
                let bytes = row.try_into().map_err(|_| damaged())?;
                Ok(Fingerprint::from_bytes(bytes))
            })
            .collect()
    }

    async fn change_distrusted(
        &self,
        statement: &'static str,
        fingerprint: &Fingerprint,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(statement)
            .bind(&fingerprint.as_bytes()[..])
            .bind(seconds(now))
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            > 0;
        if changed {
            let subject = fingerprint.to_string();
            note(&mut transaction, ChangeKind::Trust, &subject, now).await?;
            forget_old(&mut transaction, now).await?;
        }
        transaction.commit().await?;
        Ok(changed)
    }
}
