//! Whether a certificate was revoked, from the evidence at hand (RFC 5280, section 6.3; RFC 6960).
//!
//! Pure: what is missing is noted as wanted, and the answer until then is "unknown".

pub(crate) mod crl;
mod lists;
pub(crate) mod ocsp;
mod scope;

use std::time::{Duration, SystemTime};

use x509_cert::ext::pkix::crl::CrlReason;

use self::lists::Lists;
use self::ocsp::AnswerStatus;
use super::evidence::{DEFAULT_LIFETIME, Fact, Problem, Wanted};
use super::search::Search;
use crate::certificate::Certificate;

/// Clocks differ: what begins this much later counts already.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// How much an answer about revocation is insisted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RevocationMode {
    /// It is not asked.
    #[default]
    Off,
    /// A revoked certificate is refused; one of which nothing can be found out is used.
    Soft,
    /// Only a certificate that is known not to be revoked is used.
    Hard,
}

impl RevocationMode {
    /// Its word in configurations and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }

    /// The mode of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Soft, Self::Hard]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }
}

/// Which is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationOrder {
    /// OCSP, then CRLs.
    #[default]
    OcspFirst,
    /// CRLs, then OCSP.
    CrlFirst,
}

/// How revocation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevocationPolicy {
    /// For anchors that say nothing themselves.
    pub mode: RevocationMode,
    /// Which is asked first.
    pub order: RevocationOrder,
    /// How long after its nextUpdate an answer still counts: for outages.
    pub grace: Duration,
}

/// What is known of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// Not revoked; that counts until then.
    Good {
        until: SystemTime,
    },
    Revoked {
        on: SystemTime,
        reason: Option<CrlReason>,
    },
    Unknown(Unknown),
}

/// Why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) because: String,
    /// Whether it may be known later.
    pub(super) is_temporary: bool,
}

impl Unknown {
    fn lasting(because: impl Into<String>) -> Self {
        Self {
            because: because.into(),
            is_temporary: false,
        }
    }

    fn for_now(because: impl Into<String>) -> Self {
        Self {
            because: because.into(),
            is_temporary: true,
        }
    }
}

impl From<&Problem> for Unknown {
    fn from(problem: &Problem) -> Self {
        Self {
            because: problem.text.clone(),
            is_temporary: problem.is_temporary,
        }
    }
}

/// The status of `certificate`, which `issuer` issued; `anchor` ends its path. What would help is noted in `search`.
pub(super) fn status(
    search: &mut Search<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
    anchor: &Certificate,
) -> Status {
    let mut reasons = Vec::new();
    let order = match search.policy().order {
        RevocationOrder::OcspFirst => [ask_responders, ask_lists],
        RevocationOrder::CrlFirst => [ask_lists, ask_responders],
    };
    for ask in order {
        let wanted = search.wanted_count();
        match ask(search, certificate, issuer, anchor) {
            Ok(status) => return status,
            Err(Some(unknown)) => reasons.push(unknown),
            Err(None) => {}
        }
        if search.wanted_count() > wanted {
            // Asked now, answered in the next round; the second way is only taken where the first one fails.
            return Status::Unknown(Unknown::for_now("it was not asked yet"));
        }
    }
    let is_temporary = reasons.iter().any(|unknown| unknown.is_temporary);
    let texts: Vec<String> = reasons.into_iter().map(|unknown| unknown.because).collect();
    Status::Unknown(match texts.is_empty() {
        true => Unknown::lasting("its issuer names neither a CRL nor an OCSP responder on the web"),
        false => Unknown {
            because: texts.join("; "),
            is_temporary,
        },
    })
}

/// One way to a status; none, with or without a reason, if it leads nowhere.
type Way = Result<Status, Option<Unknown>>;

fn ask_lists(
    search: &mut Search<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
    anchor: &Certificate,
) -> Way {
    Lists::new(search, certificate, issuer, anchor).status()
}

fn ask_responders(
    search: &mut Search<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
    _anchor: &Certificate,
) -> Way {
    let mut problem = None;
    for url in certificate.ocsp_urls() {
        let wanted = Wanted::Ocsp {
            url: url.clone(),
            certificate: certificate.clone(),
            issuer: issuer.clone(),
        };
        let known = search.known(wanted);
        let Some(Fact::Answer(answer)) = &known.fact else {
            problem = known.problem.as_ref().map(Unknown::from);
            continue;
        };
        let until = answer
            .next_update
            .unwrap_or(answer.this_update + DEFAULT_LIFETIME);
        if let Err(unknown) = search.check_time(url, answer.this_update, until) {
            problem = Some(unknown);
            continue;
        }
        match answer.status {
            AnswerStatus::Good => return Ok(Status::Good { until }),
            AnswerStatus::Revoked(revoked) => {
                return Ok(Status::Revoked {
                    on: revoked.on,
                    reason: revoked.reason,
                });
            }
            AnswerStatus::Unknown => {
                problem = Some(Unknown::lasting(format!("{url} does not know it")));
            }
        }
    }
    Err(problem)
}

impl Search<'_> {
    fn check_time(&self, what: &str, begin: SystemTime, end: SystemTime) -> Result<(), Unknown> {
        if begin > self.at + SKEW {
            return Err(Unknown::for_now(format!(
                "what {what} gave is dated in the future"
            )));
        }
        if end + self.policy().grace < self.at {
            let until = super::distrust::date(&end);
            return Err(Unknown::for_now(format!(
                "what {what} gave was valid until {until}"
            )));
        }
        Ok(())
    }
}

/// A reason as people write it; the standard's name for the others.
pub(super) fn reason_text(reason: Option<CrlReason>) -> &'static str {
    match reason {
        None | Some(CrlReason::Unspecified) => "no reason given",
        Some(CrlReason::KeyCompromise) => "key compromise",
        Some(CrlReason::CaCompromise) => "CA compromise",
        Some(CrlReason::AffiliationChanged) => "affiliation changed",
        Some(CrlReason::Superseded) => "superseded",
        Some(CrlReason::CessationOfOperation) => "cessation of operation",
        Some(CrlReason::CertificateHold) => "on hold",
        Some(CrlReason::RemoveFromCRL) => "removed from the list",
        Some(CrlReason::PrivilegeWithdrawn) => "privilege withdrawn",
        Some(CrlReason::AaCompromise) => "attribute authority compromise",
    }
}
