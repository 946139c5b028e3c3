//! Finding paths from a certificate up to an anchor, and validating them until one holds.
//!
//! Issuers are looked up by name and told apart by key identifier. Everything here is bounded: a stranger can send
//! certificates that point at each other in every way. No step is taken without the issuer's signature, so that decoys
//! under the right name lead nowhere.

use std::collections::HashMap;
use std::time::SystemTime;

use policy::address::Address;

use super::Trust;
use super::distrust::{Distrust, PathProblem};
use super::signature::may_be_signed_by;
use crate::certificate::Certificate;

/// The most certificates in a path, the anchor included.
const MAX_DEPTH: usize = 8;
/// The most complete paths that are validated.
const MAX_PATHS: usize = 64;
/// The most signatures that are checked on the way.
const MAX_STEPS: usize = 256;

/// Certificates by the names that they issue under.
#[derive(Debug, Default)]
pub(super) struct ByName(HashMap<String, Vec<Certificate>>);

impl ByName {
    pub(super) fn new(certificates: impl IntoIterator<Item = Certificate>) -> Self {
        let mut by_name: HashMap<_, Vec<Certificate>> = HashMap::new();
        for certificate in certificates {
            let same_name = by_name.entry(name_key(certificate.subject())).or_default();
            if !same_name.contains(&certificate) {
                same_name.push(certificate);
            }
        }
        Self(by_name)
    }

    fn issuers_of<'a>(
        &'a self,
        certificate: &'a Certificate,
    ) -> impl Iterator<Item = &'a Certificate> {
        self.0
            .get(&name_key(certificate.issuer()))
            .into_iter()
            .flatten()
            .filter(|issuer| key_identifiers_agree(issuer, certificate))
    }
}

/// One search.
pub(super) struct Search<'a> {
    trust: &'a Trust,
    extra: ByName,
    address: &'a Address,
    at: SystemTime,
    paths: usize,
    steps: usize,
    /// What to say if nothing holds: the first invalid path to an anchor, ...
    problem: Option<Distrust>,
    /// ... else the first anchor that does not count for the address, ...
    out_of_scope: Option<String>,
    /// ... else the first certificate that those with its issuer's name did not sign, ...
    unsigned: Option<String>,
    /// ... else the first issuer that nobody knows.
    missing: Option<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        trust: &'a Trust,
        extra: &[Certificate],
        address: &'a Address,
        at: SystemTime,
    ) -> Self {
        Self {
            trust,
            extra: ByName::new(extra.iter().filter(|c| c.is_ca()).cloned()),
            address,
            at,
            paths: 0,
            steps: 0,
            problem: None,
            out_of_scope: None,
            unsigned: None,
            missing: None,
        }
    }

    /// The first valid path: `certificate` first, an anchor that admits the address last.
    pub(super) fn run(mut self, certificate: &Certificate) -> Result<Vec<Certificate>, Distrust> {
        let mut path = vec![certificate.clone()];
        if self.climb(&mut path) {
            return Ok(path);
        }
        Err(self.reason(certificate))
    }

    fn reason(self, certificate: &Certificate) -> Distrust {
        if let Some(problem) = self.problem {
            return problem;
        }
        Distrust::Untrusted(match (self.out_of_scope, self.unsigned, self.missing) {
            (Some(root), _, _) => PathProblem::OutOfScope(root),
            (None, Some(subject), _) => PathProblem::BadSignature(subject),
            (None, None, _) if certificate.is_self_issued() => PathProblem::SelfSigned,
            (None, None, Some(issuer)) => PathProblem::NoPath(issuer),
            (None, None, None) => PathProblem::NoPath(certificate.issuer().to_owned()),
        })
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
        let known = self.trust.intermediates.issuers_of(&last);
        let issuers: Vec<Certificate> = known
            .chain(self.extra.issuers_of(&last))
            .filter(|issuer| !path.iter().any(|below| is_same_authority(below, issuer)))
            .cloned()
            .collect();
        if issuers.is_empty() {
            self.missing.get_or_insert_with(|| last.issuer().to_owned());
        }
        issuers.into_iter().any(|issuer| {
            if self.is_exhausted() {
                return false;
            }
            if !self.is_signed_by(&last, &issuer) {
                return false;
            }
            path.push(issuer);
            let done = self.climb(path);
            if !done {
                path.pop();
            }
            done
        })
    }

    fn reaches_anchor(&mut self, path: &mut Vec<Certificate>, last: &Certificate) -> bool {
        let trust = self.trust;
        for certificate in trust.roots.issuers_of(last) {
            if certificate == last || self.is_exhausted() {
                continue;
            }
            if !trust.is_anchor_for(certificate, self.address) {
                let root = || certificate.subject().to_owned();
                self.out_of_scope.get_or_insert_with(root);
                continue;
            }
            if !self.is_signed_by(last, certificate) {
                continue;
            }
            self.paths += 1;
            path.push(certificate.clone());
            match trust.validator.validate(path, self.at) {
                Ok(()) => return true,
                Err(distrust) => self.note(distrust),
            }
            path.pop();
        }
        false
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

/// Names are compared without regard to case, blanks and string type when a path is validated (RFC 5280, section 7.1);
/// to find candidates, anything that cannot tell two equal names apart will do.
fn name_key(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && *c != '\\')
        .flat_map(char::to_lowercase)
        .collect()
}

/// The key identifiers are hints (RFC 5280, section 4.2.1.1), but where both are there they must not contradict.
fn key_identifiers_agree(issuer: &Certificate, issued: &Certificate) -> bool {
    match (
        issuer.subject_key_identifier(),
        issued.authority_key_identifier(),
    ) {
        (Some(own), Some(named)) => own == named,
        _ => true,
    }
}

/// The same name and key twice lead nowhere new.
fn is_same_authority(one: &Certificate, other: &Certificate) -> bool {
    one.subject_der() == other.subject_der() && one.spki_der() == other.spki_der()
}
