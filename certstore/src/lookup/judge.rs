//! Which of the certificates that sources bring is usable.
//!
//! What a source brings is judged by what the operator trusts. Where the address's own domain has said something about
//! its certificates in signed DNS (RFC 8162), that is heard for certificates from every source, before and after: such
//! an association can name the one certificate that needs no path (DANE-EE), be an anchor for this address alone
//! (DANE-TA), or demand that a path that we trust anyhow has a certain certificate in it (PKIX-EE, PKIX-TA).

use crate::certificate::Certificate;
use crate::selection::{Candidate, Question, Selection, Verdict, select};
use crate::source::{Association, Found, Usage};
use crate::trust::{Anchor, AnchorScope, Trust};

/// Remembers what the sources have said so far, since the answers of some bear on the certificates of others.
pub(super) struct Judge {
    question: Question,
    seen: Vec<Candidate>,
    associations: Vec<Association>,
}

/// One answer and all that bears on it.
#[derive(Clone)]
pub(super) struct Case {
    question: Question,
    candidates: Vec<Candidate>,
    /// What sources before this one brought; only where it has associations, which may be about those.
    earlier: Vec<Candidate>,
    associations: Vec<Association>,
    /// Whether associations come with this very answer: then its certificates count by them alone.
    is_by_association: bool,
}

impl Judge {
    pub(super) fn new(question: Question) -> Self {
        Self {
            question,
            seen: Vec::new(),
            associations: Vec::new(),
        }
    }

    /// Takes in what a source brings, as a case to be decided.
    pub(super) fn take(&mut self, found: Found) -> Case {
        let is_by_association = !found.associations.is_empty();
        let earlier = if is_by_association {
            self.seen.clone()
        } else {
            Vec::new()
        };
        self.associations.extend(found.associations);
        self.seen.extend_from_slice(&found.candidates);
        Case {
            question: self.question.clone(),
            candidates: found.candidates,
            earlier,
            associations: self.associations.clone(),
            is_by_association,
        }
    }
}

impl Case {
    /// The best certificate, under what is trusted.
    pub(super) fn decide(&self, trust: &Trust) -> Selection {
        if self.associations.is_empty() {
            return self.choose(self.candidates.clone(), trust);
        }
        let asserted = self.asserted();
        if asserted.chosen.is_some() {
            return asserted;
        }
        let trusted = if self.is_by_association {
            self.constrained(trust)
        } else {
            self.choose(self.candidates.clone(), trust)
        };
        // A refusal by the associations says more than that no anchor of ours vouches.
        if trusted.chosen.is_none() && !asserted.considered.is_empty() {
            asserted
        } else {
            trusted
        }
    }

    /// By the anchors that the domain asserts, for its address alone.
    fn asserted(&self) -> Selection {
        let named = self.meant_by(Usage::DaneEe);
        let by_name = self.choose(named.clone(), &self.trust_in(&named));
        let anchors = self.meant_by(Usage::DaneTa);
        if by_name.chosen.is_some() || anchors.is_empty() {
            return by_name;
        }
        self.choose(self.pool(), &self.trust_in(&anchors))
    }

    /// By our own anchors, with a certificate that the domain names in the path.
    fn constrained(&self, trust: &Trust) -> Selection {
        let by_name = self.choose(self.meant_by(Usage::PkixEe), trust);
        if by_name.chosen.is_some() || !self.has(Usage::PkixTa) {
            return by_name;
        }
        let mut by_authority = self.choose(self.pool(), trust);
        let is_demanded = |authority: &Certificate| {
            let mut associations = self.associations.iter();
            associations.any(|one| one.usage == Usage::PkixTa && one.means(authority))
        };
        let chosen = by_authority.chosen.take();
        by_authority.chosen = chosen.filter(|(trusted, _)| trusted.chain().iter().any(is_demanded));
        if by_authority.chosen.is_none() {
            refuse_all(&mut by_authority);
        }
        by_authority
    }

    fn pool(&self) -> Vec<Candidate> {
        self.candidates
            .iter()
            .chain(&self.earlier)
            .cloned()
            .collect()
    }

    fn has(&self, usage: Usage) -> bool {
        self.associations.iter().any(|one| one.usage == usage)
    }

    /// The certificates that associations of this usage mean.
    fn meant_by(&self, usage: Usage) -> Vec<Candidate> {
        let is_meant = |candidate: &Candidate| {
            let mut associations = self.associations.iter();
            associations.any(|one| one.usage == usage && one.means(&candidate.certificate))
        };
        self.pool().into_iter().filter(is_meant).collect()
    }

    fn trust_in(&self, anchors: &[Candidate]) -> Trust {
        let anchors = anchors.iter().map(|candidate| Anchor {
            certificate: candidate.certificate.clone(),
            scope: AnchorScope::Address(self.question.address.clone()),
            revocation: None,
        });
        Trust::new(anchors.collect(), Vec::new())
    }

    fn choose(&self, candidates: Vec<Candidate>, trust: &Trust) -> Selection {
        // What the source had may lead to an anchor: directories give chains along.
        let intermediates: Vec<Certificate> = self
            .candidates
            .iter()
            .chain(&self.earlier)
            .map(|candidate| candidate.certificate.clone())
            .filter(Certificate::is_ca)
            .collect();
        select(candidates, &self.question, trust, &intermediates)
    }
}

/// The one that would have been chosen has no path of the kind that its domain demands.
fn refuse_all(selection: &mut Selection) {
    for one in &mut selection.considered {
        if one.verdict == Verdict::Chosen {
            one.verdict = Verdict::Refused;
            "untrusted: no authority that its domain demands by SMIMEA stands above it"
                .clone_into(&mut one.reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Purpose;
    use crate::samples::{Sample, SampleAuthority, address, now};
    use crate::source::{Matching, Selector};

    const ALICE: &str = "alice@example.org";

    fn candidate(certificate: &Certificate, source: &str) -> Candidate {
        Candidate {
            certificate: certificate.clone(),
            source: source.to_owned(),
        }
    }

    fn digest_of(usage: Usage, certificate: &Certificate) -> Association {
        Association {
            usage,
            selector: Selector::Certificate,
            matching: Matching::Sha256,
            data: certificate.sha256().as_bytes().to_vec(),
        }
    }

    fn trust(anchor: &SampleAuthority) -> Trust {
        let anchor = Anchor {
            certificate: anchor.certificate(),
            scope: AnchorScope::Everybody,
            revocation: None,
        };
        Trust::new(vec![anchor], Vec::new())
    }

    fn judge() -> Judge {
        Judge::new(Question {
            address: address(ALICE),
            purpose: Purpose::Encryption,
            at: now(),
        })
    }

    /// Which certificate is chosen when one source brings `certificates` and another `associations`, in both orders.
    fn chosen(
        anchor: &SampleAuthority,
        certificates: &[Certificate],
        associations: Vec<Association>,
    ) -> Vec<Option<Certificate>> {
        let directory: Found = certificates
            .iter()
            .map(|one| candidate(one, "ldap"))
            .collect();
        let dns = Found {
            associations,
            ..Found::default()
        };
        let mut answers = Vec::new();
        for order in [[directory.clone(), dns.clone()], [dns, directory]] {
            let mut judge = judge();
            let mut answer = None;
            for found in order {
                let selection = judge.take(found).decide(&trust(anchor));
                answer = answer.or(selection.chosen);
            }
            answers.push(answer.map(|(trusted, _)| trusted.certificate().clone()));
        }
        answers
    }

    #[test]
    fn a_digest_in_dns_makes_a_certificate_from_elsewhere_usable() {
        let ours = SampleAuthority::root("Ours");
        let theirs = SampleAuthority::root("Theirs");
        let (alice, _) = Sample::ec(ALICE).issued_by(&theirs);
        let (other, _) = Sample::ec(ALICE).issued_by(&theirs);
        let both = [alice.clone(), other, theirs.certificate()];
        let nobody = vec![None, None];
        let everybody = vec![Some(alice.clone()), Some(alice.clone())];
        for (usage, named, expected) in [
            (Usage::DaneEe, &alice, &everybody),
            (Usage::PkixEe, &alice, &nobody),
            (Usage::PkixTa, &theirs.certificate(), &nobody),
        ] {
            let found = chosen(&ours, &both, vec![digest_of(usage, named)]);
            assert_eq!(&found, expected, "{usage:?}");
        }
        let anchored = vec![digest_of(Usage::DaneTa, &theirs.certificate())];
        let found = chosen(&ours, &both, anchored);
        assert!(found.iter().all(Option::is_some), "{found:?}");
    }

    #[test]
    fn a_constraint_picks_among_what_is_trusted_anyhow() {
        let ours = SampleAuthority::root("Ours");
        let below = ours.below("Below");
        let (alice, _) = Sample::ec(ALICE).issued_by(&below);
        let found = Found {
            candidates: vec![
                candidate(&alice, "dns"),
                candidate(&below.certificate(), "dns"),
            ],
            ..Found::default()
        };
        for (usage, named, is_chosen) in [
            (Usage::PkixEe, alice.clone(), true),
            (Usage::PkixEe, below.certificate(), false),
            (Usage::PkixTa, below.certificate(), true),
            (Usage::PkixTa, ours.certificate(), true),
            (
                Usage::PkixTa,
                SampleAuthority::root("Theirs").certificate(),
                false,
            ),
        ] {
            let associations = vec![digest_of(usage, &named)];
            let found = Found {
                associations,
                ..found.clone()
            };
            let selection = judge().take(found).decide(&trust(&ours));
            assert_eq!(selection.chosen.is_some(), is_chosen, "{usage:?} {named:?}");
            let mut verdicts = selection.considered.iter().map(|one| one.verdict);
            assert_eq!(
                verdicts.any(|verdict| verdict == Verdict::Chosen),
                is_chosen
            );
        }
    }

    #[test]
    fn what_dns_asserts_is_still_checked_for_address_and_purpose() {
        let ours = SampleAuthority::root("Ours");
        let (bob, _) = Sample::ec("bob@example.org").self_signed();
        let found = chosen(
            &ours,
            std::slice::from_ref(&bob),
            vec![digest_of(Usage::DaneEe, &bob)],
        );
        assert_eq!(found, [None, None]);
    }
}
