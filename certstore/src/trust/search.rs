//! Finding paths from a certificate up to an anchor, and validating them until one holds.
//!
//! Issuers are looked up by name and told apart by key identifier. Everything here is bounded: a stranger can send
//! certificates that point at each other in every way. No step is taken without the issuer's signature, so that decoys
//! under the right name lead nowhere.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use policy::address::Address;

use super::by_name::{ByName, name_key};
use super::distrust::{Distrust, PathProblem};
use super::evidence::{Evidence, Fact, Known, Problem, Wanted};
use super::revocation::{self, RevocationMode, RevocationPolicy, Status};
use super::signature::may_be_signed_by;
use super::snapshot::Snapshot;
use crate::certificate::Certificate;

/// The most certificates in a path, the anchor included.
const MAX_DEPTH: usize = 8;
/// The most complete paths that are validated.
const MAX_PATHS: usize = 64;
/// The most signatures that are checked on the way.
const MAX_STEPS: usize = 256;
/// The most fetches that one validation asks for.
const MAX_WANTED: usize = 16;
/// Signers of CRLs are asked about in turn; the signers of the CRLs about those of theirs are not.
const MAX_SIGNER_DEPTH: u8 = 2;
/// Where nothing is known and nothing is insisted on, it is tried again after this time.
const UNKNOWN_FOR: Duration = Duration::from_secs(5 * 60);

/// One search.
pub(super) struct Search<'a> {
    snapshot: &'a Snapshot,
    extra: &'a [Certificate],
    extra_by_name: ByName,
    address: &'a Address,
    pub(super) at: SystemTime,
    /// How many searches for signers of CRLs stand around this one.
    depth: u8,
    paths: usize,
    steps: usize,
    /// What could not be looked at yet.
    wanted: Vec<Wanted>,
    /// Until when the evidence about the path counts.
    until: Option<SystemTime>,
    /// What to say if nothing holds: the first invalid path to an anchor, ...
    problem: Option<Distrust>,
    /// ... else the first anchor that does not count for the address, ...
    out_of_scope: Option<String>,
    /// ... else the first certificate that those with its issuer's name did not sign, ...
    unsigned: Option<String>,
    /// ... else the first issuer that could not be fetched, and why, ...
    unavailable: Option<(String, Problem)>,
    /// ... else the first issuer that nobody knows.
    missing: Option<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        extra: &'a [Certificate],
        address: &'a Address,
        at: SystemTime,
    ) -> Self {
        Self {
            snapshot,
            extra,
            extra_by_name: ByName::default(),
            address,
            at,
            depth: 0,
            paths: 0,
            steps: 0,
            wanted: Vec::new(),
            until: None,
            problem: None,
            out_of_scope: None,
            unsigned: None,
            unavailable: None,
            missing: None,
        }
    }

    /// The first valid path: `certificate` first, an anchor that admits the address last.
    pub(super) fn run(&mut self, certificate: &Certificate) -> Result<Vec<Certificate>, Distrust> {
        self.extra_by_name = ByName::new(self.extra.iter().filter(|c| c.is_ca()).cloned());
        let mut path = vec![certificate.clone()];
        if self.climb(&mut path) {
            return Ok(path);
        }
        Err(self.reason(certificate))
    }

    /// What would have helped, if it had been there.
    pub(super) fn into_wanted(self) -> Vec<Wanted> {
        self.wanted
    }

    /// Until when the evidence counts by which the path was found good; none, if there was nothing to look at.
    pub(super) const fn until(&self) -> Option<SystemTime> {
        self.until
    }

    pub(super) const fn address(&self) -> &'a Address {
        self.address
    }

    pub(super) fn evidence(&self) -> &'a Evidence {
        &self.snapshot.evidence
    }

    pub(super) fn policy(&self) -> RevocationPolicy {
        self.snapshot.revocation
    }

    pub(super) fn wanted_count(&self) -> usize {
        self.wanted.len()
    }

    /// What is known of `wanted`, which is noted if it should be fetched.
    pub(super) fn known(&mut self, wanted: Wanted) -> Arc<Known> {
        let known = self.snapshot.evidence.known(&wanted);
        let is_new = !self.wanted.contains(&wanted);
        if known.is_due(self.at) && is_new && self.wanted.len() < MAX_WANTED {
            self.wanted.push(wanted);
        }
        known
    }

    /// Every authority that is known under a name.
    pub(super) fn authorities_named(&self, name: &[u8]) -> Vec<Certificate> {
        let snapshot = self.snapshot;
        [
            &snapshot.roots,
            &snapshot.intermediates,
            &snapshot.list_signers,
            &self.extra_by_name,
        ]
        .into_iter()
        .flat_map(|by_name| by_name.named(name))
        .cloned()
        .collect()
    }

    /// Whether a valid path leads from `authority` to `anchor`.
    pub(super) fn leads_to(&mut self, authority: &Certificate, anchor: &Certificate) -> bool {
        if authority == anchor {
            return true;
        }
        let mut search = Self {
            depth: self.depth + 1,
            ..Self::new(self.snapshot, self.extra, self.address, self.at)
        };
        let found = search.run(authority);
        for wanted in search.wanted {
            if !self.wanted.contains(&wanted) && self.wanted.len() < MAX_WANTED {
                self.wanted.push(wanted);
            }
        }
        found.is_ok_and(|path| path.last() == Some(anchor))
    }

    /// Whether `certificate` and the `authorities` above it (the anchor last), a valid path, are still to be believed.
    pub(super) fn check_revocation(
        &mut self,
        certificate: &Certificate,
        authorities: &[Certificate],
    ) -> Result<(), Distrust> {
        let Some(anchor) = authorities.last() else {
            return Ok(());
        };
        let mode = self.snapshot.revocation_mode(anchor, self.address);
        if mode == RevocationMode::Off || self.depth > MAX_SIGNER_DEPTH {
            return Ok(());
        }
        let mut until: Option<SystemTime> = None;
        let mut worst = Ok(());
        // All are asked, so that what is missing is fetched at once; who stands highest decides.
        let issued = std::iter::once(certificate).chain(authorities);
        let pairs: Vec<_> = issued.zip(authorities).collect();
        for (certificate, issuer) in pairs.into_iter().rev() {
            let status = revocation::status(self, certificate, issuer, anchor);
            let (end, outcome) = judge(status, mode, certificate, self.at);
            until = [until, end].into_iter().flatten().min();
            worst = worst.and(outcome);
        }
        self.until = until;
        worst
    }

    fn reason(&mut self, certificate: &Certificate) -> Distrust {
        if let Some(problem) = self.problem.take() {
            return problem;
        }
        Distrust::Untrusted(
            match (
                &self.out_of_scope,
                &self.unsigned,
                &self.unavailable,
                &self.missing,
            ) {
                (Some(root), _, _, _) => PathProblem::OutOfScope(root.clone()),
                (None, Some(subject), _, _) => PathProblem::BadSignature(subject.clone()),
                (None, None, _, _) if certificate.is_self_issued() => PathProblem::SelfSigned,
                (None, None, Some((issuer, because)), _) => PathProblem::IssuerUnavailable {
                    issuer: issuer.clone(),
                    because: because.text.clone(),
                    is_temporary: because.is_temporary,
                },
                (None, None, None, Some(issuer)) => PathProblem::NoPath(issuer.clone()),
                (None, None, None, None) => PathProblem::NoPath(certificate.issuer().to_owned()),
            },
        )
    }

    /// Whether the path could be completed; it is left as it was if not.
    fn climb(&mut self, path: &mut Vec<Certificate>) -> bool {
        let Some(last) = path.last().cloned() else {
            return false;
        };
        if self.reaches_anchor(path, &last) {
            return true;
        }
        if path.len() + 1 >= MAX_DEPTH {
            return false;
        }
        let known = self.snapshot.intermediates.issuers_of(&last);
        let issuers: Vec<Certificate> = known
            .chain(self.extra_by_name.issuers_of(&last))
            .cloned()
            .collect();
        let mut found_issuer = false;
        if self.climb_by(path, &last, issuers, &mut found_issuer) {
            return true;
        }
        if found_issuer || last.is_self_issued() {
            return false;
        }
        let fetched = self.fetched_issuers(&last);
        if fetched.is_empty() {
            self.missing.get_or_insert_with(|| last.issuer().to_owned());
        }
        self.climb_by(path, &last, fetched, &mut found_issuer)
    }

    /// Goes on by each of `issuers` that signed `last`; says in `found` whether one did.
    fn climb_by(
        &mut self,
        path: &mut Vec<Certificate>,
        last: &Certificate,
        issuers: Vec<Certificate>,
        found: &mut bool,
    ) -> bool {
        for issuer in issuers {
            if path.iter().any(|below| is_same_authority(below, &issuer)) {
                *found = true;
                continue;
            }
            if self.is_exhausted() {
                return false;
            }
            if !self.is_signed_by(last, &issuer) || self.is_distrusted(&issuer) {
                continue;
            }
            *found = true;
            path.push(issuer);
            if self.climb(path) {
                return true;
            }
            path.pop();
        }
        false
    }

    /// The certificates of issuers that `certificate` points to, as far as they were fetched.
    fn fetched_issuers(&mut self, certificate: &Certificate) -> Vec<Certificate> {
        if !self.snapshot.fetch_issuers {
            return Vec::new();
        }
        let mut issuers = Vec::new();
        for url in certificate.issuer_urls() {
            let known = self.known(Wanted::Issuers { url: url.clone() });
            if let Some(Fact::Issuers(fetched)) = &known.fact {
                let fitting = |issuer: &&Certificate| {
                    issuer.is_ca() && name_key(issuer.subject()) == name_key(certificate.issuer())
                };
                issuers.extend(fetched.iter().filter(fitting).cloned());
            } else if let Some(problem) = &known.problem {
                let issuer = certificate.issuer().to_owned();
                self.unavailable.get_or_insert((issuer, problem.clone()));
            }
        }
        issuers
    }

    fn is_distrusted(&mut self, authority: &Certificate) -> bool {
        let is_distrusted = self.snapshot.distrusted.contains(&authority.sha256());
        if is_distrusted {
            let subject = authority.subject().to_owned();
            self.note(Distrust::Untrusted(PathProblem::Distrusted(subject)));
        }
        is_distrusted
    }

    fn reaches_anchor(&mut self, path: &mut Vec<Certificate>, last: &Certificate) -> bool {
        let snapshot = self.snapshot;
        for certificate in snapshot.roots.issuers_of(last) {
            if certificate == last || self.is_exhausted() || self.is_distrusted(certificate) {
                continue;
            }
            if !snapshot.is_anchor_for(certificate, self.address) {
                let root = || certificate.subject().to_owned();
                self.out_of_scope.get_or_insert_with(root);
                continue;
            }
            if !self.is_signed_by(last, certificate) {
                continue;
            }
            self.paths += 1;
            path.push(certificate.clone());
            match self.check_path(path) {
                Ok(()) => return true,
                Err(distrust) => self.note(distrust),
            }
            path.pop();
        }
        false
    }

    fn check_path(&mut self, path: &[Certificate]) -> Result<(), Distrust> {
        self.snapshot.validator.validate(path, self.at)?;
        match path {
            [certificate, authorities @ ..] => self.check_revocation(certificate, authorities),
            [] => Ok(()),
        }
    }

    fn is_signed_by(&mut self, issued: &Certificate, issuer: &Certificate) -> bool {
        self.steps += 1;
        let is_signed = may_be_signed_by(issued, issuer);
        if !is_signed {
            let subject = || issued.subject().to_owned();
            self.unsigned.get_or_insert_with(subject);
        }
        is_signed
    }

    fn note(&mut self, distrust: Distrust) {
        self.problem.get_or_insert(distrust);
    }

    fn is_exhausted(&mut self) -> bool {
        let exhausted = self.paths >= MAX_PATHS || self.steps >= MAX_STEPS;
        if exhausted {
            self.note(Distrust::Untrusted(PathProblem::TooManyPaths));
        }
        exhausted
    }
}

/// What a status means under a mode, and until when.
fn judge(
    status: Status,
    mode: RevocationMode,
    certificate: &Certificate,
    at: SystemTime,
) -> (Option<SystemTime>, Result<(), Distrust>) {
    let subject = certificate.subject().to_owned();
    match status {
        Status::Good { until } => (Some(until.max(at)), Ok(())),
        Status::Revoked { on, reason } => {
            let because = revocation::reason_text(reason);
            let revoked = Distrust::Revoked {
                subject,
                on,
                because,
            };
            (None, Err(revoked))
        }
        Status::Unknown(unknown) if mode != RevocationMode::Hard => {
            let next_try = unknown.is_temporary.then(|| at + UNKNOWN_FOR);
            (next_try, Ok(()))
        }
        Status::Unknown(unknown) => {
            let unknown = Distrust::RevocationUnknown {
                subject,
                because: unknown.because,
                is_temporary: unknown.is_temporary,
            };
            (None, Err(unknown))
        }
    }
}

/// The same name and key twice lead nowhere new.
fn is_same_authority(one: &Certificate, other: &Certificate) -> bool {
    one.subject_der() == other.subject_der() && one.spki_der() == other.spki_der()
}
