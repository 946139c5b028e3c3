//! The sealed check value, by which the vault tells a wrong key from a lost one.

use super::{Database, DatabaseError};

impl Database {
    /// The check value, sealed under the vault key that this database belongs to; none before there was a key.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn vault_check(&self) -> Result<Option<Vec<u8>>, DatabaseError> {
        Ok(sqlx::query_scalar("SELECT sealed FROM vault_check")
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Keeps `sealed` as the check value, unless there is one already; returns the one that counts.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn keep_vault_check(&self, sealed: &[u8]) -> Result<Vec<u8>, DatabaseError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO vault_check (id, sealed) VALUES (1, $1) ON CONFLICT DO NOTHING")
            .bind(sealed)
            .execute(&mut *transaction)
            .await?;
        let kept = sqlx::query_scalar("SELECT sealed FROM vault_check")
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(kept)
    }
}
