//! `[trust]`: anchors, whom nobody shall believe, and how revocation is looked at.

use std::path::PathBuf;

use certstore::certificate::Fingerprint;
use certstore::trust::{RevocationMode, RevocationOrder, RevocationPolicy};

use super::checked::{AnchorFiles, TrustConfig};
use super::listener::networks;
use super::read::Reader;

const MODES: [(&str, RevocationMode); 3] = [
    ("off", RevocationMode::Off),
    ("soft", RevocationMode::Soft),
    ("hard", RevocationMode::Hard),
];
const ORDERS: [(&str, RevocationOrder); 2] = [
    ("ocsp-first", RevocationOrder::OcspFirst),
    ("crl-first", RevocationOrder::CrlFirst),
];

/// Reads the section; without one, revocation is looked at softly.
pub(super) fn read(section: Option<Reader<'_, '_>>) -> TrustConfig {
    let Some(mut section) = section else {
        return TrustConfig {
            revocation: revocation(None, None),
            fetch_issuers: true,
            ..TrustConfig::default()
        };
    };
    let mut anchors = vec![AnchorFiles {
        domains: None,
        files: section.files("anchors"),
        revocation: None,
    }];
    for group in section.sections("group") {
        anchors.push(anchor_files(group, false));
    }
    for partner in section.sections("partner") {
        anchors.push(anchor_files(partner, true));
    }
    let mode = mode(&mut section);
    let order = section.table.choice("revocation-order", &ORDERS);
    let mut revocation = revocation(mode, order.map(|order| order.value));
    if let Some(grace) = section.table.duration("revocation-grace") {
        revocation.grace = grace.value;
    }
    let config = TrustConfig {
        anchors,
        distrust: distrust(&mut section),
        revocation,
        crls: crls(&mut section),
        ocsp_nonce: flag(&mut section, "ocsp-nonce", false),
        fetch_issuers: flag(&mut section, "fetch-issuers", true),
        fetch_private: networks(&mut section, "fetch-private"),
    };
    section.table.finish();
    config
}

fn revocation(mode: Option<RevocationMode>, order: Option<RevocationOrder>) -> RevocationPolicy {
    RevocationPolicy {
        mode: mode.unwrap_or(RevocationMode::Soft),
        order: order.unwrap_or_default(),
        ..RevocationPolicy::default()
    }
}

/// A `[[trust.group]]`, which counts for everybody, or a `[[trust.partner]]`, which counts for its domains.
fn anchor_files(mut section: Reader<'_, '_>, has_domains: bool) -> AnchorFiles {
    if has_domains {
        section.table.require("domains");
    }
    section.table.require("anchors");
    let domains = has_domains.then(|| section.domains("domains").unwrap_or_default());
    let files = section.files("anchors");
    let revocation = mode(&mut section);
    section.table.finish();
    AnchorFiles {
        domains,
        files,
        revocation,
    }
}

fn mode(section: &mut Reader<'_, '_>) -> Option<RevocationMode> {
    let mode = section.table.choice("revocation", &MODES)?;
    Some(mode.value)
}

fn distrust(section: &mut Reader<'_, '_>) -> Vec<Fingerprint> {
    let mut fingerprints = Vec::new();
    let texts = section.table.list_of_strings("distrust");
    for text in texts.into_iter().flat_map(|texts| texts.value) {
        match text.value.parse() {
            Ok(fingerprint) => fingerprints.push(fingerprint),
            Err(error) => {
                let message = format!("`distrust` cannot hold {:?}: {error}", text.value);
                section.table.error(text.place, message);
            }
        }
    }
    fingerprints
}

/// The patterns as they are: files come and go while a gateway runs.
fn crls(section: &mut Reader<'_, '_>) -> Vec<PathBuf> {
    let patterns = section.table.list_of_strings("crls");
    let patterns = patterns.into_iter().flat_map(|patterns| patterns.value);
    patterns
        .map(|pattern| section.folder.join(pattern.value))
        .collect()
}

fn flag(section: &mut Reader<'_, '_>, key: &str, default: bool) -> bool {
    section
        .table
        .boolean(key)
        .map_or(default, |flag| flag.value)
}
