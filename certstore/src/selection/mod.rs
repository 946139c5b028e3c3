//! The best certificate for a purpose, and why each other was refused. Pure: the same candidates in any order give the
//! same answer.

use std::cmp::Reverse;
use std::fmt;
use std::time::SystemTime;

use policy::address::Address;

use crate::certificate::{Certificate, Fingerprint, Purpose};
use crate::trust::{Distrust, Trust, TrustedCertificate};

/// A certificate that some source has for the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The certificate.
    pub certificate: Certificate,
    /// The name of the source.
    pub source: String,
}

/// What the certificate is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whose certificate.
    pub address: Address,
    /// To do what.
    pub purpose: Purpose,
    /// At which moment it must be valid.
    pub at: SystemTime,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The certificate to use and the name of its source, if any will do.
    pub chosen: Option<(TrustedCertificate, String)>,
    /// What became of every candidate, the newest first.
    pub considered: Vec<Considered>,
}

/// What became of one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Its fingerprint.
    pub sha256: Fingerprint,
    /// Its subject's name as text (RFC 4514).
    pub subject: String,
    /// The name of the source that had it.
    pub source: String,
    /// The last moment of its validity.
    pub not_after: SystemTime,
    /// Chosen or refused.
    pub verdict: Verdict,
    /// Why, for people; a refusal by [`Trust`] begins with the word of its kind.
    pub reason: String,
    /// Whether it was refused only because something could not be found out now.
    pub is_temporary: bool,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one to use.
    Chosen,
    /// It is not.
    Refused,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chosen => "chosen",
            Self::Refused => "refused",
        })
    }
}

/// Chooses among `candidates` the trusted one with the newest notBefore, then the latest notAfter. `intermediates` may
/// help to find paths.
#[must_use]
pub fn select(
    mut candidates: Vec<Candidate>,
    question: &Question,
    trust: &Trust,
    intermediates: &[Certificate],
) -> Selection {
    candidates.sort_by_cached_key(|candidate| {
        let certificate = &candidate.certificate;
        (
            Reverse((certificate.not_before(), certificate.not_after())),
            certificate.sha256(),
            candidate.source.clone(),
        )
    });
    let mut selection = Selection {
        chosen: None,
        considered: Vec::with_capacity(candidates.len()),
    };
    for candidate in candidates {
        selection.consider(candidate, question, trust, intermediates);
    }
    selection
}

impl Selection {
    /// Candidates come in the order of preference: the first that is trusted is the one.
    fn consider(
        &mut self,
        candidate: Candidate,
        question: &Question,
        trust: &Trust,
        intermediates: &[Certificate],
    ) {
        let certificate = &candidate.certificate;
        let Question {
            address,
            purpose,
            at,
        } = question;
        let trusted = trust.validate(certificate, intermediates, *purpose, address, *at);
        let (verdict, reason) = match (&trusted, &self.chosen) {
            (Err(distrust), _) => (Verdict::Refused, distrust.to_string()),
            (Ok(_), Some((chosen, _))) => {
                let reason = why_not(certificate, chosen.certificate());
                (Verdict::Refused, reason.to_owned())
            }
            (Ok(_), None) => (
                Verdict::Chosen,
                "trusted, and the newest that is".to_owned(),
            ),
        };
        self.considered.push(Considered {
            sha256: certificate.sha256(),
            subject: certificate.subject().to_owned(),
            source: candidate.source.clone(),
            not_after: certificate.not_after(),
            verdict,
            reason,
            is_temporary: trusted.as_ref().is_err_and(Distrust::is_temporary),
        });
        if let (Ok(trusted), None) = (trusted, &self.chosen) {
            self.chosen = Some((trusted, candidate.source));
        }
    }
}

fn why_not(certificate: &Certificate, chosen: &Certificate) -> &'static str {
    if certificate == chosen {
        "the same certificate as the chosen one"
    } else if certificate.not_before() < chosen.not_before() {
        "older than the chosen one"
    } else if certificate.not_after() < chosen.not_after() {
        "as new as the chosen one, but expires earlier"
    } else {
        "as new as the chosen one, which comes first by its fingerprint"
    }
}

#[cfg(test)]
mod tests;
