//! S/MIME by NSS, the library of Thunderbird: its `cmsutil` over a certificate database in a folder of its own.
//!
//! `cmsutil` knows CMS alone, so the MIME around it is undone here. NSS 3.87 reads signatures of every kind that the
//! stories make, and EnvelopedData with CBC ciphers and PKCS#1 v1.5 key transport; it knows no AuthEnvelopedData, no
//! OAEP, and no ECDH as others write it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

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
    imported: Mutex<BTreeSet<&'static str>>,
}

impl Nss {
    /// A database with one anchor and the keys of `people`.
    ///
    /// # Errors
    /// The tools are not installed, or refuse.
    pub fn new(anchor: &Path, people: &[&Identity]) -> Result<Self> {
        let nss = Self {
            folder: tempfile::tempdir()?,
            imported: Mutex::default(),
        };
        nss.run("certutil", [OsStr::new("-N"), "--empty-password".as_ref()])?;
        for person in people {
            nss.import(person)?;
        }
        // Trusted for mail (the second letter) and nothing else.
        let add = ["-A", "-n", "anchor", "-t", ",C,", "-i"].map(OsStr::new);
        nss.run("certutil", add.into_iter().chain([anchor.as_os_str()]))?;
        Ok(nss)
    }

    /// Takes somebody's certificate and key, once.
    ///
    /// # Errors
    /// The key is of a kind that NSS does not know.
    pub fn import(&self, person: &Identity) -> Result<()> {
        let mut imported = self.imported.lock().unwrap_or_else(PoisonError::into_inner);
        if !imported.contains(person.name) {
            let import = ["-W", PASSPHRASE, "-K", "", "-i"].map(OsStr::new);
            let all = import.into_iter().chain([person.p12.as_os_str()]);
            self.run("pk12util", all)?;
            imported.insert(person.name);
        }
        Ok(())
    }

    /// Verifies a signed mail, and gives the signed entity.
    ///
    /// # Errors
    /// The signature or its certificate is not good.
    pub fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        if mime::is_multipart_signed(mail) {
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

    /// Signs an entity as somebody of the database (`name` as in the PKI), by a digest (`SHA256`), with the entity inside
    /// or not; gives a SignedData.
    ///
    /// # Errors
    /// NSS refuses.
    pub fn sign(&self, entity: &[u8], name: &str, digest: &str, opaque: bool) -> Result<Vec<u8>> {
        let form: &[&str] = if opaque { &[] } else { &["-T"] };
        let options = ["-S", "-H", digest, "-G", "-N", name];
        self.make(&[&options[..], form].concat(), entity)
    }

    /// Encrypts an entity to somebody of the database; gives an EnvelopedData. NSS chooses the cipher.
    ///
    /// # Errors
    /// NSS refuses.
    pub fn encrypt(&self, entity: &[u8], address: &str) -> Result<Vec<u8>> {
        self.make(&["-E", "-r", address], entity)
    }

    /// A SignedData with the certificate of somebody of the database and nothing else.
    ///
    /// # Errors
    /// NSS refuses.
    pub fn certificates(&self, address: &str) -> Result<Vec<u8>> {
        self.make(&["-O", "-r", address], b"")
    }

    fn make(&self, options: &[&str], entity: &[u8]) -> Result<Vec<u8>> {
        let input = self.file("entity", entity)?;
        let output = self.folder.path().join("made");
        let files = [
            OsStr::new("-i"),
            input.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ];
        let options = options.iter().map(OsStr::new);
        self.run("cmsutil", options.chain(files))?;
        Ok(fs::read(output)?)
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
        let signed = mime::pkcs7mime("signed-data", &nss.sign(&entity, "bob", "SHA256", true)?);
        assert_eq!(openssl::verify(&signed, &pki.ca())?, entity);
        Ok(())
    }
}
