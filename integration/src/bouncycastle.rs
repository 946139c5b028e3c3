//! S/MIME by BouncyCastle and JavaMail: `peers/BouncyCastle.java`, compiled once, started once for each test program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::pki::Identity;
use crate::process;
use crate::scripted::{self, Scripted, kept};

const SOURCE: &str = include_str!("../peers/BouncyCastle.java");

/// The libraries and the Debian packages that bring them.
const JARS: [(&str, &str); 6] = [
    ("bcprov", "libbcprov-java"),
    ("bcutil", "libbcutil-java"),
    ("bcpkix", "libbcpkix-java"),
    ("bcmail", "libbcmail-java"),
    ("javax.mail", "libmail-java"),
    ("javax.activation", "libactivation-java"),
];

/// Verifies a signed mail up to `anchor`, and gives the signed entity.
///
/// # Errors
/// The signature or its certificate is not good: the text is BouncyCastle's.
pub fn verify(mail: &[u8], anchor: &Path) -> Result<Vec<u8>> {
    let mail = kept(mail)?;
    JAVA.ask(&[&"verify", &mail.path(), &anchor])
}

/// Decrypts an encrypted mail with somebody's key, and gives the entity inside.
///
/// # Errors
/// It is not for this key, or damaged.
pub fn decrypt(mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
    let mail = kept(mail)?;
    JAVA.ask(&[&"decrypt", &mail.path(), &reader.certificate, &reader.key])
}

/// Decrypts a mail with somebody's key, verifies what was inside up to `anchor`, and gives the signed entity.
///
/// # Errors
/// It is not both encrypted and signed, or either is not good.
pub fn open(mail: &[u8], reader: &Identity, anchor: &Path) -> Result<Vec<u8>> {
    verify(&decrypt(mail, reader)?, anchor)
}

/// Signs an entity; `algorithm` by its Java name (`SHA256withRSAandMGF1`), `form` is `clear` or `opaque`.
///
/// # Errors
/// BouncyCastle refuses.
pub fn sign(entity: &[u8], signer: &Identity, algorithm: &str, form: &str) -> Result<Vec<u8>> {
    let entity = kept(entity)?;
    let Identity {
        certificate, key, ..
    } = signer;
    JAVA.ask(&[&"sign", &entity.path(), certificate, key, &algorithm, &form])
}

/// Encrypts an entity; `cipher` as `AES256_GCM`, `transport` is `PKCS1`, `OAEP_SHA256`, `ECDH_SHA256` or
/// `X25519_SHA256`; the reader is named by its `issuer` or its key `identifier`.
///
/// # Errors
/// BouncyCastle refuses.
pub fn encrypt(
    entity: &[u8],
    reader: &Identity,
    cipher: &str,
    transport: &str,
    named: &str,
) -> Result<Vec<u8>> {
    let entity = kept(entity)?;
    JAVA.ask(&[
        &"encrypt",
        &entity.path(),
        &reader.certificate,
        &cipher,
        &transport,
        &named,
    ])
}

/// Compresses an entity (RFC 3274).
///
/// # Errors
/// BouncyCastle refuses.
pub fn compress(entity: &[u8]) -> Result<Vec<u8>> {
    let entity = kept(entity)?;
    JAVA.ask(&[&"compress", &entity.path()])
}

/// Opens a compressed mail.
///
/// # Errors
/// It is none.
pub fn uncompress(mail: &[u8]) -> Result<Vec<u8>> {
    let mail = kept(mail)?;
    JAVA.ask(&[&"uncompress", &mail.path()])
}

/// The first certificate of a certs-only message, both in DER.
///
/// # Errors
/// There is none.
pub fn certificate(message: &[u8]) -> Result<Vec<u8>> {
    let message = kept(message)?;
    JAVA.ask(&[&"certificate", &message.path()])
}

/// A certs-only message with somebody's certificate, DER.
///
/// # Errors
/// BouncyCastle refuses.
pub fn certificates(person: &Identity) -> Result<Vec<u8>> {
    JAVA.ask(&[&"certificates", &person.certificate])
}

/// Its version.
///
/// # Errors
/// It is not installed.
pub fn version() -> Result<String> {
    Ok(String::from_utf8(JAVA.ask(&[&"version"])?)?)
}

static JAVA: Scripted = Scripted::new("BouncyCastle", || {
    let mut java = Command::new(process::program("java", "default-jre-headless")?);
    java.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(format!("{}:{}", classes()?.display(), class_path()?))
        .arg("BouncyCastle");
    Ok(java)
});

/// The folder with the compiled program.
fn classes() -> Result<PathBuf> {
    let name = "BouncyCastle.java";
    scripted::installed("bouncycastle", &[(name, SOURCE)], |folder| {
        let javac = process::program("javac", "default-jdk-headless")?;
        let mut compile = Command::new(javac);
        compile.arg("-d").arg(folder);
        compile.arg("-cp").arg(class_path()?).arg(folder.join(name));
        process::run(&mut compile, b"").map(drop)
    })
}

fn class_path() -> Result<String> {
    let mut path = Vec::new();
    for (jar, package) in JARS {
        let file = format!("/usr/share/java/{jar}.jar");
        ensure!(
            Path::new(&file).is_file(),
            "{file} is not installed: apt-get install {package}"
        );
        path.push(file);
    }
    Ok(path.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mails, mime, openssl, pki::pki};

    #[test]
    fn reads_and_makes_what_openssl_makes_and_reads() -> Result<()> {
        let pki = pki()?;
        let (bob, bert) = (pki.bob(), pki.identity("bert"));
        let mail = mails::html_with_attachments(bob.address, bob.address);
        let entity = mime::entity(&mail.content);
        let signed = openssl::sign(&entity, &bob, &["-keyopt", "rsa_padding_mode:pss"])?;
        assert_eq!(verify(&signed, &pki.ca())?, entity);
        assert!(verify(&signed, &pki.file("other-ca.pem")).is_err());
        for form in ["clear", "opaque"] {
            let signed = sign(&entity, &bert, "SHA256withECDSA", form)?;
            assert_eq!(openssl::verify(&signed, &pki.ca())?, entity, "{form}");
        }
        for (reader, cipher, transport) in [
            (&bob, "AES256_GCM", "OAEP_SHA256"),
            (&bob, "AES128_CBC", "PKCS1"),
            (&bert, "AES256_CBC", "ECDH_SHA256"),
        ] {
            let sealed = encrypt(&entity, reader, cipher, transport, "issuer")?;
            assert_eq!(openssl::decrypt(&sealed, reader)?, entity, "{cipher}");
            assert_eq!(decrypt(&sealed, reader)?, entity, "{cipher}");
        }
        Ok(())
    }
}
