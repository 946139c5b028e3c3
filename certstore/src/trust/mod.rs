//! Trust: whether a certificate speaks for an address, for a purpose, at a time, under what the operator trusts.
//!
//! A [`TrustedCertificate`] can only come from here. Revocation is not part of it.

mod anchor;
mod distrust;
mod path;
mod search;
mod signature;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use moka::sync::Cache;
use policy::address::Address;

use crate::certificate::{Certificate, Fingerprint, Purpose};
use path::PathValidator;
use search::{ByName, Search};

pub use anchor::{Anchor, AnchorScope};
pub use distrust::{Distrust, PathProblem, Weakness};

/// How many validated paths one snapshot remembers.
const REMEMBERED_PATHS: u64 = 10_000;

/// A certificate that was found to speak for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCertificate {
    certificate: Certificate,
    authorities: Arc<[Certificate]>,
    address: Address,
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

    /// The address that it was found to speak for.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// What an operator trusts at one moment; never changes, is shared in an [`Arc`] and replaced as a whole.
pub struct Trust {
    anchors: HashMap<Fingerprint, Vec<Anchor>>,
    roots: ByName,
    intermediates: ByName,
    validator: PathValidator,
    /// The certificates above one whose path was valid. Dates and scope are checked again each time.
    remembered: Cache<Fingerprint, Arc<[Certificate]>>,
}

impl Trust {
    /// A snapshot of `anchors`, and of CAs that help to find the way to them without being trusted themselves.
    #[must_use]
    pub fn new(anchors: Vec<Anchor>, intermediates: Vec<Certificate>) -> Self {
        let roots = anchors.iter().filter(|anchor| anchor.may_issue());
        let roots = ByName::new(roots.map(|anchor| anchor.certificate.clone()));
        let mut by_fingerprint: HashMap<_, Vec<Anchor>> = HashMap::new();
        for anchor in anchors {
            let fingerprint = anchor.certificate.sha256();
            by_fingerprint.entry(fingerprint).or_default().push(anchor);
        }
        Self {
            anchors: by_fingerprint,
            roots,
            intermediates: ByName::new(intermediates.into_iter().filter(Certificate::is_ca)),
            validator: PathValidator::new(),
            remembered: Cache::new(REMEMBERED_PATHS),
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
        let authorities = self.authorities(certificate, extra, address, at)?;
        check_name_constraints(&authorities, address)?;
        Ok(TrustedCertificate {
            certificate: certificate.clone(),
            authorities,
            address: address.clone(),
        })
    }

    fn authorities(
        &self,
        certificate: &Certificate,
        extra: &[Certificate],
        address: &Address,
        at: SystemTime,
    ) -> Result<Arc<[Certificate]>, Distrust> {
        if self.is_anchor_for(certificate, address) {
            return Ok(Arc::from([]));
        }
        if let Some(known) = self.remembered_authorities(certificate, address, at) {
            return Ok(known);
        }
        let path = Search::new(self, extra, address, at).run(certificate)?;
        let authorities: Arc<[Certificate]> = path.into_iter().skip(1).collect();
        self.remembered
            .insert(certificate.sha256(), Arc::clone(&authorities));
        Ok(authorities)
    }

    fn remembered_authorities(
        &self,
        certificate: &Certificate,
        address: &Address,
        at: SystemTime,
    ) -> Option<Arc<[Certificate]>> {
        let known = self.remembered.get(&certificate.sha256())?;
        let is_in_time = known.iter().all(|ca| path::check_dates(ca, at).is_ok());
        let is_in_scope = known.last().is_some_and(|a| self.is_anchor_for(a, address));
        (is_in_time && is_in_scope).then_some(known)
    }

    fn is_anchor_for(&self, certificate: &Certificate, address: &Address) -> bool {
        self.anchors
            .get(&certificate.sha256())
            .is_some_and(|anchors| anchors.iter().any(|anchor| anchor.scope.admits(address)))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} anchors)", self.anchors.len())
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
