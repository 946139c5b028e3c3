//! A certificate's status from CRLs (RFC 5280, section 6.3.3): each distribution point in turn, until CRLs have spoken
//! for all reasons of revocation. CRLs of files are asked before those of the web.

use std::sync::Arc;
use std::time::SystemTime;

use x509_cert::ext::pkix::crl::CrlReason;
use x509_cert::ext::pkix::crl::dp::{DistributionPoint, ReasonFlags};

use super::crl::{Crl, CrlError, Revoked};
use super::scope::{all_reasons, reasons_covered};
use super::{DEFAULT_LIFETIME, Fact, Status, Unknown, Wanted, Way};
use crate::certificate::{Certificate, web_addresses};
use crate::trust::name::is_same_name;
use crate::trust::search::Search;

/// More distribution points than this are not looked at.
const MAX_POINTS: usize = 8;
/// More certificates than this are not tried as the signer of a CRL.
const MAX_SIGNERS: usize = 8;

/// One question about one certificate.
pub(super) struct Lists<'s, 'a> {
    search: &'s mut Search<'a>,
    certificate: &'s Certificate,
    issuer: &'s Certificate,
    anchor: &'s Certificate,
    /// The reasons that CRLs have spoken for, and until when.
    covered: ReasonFlags,
    until: Option<SystemTime>,
    problem: Option<Unknown>,
}

impl<'s, 'a> Lists<'s, 'a> {
    pub(super) fn new(
        search: &'s mut Search<'a>,
        certificate: &'s Certificate,
        issuer: &'s Certificate,
        anchor: &'s Certificate,
    ) -> Self {
        Self {
            search,
            certificate,
            issuer,
            anchor,
            covered: ReasonFlags::default(),
            until: None,
            problem: None,
        }
    }

    pub(super) fn status(mut self) -> Way {
        let certificate = self.certificate;
        let points = || certificate.distribution_points().iter().take(MAX_POINTS);
        for point in points().map(Some).chain([None]) {
            let files = self.files();
            if let Some(status) = self.apply_all(&files, point) {
                return Ok(status);
            }
        }
        for point in points() {
            let fetched = self.fetched(point);
            if let Some(status) = self.apply_all(&fetched, Some(point)) {
                return Ok(status);
            }
        }
        Err(self.problem)
    }

    fn files(&self) -> Vec<Arc<Crl>> {
        self.search.evidence().files().to_vec()
    }

    /// What is known of the CRLs at the addresses of `point`; what is not is noted.
    fn fetched(&mut self, point: &DistributionPoint) -> Vec<Arc<Crl>> {
        let urls = web_addresses(point.distribution_point.as_ref());
        let mut crls = Vec::with_capacity(urls.len());
        for url in urls {
            let known = self.search.known(Wanted::Crl { url });
            match &known.fact {
                Some(Fact::Crl(crl)) => crls.push(Arc::clone(crl)),
                _ => self.note(known.problem.as_ref().map(Unknown::from)),
            }
            if known.fact.is_some() {
                // The other addresses of a point give the same CRL.
                break;
            }
        }
        crls
    }

    /// The newest first, so that an older one does not hide what it says.
    fn apply_all(
        &mut self,
        crls: &[Arc<Crl>],
        point: Option<&DistributionPoint>,
    ) -> Option<Status> {
        let mut complete: Vec<&Arc<Crl>> = crls.iter().filter(|crl| !crl.is_delta()).collect();
        complete.sort_by_key(|crl| std::cmp::Reverse(crl.this_update));
        for crl in complete {
            let Some(reasons) = reasons_covered(crl, self.certificate, point) else {
                continue;
            };
            if (reasons - self.covered).is_empty() {
                continue;
            }
            match self.ask(crl, point) {
                Err(unknown) => self.note(Some(unknown)),
                Ok(Some(revoked)) => {
                    return Some(Status::Revoked {
                        on: revoked.on,
                        reason: revoked.reason,
                    });
                }
                Ok(None) => {
                    self.covered |= reasons;
                    let end = end(crl);
                    self.until = Some(self.until.map_or(end, |until| until.min(end)));
                }
            }
            if let Some(until) = self.until.filter(|_| self.covered == all_reasons()) {
                return Some(Status::Good { until });
            }
        }
        None
    }

    /// What one CRL, with its delta CRL if there is one, says.
    fn ask(
        &mut self,
        crl: &Crl,
        point: Option<&DistributionPoint>,
    ) -> Result<Option<Revoked>, Unknown> {
        self.search
            .check_time("its CRL", crl.this_update, end(crl))?;
        let signer = self.signer(crl).ok_or_else(|| {
            Unknown::lasting("its CRL is not signed by an authority that may sign it")
        })?;
        let delta = self.delta(crl, point, &signer);
        let entry = |crl: &Crl| {
            let (serial, issuer) = (
                self.certificate.serial_octets(),
                self.certificate.issuer_der(),
            );
            crl.entry(serial, issuer, is_same_name)
                .map_err(|error: CrlError| Unknown::lasting(error.to_string()))
        };
        match delta.map(|delta| entry(&delta)).transpose()?.flatten() {
            Some(change) if change.reason == Some(CrlReason::RemoveFromCRL) => Ok(None),
            Some(revoked) => Ok(Some(revoked)),
            None => entry(crl),
        }
    }

    /// The newest delta CRL that changes `crl` (step c).
    fn delta(
        &mut self,
        crl: &Crl,
        point: Option<&DistributionPoint>,
        signer: &Certificate,
    ) -> Option<Arc<Crl>> {
        let mut deltas = self.files();
        let freshest = [self.certificate.freshest_crl(), &crl.extensions.freshest].concat();
        for freshest_point in freshest.iter().take(MAX_POINTS) {
            deltas.extend(self.fetched(freshest_point));
        }
        deltas.retain(|delta| {
            changes(delta, crl)
                && reasons_covered(delta, self.certificate, point).is_some()
                && self
                    .search
                    .check_time("its delta CRL", delta.this_update, end(delta))
                    .is_ok()
                && self.search.evidence().is_signed(delta, signer)
        });
        deltas.into_iter().max_by_key(|delta| delta.this_update)
    }

    /// Whose key signed `crl`: the issuer of the certificate, or another authority under the same anchor (steps f, g).
    fn signer(&mut self, crl: &Crl) -> Option<Certificate> {
        let is_signer = |search: &Search<'_>, authority: &Certificate| {
            let may_sign = authority.key_usage().is_none_or(|usage| usage.crl_sign());
            may_sign
                && is_same_name(authority.subject_der(), crl.issuer_der())
                && search.evidence().is_signed(crl, authority)
        };
        if is_signer(self.search, self.issuer) {
            return Some(self.issuer.clone());
        }
        let others = self.search.authorities_named(crl.issuer_der());
        others
            .into_iter()
            .take(MAX_SIGNERS)
            .find(|other| is_signer(self.search, other) && self.search.leads_to(other, self.anchor))
    }

    fn note(&mut self, unknown: Option<Unknown>) {
        self.problem = self.problem.take().or(unknown);
    }
}

/// Until when a CRL counts.
fn end(crl: &Crl) -> SystemTime {
    crl.next_update
        .unwrap_or_else(|| crl.this_update + DEFAULT_LIFETIME)
}

/// Whether `delta` says what changed since `crl` (RFC 5280, section 5.2.4).
fn changes(delta: &Crl, crl: &Crl) -> bool {
    let (new, old) = (&delta.extensions, &crl.extensions);
    let order = |number: &Option<Vec<u8>>| number.as_ref().map(|n| (n.len(), n.clone()));
    let is_based_on_it = match (order(&new.base_number), order(&old.number)) {
        (Some(base), Some(number)) => base <= number && order(&new.number) > Some(number),
        _ => false,
    };
    is_based_on_it
        && is_same_name(delta.issuer_der(), crl.issuer_der())
        && new.scope == old.scope
        && new.authority_key_identifier == old.authority_key_identifier
}
