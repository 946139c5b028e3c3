//! Whom an anchor counts for, and the reasons that people read.

use std::time::Duration;

use super::openssl::{Workshop, everybody, now};
use super::*;

const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
const LEAF: &str = "keyUsage=digitalSignature\nsubjectAltName=email:a@example.org";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn trust(certificate: &Certificate, scope: AnchorScope) -> Trust {
    let certificate = certificate.clone();
    Trust::new(
        vec![Anchor {
            certificate,
            scope,
            revocation: None,
        }],
        vec![],
    )
}

fn word(trust: &Trust, leaf: &Certificate) -> Result<(), &'static str> {
    let address = address("a@example.org");
    trust
        .validate(leaf, &[], Purpose::Signing, &address, now())
        .map(|_| ())
        .map_err(|distrust| distrust.word())
}

#[test]
fn an_anchor_counts_only_in_its_scope() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", CA, &[]);
    let leaf = workshop.make("leaf", "root", LEAF, &[]);
    let domains = |domain: &str| AnchorScope::Domains(vec![domain.to_owned()]);
    for (anchor, scope, expected) in [
        (&root, AnchorScope::Everybody, Ok(())),
        (&root, domains("example.org"), Ok(())),
        (&root, domains("partner.example"), Err("untrusted")),
        (
            &root,
            AnchorScope::Address(address("a@example.org")),
            Ok(()),
        ),
        (
            &root,
            AnchorScope::Address(address("b@example.org")),
            Err("untrusted"),
        ),
        (
            &leaf,
            AnchorScope::Address(address("a@example.org")),
            Ok(()),
        ),
        (&leaf, domains("other.example"), Err("untrusted")),
    ] {
        let trust = trust(anchor, scope.clone());
        assert_eq!(word(&trust, &leaf), expected, "{scope:?}");
        // What is remembered does not widen a scope.
        assert_eq!(word(&trust, &leaf), expected, "{scope:?}, asked again");
    }
}

#[test]
fn a_self_signed_leaf_needs_a_pin_and_a_pinned_leaf_issues_nothing() {
    let workshop = Workshop::new();
    let leaf = workshop.make("leaf", "leaf", LEAF, &[]);
    let below = workshop.make("below", "leaf", LEAF, &[]);
    let root = workshop.make("root", "root", CA, &[]);
    let pinned = trust(&leaf, AnchorScope::Address(address("a@example.org")));
    assert_eq!(word(&pinned, &leaf), Ok(()));
    assert_eq!(word(&pinned, &below), Err("untrusted"));
    assert_eq!(word(&everybody(&root, &[]), &leaf), Err("untrusted"));
}

#[test]
fn the_reason_says_what_is_missing() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", CA, &[]);
    let middle = workshop.make("middle", "root", CA, &[]);
    let leaf = workshop.make("leaf", "middle", LEAF, &[]);
    let stranger = workshop.make("stranger", "stranger", CA, &[]);
    let reason = |trust: &Trust, extra: &[Certificate], wanted: &str| {
        trust
            .validate(&leaf, extra, Purpose::Signing, &address(wanted), now())
            .unwrap_err()
            .to_string()
    };
    let strange = everybody(&stranger, &[]);
    let same = "a@example.org";
    for (found, expected) in [
        (
            reason(&strange, &[], same),
            "untrusted: no path to a trusted root; issuer is CN=middle,O=Test",
        ),
        (
            reason(&strange, std::slice::from_ref(&middle), same),
            "untrusted: no path to a trusted root; issuer is CN=root,O=Test",
        ),
        (
            reason(&strange, &[], "b@example.org"),
            "address-mismatch: the certificate is for a@example.org, not for b@example.org",
        ),
        (
            reason(
                &Trust::new(
                    vec![Anchor {
                        certificate: root.clone(),
                        scope: AnchorScope::Domains(vec!["partner.example".into()]),
                        revocation: None,
                    }],
                    vec![middle.clone()],
                ),
                &[],
                same,
            ),
            "untrusted: its root CN=root,O=Test is not trusted for this address",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_known_path_is_quick_and_still_ends_in_time() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", CA, &[]);
    let middle = workshop.make("middle", "root", CA, &["-days", "2"]);
    let leaf = workshop.make("leaf", "middle", LEAF, &[]);
    let trust = everybody(&root, &[middle]);
    assert_eq!(word(&trust, &leaf), Ok(()));
    let (address, at) = (address("a@example.org"), now());
    for _ in 0..1000 {
        let again = trust.validate(&leaf, &[], Purpose::Signing, &address, at);
        assert!(again.is_ok());
    }
    let later = at + Duration::from_secs(3 * 24 * 3600);
    let expired = trust.validate(&leaf, &[], Purpose::Signing, &address, later);
    let reason = expired.unwrap_err().to_string();
    assert!(
        reason.starts_with("expired: CN=middle,O=Test was valid until"),
        "{reason}"
    );
}
