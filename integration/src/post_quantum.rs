//! ML-KEM and ML-DSA in S/MIME by other code than ours: `peers/post_quantum.py`, on OpenSSL's algorithms through
//! pyca/cryptography.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use encodify::base64;

use crate::{mime, peers, process};

const SOURCE: &str = include_str!("../peers/post_quantum.py");

/// Decrypts an encrypted mail with an ML-KEM key (PEM), and gives the entity inside.
///
/// # Errors
/// It is not for this key, or damaged.
pub fn decrypt(mail: &[u8], key: &Path) -> Result<Vec<u8>> {
    ask(&["decrypt".as_ref(), key], &mime::payload(mail)?)
}

/// Verifies a clear-signed entity by the ML-DSA key of `certificate` (PEM), and gives what was signed.
///
/// # Errors
/// The signature is not that of this key over this entity.
pub fn verify(entity: &[u8], certificate: &Path) -> Result<Vec<u8>> {
    let (signed, signature) = mime::clear_signed(entity)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &signed)?;
    ask(&["verify".as_ref(), certificate, file.path()], &signature)
}

/// Encrypts an entity to the ML-KEM key of `certificate` (PEM). HKDF takes the SHA-2 of `digest` bits; `material` is user
/// keying material in hexadecimal, or "-" for none.
///
/// # Errors
/// The peer refuses.
pub fn encrypt(entity: &[u8], certificate: &Path, digest: &str, material: &str) -> Result<Vec<u8>> {
    let words = [
        "encrypt".as_ref(),
        certificate,
        digest.as_ref(),
        material.as_ref(),
    ];
    Ok(opaque("enveloped-data", &ask(&words, entity)?))
}

/// Signs an entity with an ML-DSA key (PEM), the content inside the signature.
///
/// # Errors
/// The peer refuses.
pub fn sign(entity: &[u8], certificate: &Path, key: &Path) -> Result<Vec<u8>> {
    let message = ask(&["sign".as_ref(), certificate, key], entity)?;
    Ok(opaque("signed-data", &message))
}

fn opaque(kind: &str, message: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    let mut entity = head.into_bytes();
    for line in base64::STANDARD.encode(message).as_bytes().chunks(76) {
        entity.extend_from_slice(line);
        entity.extend_from_slice(b"\r\n");
    }
    entity
}

fn ask(words: &[&Path], input: &[u8]) -> Result<Vec<u8>> {
    let mut python = Command::new(peers::python()?);
    process::run(python.args(["-c", SOURCE]).args(words), input)
}
