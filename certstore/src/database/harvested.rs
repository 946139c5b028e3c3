//! Certificates that came with verified signatures: where each was seen, and which are kept aside.
//!
//! Whoever gets a certificate for somebody's address from any authority that we trust could have mail to that address
//! encrypted to a key of his own, just by signing one mail. So a new key for an address that is known already counts at
//! once only if it comes from an issuer that the address had before; else it waits until somebody accepts it.

use std::time::SystemTime;

use policy::address::Address;

use super::changes::forget_old;
use super::{CertificateSource, Database, DatabaseError, Transaction, certificates, seconds, time};
use crate::certificate::{Certificate, Fingerprint};

/// Most certificates that wait; further ones are not kept, and may come again.
const MOST_PENDING: i64 = 10_000;

/// A certificate that somebody's verified signature brought.
#[derive(Debug, Clone)]
pub struct Harvest {
    /// The certificate; it is valid for `address`.
    pub certificate: Certificate,
    /// Who signed.
    pub address: Address,
    /// The certificates above it, the anchor not among them.
    pub chain: Vec<Certificate>,
    /// The Message-ID of the mail.
    pub message_id: String,
}

/// Which new keys of known addresses count at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acceptance {
    /// Those from an issuer that the address has a certificate of already.
    #[default]
    SameIssuer,
    /// All.
    Any,
    /// None.
    None,
}

/// What became of a harvested certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HarvestOutcome {
    /// It counts from now on.
    Added,
    /// It was known, or waits already.
    Known,
    /// It is kept aside.
    Pending,
    /// Too many wait already.
    Dropped,
}

/// Where a harvested certificate was seen first.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The certificate.
    pub certificate: Certificate,
    /// Who signed, as a canonical address.
    pub address: String,
    /// The Message-ID of the mail.
    pub message_id: String,
    /// When it came.
    pub seen: SystemTime,
    /// Why it is kept aside; none: it counts.
    pub pending: Option<String>,
}

impl Database {
    /// Keeps what verified signatures brought, all of it or nothing; says of each what became of it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn harvest(
        &self,
        harvests: &[Harvest],
        acceptance: Acceptance,
        now: SystemTime,
    ) -> Result<Vec<HarvestOutcome>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let mut outcomes = Vec::with_capacity(harvests.len());
        for harvest in harvests {
            outcomes.push(keep(&mut transaction, harvest, acceptance, now).await?);
        }
        forget_old(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }

    /// Whether a certificate is among those that count or wait: there is nothing to do about it.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn is_known(&self, fingerprint: &Fingerprint) -> Result<bool, DatabaseError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM certificate WHERE sha256 = $1) \
             + (SELECT COUNT(*) FROM harvested WHERE sha256 = $1)",
        )
        .bind(&fingerprint.as_bytes()[..])
        .fetch_one(&self.pool)
        .await?;
        Ok(count > 0)
    }

    /// The certificates that are kept aside, oldest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn pending(&self) -> Result<Vec<Sighting>, DatabaseError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT der, address, message_id, seen, pending, reason FROM harvested \
             WHERE pending = 1 ORDER BY seen, sha256",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// Where a harvested certificate was seen first; none if it came otherwise.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn sighting(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Sighting>, DatabaseError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT der, address, message_id, seen, pending, reason FROM harvested WHERE sha256 = $1",
        )
        .bind(&fingerprint.as_bytes()[..])
        .fetch_optional(&self.pool)
        .await?;
        row.map(read).transpose()
    }

    /// Lets a certificate count that is kept aside. False if there is none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn accept(
        &self,
        fingerprint: &Fingerprint,
        now: SystemTime,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let der: Option<Vec<u8>> = sqlx::query_scalar(
            "UPDATE harvested SET pending = 0, reason = '' WHERE sha256 = $1 AND pending = 1 \
             RETURNING der",
        )
        .bind(&fingerprint.as_bytes()[..])
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(der) = &der {
            let certificate = certificates::parse(der)?;
            certificates::add(
                &mut transaction,
                &certificate,
                CertificateSource::Harvested,
                now,
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(der.is_some())
    }

    /// Forgets a certificate that is kept aside; it may come again. False if there is none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn reject(&self, fingerprint: &Fingerprint) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM harvested WHERE sha256 = $1 AND pending = 1")
            .bind(&fingerprint.as_bytes()[..])
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

async fn keep(
    transaction: &mut Transaction,
    harvest: &Harvest,
    acceptance: Acceptance,
    now: SystemTime,
) -> Result<HarvestOutcome, DatabaseError> {
    let objection = objection(transaction, &harvest.certificate, acceptance).await?;
    if objection.is_some() && count_pending(transaction).await? >= MOST_PENDING {
        return Ok(HarvestOutcome::Dropped);
    }
    let written = sqlx::query(
        "INSERT INTO harvested (sha256, der, address, message_id, seen, pending, reason) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (sha256) DO NOTHING",
    )
    .bind(&harvest.certificate.sha256().as_bytes()[..])
    .bind(harvest.certificate.der())
    .bind(harvest.address.canonical())
    .bind(&harvest.message_id)
    .bind(seconds(now))
    .bind(i64::from(objection.is_some()))
    .bind(objection.as_deref().unwrap_or_default())
    .execute(&mut **transaction)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(HarvestOutcome::Known);
    }
    if objection.is_some() {
        return Ok(HarvestOutcome::Pending);
    }
    let source = CertificateSource::Harvested;
    for above in &harvest.chain {
        certificates::add(transaction, above, source, now).await?;
    }
    Ok(
        match certificates::add(transaction, &harvest.certificate, source, now).await? {
            true => HarvestOutcome::Added,
            false => HarvestOutcome::Known,
        },
    )
}

/// Why a certificate does not count at once. It has to be above suspicion for every address that it names.
async fn objection(
    transaction: &mut Transaction,
    certificate: &Certificate,
    acceptance: Acceptance,
) -> Result<Option<String>, DatabaseError> {
    if acceptance == Acceptance::Any {
        return Ok(None);
    }
    for address in certificate.addresses() {
        let known = known(transaction, address).await?;
        let is_allowed = |other: &Certificate| {
            other.spki_der() == certificate.spki_der()
                || acceptance == Acceptance::SameIssuer
                    && other.issuer_der() == certificate.issuer_der()
        };
        if let Some(other) = known.first()
            && !known.iter().any(is_allowed)
        {
            let reason = match acceptance {
                Acceptance::SameIssuer => "has certificates from another issuer, such as",
                Acceptance::None | Acceptance::Any => "has another key already, from",
            };
            return Ok(Some(format!("{address} {reason} {}", other.issuer())));
        }
    }
    Ok(None)
}

/// What is known of an address, newest first.
async fn known(
    transaction: &mut Transaction,
    address: &Address,
) -> Result<Vec<Certificate>, DatabaseError> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT der FROM certificate_address JOIN certificate USING (sha256) \
         WHERE address = $1 ORDER BY not_before DESC, sha256 LIMIT 256",
    )
    .bind(address.canonical())
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(|der| certificates::parse(der)).collect()
}

async fn count_pending(transaction: &mut Transaction) -> Result<i64, DatabaseError> {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM harvested WHERE pending = 1")
        .fetch_one(&mut **transaction)
        .await?;
    Ok(count)
}

type Row = (Vec<u8>, String, String, i64, i64, String);

fn read((der, address, message_id, seen, pending, reason): Row) -> Result<Sighting, DatabaseError> {
    Ok(Sighting {
        certificate: certificates::parse(&der)?,
        address,
        message_id,
        seen: time(seen),
        pending: (pending == 1).then_some(reason),
    })
}
