//! Whose certificates are shown: those of our users, whose keys are here.

use std::sync::Arc;

use certstore::certificate::{Certificate, Purpose};
use certstore::clock::Clock;
use certstore::database::{Database, DatabaseError, KeyEntry, KeyPurpose, KeyState};
use policy::address::Address;

/// Most certificates that are shown of one address: the newest.
const PER_PERSON: usize = 8;

/// Our users, seen from outside.
#[derive(Debug, Clone)]
pub struct People {
    database: Database,
    domains: Vec<String>,
    clock: Arc<dyn Clock>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The address.
    pub address: Address,
    /// What mail to it can be encrypted to, the newest first; never empty.
    pub certificates: Vec<Certificate>,
}

impl People {
    /// Those of `domains`, in canonical form.
    #[must_use]
    pub fn new(database: Database, domains: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            database,
            domains,
            clock,
        }
    }

    /// The one with this address, if there is one to be shown.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn find(&self, address: &Address) -> Result<Option<Person>, DatabaseError> {
        if !self.is_ours(address) {
            return Ok(None);
        }
        let entries = self.database.key_entries(Some(address)).await?;
        let certificates = entries
            .into_iter()
            .filter_map(|entry| self.shown(entry, address));
        let certificates: Vec<_> = certificates.take(PER_PERSON).collect();
        Ok((!certificates.is_empty()).then(|| Person {
            address: address.clone(),
            certificates,
        }))
    }

    /// All of them, in the order of their addresses.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn all(&self) -> Result<Vec<Person>, DatabaseError> {
        let mut people: Vec<Person> = Vec::new();
        for entry in self.database.key_entries(None).await? {
            let Ok(address) = Address::parse(&entry.owner) else {
                continue;
            };
            if !self.is_ours(&address) {
                continue;
            }
            let Some(certificate) = self.shown(entry, &address) else {
                continue;
            };
            match people.last_mut() {
                Some(person) if person.address == address => {
                    if person.certificates.len() < PER_PERSON {
                        person.certificates.push(certificate);
                    }
                }
                _ => people.push(Person {
                    address,
                    certificates: vec![certificate],
                }),
            }
        }
        Ok(people)
    }

    fn is_ours(&self, address: &Address) -> bool {
        self.domains.iter().any(|domain| domain == address.domain())
    }

    /// The certificate, if others may encrypt to it now.
    fn shown(&self, entry: KeyEntry, address: &Address) -> Option<Certificate> {
        let certificate = entry.certificate;
        let now = self.clock.now();
        let is_shown = entry.state == KeyState::Active
            && entry.purpose != KeyPurpose::Signing
            && certificate.addresses().contains(address)
            && certificate.allows(Purpose::Encryption).is_ok()
            && (certificate.not_before()..=certificate.not_after()).contains(&now);
        is_shown.then_some(certificate)
    }
}
