//! Certificates by fingerprint, by address and by the name of their subject.

use std::time::SystemTime;

use policy::address::Address;
use sqlx::AssertSqlSafe;

use super::changes::{ChangeKind, forget_old, note};
use super::{Database, DatabaseError, Transaction, seconds, time};
use crate::certificate::{Certificate, Fingerprint};

/// Most certificates of one address, or with one subject, that are looked at: the newest ones.
const PER_QUESTION: i64 = 256;
/// Most intermediate certificates that take part in path building: the newest ones.
const INTERMEDIATES: i64 = 10_000;

/// How a certificate came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateSource {
    /// An operator imported it, by itself or with its key.
    Imported,
    /// Our own certification authority issued it.
    Issued,
    /// An operator trusts it by itself, for its address.
    Pinned,
    /// It came with a verified signature.
    Harvested,
}

impl CertificateSource {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Imported, Self::Issued, Self::Pinned, Self::Harvested];

    /// Its name in tables, lists and explanations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Issued => "issued",
            Self::Pinned => "pinned",
            Self::Harvested => "harvested",
        }
    }

    fn parse(text: &str) -> Result<Self, DatabaseError> {
        Self::ALL
            .iter()
            .copied()
            .find(|source| source.as_str() == text)
            .ok_or_else(|| DatabaseError::Damaged(format!("a certificate from {text:?}")))
    }
}

/// A certificate and how it came here.
#[derive(Debug, Clone)]
pub struct StoredCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// How it came here.
    pub source: CertificateSource,
    /// When it came.
    pub added: SystemTime,
}

impl Database {
    /// Adds certificates, all or none; those that are there already stay. One that was only harvested takes over a better
    /// source. Returns how many were new or took one over.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_certificates(
        &self,
        certificates: &[Certificate],
        source: CertificateSource,
        now: SystemTime,
    ) -> Result<usize, DatabaseError> {
        let added = self.add_each(certificates, source, now).await?;
        Ok(added.into_iter().filter(|added| *added).count())
    }

    /// The same, and says of each whether it was new or took a better source over. Many in one call cost a fraction of what
    /// they cost one by one.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn add_each(
        &self,
        certificates: &[Certificate],
        source: CertificateSource,
        now: SystemTime,
    ) -> Result<Vec<bool>, DatabaseError> {
        let mut transaction = self.begin().await?;
        let mut added = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            added.push(add(&mut transaction, certificate, source, now).await?);
        }
        forget_old(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(added)
    }

    /// The certificates of an address that came from one of `sources`, newest first.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn certificates_of(
        &self,
        address: &Address,
        sources: &[CertificateSource],
    ) -> Result<Vec<StoredCertificate>, DatabaseError> {
        // Before the limit, so that a flood of harvested ones does not hide what an operator imported.
        let named: Vec<_> = sources
            .iter()
            .map(|source| format!("'{}'", source.as_str()))
            .collect();
        let query = format!(
            "SELECT der, source, added FROM certificate_address JOIN certificate USING (sha256) \
             WHERE address = $1 AND source IN ({}) ORDER BY not_before DESC, sha256 LIMIT $2",
            named.join(", ")
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(query))
            .bind(address.canonical())
            .bind(PER_QUESTION)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// The certificate with this fingerprint.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn certificate(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<StoredCertificate>, DatabaseError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT der, source, added FROM certificate WHERE sha256 = $1")
                .bind(&fingerprint.as_bytes()[..])
                .fetch_optional(&self.pool)
                .await?;
        row.map(read).transpose()
    }

    /// One page of all certificates in the order of their fingerprints: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn certificates(
        &self,
        after: Option<&Fingerprint>,
        limit: u32,
    ) -> Result<Vec<StoredCertificate>, DatabaseError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT der, source, added FROM certificate WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
        )
        .bind(after.map_or(&[][..], |fingerprint| &fingerprint.as_bytes()[..]))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// The certificates of certification authorities: what paths are built from. Harvested ones, which strangers can
    /// send any number of, come last.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn intermediates(&self) -> Result<Vec<Certificate>, DatabaseError> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT der FROM certificate WHERE is_authority = 1 \
             ORDER BY source = 'harvested', not_before DESC LIMIT $1",
        )
        .bind(INTERMEDIATES)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|der| parse(der)).collect()
    }

    /// The certificates of authorities whose subject is `subject` (DER of the Name); harvested ones last.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn authorities_named(
        &self,
        subject: &[u8],
    ) -> Result<Vec<Certificate>, DatabaseError> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT der FROM certificate WHERE is_authority = 1 AND subject = $1 \
             ORDER BY source = 'harvested', not_before DESC LIMIT $2",
        )
        .bind(subject)
        .bind(PER_QUESTION)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|der| parse(der)).collect()
    }
}

/// Adds one certificate with its addresses, and notes the changes. False if it was there already.
pub(super) async fn add(
    transaction: &mut Transaction,
    certificate: &Certificate,
    source: CertificateSource,
    now: SystemTime,
) -> Result<bool, DatabaseError> {
    let fingerprint = certificate.sha256();
    let written = sqlx::query(
        "INSERT INTO certificate (sha256, der, issuer, serial, subject, subject_key_identifier, \
         is_authority, not_before, not_after, source, added) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (sha256) DO UPDATE SET source = excluded.source \
         WHERE certificate.source = 'harvested' AND excluded.source <> 'harvested'",
    )
    .bind(&fingerprint.as_bytes()[..])
    .bind(certificate.der())
    .bind(certificate.issuer_der())
    .bind(certificate.serial_octets())
    .bind(certificate.subject_der())
    .bind(certificate.subject_key_identifier())
    .bind(i64::from(certificate.is_authority()))
    .bind(seconds(certificate.not_before()))
    .bind(seconds(certificate.not_after()))
    .bind(source.as_str())
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    for address in certificate.addresses() {
        sqlx::query(
            "INSERT INTO certificate_address (address, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(address.canonical())
        .bind(&fingerprint.as_bytes()[..])
        .execute(&mut **transaction)
        .await?;
        note(
            transaction,
            ChangeKind::Certificate,
            address.canonical(),
            now,
        )
        .await?;
    }
    if certificate.is_authority() {
        note(
            transaction,
            ChangeKind::Trust,
            &fingerprint.to_string(),
            now,
        )
        .await?;
    }
    Ok(true)
}

type Row = (Vec<u8>, String, i64);

fn read((der, source, added): Row) -> Result<StoredCertificate, DatabaseError> {
    Ok(StoredCertificate {
        certificate: parse(&der)?,
        source: CertificateSource::parse(&source)?,
        added: time(added),
    })
}

/// A certificate that was parsed before it was stored.
pub(super) fn parse(der: &[u8]) -> Result<Certificate, DatabaseError> {
    Certificate::from_der(der)
        .map_err(|error| DatabaseError::Damaged(format!("a certificate: {error}")))
}
