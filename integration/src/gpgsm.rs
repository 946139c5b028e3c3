//! S/MIME by GnuPG: `gpgsm` in a home folder of its own.
//!
//! Keys are given to its agent as files in libgcrypt's form and without a passphrase: `gpgsm --import` of 2.2 cannot read
//! PKCS#12 of today, and takes no elliptic curve key from one of the past.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::pki::Identity;
use crate::process;

const PACKAGE: &str = "gpgsm";

/// Its version.
///
/// # Errors
/// It is not installed.
pub fn version() -> Result<String> {
    let mut gpgsm = Command::new(process::program("gpgsm", PACKAGE)?);
    let printed = process::run(gpgsm.arg("--version"), b"")?;
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let first = printed.lines().next().unwrap_or_default();
    Ok(first.rsplit(' ').next().unwrap_or_default().to_owned())
}

/// A home folder with one anchor. Its agent ends with this value.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    imported: Mutex<BTreeSet<PathBuf>>,
}

impl Home {
    /// A home in which `anchor` is trusted for mail.
    ///
    /// # Errors
    /// It is not installed, or refuses.
    pub fn new(anchor: &Path) -> Result<Self> {
        // The path of its agent's socket has to be short.
        let folder = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp")?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
        fs::create_dir(folder.path().join("private-keys-v1.d"))?;
        let options = "batch\nyes\ndisable-crl-checks\ndisable-policy-checks\ndisable-dirmngr\n";
        fs::write(folder.path().join("gpgsm.conf"), options)?;
        let mut openssl = Command::new("openssl");
        openssl
            .args(["x509", "-noout", "-fingerprint", "-sha1", "-in"])
            .arg(anchor);
        let printed = String::from_utf8(process::run(&mut openssl, b"")?)?;
        let (_, fingerprint) = printed.trim().split_once('=').context("no fingerprint")?;
        let trusted = format!("{fingerprint} S relax\n");
        fs::write(folder.path().join("trustlist.txt"), trusted)?;
        let home = Self {
            folder,
            imported: Mutex::default(),
        };
        home.run(&["--import"], &fs::read(anchor)?)?;
        Ok(home)
    }

    /// Takes somebody's certificate and key, once.
    ///
    /// # Errors
    /// The certificate is refused, or its key is of a kind that libgcrypt's format here has no words for.
    pub fn import(&self, person: &Identity) -> Result<()> {
        let mut imported = self.imported.lock().unwrap_or_else(PoisonError::into_inner);
        if imported.contains(&person.certificate) {
            return Ok(());
        }
        self.run(&["--import"], &fs::read(&person.certificate)?)?;
        let listed = self.run(
            &["--with-colons", "--with-keygrip", "-k", person.address],
            b"",
        )?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let grip = listed
            .lines()
            .find_map(|line| line.strip_prefix("grp:")?.split(':').nth(8))
            .context("no keygrip")?;
        let file = self
            .folder
            .path()
            .join(format!("private-keys-v1.d/{grip}.key"));
        fs::write(file, private_key(&person.key)?)?;
        imported.insert(person.certificate.clone());
        Ok(())
    }

    /// Verifies an opaque SignedData, and gives its content.
    ///
    /// # Errors
    /// Its own words, as of all that follow.
    pub fn verify(&self, message: &[u8]) -> Result<Vec<u8>> {
        let output = self.folder.path().join("content");
        let name = output.to_str().context("a path")?.to_owned();
        self.run(&["--output", &name, "--verify"], message)?;
        Ok(fs::read(output)?)
    }

    /// Verifies a SignedData over content beside it.
    ///
    /// # Errors
    /// The signature or its certificate is not good.
    pub fn verify_detached(&self, signature: &[u8], content: &[u8]) -> Result<()> {
        let (signature, content) = (self.file("sig", signature)?, self.file("content", content)?);
        self.run(&["--verify", &signature, &content], b"").map(drop)
    }

    /// Signs as somebody who was imported; gives a SignedData.
    ///
    /// # Errors
    /// The key or the digest is not to its liking.
    pub fn sign(&self, content: &[u8], who: &str, digest: &str, opaque: bool) -> Result<Vec<u8>> {
        let form = if opaque { "--sign" } else { "--detach-sign" };
        self.run(&["-u", who, "--digest-algo", digest, form], content)
    }

    /// Decrypts with whichever key it is for.
    ///
    /// # Errors
    /// It is for nobody here, or of a kind that it does not know.
    pub fn decrypt(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.run(&["--decrypt"], message)
    }

    /// Encrypts to somebody who was imported; gives an EnvelopedData.
    ///
    /// # Errors
    /// It cannot use the certificate or the cipher.
    pub fn encrypt(&self, content: &[u8], to: &str, cipher: &str) -> Result<Vec<u8>> {
        self.run(&["-r", to, "--cipher-algo", cipher, "--encrypt"], content)
    }

    /// The certificate of a certs-only message, DER.
    ///
    /// # Errors
    /// It finds none.
    pub fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        let mut other = Command::new(process::program("gpgsm", PACKAGE)?);
        let empty = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp")?;
        other.arg("--homedir").arg(empty.path()).arg("--batch");
        process::run(other.arg("--import"), message)?;
        let mut export = Command::new(process::program("gpgsm", PACKAGE)?);
        export.arg("--homedir").arg(empty.path()).arg("--export");
        process::run(&mut export, b"")
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path.to_str().context("a path")?.to_owned())
    }

    fn run(&self, options: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let mut gpgsm = Command::new(process::program("gpgsm", PACKAGE)?);
        gpgsm.arg("--homedir").arg(self.folder.path()).args(options);
        process::run(&mut gpgsm, input)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let mut gpgconf = Command::new("gpgconf");
        gpgconf.arg("--homedir").arg(self.folder.path());
        process::run(gpgconf.args(["--kill", "all"]), b"").ok();
    }
}

/// A private key as a canonical S-expression.
fn private_key(file: &Path) -> Result<Vec<u8>> {
    let mut openssl = Command::new("openssl");
    openssl.args(["pkey", "-noout", "-text", "-in"]).arg(file);
    let text = String::from_utf8(process::run(&mut openssl, b"")?)?;
    let curves = [
        ("prime256v1", "NIST P-256"),
        ("secp384r1", "NIST P-384"),
        ("secp521r1", "NIST P-521"),
    ];
    let curve = curves.iter().find(|(name, _)| text.contains(name));
    let mut key = String::from("(11:private-key");
    if let Some((_, curve)) = curve {
        write!(key, "(3:ecc(5:curve{}:{curve})", curve.len())?;
        return finish(key, &text, &[("q", "pub"), ("d", "priv")]);
    }
    ensure!(
        text.contains("publicExponent"),
        "no RSA key, and of no known curve"
    );
    key.push_str("(3:rsa(1:e3:\x01\x00\x01)");
    // OpenSSL's coefficient is the inverse of its second prime, libgcrypt's u that of its first.
    let numbers = [
        ("n", "modulus"),
        ("d", "privateExponent"),
        ("p", "prime2"),
        ("q", "prime1"),
        ("u", "coefficient"),
    ];
    finish(key, &text, &numbers)
}

fn finish(head: String, text: &str, numbers: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut key = head.into_bytes();
    for (name, printed) in numbers {
        let number = number(text, printed)?;
        key.extend(format!("(1:{name}{}:", number.len()).bytes());
        key.extend(number);
        key.push(b')');
    }
    key.extend(b"))");
    Ok(key)
}

/// The number that OpenSSL prints under `name:`, as indented lines of hex bytes.
fn number(text: &str, name: &str) -> Result<Vec<u8>> {
    let mut lines = text.lines();
    lines
        .find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        })
        .with_context(|| format!("no {name}"))?;
    let digits = lines
        .take_while(|line| line.starts_with(' '))
        .flat_map(|line| line.trim().split(':').filter(|digits| !digits.is_empty()));
    Ok(digits
        .map(|digits| u8::from_str_radix(digits, 16))
        .collect::<Result<_, _>>()?)
}
