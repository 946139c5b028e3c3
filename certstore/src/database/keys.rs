//! Private keys, sealed, with the certificate that each belongs to and the address that owns it.

use std::time::SystemTime;

use policy::address::Address;

use super::changes::{ChangeKind, forget_old, note};
use super::{CertificateSource, Database, DatabaseError, Transaction, certificates, seconds, time};
use crate::certificate::Certificate;
use crate::cms::RecipientId;

/// What a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Its owner's mail is signed with it.
    Signing,
    /// Others encrypt to its certificate.
    Encryption,
    /// Both.
    Both,
}

/// How a key came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOrigin {
    /// From a PKCS#12 or PEM file.
    Imported,
    /// Made here, for a certificate from our own certification authority.
    Issued,
    /// Made here, for a certificate from another authority.
    Generated,
}

/// What may be done with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Everything that its purpose says.
    Active,
    /// It decrypts old mail, nothing else.
    Retired,
    /// Nothing.
    Withdrawn,
}

impl KeyPurpose {
    /// Its name in tables and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Encryption => "encryption",
            Self::Both => "both",
        }
    }

    fn parse(text: &str) -> Result<Self, DatabaseError> {
        [Self::Signing, Self::Encryption, Self::Both]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or_else(|| DatabaseError::Damaged(format!("a key for {text:?}")))
    }
}

impl KeyOrigin {
    /// Its name in tables and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Issued => "issued",
            Self::Generated => "generated",
        }
    }

    fn parse(text: &str) -> Result<Self, DatabaseError> {
        [Self::Imported, Self::Issued, Self::Generated]
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| DatabaseError::Damaged(format!("a key that was {text:?}")))
    }

    const fn certificate_source(self) -> CertificateSource {
        match self {
            Self::Imported | Self::Generated => CertificateSource::Imported,
            Self::Issued => CertificateSource::Issued,
        }
    }
}

impl KeyState {
    /// Its name in tables and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn parse(text: &str) -> Result<Self, DatabaseError> {
        [Self::Active, Self::Retired, Self::Withdrawn]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| DatabaseError::Damaged(format!("a key that is {text:?}")))
    }
}

/// A key to be stored.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Whose it is.
    pub owner: &'a Address,
    /// The certificate that belongs to it.
    pub certificate: &'a Certificate,
    /// What it is used for.
    pub purpose: KeyPurpose,
    /// How it came here.
    pub origin: KeyOrigin,
    /// PKCS#8, sealed.
    pub sealed: Vec<u8>,
}

/// What is known of a stored key without opening it.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// Its number in the database.
    pub id: i64,
    /// The canonical address that owns it.
    pub owner: String,
    /// The certificate that belongs to it.
    pub certificate: Certificate,
    /// What it is used for.
    pub purpose: KeyPurpose,
    /// How it came here.
    pub origin: KeyOrigin,
    /// What may be done with it.
    pub state: KeyState,
    /// When it came.
    pub added: SystemTime,
}

/// A stored key, sealed.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// What is known of it.
    pub entry: KeyEntry,
    /// PKCS#8, sealed.
    pub sealed: Vec<u8>,
}

impl Database {
    /// Adds keys with their certificates, and `others` that came with them; all or none. A key that its owner has
    /// already is left as it is. Returns for each key whether it is new.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_keys(
        &self,
        keys: &[NewKey<'_>],
        others: &[Certificate],
        now: SystemTime,
    ) -> Result<Vec<bool>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let mut new = Vec::with_capacity(keys.len());
        for key in keys {
            new.push(add(&mut transaction, key, now).await?);
        }
        for other in others {
            certificates::add(&mut transaction, other, CertificateSource::Imported, now).await?;
        }
        forget_old(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// All keys of an address, sealed; those with the newest certificates first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn keys_of(&self, owner: &Address) -> Result<Vec<StoredKey>, DatabaseError> {
        let rows: Vec<SealedRow> = sqlx::query_as(
            "SELECT id, owner, der, purpose, origin, state, private_key.added, sealed \
             FROM private_key JOIN certificate ON sha256 = certificate \
             WHERE owner = $1 ORDER BY not_before DESC, not_after DESC, sha256",
        )
        .bind(owner.canonical())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(id, owner, der, purpose, origin, state, added, sealed)| {
                let entry = read((id, owner, der, purpose, origin, state, added))?;
                Ok(StoredKey { entry, sealed })
            })
            .collect()
    }

    /// What is known of the keys of one owner, or of all, in the order of owners, newest certificates first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn key_entries(
        &self,
        owner: Option<&Address>,
    ) -> Result<Vec<KeyEntry>, DatabaseError> {
        const ALL: &str = "SELECT id, owner, der, purpose, origin, state, private_key.added \
             FROM private_key JOIN certificate ON sha256 = certificate \
             ORDER BY owner, not_before DESC, sha256";
        const OF_ONE: &str = "SELECT id, owner, der, purpose, origin, state, private_key.added \
             FROM private_key JOIN certificate ON sha256 = certificate \
             WHERE owner = $1 ORDER BY not_before DESC, sha256";
        let query = match owner {
            Some(owner) => sqlx::query_as(OF_ONE).bind(owner.canonical()),
            None => sqlx::query_as(ALL),
        };
        let rows: Vec<Row> = query.fetch_all(&self.pool).await?;
        rows.into_iter().map(read).collect()
    }

    /// The canonical addresses of those who own a key that a RecipientInfo names.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn owners_named_by(
        &self,
        recipient: &RecipientId,
    ) -> Result<Vec<String>, DatabaseError> {
        const BY_SERIAL: &str = "SELECT DISTINCT owner FROM certificate \
             JOIN private_key ON certificate = sha256 \
             WHERE issuer = $1 AND serial = $2 ORDER BY owner";
        const BY_KEY_IDENTIFIER: &str = "SELECT DISTINCT owner FROM certificate \
             JOIN private_key ON certificate = sha256 \
             WHERE subject_key_identifier = $1 ORDER BY owner";
        let query = match recipient {
            RecipientId::IssuerAndSerial { issuer, serial } => sqlx::query_scalar(BY_SERIAL)
                .bind(&issuer[..])
                .bind(&serial[..]),
            RecipientId::SubjectKeyIdentifier(identifier) => {
                sqlx::query_scalar(BY_KEY_IDENTIFIER).bind(&identifier[..])
            }
        };
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Sets the state of the key with this number. False if there is none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn set_key_state(
        &self,
        id: i64,
        state: KeyState,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let owner: Option<String> =
            sqlx::query_scalar("UPDATE private_key SET state = $2 WHERE id = $1 RETURNING owner")
                .bind(id)
                .bind(state.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        if let Some(owner) = &owner {
            note(&mut transaction, ChangeKind::Key, owner, now).await?;
        }
        transaction.commit().await?;
        Ok(owner.is_some())
    }
}

async fn add(
    transaction: &mut Transaction,
    key: &NewKey<'_>,
    now: SystemTime,
) -> Result<bool, DatabaseError> {
    let source = key.origin.certificate_source();
    certificates::add(transaction, key.certificate, source, now).await?;
    let written = sqlx::query(
        "INSERT INTO private_key (owner, certificate, purpose, origin, state, sealed, added) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner, certificate) DO NOTHING",
    )
    .bind(key.owner.canonical())
    .bind(&key.certificate.sha256().as_bytes()[..])
    .bind(key.purpose.as_str())
    .bind(key.origin.as_str())
    .bind(KeyState::Active.as_str())
    .bind(&key.sealed[..])
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    let new = written.rows_affected() > 0;
    if new {
        note(transaction, ChangeKind::Key, key.owner.canonical(), now).await?;
    }
    Ok(new)
}

type Row = (i64, String, Vec<u8>, String, String, String, i64);
type SealedRow = (i64, String, Vec<u8>, String, String, String, i64, Vec<u8>);

fn read((id, owner, der, purpose, origin, state, added): Row) -> Result<KeyEntry, DatabaseError> {
    Ok(KeyEntry {
        id,
        owner,
        certificate: certificates::parse(&der)?,
        purpose: KeyPurpose::parse(&purpose)?,
        origin: KeyOrigin::parse(&origin)?,
        state: KeyState::parse(&state)?,
        added: time(added),
    })
}
