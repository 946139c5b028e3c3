//! S/MIME by OpenSSL: the judge of what comes out of the gateway, and the maker of what goes in.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::mime;
use crate::pki::{self, Identity};
use crate::process;

/// Verifies a signed mail or entity (clear or opaque) up to `anchor`, and gives the signed entity.
///
/// # Errors
/// The signature or its certificate is not good: the text is OpenSSL's.
pub fn verify(mail: &[u8], anchor: &Path) -> Result<Vec<u8>> {
    let mut openssl = cms("-verify");
    openssl.arg("-CAfile").arg(anchor);
    process::run(&mut openssl, mail)
}

/// Decrypts an encrypted mail or entity with somebody's key, and gives the entity inside.
///
/// # Errors
/// It is not for this key, or damaged: the text is OpenSSL's.
pub fn decrypt(mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
    let mut openssl = cms("-decrypt");
    openssl.arg("-recip").arg(&reader.certificate);
    openssl.arg("-inkey").arg(&reader.key);
    process::run(&mut openssl, mail)
}

/// Decrypts a mail with somebody's key, verifies what was inside up to `anchor`, and gives the signed entity.
///
/// # Errors
/// It is not both encrypted and signed, or either is not good.
pub fn open(mail: &[u8], reader: &Identity, anchor: &Path) -> Result<Vec<u8>> {
    let signed = decrypt(mail, reader).context("as an encrypted mail")?;
    verify(&signed, anchor).context("as a signed mail")
}

/// Signs an entity; `options` are those of `openssl cms -sign`, such as `-nodetach`.
///
/// # Errors
/// OpenSSL refuses.
pub fn sign(entity: &[u8], signer: &Identity, options: &[&str]) -> Result<Vec<u8>> {
    let mut openssl = cms("-sign");
    openssl.arg("-signer").arg(&signer.certificate);
    openssl.arg("-inkey").arg(&signer.key).args(options);
    Ok(mime::crlf(&process::run(&mut openssl, entity)?))
}

/// Encrypts an entity with `cipher` (such as `-aes-256-gcm`); `options` (such as `-keyopt …`) count for each reader.
///
/// # Errors
/// OpenSSL refuses.
pub fn encrypt(
    entity: &[u8],
    readers: &[&Identity],
    cipher: &str,
    options: &[&str],
) -> Result<Vec<u8>> {
    let mut openssl = cms("-encrypt");
    openssl.args(["-binary", cipher]);
    for reader in readers {
        openssl.arg("-recip").arg(&reader.certificate).args(options);
    }
    Ok(mime::crlf(&process::run(&mut openssl, entity)?))
}

/// The structure of an S/MIME message, field by field, as `openssl cms -cmsout -print` shows it.
///
/// # Errors
/// It is none.
pub fn structure(mail: &[u8]) -> Result<String> {
    let mut openssl = cms("-cmsout");
    let printed = process::run(openssl.args(["-noout", "-print"]), mail)?;
    Ok(String::from_utf8(printed)?)
}

/// How many RecipientInfos an encrypted message has.
///
/// # Errors
/// It is none.
pub fn recipient_count(mail: &[u8]) -> Result<usize> {
    let structure = structure(mail)?;
    let kinds = ["d.ktri:", "d.kari:", "d.kekri:", "d.pwri:", "d.ori:"];
    let is_recipient = |line: &&str| kinds.iter().any(|kind| line.trim().starts_with(kind));
    Ok(structure.lines().filter(is_recipient).count())
}

/// SHA-256 over a certificate's DER, lower-case hex: what the gateway calls its `sha256`.
///
/// # Errors
/// It is no certificate.
pub fn fingerprint(certificate: &Path) -> Result<String> {
    let printed = x509(certificate, "-fingerprint", &["-sha256"])?;
    let (_, digits) = printed.split_once('=').context("no fingerprint")?;
    Ok(digits.trim().replace(':', "").to_lowercase())
}

/// A certificate in DER.
///
/// # Errors
/// The file cannot be read.
pub fn der(certificate: &Path) -> Result<Vec<u8>> {
    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-outform", "DER", "-in"])
        .arg(certificate);
    process::run(&mut openssl, b"")
}

/// Certificates in a PKCS#7 bundle, DER.
///
/// # Errors
/// A file cannot be read.
pub fn bundle(certificates: &[&Path]) -> Result<Vec<u8>> {
    let mut openssl = Command::new("openssl");
    openssl.args(["crl2pkcs7", "-nocrl", "-outform", "DER"]);
    for certificate in certificates {
        openssl.arg("-certfile").arg(certificate);
    }
    process::run(&mut openssl, b"")
}

/// The serial number of a certificate, upper-case hex, as [`structure`] shows it.
///
/// # Errors
/// It is no certificate.
pub fn serial(certificate: &Path) -> Result<String> {
    let printed = x509(certificate, "-serial", &[])?;
    let (_, digits) = printed.split_once('=').context("no serial")?;
    Ok(digits.trim().to_owned())
}

/// A PKCS#12 file of `identity` with options of its own, under [`pki::PASSPHRASE`].
///
/// # Errors
/// OpenSSL refuses.
pub fn pkcs12(identity: &Identity, options: &[&str], out: &Path) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-passout", "env:PASSPHRASE"]);
    openssl.arg("-in").arg(&identity.certificate);
    openssl
        .arg("-inkey")
        .arg(&identity.key)
        .arg("-out")
        .arg(out);
    openssl.args(options).env("PASSPHRASE", pki::PASSPHRASE);
    process::run(&mut openssl, b"").map(drop)
}

fn cms(operation: &str) -> Command {
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", operation]);
    openssl
}

fn x509(certificate: &Path, what: &str, more: &[&str]) -> Result<String> {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", what]).args(more);
    let printed = process::run(openssl.arg("-in").arg(certificate), b"")?;
    Ok(String::from_utf8(printed)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mails, pki::pki};

    #[test]
    fn judges_its_own_mails() -> Result<()> {
        let pki = pki()?;
        let (alice, bob) = (pki.alice(), pki.bob());
        for mail in mails::small(alice.address, bob.address) {
            let entity = mime::entity(&mail.content);
            for form in [&[][..], &["-nodetach", "-binary"]] {
                let signed = sign(&entity, &alice, form)?;
                assert_eq!(verify(&signed, &pki.ca())?, entity, "{}", mail.name);
                assert!(verify(&signed, &pki.file("other-ca.pem")).is_err());
                let sealed = encrypt(&signed, &[&bob], "-aes-256-gcm", &[])?;
                assert_eq!(decrypt(&sealed, &bob)?, signed, "{}", mail.name);
                assert!(decrypt(&sealed, &alice).is_err());
                assert_eq!(recipient_count(&sealed)?, 1);
                assert!(structure(&sealed)?.contains(&serial(&bob.certificate)?));
            }
        }
        Ok(())
    }
}
