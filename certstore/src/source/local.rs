//! The certificates in our own database.

use policy::address::Address;

use super::{Answer, Source, SourceFailure};
use crate::database::{CertificateSource, Database};
use crate::selection::Candidate;

/// Those certificates in the database that came here in certain ways.
#[derive(Debug, Clone)]
pub struct StoredCertificates {
    database: Database,
    name: &'static str,
    ways: &'static [CertificateSource],
}

impl StoredCertificates {
    /// Those that an operator brought: imported, issued by our own authority, or pinned.
    #[must_use]
    pub fn local(database: Database) -> Self {
        Self {
            database,
            name: "local",
            ways: &[
                CertificateSource::Imported,
                CertificateSource::Issued,
                CertificateSource::Pinned,
            ],
        }
    }

    /// Those that came with verified signatures.
    #[must_use]
    pub fn harvested(database: Database) -> Self {
        Self {
            database,
            name: "harvested",
            ways: &[CertificateSource::Harvested],
        }
    }
}

impl Source for StoredCertificates {
    fn name(&self) -> &str {
        self.name
    }

    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a> {
        Box::pin(async move {
            let stored = self.database.certificates_of(address, self.ways).await;
            let stored = stored.map_err(|error| SourceFailure(error.to_string()))?;
            let candidates = stored.into_iter().map(|stored| Candidate {
                certificate: stored.certificate,
                source: stored.source.as_str().to_owned(),
            });
            Ok(candidates.collect())
        })
    }
}
