//! The NIST suite PKITS: every end certificate that can be decided without revocation is decided right.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use policy::address::Address;

use crate::certificate::{Certificate, corpus};
use crate::trust::{
    Anchor, AnchorScope, Crl, CrlError, Distrust, Evidence, RevocationMode, RevocationPolicy,
    Trust, TrustParts,
};

/// Tests that only revocation decides against, by parts of their names.
const DECIDED_BY_REVOCATION: [&str; 12] = [
    "CRL",
    "Revoked",
    "distributionPoint",
    "onlyContains",
    "onlySomeReasons",
    "IDPwithindirect",
    "cRLIssuer",
    "cRLSignFalse",
    "InvalidBasicSelfIssuedOldWithNewTest2",
    "InvalidBasicSelfIssuedNewWithOldTest5",
    "InvalidLongSerialNumberTest18",
    "InvalidNegativeSerialNumberTest15",
];

/// Valid by PKITS, and refused here on purpose: DSA with SHA-1.
const TOO_WEAK: [&str; 2] = [
    "ValidDSASignaturesTest4",
    "ValidDSAParameterInheritanceTest5",
];

/// Tests whose names do not tell: valid with the default settings of PKITS.
const VALID_BY_DEFAULT: [&str; 14] = [
    "AllCertificatesNoPoliciesTest2",
    "AllCertificatesSamePoliciesTest10",
    "AllCertificatesSamePoliciesTest13",
    "AllCertificatesanyPolicyTest11",
    "AnyPolicyTest14",
    "CPSPointerQualifierTest20",
    "DifferentPoliciesTest3",
    "OverlappingPoliciesTest6",
    "UserNoticeQualifierTest15",
    "UserNoticeQualifierTest16",
    "UserNoticeQualifierTest17",
    "UserNoticeQualifierTest18",
    "UserNoticeQualifierTest19",
    "inhibitAnyPolicyTest3",
];

#[test]
fn every_case_that_needs_no_revocation_is_decided_right() {
    let Some((trust, cases)) = suite() else {
        return;
    };
    let address = Address::parse("a@example.org").unwrap();
    let mut decided = 0;
    for (name, certificate) in cases {
        let is_any_of = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if name.starts_with("Invalid") && is_any_of(&DECIDED_BY_REVOCATION) {
            continue;
        }
        let is_valid = name.starts_with("Valid") || is_any_of(&VALID_BY_DEFAULT);
        let (found, _) = trust.snapshot.way(&certificate, &[], &address, day());
        assert_eq!(
            found.is_ok(),
            is_valid && !is_any_of(&TOO_WEAK),
            "{name}: {:?}",
            found.err()
        );
        decided += 1;
    }
    assert_eq!(decided, 175);
}

/// One certificate of the suite begins in 1950, which its decoder cannot say.
#[test]
fn only_a_date_before_1970_is_unreadable() {
    let unreadable = corpus::certificates("pkits/certs")
        .into_iter()
        .filter(|(_, entry)| entry.is_err())
        .map(|(name, _)| name);
    for name in unreadable {
        assert_eq!(name, "Validpre2000UTCnotBeforeDateTest3EE.crt");
    }
}

/// With the CRLs of the suite, every case is decided right, and for the right reason.
#[test]
fn every_case_is_decided_right_with_its_crls() {
    let Some((_, cases)) = suite() else {
        return;
    };
    let trust = with_crls();
    let address = Address::parse("a@example.org").unwrap();
    let mut wrong = Vec::new();
    let mut revoked = 0;
    for (name, certificate) in cases {
        let is_any_of = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let is_valid = name.starts_with("Valid") || is_any_of(&VALID_BY_DEFAULT);
        let (found, wanted) = trust.snapshot.way(&certificate, &[], &address, day());
        assert_eq!(wanted, [], "{name} names addresses of the web");
        revoked += usize::from(matches!(found, Err(Distrust::Revoked { .. })));
        if found.is_ok() != (is_valid && !is_any_of(&TOO_WEAK)) {
            wrong.push(format!("{name}: {:?}", found.err()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // The others are refused because their CRLs are not what they should be.
    assert_eq!(revoked, 22);
}

fn with_crls() -> Trust {
    let (mut crls, mut refused) = (Vec::new(), Vec::new());
    for path in corpus::files("pkits/crls") {
        match Crl::read(&std::fs::read(&path).unwrap()) {
            Ok(crl) => crls.push(crl),
            Err(error) => refused.push((path, error)),
        }
    }
    // One has a critical extension that nobody knows.
    let is_unknown = |error: &CrlError| matches!(error, CrlError::CriticalExtension(_));
    assert!(
        refused.iter().all(|(_, error)| is_unknown(error)),
        "{refused:?}"
    );
    assert_eq!(refused.len(), usize::from(!crls.is_empty()));
    let evidence = Evidence::default();
    evidence.set_files(crls);
    let (anchor, intermediates, _) = certificates().unwrap();
    Trust::of(TrustParts {
        anchors: vec![anchor],
        intermediates,
        revocation: RevocationPolicy {
            mode: RevocationMode::Hard,
            ..RevocationPolicy::default()
        },
        evidence: Arc::new(evidence),
        ..TrustParts::default()
    })
}

type Case = (String, Certificate);

fn suite() -> Option<(Trust, Vec<Case>)> {
    let (anchor, intermediates, ends) = certificates()?;
    Some((Trust::new(vec![anchor], intermediates), ends))
}

fn certificates() -> Option<(Anchor, Vec<Certificate>, Vec<Case>)> {
    let readable = corpus::certificates("pkits/certs")
        .into_iter()
        .filter_map(|(name, entry)| Some((name, entry.ok()?)));
    let (ends, authorities): (Vec<_>, Vec<_>) = readable.partition(|e| e.0.ends_with("EE.crt"));
    let (_, root) = authorities
        .iter()
        .find(|(name, _)| name.starts_with("TrustAnchorRoot"))?;
    let anchor = Anchor {
        certificate: root.clone(),
        scope: AnchorScope::Everybody,
        revocation: None,
    };
    let intermediates = authorities.into_iter().map(|(_, certificate)| certificate);
    Some((anchor, intermediates.collect(), ends))
}

/// In September 2020: within the validity of the suite.
fn day() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_600_000_000)
}
