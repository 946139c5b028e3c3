//! Trust: whether a certificate speaks for an address, for a purpose, at a time, under what the operator trusts.
//!
//! A [`TrustedCertificate`] can only come from here. Validation is pure computation over an [`Evidence`] store: CRLs,
//! OCSP answers and issuers that it could use and does not find there are noted in [`Notes`]. Whoever may wait lets a
//! [`Gatherer`] fetch them, and validates again.

mod anchor;
mod by_name;
mod distrust;
mod evidence;
mod gather;
mod mozilla;
mod name;
mod path;
mod revocation;
mod search;
mod signature;
mod snapshot;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use policy::address::Address;

use crate::certificate::{Certificate, Purpose};
use snapshot::Snapshot;

pub use anchor::{Anchor, AnchorScope};
pub use distrust::{Distrust, PathProblem, Weakness};
pub use evidence::{Evidence, Wanted};
pub use gather::{Gatherer, Notes};
pub use mozilla::{MozillaError, mozilla_mail_roots};
pub use revocation::crl::{Crl, CrlError};
pub use revocation::{RevocationMode, RevocationOrder, RevocationPolicy};
pub use snapshot::TrustParts;

/// A certificate that was found to speak for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCertificate {
    certificate: Certificate,
    authorities: Arc<[Certificate]>,
    address: Address,
    until: Option<SystemTime>,
}

impl TrustedCertificate {
    /// The certificate itself.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificates above it, its issuer first and the anchor last; empty if it is an anchor itself.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.authorities
    }

    /// Until when what is known about revocation counts; none, if that was not looked at.
    #[must_use]
    pub const fn revocation_known_until(&self) -> Option<SystemTime> {
        self.until
    }

    /// The address that it was found to speak for.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// What an operator trusts at one moment; never changes, and is replaced as a whole. Cloning it is cheap.
#[derive(Clone)]
pub struct Trust {
    snapshot: Arc<Snapshot>,
    notes: Option<Notes>,
}

impl Trust {
    /// A snapshot of `anchors`, and of CAs that help to find the way to them without being trusted themselves, by which
    /// revocation is not looked at.
    #[must_use]
    pub fn new(anchors: Vec<Anchor>, intermediates: Vec<Certificate>) -> Self {
        Self::of(TrustParts {
            anchors,
            intermediates,
            ..TrustParts::default()
        })
    }

    /// A snapshot of all that.
    #[must_use]
    pub fn of(parts: TrustParts) -> Self {
        Self {
            snapshot: Arc::new(Snapshot::new(parts)),
            notes: None,
        }
    }

    /// The same snapshot, whose validations write into `notes` what they would have needed.
    #[must_use]
    pub fn noting(&self, notes: &Notes) -> Self {
        Self {
            snapshot: Arc::clone(&self.snapshot),
            notes: Some(notes.clone()),
        }
    }

    /// Whether `certificate` may be used for `purpose` with `address` at the time `at`. `extra` are certificates that
    /// came with it and may help to find a path.
    ///
    /// # Errors
    /// [`Distrust`]; of several reasons the one that the holder of the certificate can do most about.
    pub fn validate(
        &self,
        certificate: &Certificate,
        extra: &[Certificate],
        purpose: Purpose,
        address: &Address,
        at: SystemTime,
    ) -> Result<TrustedCertificate, Distrust> {
        check_address(certificate, address)?;
        check_purpose(certificate, purpose)?;
        path::check_dates(certificate, at)?;
        path::check_key(certificate)?;
        let (way, wanted) = self.snapshot.way(certificate, extra, address, at);
        if let Some(notes) = &self.notes {
            notes.add(wanted);
        }
        let way = way?;
        check_name_constraints(&way.authorities, address)?;
        Ok(TrustedCertificate {
            certificate: certificate.clone(),
            authorities: way.authorities,
            address: address.clone(),
            until: way.until,
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} anchors)", self.snapshot.anchors.len())
    }
}

fn check_address(certificate: &Certificate, address: &Address) -> Result<(), Distrust> {
    if certificate.addresses().contains(address) {
        return Ok(());
    }
    Err(Distrust::AddressMismatch {
        wanted: address.to_string(),
        named: certificate
            .addresses()
            .iter()
            .map(Address::to_string)
            .collect(),
        odd: certificate.odd_addresses().to_vec(),
    })
}

fn check_purpose(certificate: &Certificate, purpose: Purpose) -> Result<(), Distrust> {
    certificate
        .allows(purpose)
        .map_err(|because| Distrust::WrongUsage {
            subject: certificate.subject().to_owned(),
            because,
        })
}

/// Name constraints on rfc822Name reach a SmtpUTF8Mailbox too (RFC 9598, section 6), which certval does not compare:
/// such an address is only believed where nobody above is constrained.
fn check_name_constraints(authorities: &[Certificate], address: &Address) -> Result<(), Distrust> {
    let is_constrained = authorities.iter().any(Certificate::has_name_constraints);
    if is_constrained && !address.canonical().is_ascii() {
        let address = address.to_string();
        return Err(Distrust::Untrusted(PathProblem::UncheckedNameConstraints(
            address,
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
