//! What the S/MIME Baseline Requirements of the CA/Browser Forum (version 1.0, section 7.1) ask of a person's certificate
//! and this one lacks, as far as it matters to who sends and receives mail.
//!
//! It is advice for whoever orders certificates: none of it makes a certificate unusable here, and what does is said by
//! `trust`. Subject names and their sources are not looked at.

use std::time::{Duration, SystemTime};

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE;
use const_oid::db::rfc5912::{
    ID_KP_CODE_SIGNING, ID_KP_EMAIL_PROTECTION, ID_KP_SERVER_AUTH, ID_KP_TIME_STAMPING,
    SHA_1_WITH_RSA_ENCRYPTION,
};

use super::{Certificate, web_addresses};
use crate::cms::KeyKind;

/// id-ce-certificatePolicies of the CA/Browser Forum for S/MIME: the last arc is the generation.
const BASELINE: &str = "2.23.140.1.5.";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// 64 bits of chance in a serial number take eight octets at least.
const LEAST_SERIAL: usize = 8;
const LONGEST_SERIAL: usize = 20;

/// Something that the requirements ask for and the certificate lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// Section 7.1.2.3 (h).
    #[error(
        "it has no subjectAltName with a mail address, so other programs may not match it to a sender"
    )]
    NoAlternativeName,
    /// Section 7.1.4.2.1.
    #[error("an address in its subject is not in its subjectAltName")]
    SubjectAddress,
    /// RFC 9598, RFC 5280: an entry that is no mailbox.
    #[error("an entry that should be a mail address is none")]
    OddAddress,
    /// Section 7.1.2.3 (f).
    #[error("it is not limited to emailProtection by an extendedKeyUsage")]
    NoMailUsage,
    /// Section 7.1.2.3 (f).
    #[error("it may also be used for other things than mail: one key for all is a risk")]
    ForeignUsage,
    /// Section 7.1.2.3 (e).
    #[error("it has no keyUsage")]
    NoKeyUsage,
    /// Section 7.1.2.3 (e).
    #[error("its keyUsage lets it sign certificates or CRLs")]
    AuthorityUsage,
    /// Section 6.3.2.
    #[error("it is valid for more days than {0}, the most that its kind may be")]
    TooLong(u32),
    /// Section 6.1.5.
    #[error("its RSA key has {0} bits; 2048 or more, in steps of eight, are asked for")]
    RsaKey(u32),
    /// Section 7.1.3.2.
    #[error("it is signed with SHA-1, which can be forged")]
    Sha1,
    /// Section 7.1: serial numbers.
    #[error("its serial number has too few or too many digits to be unique and not guessed")]
    SerialNumber,
    /// Section 7.1.2.3 (b).
    #[error("it names no CRL on the web, so its revocation may go unseen")]
    NoCrl,
    /// Section 7.1.2.3 (c).
    #[error("it does not say where its issuer's certificate is, so that others may find no path")]
    NoIssuerAddress,
    /// Section 7.1.6.1.
    #[error("it claims no policy of the S/MIME Baseline Requirements")]
    NoPolicy,
    /// RFC 5280, section 4.2.1.1.
    #[error("it does not name its issuer's key")]
    NoAuthorityKey,
}

/// Everything that is found in a person's certificate; nothing of a CA's.
#[must_use]
pub fn lint(certificate: &Certificate) -> Vec<Finding> {
    if certificate.is_ca() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut find = |is_so: bool, finding| {
        if is_so {
            findings.push(finding);
        }
    };
    let exact = certificate.addresses();
    let alternative = certificate.alternative_addresses();
    find(alternative.is_empty(), Finding::NoAlternativeName);
    let is_beside = |address| !alternative.contains(address);
    find(
        !alternative.is_empty() && exact.iter().any(is_beside),
        Finding::SubjectAddress,
    );
    find(!certificate.odd_addresses().is_empty(), Finding::OddAddress);
    let names_crl = certificate
        .distribution_points()
        .iter()
        .any(|point| !web_addresses(point.distribution_point.as_ref()).is_empty());
    find(!names_crl, Finding::NoCrl);
    find(
        certificate.issuer_urls().is_empty(),
        Finding::NoIssuerAddress,
    );
    let has_issuer_key = certificate.authority_key_identifier().is_some();
    find(!has_issuer_key, Finding::NoAuthorityKey);
    let serial = certificate.serial_octets().len();
    find(
        !(LEAST_SERIAL..=LONGEST_SERIAL).contains(&serial),
        Finding::SerialNumber,
    );
    let signature = certificate.signature_algorithm().oid;
    find(signature == SHA_1_WITH_RSA_ENCRYPTION, Finding::Sha1);
    let generation = certificate.policies().iter().find_map(generation);
    findings.extend(usage(certificate, generation));
    findings.extend(kind(certificate, generation));
    findings
}

fn usage(certificate: &Certificate, generation: Option<char>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let purposes = certificate.extended_key_usage().unwrap_or_default();
    if !purposes.contains(&ID_KP_EMAIL_PROTECTION) {
        findings.push(Finding::NoMailUsage);
    }
    let foreign = [
        ANY_EXTENDED_KEY_USAGE,
        ID_KP_SERVER_AUTH,
        ID_KP_CODE_SIGNING,
        ID_KP_TIME_STAMPING,
    ];
    let is_strict = generation == Some('3');
    let is_foreign = |purpose: &ObjectIdentifier| {
        foreign.contains(purpose) || (is_strict && *purpose != ID_KP_EMAIL_PROTECTION)
    };
    if purposes.iter().any(is_foreign) {
        findings.push(Finding::ForeignUsage);
    }
    match certificate.key_usage() {
        None => findings.push(Finding::NoKeyUsage),
        Some(usage) if usage.key_cert_sign() || usage.crl_sign() => {
            findings.push(Finding::AuthorityUsage);
        }
        Some(_) => {}
    }
    findings
}

/// What depends on the policy and on the kind of key.
fn kind(certificate: &Certificate, generation: Option<char>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if generation.is_none() {
        findings.push(Finding::NoPolicy);
    }
    let most_days = match generation {
        Some('2' | '3') => 825,
        Some(_) | None => 1185,
    };
    let lifetime = lifetime(certificate.not_before(), certificate.not_after());
    if lifetime > DAY * most_days {
        findings.push(Finding::TooLong(most_days));
    }
    if let Some(KeyKind::Rsa { bits }) = certificate.key_kind()
        && (bits < 2048 || bits % 8 != 0)
    {
        findings.push(Finding::RsaKey(bits));
    }
    findings
}

/// The generation of a policy of the requirements: 1 is legacy, 2 multipurpose, 3 strict.
fn generation(policy: &ObjectIdentifier) -> Option<char> {
    policy.to_string().strip_prefix(BASELINE)?.chars().last()
}

/// Both ends count.
fn lifetime(from: SystemTime, until: SystemTime) -> Duration {
    let between = until.duration_since(from).unwrap_or_default();
    between + Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::corpus;

    /// What pkilint finds in its own samples and we look at too, by its code and ours.
    const CODES: [(&str, &[Finding]); 7] = [
        (
            "cabf.smime.san_extension_missing",
            &[Finding::NoAlternativeName],
        ),
        (
            "pkix.subject_email_address_not_in_san",
            &[Finding::SubjectAddress, Finding::NoAlternativeName],
        ),
        (
            "cabf.smime.prohibited_eku_present",
            &[Finding::ForeignUsage],
        ),
        (
            "cabf.smime.no_required_reserved_policy_oid",
            &[Finding::NoPolicy],
        ),
        (
            "cabf.smime.certificate_validity_period_exceeds_825_days",
            &[Finding::TooLong(825)],
        ),
        (
            "cabf.smime.certificate_validity_period_exceeds_1185_days",
            &[Finding::TooLong(1185)],
        ),
        ("cabf.no_http_crldp_uri", &[Finding::NoCrl]),
    ];

    #[test]
    fn what_pkilint_finds_is_found() {
        let mut compared = 0;
        for path in corpus::files("pkilint-smime-br") {
            let text = std::fs::read_to_string(&path).unwrap();
            let Some(Ok(certificate)) = crate::certificate::read_certificates(text.as_bytes())
                .into_iter()
                .next()
            else {
                continue;
            };
            let found = lint(&certificate);
            let kind = certificate.policies().iter().find_map(generation);
            if path.iter().any(|part| part == "strict") && kind != Some('3') {
                // pkilint was told the generation of its samples; here it is read.
                continue;
            }
            for (code, ours) in CODES {
                if text.contains(&format!("ERROR,{code}")) {
                    let is_found = ours.iter().any(|finding| found.contains(finding));
                    assert!(is_found, "{}: {code}, and not {found:?}", path.display());
                    compared += 1;
                }
            }
        }
        assert!(compared == 0 || compared >= 10, "{compared}");
    }

    #[test]
    fn the_samples_of_the_standard_are_clean() {
        for path in corpus::files("pkilint-smime-br") {
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.starts_with("smbr-cert-factory") {
                continue;
            }
            let text = std::fs::read(&path).unwrap();
            let certificate = crate::certificate::read_certificates(&text)
                .remove(0)
                .unwrap();
            assert_eq!(lint(&certificate), [], "{}", path.display());
        }
    }
}
