//! What an operator trusts at one moment, arranged for validation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use moka::sync::Cache;
use policy::address::Address;

use super::anchor::{Anchor, AnchorScope};
use super::by_name::ByName;
use super::distrust::{Distrust, PathProblem};
use super::evidence::{Evidence, Wanted};
use super::path::{PathValidator, check_dates};
use super::revocation::{RevocationMode, RevocationPolicy};
use super::search::Search;
use crate::certificate::{Certificate, Fingerprint};

/// How many validated paths one snapshot remembers.
const REMEMBERED_PATHS: u64 = 10_000;

/// Whom an operator trusts, and how revocation is looked at.
#[derive(Debug, Clone, Default)]
pub struct TrustParts {
    /// Certificates that need no other.
    pub anchors: Vec<Anchor>,
    /// CAs and signers of CRLs that help to find the way to them without being trusted themselves.
    pub intermediates: Vec<Certificate>,
    /// Certificates, of people or CAs, that are never believed.
    pub distrusted: HashSet<Fingerprint>,
    /// How revocation is looked at.
    pub revocation: RevocationPolicy,
    /// Whether issuers that nobody knows are fetched from where a certificate says that they are.
    pub fetch_issuers: bool,
    /// What was fetched so far.
    pub evidence: Arc<Evidence>,
}

pub(super) struct Snapshot {
    pub(super) anchors: HashMap<Fingerprint, Vec<Anchor>>,
    pub(super) roots: ByName,
    pub(super) intermediates: ByName,
    /// Those that sign CRLs and nothing else.
    pub(super) list_signers: ByName,
    pub(super) distrusted: HashSet<Fingerprint>,
    pub(super) revocation: RevocationPolicy,
    pub(super) fetch_issuers: bool,
    pub(super) evidence: Arc<Evidence>,
    pub(super) validator: PathValidator,
    /// The certificates above one whose path was valid. Dates, scope and revocation are checked again each time.
    remembered: Cache<Fingerprint, Arc<[Certificate]>>,
}

/// The way to an anchor.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) authorities: Arc<[Certificate]>,
    /// Until when the evidence about it counts.
    pub(super) until: Option<SystemTime>,
}

impl Snapshot {
    pub(super) fn new(parts: TrustParts) -> Self {
        let roots = parts.anchors.iter().filter(|anchor| anchor.may_issue());
        let roots = ByName::new(roots.map(|anchor| anchor.certificate.clone()));
        let mut anchors: HashMap<_, Vec<Anchor>> = HashMap::new();
        for anchor in parts.anchors {
            let fingerprint = anchor.certificate.sha256();
            anchors.entry(fingerprint).or_default().push(anchor);
        }
        let authorities = parts
            .intermediates
            .into_iter()
            .filter(Certificate::is_authority);
        let (authorities, list_signers): (Vec<_>, Vec<_>) =
            authorities.partition(Certificate::is_ca);
        Self {
            anchors,
            roots,
            intermediates: ByName::new(authorities),
            list_signers: ByName::new(list_signers),
            distrusted: parts.distrusted,
            revocation: parts.revocation,
            fetch_issuers: parts.fetch_issuers,
            evidence: parts.evidence,
            validator: PathValidator::new(),
            remembered: Cache::new(REMEMBERED_PATHS),
        }
    }

    /// The way from `certificate` to an anchor that admits `address`, and what would have helped to judge it.
    pub(super) fn way(
        &self,
        certificate: &Certificate,
        extra: &[Certificate],
        address: &Address,
        at: SystemTime,
    ) -> (Result<Way, Distrust>, Vec<Wanted>) {
        if self.distrusted.contains(&certificate.sha256()) {
            let subject = certificate.subject().to_owned();
            let distrusted = Distrust::Untrusted(PathProblem::Distrusted(subject));
            return (Err(distrusted), Vec::new());
        }
        if self.is_anchor_for(certificate, address) {
            let way = Way {
                authorities: Arc::from([]),
                until: None,
            };
            return (Ok(way), Vec::new());
        }
        let mut search = Search::new(self, extra, address, at);
        let known = self.remembered_way(certificate, &mut search);
        let way = known.map_or_else(|| self.found_way(certificate, &mut search), Ok);
        (way, search.into_wanted())
    }

    fn found_way(
        &self,
        certificate: &Certificate,
        search: &mut Search<'_>,
    ) -> Result<Way, Distrust> {
        let path = search.run(certificate)?;
        let authorities: Arc<[Certificate]> = path.into_iter().skip(1).collect();
        self.remembered
            .insert(certificate.sha256(), Arc::clone(&authorities));
        Ok(Way {
            authorities,
            until: search.until(),
        })
    }

    fn remembered_way(&self, certificate: &Certificate, search: &mut Search<'_>) -> Option<Way> {
        let authorities = self.remembered.get(&certificate.sha256())?;
        let is_in_time = |authority| check_dates(authority, search.at).is_ok();
        let is_good = authorities.iter().all(is_in_time)
            && authorities
                .last()
                .is_some_and(|anchor| self.is_anchor_for(anchor, search.address()))
            && search.check_revocation(certificate, &authorities).is_ok();
        is_good.then(|| Way {
            authorities,
            until: search.until(),
        })
    }

    pub(super) fn is_anchor_for(&self, certificate: &Certificate, address: &Address) -> bool {
        self.anchors
            .get(&certificate.sha256())
            .is_some_and(|anchors| anchors.iter().any(|anchor| anchor.scope.admits(address)))
    }

    /// How much is insisted on below `anchor`: as the anchor for the fewest addresses says, of equal ones the strictest.
    pub(super) fn revocation_mode(
        &self,
        anchor: &Certificate,
        address: &Address,
    ) -> RevocationMode {
        let anchors = self.anchors.get(&anchor.sha256());
        let counting = anchors
            .into_iter()
            .flatten()
            .filter(|anchor| anchor.scope.admits(address));
        let narrowest = counting.max_by_key(|anchor| {
            let narrowness = match anchor.scope {
                AnchorScope::Everybody => 0,
                AnchorScope::Domains(_) => 1,
                AnchorScope::Address(_) => 2,
            };
            (narrowness, anchor.revocation)
        });
        narrowest
            .and_then(|anchor| anchor.revocation)
            .unwrap_or(self.revocation.mode)
    }
}
