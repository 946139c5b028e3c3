//! S/MIME by NSS, the library of Thunderbird: its `cmsutil` over a certificate database in a folder of its own.
//!
//! `cmsutil` knows CMS alone, so the MIME around it is undone here. NSS 3.87 reads signatures of every kind that the
//! stories make, and EnvelopedData with CBC ciphers and PKCS#1 v1.5 key transport; it knows no AuthEnvelopedData, no
//! OAEP, and no ECDH as others write it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::mime;
use crate::pki::{Identity, PASSPHRASE};
use crate::process;

const PACKAGE: &str = "libnss3-tools";

/// What `certutil` calls the use of a certificate by one who signs mail (SECCertUsage).
const EMAIL_SIGNER: &str = "4";

/// Decrypts a mail with somebody's key, verifies what was inside up to `anchor`, and gives the signed entity.
///
/// # Errors
/// It is not both encrypted and signed, or either is not good, or of a kind that NSS does not know.
pub fn open(mail: &[u8], reader: &Identity, anchor: &Path) -> Result<Vec<u8>> {
    let nss = Nss::new(anchor, &[reader])?;
    nss.verify(&nss.decrypt(mail)?)
}

/// A certificate database.
#[derive(Debug)]
pub struct Nss {
    folder: TempDir,
}

impl Nss {
    /// A database with one anchor and the keys of `people`.
    ///
    /// # Errors
    /// The tools are not installed, or refuse.
    pub fn new(anchor: &Path, people: &[&Identity]) -> Result<Self> {
        let nss = Self {
            folder: tempfile::tempdir()?,
        };
        nss.run("certutil", [OsStr::new("-N"), "--empty-password".as_ref()])?;
        for person in people {
            let import = ["-W", PASSPHRASE, "-K", "", "-i"].map(OsStr::new);
            nss.run(
                "pk12util",
                import.into_iter().chain([person.p12.as_os_str()]),
            )?;
        }
        // Trusted for mail (the second letter) and nothing else.
        let add = ["-A", "-n", "anchor", "-t", ",C,", "-i"].map(OsStr::new);
        nss.run("certutil", add.into_iter().chain([anchor.as_os_str()]))?;
        Ok(nss)
    }

    /// Verifies a signed mail, and gives the signed entity.
    ///
    /// # Errors
    /// The signature or its certificate is not good.
    pub fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        let kind = mime::values(mail, "Content-Type").pop().unwrap_or_default();
        if kind.starts_with("multipart/signed") {
            let (signed, signature) = mime::clear_signed(mail)?;
            let content = self.file("content", &signed)?;
            self.decode(&signature, &[OsStr::new("-c"), content.as_os_str()])?;
            return Ok(signed);
        }
        self.decode(&mime::payload(mail)?, &[])
    }

    /// Decrypts an encrypted mail with whichever key of the database it is for, and gives the entity inside.
    ///
    /// # Errors
    /// It is for none of them, or of a kind that NSS does not know.
    pub fn decrypt(&self, mail: &[u8]) -> Result<Vec<u8>> {
        self.decode(&mime::payload(mail)?, &[])
    }

    /// Signs an entity with SHA-256 as somebody of the database (`name` as in the PKI); gives an opaque mail entity.
    ///
    /// # Errors
    /// NSS refuses.
    pub fn sign(&self, entity: &[u8], name: &str) -> Result<Vec<u8>> {
        let input = self.file("entity", entity)?;
        let output = self.folder.path().join("signed");
        let sign = ["-S", "-H", "SHA256", "-G", "-N", name, "-i"].map(OsStr::new);
        let files = [input.as_os_str(), "-o".as_ref(), output.as_os_str()];
        self.run("cmsutil", sign.into_iter().chain(files))?;
        let head = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\
                    Content-Transfer-Encoding: base64\r\n\r\n";
        let body = encodify::base64::MIME.encode(fs::read(output)?);
        Ok(format!("{head}{body}\r\n").into_bytes())
    }

    fn decode(&self, message: &[u8], more: &[&OsStr]) -> Result<Vec<u8>> {
        let input = self.file("message", message)?;
        let output = self.folder.path().join("decoded");
        let decode = ["-D", "-u", EMAIL_SIGNER, "-i"].map(OsStr::new);
        let files = [input.as_os_str(), "-o".as_ref(), output.as_os_str()];
        let all = decode.into_iter().chain(files).chain(more.iter().copied());
        self.run("cmsutil", all)?;
        Ok(fs::read(output)?)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }

    fn run<'a>(&self, tool: &str, options: impl IntoIterator<Item = &'a OsStr>) -> Result<()> {
        let mut command = Command::new(process::program(tool, PACKAGE)?);
        command
            .arg("-d")
            .arg(format!("sql:{}", self.folder.path().display()));
        process::run(command.args(options), b"").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mails, openssl, pki::pki};

    #[test]
    fn reads_and_makes_what_openssl_makes_and_reads() -> Result<()> {
        let pki = pki()?;
        let (bob, bert) = (pki.bob(), pki.identity("bert"));
        let nss = Nss::new(&pki.ca(), &[&bob])?;
        let entity = mime::entity(&mails::plain(bob.address, bob.address).content);
        for signer in [&bob, &bert] {
            for form in [&[][..], &["-nodetach", "-binary"]] {
                let signed = openssl::sign(&entity, signer, form)?;
                assert_eq!(nss.verify(&signed)?, entity);
            }
        }
        let stranger = openssl::sign(&entity, &pki.identity("mallory"), &[])?;
        assert!(nss.verify(&stranger).is_err());
        let sealed = openssl::encrypt(&entity, &[&bob], "-aes-256-cbc", &[])?;
        assert_eq!(nss.decrypt(&sealed)?, entity);
        let signed = nss.sign(&entity, "bob")?;
        assert_eq!(openssl::verify(&signed, &pki.ca())?, entity);
        Ok(())
    }
}
