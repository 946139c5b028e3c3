//! Whether one given path from a certificate to an anchor is valid (RFC 5280, section 6.1).
//!
//! What S/MIME asks beyond that, and what deserves a clear reason, is checked here: dates, weak keys and signatures,
//! extended key usage. Names, constraints, policies and critical extensions are checked by `certval`, which calls back
//! for signatures. Revocation is not looked at.

use std::time::SystemTime;

use certval::{
    CertificationPath, CertificationPathResults, CertificationPathSettings, Error as PathError,
    PDVCertificate, PDVTrustAnchorChoice, PathValidationStatus, PkiEnvironment, TimeOfInterest,
    enforce_trust_anchor_constraints, validate_path_rfc5280,
};
use der::asn1::BitString;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::distrust::{Distrust, PathProblem, Weakness};
use super::signature::{CertificateSignature, Unchecked};
use crate::certificate::Certificate;
use crate::cms::KeyKind;

/// Shorter RSA keys are weak (RFC 8550, section 4.2).
const MIN_RSA_BITS: u32 = 2048;

/// Checks paths; made once for all of them.
pub(super) struct PathValidator {
    environment: PkiEnvironment,
    settings: CertificationPathSettings,
}

impl PathValidator {
    pub(super) fn new() -> Self {
        let mut environment = PkiEnvironment::new();
        environment.add_verify_signature_message_callback(verify_signature);
        let mut settings = CertificationPathSettings::new();
        settings.set_time_of_interest(TimeOfInterest::disabled());
        settings.set_require_ta_store(false);
        settings.set_enforce_trust_anchor_constraints(true);
        Self {
            environment,
            settings,
        }
    }

    /// Checks `path`: the certificate in question first, the anchor last, at least these two.
    pub(super) fn validate(&self, path: &[Certificate], at: SystemTime) -> Result<(), Distrust> {
        let ([target, authorities @ ..], Some(anchor)) = (path, path.last()) else {
            return Err(Distrust::Untrusted(PathProblem::Other));
        };
        for certificate in path {
            check_key(certificate)?;
            check_dates(certificate, at)?;
        }
        let issued = path.iter().take(path.len().saturating_sub(1));
        issued.clone().try_for_each(check_signature_kind)?;
        issued.skip(1).try_for_each(check_authority_usage)?;
        let intermediates = authorities
            .split_last()
            .map_or(&[][..], |(_, between)| between);
        self.validate_rfc5280(target, intermediates, anchor)
    }

    fn validate_rfc5280(
        &self,
        target: &Certificate,
        intermediates: &[Certificate],
        anchor: &Certificate,
    ) -> Result<(), Distrust> {
        let malformed = |certificate: &Certificate| Distrust::Malformed {
            subject: certificate.subject().to_owned(),
        };
        let parse = |certificate: &Certificate| {
            PDVCertificate::try_from(certificate.der()).map_err(|_| malformed(certificate))
        };
        let root = PDVTrustAnchorChoice::try_from(anchor.der()).map_err(|_| malformed(anchor))?;
        let settings = enforce_trust_anchor_constraints(&self.settings, &root)
            .map_err(|_| malformed(anchor))?;
        // certval counts from the anchor down.
        let between = intermediates
            .iter()
            .rev()
            .map(parse)
            .collect::<Result<_, _>>()?;
        let path = CertificationPath::new(root, between, parse(target)?);
        let mut results = CertificationPathResults::new();
        validate_path_rfc5280(&self.environment, &settings, &path, &mut results).map_err(|error| {
            let index = results
                .get_failure_index()
                .and_then(|i| usize::try_from(i).ok());
            let from_anchor = [anchor].into_iter().chain(intermediates.iter().rev());
            let culprit = from_anchor
                .chain([target])
                .nth(index.unwrap_or(usize::MAX))
                .unwrap_or(target);
            describe(&error, culprit)
        })
    }
}

/// The certificate itself must not be weak even where nobody else vouches for it.
pub(super) fn check_key(certificate: &Certificate) -> Result<(), Distrust> {
    match certificate.key_kind() {
        Some(KeyKind::Rsa { bits }) if bits < MIN_RSA_BITS => Err(Distrust::Weak {
            subject: certificate.subject().to_owned(),
            because: Weakness::RsaKey(bits),
        }),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn check_dates(certificate: &Certificate, at: SystemTime) -> Result<(), Distrust> {
    let subject = || certificate.subject().to_owned();
    if at < certificate.not_before() {
        return Err(Distrust::NotYetValid {
            subject: subject(),
            from: certificate.not_before(),
        });
    }
    if at > certificate.not_after() {
        return Err(Distrust::Expired {
            subject: subject(),
            on: certificate.not_after(),
        });
    }
    Ok(())
}

fn check_signature_kind(certificate: &Certificate) -> Result<(), Distrust> {
    let subject = certificate.subject().to_owned();
    match CertificateSignature::read(certificate.signature_algorithm()) {
        Ok(_) => Ok(()),
        Err(Unchecked::Weak(because)) => Err(Distrust::Weak { subject, because }),
        Err(Unchecked::Unknown) => Err(Distrust::Untrusted(PathProblem::UnknownSignature(subject))),
    }
}

/// A CA that says what its certificates are for must say that they are for mail.
fn check_authority_usage(authority: &Certificate) -> Result<(), Distrust> {
    authority
        .allows_mail()
        .map_err(|because| Distrust::WrongUsage {
            subject: authority.subject().to_owned(),
            because,
        })
}

fn verify_signature(
    _environment: &PkiEnvironment,
    message: &[u8],
    signature: &BitString,
    algorithm: &AlgorithmIdentifierOwned,
    key: &SubjectPublicKeyInfoOwned,
) -> certval::Result<()> {
    let signature_is_good = CertificateSignature::read(algorithm).is_ok_and(|kind| {
        signature
            .as_bytes()
            .is_some_and(|bytes| kind.verifies(key, message, bytes))
    });
    match signature_is_good {
        true => Ok(()),
        false => Err(PathError::PathValidation(
            PathValidationStatus::SignatureVerificationFailure,
        )),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "certval's list is open, and whatever it adds is a reason not to trust"
)]
fn describe(error: &PathError, culprit: &Certificate) -> Distrust {
    use PathValidationStatus as Status;
    let subject = culprit.subject().to_owned();
    let PathError::PathValidation(status) = error else {
        return Distrust::Malformed { subject };
    };
    Distrust::Untrusted(match status {
        Status::NameChainingFailure => PathProblem::NoPath(culprit.issuer().to_owned()),
        Status::SignatureVerificationFailure => PathProblem::BadSignature(subject),
        Status::MissingBasicConstraints | Status::InvalidBasicConstraints => {
            PathProblem::NotAuthority(subject)
        }
        Status::InvalidPathLength => PathProblem::PathLength(subject),
        Status::NameConstraintsViolation => PathProblem::NameConstraints(subject),
        Status::UnprocessedCriticalExtension => PathProblem::CriticalExtension(subject),
        Status::NullPolicySet | Status::InvalidPolicyMapping => PathProblem::Policy,
        Status::InvalidKeyUsage => {
            return Distrust::WrongUsage {
                subject,
                because: "issues certificates without keyCertSign in its keyUsage",
            };
        }
        Status::EncodingError => return Distrust::Malformed { subject },
        _ => PathProblem::Other,
    })
}
