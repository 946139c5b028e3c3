//! Chains from OpenSSL's own test suite, with the verdicts that its recipe `25-test_verify.t` gives on the path.

use std::time::{Duration, UNIX_EPOCH};

use policy::address::Address;

use crate::certificate::{Certificate, corpus};
use crate::trust::{Anchor, AnchorScope, Trust};

/// The leaf, its root, the authorities between, and "valid" or the word of the refusal.
const CHAINS: [(&str, &str, &[&str], &str); 22] = [
    ("ee-cert", "root-cert", &["ca-cert"], "valid"),
    ("ee-cert", "root-cert", &[], "untrusted"),
    ("ee-cert", "root-cert2", &["ca-cert"], "untrusted"),
    ("ee-cert", "root-name2", &["ca-cert"], "untrusted"),
    ("ee-cert", "root-cert", &["ca-nonca"], "untrusted"),
    ("ee-cert", "root-cert", &["ca-nonbc"], "untrusted"),
    ("ee-cert", "root-cert", &["ca-root2"], "untrusted"),
    ("ee-cert", "root-cert", &["ca-name2"], "untrusted"),
    ("ee-cert", "root-cert", &["ca-expired"], "expired"),
    ("ee-cert", "root-cert", &["ca-cert-md5"], "weak"),
    ("ee-expired", "root-cert", &["ca-cert"], "expired"),
    ("ee-name2", "root-cert", &["ca-cert"], "untrusted"),
    ("ee-cert-md5", "root-cert", &["ca-cert"], "weak"),
    ("alt1-cert", "root-cert", &["ncca1-cert"], "valid"),
    ("alt2-cert", "root-cert", &["ncca2-cert"], "valid"),
    (
        "alt3-cert",
        "root-cert",
        &["ncca1-cert", "ncca3-cert"],
        "valid",
    ),
    ("badalt1-cert", "root-cert", &["ncca1-cert"], "untrusted"),
    ("badalt2-cert", "root-cert", &["ncca2-cert"], "untrusted"),
    ("badalt4-cert", "root-cert", &["ncca1-cert"], "untrusted"),
    ("ee-pss-sha256-cert", "root-cert", &["ca-cert"], "valid"),
    ("ee-pss-sha1-cert", "root-cert", &["ca-cert"], "weak"),
    (
        "server-ed25519-cert",
        "root-cert",
        &["ca-cert"],
        "untrusted",
    ),
];

#[test]
fn paths_of_the_openssl_suite_are_decided_as_there() {
    let all: Vec<_> = corpus::certificates("openssl/certs");
    if all.is_empty() {
        return;
    }
    let read = |name: &str| -> Certificate {
        let file = format!("{name}.pem");
        let found = all.iter().find(|(entry, _)| *entry == file);
        found.unwrap_or_else(|| panic!("{name}")).1.clone().unwrap()
    };
    let address = Address::parse("a@example.org").unwrap();
    let day = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (leaf, root, between, expected) in CHAINS {
        let anchor = Anchor {
            certificate: read(root),
            scope: AnchorScope::Everybody,
            revocation: None,
        };
        let trust = Trust::new(
            vec![anchor],
            between.iter().map(|name| read(name)).collect(),
        );
        let (found, _) = trust.snapshot.way(&read(leaf), &[], &address, day);
        let verdict = found
            .as_ref()
            .map_or_else(|distrust| distrust.word(), |_| "valid");
        assert_eq!(verdict, expected, "{leaf} {root} {between:?}: {found:?}");
    }
}
