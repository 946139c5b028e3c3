//! Certificates that strangers send along to make the search for a path long.

use super::openssl::{Workshop, everybody, now, verdict};
use super::*;

const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
                  subjectKeyIdentifier=none\nauthorityKeyIdentifier=none";
const LEAF: &str = "subjectAltName=email:a@example.org\nauthorityKeyIdentifier=none";

/// Authorities of two names that issue each other in every way: hundreds of thousands of paths, none of them to a root.
#[test]
fn a_web_of_authorities_is_given_up_in_time() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", CA, &[]);
    workshop.make("x", "x", CA, &[]);
    workshop.make("y", "y", CA, &[]);
    let mut web = Vec::new();
    for _ in 0..6 {
        web.push(workshop.make("x", "y", CA, &[]));
        web.push(workshop.make("y", "x", CA, &[]));
    }
    let leaf = workshop.make("leaf", "x", LEAF, &[]);
    assert_eq!(verdict(&root, &web, &leaf, now()), "untrusted");
}

/// Certificates with the root's name and other keys lead to the anchor by name, and fail by signature.
#[test]
fn decoys_cost_little_and_do_not_hide_the_way() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", CA, &[]);
    let middle = workshop.make("middle", "root", CA, &[]);
    let leaf = workshop.make("leaf", "middle", LEAF, &[]);
    let forger = Workshop::new();
    forger.make("root", "root", CA, &[]);
    let decoys: Vec<_> = (0..40)
        .map(|_| forger.make("middle", "root", CA, &[]))
        .collect();
    let with_way = [decoys.clone(), vec![middle.clone()]].concat();
    assert_eq!(verdict(&root, &with_way, &leaf, now()), "trusted");
    assert_eq!(verdict(&root, &decoys, &leaf, now()), "untrusted");
    // The operator's own intermediates are tried before a stranger's.
    let trust = everybody(&root, std::slice::from_ref(&middle));
    let address = Address::parse("a@example.org").unwrap();
    let trusted = trust.validate(&leaf, &decoys, Purpose::Signing, &address, now());
    assert_eq!(trusted.unwrap().chain(), [middle, root]);
}
