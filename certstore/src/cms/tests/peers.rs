//! What BouncyCastle and Python made where OpenSSL cannot (see the README of tests/peers).

use std::path::Path;
use std::sync::Arc;

use super::support::*;
use crate::cms::*;

fn read(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    std::fs::read(folder.join(name)).unwrap()
}

fn owner_of(name: &str) -> Arc<dyn Decryptor> {
    Arc::new(Person {
        certificate: read(&format!("{name}.crt.der")),
        pkcs8: read(&format!("{name}.key.der")),
        ..people().rsa.clone()
    })
}

#[test]
fn messages_of_others_open() {
    for (owner, name, cipher) in [
        (
            "x25519",
            "x25519-hkdf-chacha20-attributes.der",
            "ChaCha20-Poly1305",
        ),
        ("x25519", "x25519-hkdf-sha384-aes128.der", "AES-128-CBC"),
        ("x25519", "x25519-hkdf-sha512-aes128.der", "AES-128-CBC"),
        (
            "x25519",
            "x25519-x963-aes192-gcm-short-tag.der",
            "AES-192-GCM",
        ),
        ("rsa", "gcm-auth.der", "AES-256-GCM"),
        ("rsa", "gcm-enveloped.der", "AES-256-GCM"),
    ] {
        let message = read(name);
        let opened = enveloped(&message)
            .decrypt(&[owner_of(owner)], &ANYTHING)
            .unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(&opened.content[..], CONTENT, "{name}");
        assert_eq!(opened.cipher, cipher, "{name}");
        assert_eq!(opened.authenticated, !cipher.ends_with("CBC"), "{name}");
    }
}

#[test]
fn authenticated_attributes_cannot_be_changed() {
    let message = read("x25519-hkdf-chacha20-attributes.der");
    // The attribute content-type: its value is the last of the identifiers.
    let value = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let at = message
        .windows(value.len())
        .rposition(|window| window == value)
        .unwrap();
    let mut changed = message.clone();
    changed[at + value.len() - 1] = 2;
    assert_eq!(
        enveloped(&changed).decrypt(&[owner_of("x25519")], &STRONG),
        Err(DecryptFailure::Undecryptable)
    );
}

#[test]
fn signatures_of_others_verify() {
    for name in ["ed25519.der", "ed25519-direct.der"] {
        let message = read(name);
        let signed = signed(&message);
        assert_eq!(signed.content(), Some(CONTENT));
        let report = signed.verify(None, &[]).remove(0);
        assert_eq!(report.outcome, Ok(()), "{name}");
        assert_eq!(report.algorithm, "Ed25519");
        assert_eq!(report.digest, Some(Digest::Sha512));
    }
}

#[test]
fn what_others_compressed_is_unpacked() {
    let message = read("compressed.der");
    let Ok(ContentInfo::Compressed(compressed)) = parse(&message) else {
        panic!("not compressed");
    };
    assert_eq!(compressed.decompress(1 << 20).unwrap(), CONTENT);
}
