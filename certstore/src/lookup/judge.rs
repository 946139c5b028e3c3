//! Which of the certificates that sources bring is usable.
//!
//! What a source brings is judged by what the operator trusts. Where the address's own domain has said something about
//! its certificates in signed DNS (RFC 8162), that is heard for certificates from every source, before and after: such
//! an association can name the one certificate that needs no path (DANE-EE), be an anchor for this address alone
//! (DANE-TA), or demand that a path that we trust anyhow has a certain certificate in it (PKIX-EE, PKIX-TA).

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::selection::{Candidate, Question, Selection, select};
use crate::source::{Association, Found, SourceFailure, Usage};
use crate::trust::{Anchor, AnchorScope, Trust};

/// Judges answers one after the other.
pub(super) struct Judge {
    question: Question,
    trust: Arc<Trust>,
    /// What the sources have brought so far.
    seen: Vec<Candidate>,
    associations: Vec<Association>,
}

impl Judge {
    pub(super) fn new(question: Question, trust: Arc<Trust>) -> Self {
        Self {
            question,
            trust,
            seen: Vec::new(),
            associations: Vec::new(),
        }
    }

    /// The best of what a source brings.
    ///
    /// # Errors
    /// [`SourceFailure`] if it could not be judged.
    pub(super) async fn judge(&mut self, found: Found) -> Result<Selection, SourceFailure> {
        let case = Case {
            question: self.question.clone(),
            trust: Arc::clone(&self.trust),
            news: !found.associations.is_empty(),
            earlier: if found.associations.is_empty() {
                Vec::new()
            } else {
                self.seen.clone()
            },
            associations: {
                self.associations.extend(found.associations);
                self.associations.clone()
            },
            candidates: found.candidates.clone(),
        };
        self.seen.extend(found.candidates);
        // Validating paths takes up to a few milliseconds, too long for a thread that serves sockets.
        tokio::task::spawn_blocking(move || case.decide())
            .await
            .map_err(|_| SourceFailure("its certificates could not be judged".to_owned()))
    }
}

/// One answer and all that bears on it.
struct Case {
    question: Question,
    trust: Arc<Trust>,
    /// Whether the associations come with this answer: then its certificates count by them alone.
    news: bool,
    earlier: Vec<Candidate>,
    associations: Vec<Association>,
    candidates: Vec<Candidate>,
}

impl Case {
    fn decide(self) -> Selection {
        if self.associations.is_empty() {
            return self.choose(self.candidates.clone(), &self.trust);
        }
        let asserted = self.asserted();
        if asserted.chosen.is_some() {
            return asserted;
        }
        let trusted = if self.news {
            self.constrained()
        } else {
            self.choose(self.candidates.clone(), &self.trust)
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
        let pool = self.pool();
        let named: Vec<_> = pool
            .iter()
            .filter(|c| self.means(Usage::DaneEe, c))
            .cloned()
            .collect();
        let by_name = self.choose(named.clone(), &self.trust_in(&named));
        if by_name.chosen.is_some() {
            return by_name;
        }
        let anchors: Vec<_> = pool
            .iter()
            .filter(|c| self.means(Usage::DaneTa, c))
            .cloned()
            .collect();
        if anchors.is_empty() {
            return by_name;
        }
        self.choose(pool, &self.trust_in(&anchors))
    }

    /// By our own anchors, with a certificate that the domain names in the path.
    fn constrained(&self) -> Selection {
        let pool = self.pool();
        let named: Vec<_> = pool
            .iter()
            .filter(|c| self.means(Usage::PkixEe, c))
            .cloned()
            .collect();
        let by_name = self.choose(named, &self.trust);
        if by_name.chosen.is_some() || !self.has(Usage::PkixTa) {
            return by_name;
        }
        let mut by_authority = self.choose(pool, &self.trust);
        by_authority.chosen = by_authority.chosen.filter(|(trusted, _)| {
            trusted.chain().iter().any(|authority| {
                self.associations
                    .iter()
                    .any(|one| one.usage == Usage::PkixTa && one.means(authority))
            })
        });
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

    fn means(&self, usage: Usage, candidate: &Candidate) -> bool {
        self.associations
            .iter()
            .any(|one| one.usage == usage && one.means(&candidate.certificate))
    }

    fn trust_in(&self, anchors: &[Candidate]) -> Trust {
        let anchors = anchors.iter().map(|candidate| Anchor {
            certificate: candidate.certificate.clone(),
            scope: AnchorScope::Address(self.question.address.clone()),
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

    fn judge(anchor: &SampleAuthority) -> Judge {
        let anchor = Anchor {
            certificate: anchor.certificate(),
            scope: AnchorScope::Everybody,
        };
        let question = Question {
            address: address(ALICE),
            purpose: Purpose::Encryption,
            at: now(),
        };
        Judge::new(question, Arc::new(Trust::new(vec![anchor], Vec::new())))
    }

    /// Which certificate is chosen when one source brings `certificates` and another `associations`, in both orders.
    async fn chosen(
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
            let mut judge = judge(anchor);
            let mut answer = None;
            for found in order {
                let selection = judge.judge(found).await.unwrap();
                answer = answer.or(selection.chosen);
            }
            answers.push(answer.map(|(trusted, _)| trusted.certificate().clone()));
        }
        answers
    }

    #[tokio::test]
    async fn a_digest_in_dns_makes_a_certificate_from_elsewhere_usable() {
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
            let found = chosen(&ours, &both, vec![digest_of(usage, named)]).await;
            assert_eq!(&found, expected, "{usage:?}");
        }
        let anchored = vec![digest_of(Usage::DaneTa, &theirs.certificate())];
        let found = chosen(&ours, &both, anchored).await;
        assert!(found.iter().all(Option::is_some), "{found:?}");
    }

    #[tokio::test]
    async fn a_constraint_picks_among_what_is_trusted_anyhow() {
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
            let selection = judge(&ours).judge(found).await.unwrap();
            assert_eq!(selection.chosen.is_some(), is_chosen, "{usage:?} {named:?}");
        }
    }

    #[tokio::test]
    async fn what_dns_asserts_is_still_checked_for_address_and_purpose() {
        let ours = SampleAuthority::root("Ours");
        let (bob, _) = Sample::ec("bob@example.org").self_signed();
        let found = chosen(&ours, &[bob.clone()], vec![digest_of(Usage::DaneEe, &bob)]).await;
        assert_eq!(found, [None, None]);
    }
}
