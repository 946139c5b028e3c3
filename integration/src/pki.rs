//! The people of the stories and their certificates, made by OpenSSL once and shared by all tests of a build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::process;

/// Opens every PKCS#12 file here; one character is not ASCII on purpose.
pub const PASSPHRASE: &str = "Pässword 1";

/// Raised whenever what is made here changes, so that nobody uses an older one.
const EDITION: &str = "5";

/// Certificates made before this long ago are made again: CRLs and short-lived ones would have run out.
const LIFETIME: Duration = Duration::from_secs(5 * 24 * 3600);

/// Whoever holds a key and its certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    /// What the PKI and the PKCS#12 files call it.
    pub name: &'static str,
    /// The address that the certificate names.
    pub address: &'static str,
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM (PKCS#8), not encrypted.
    pub key: PathBuf,
    /// Both and the CA's certificate as PKCS#12 of today (PBES2 with AES-256, SHA-256), under [`PASSPHRASE`].
    pub p12: PathBuf,
    /// The same as the PKCS#12 of the past (RC2-40 and 3DES with SHA-1).
    pub legacy_p12: PathBuf,
}

/// How a certificate is to be.
struct Person {
    name: &'static str,
    address: &'static str,
    key: Key,
    usage: &'static str,
    issuer: &'static str,
    from: &'static str,
    until: &'static str,
}

#[derive(Clone, Copy)]
enum Key {
    Rsa,
    Ec(&'static str),
    /// Another kind, by OpenSSL's name for it.
    Other(&'static str),
}

const BOTH: &str = "digitalSignature,keyEncipherment";
const EC_BOTH: &str = "digitalSignature,keyAgreement";
const SIGN: &str = "digitalSignature,nonRepudiation";
const ENCRYPT: &str = "keyEncipherment";
const PAST: &str = "20240101000000Z";
const FUTURE: &str = "20400101000000Z";

const fn person(
    name: &'static str,
    address: &'static str,
    key: Key,
    usage: &'static str,
) -> Person {
    Person {
        name,
        address,
        key,
        usage,
        issuer: "ca",
        from: PAST,
        until: FUTURE,
    }
}

#[rustfmt::skip]
const PEOPLE: &[Person] = &[
    person("alice", "alice@example.org", Key::Rsa, BOTH),
    Person { from: "20200101000000Z", until: "20230101000000Z", ..person("alice-before", "alice@example.org", Key::Rsa, BOTH) },
    person("carol", "carol@example.org", Key::Ec("P-256"), EC_BOTH),
    person("dave", "dave@example.org", Key::Ec("P-384"), EC_BOTH),
    person("peter", "peter@example.org", Key::Ec("P-521"), EC_BOTH),
    person("edgar", "edgar@example.org", Key::Other("Ed25519"), "digitalSignature"),
    person("xaver", "xaver@example.org", Key::Other("X25519"), "keyAgreement"),
    person("erin-sign", "erin@example.org", Key::Rsa, SIGN),
    person("erin-encrypt", "erin@example.org", Key::Rsa, ENCRYPT),
    person("bob", "bob@partner.example", Key::Rsa, BOTH),
    person("bert", "bert@partner.example", Key::Ec("P-256"), EC_BOTH),
    person("boris", "boris@partner.example", Key::Ec("P-384"), EC_BOTH),
    person("paula", "paula@partner.example", Key::Ec("P-521"), EC_BOTH),
    person("edith", "edith@partner.example", Key::Other("Ed25519"), "digitalSignature"),
    person("xenia", "xenia@partner.example", Key::Other("X25519"), "keyAgreement"),
    person("betty", "betty@partner.example", Key::Rsa, BOTH),
    Person { from: "20200101000000Z", until: "20230101000000Z", ..person("expired", "expired@partner.example", Key::Rsa, BOTH) },
    Person { issuer: "other-ca", ..person("mallory", "mallory@evil.example", Key::Rsa, BOTH) },
    Person { issuer: "other-ca", ..person("false-bob", "bob@partner.example", Key::Rsa, BOTH) },
    Person { from: "20200101000000Z", until: "20230101000000Z", ..person("bob-before", "bob@partner.example", Key::Rsa, BOTH) },
    person("spaced", "bob @partner.example", Key::Rsa, BOTH),
    person("bob-encrypt", "bob@partner.example", Key::Rsa, ENCRYPT),
];

/// The folder with everything.
#[derive(Debug)]
pub struct Pki {
    folder: PathBuf,
}

/// The PKI; made on first use.
///
/// # Errors
/// OpenSSL is missing or refuses; the text is its own.
pub fn pki() -> Result<&'static Pki> {
    static PKI: OnceLock<Pki> = OnceLock::new();
    if let Some(pki) = PKI.get() {
        return Ok(pki);
    }
    let folder = shared_folder()?.join(format!("pki-{EDITION}"));
    once(&folder, Some(LIFETIME), make)?;
    Ok(PKI.get_or_init(|| Pki { folder }))
}

impl Pki {
    /// The anchor of everybody but mallory and false-bob, PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The file `name` of the folder: `tls.pem`, `tls.key` (for gw.example.org and 127.0.0.1), `other-ca.pem`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Alice, whose mail goes through the gateway: RSA-2048 for everything.
    #[must_use]
    pub fn alice(&self) -> Identity {
        self.identity("alice")
    }

    /// Bob at the partner's: RSA-2048 for everything.
    #[must_use]
    pub fn bob(&self) -> Identity {
        self.identity("bob")
    }

    /// Somebody of [`PEOPLE`].
    ///
    /// # Panics
    /// Nobody has that name.
    #[must_use]
    pub fn identity(&self, name: &str) -> Identity {
        let person = PEOPLE
            .iter()
            .find(|person| person.name == name)
            .unwrap_or_else(|| panic!("{name} is not in the PKI"));
        Identity {
            name: person.name,
            address: person.address,
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
            p12: self.file(&format!("{name}.p12")),
            legacy_p12: self.file(&format!("{name}.legacy.p12")),
        }
    }
}

/// A folder of this build that all tests share: beside the test programs.
///
/// # Errors
/// It cannot be made.
pub fn shared_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().context("a program without a folder")?;
    let folder = target.join("integration");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Lets one process make what `folder` holds, and all others wait for it; older than `lifetime`, it is made again.
///
/// # Errors
/// Those of `make`.
pub fn once(
    folder: &Path,
    lifetime: Option<Duration>,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    let made = folder.join("complete");
    let age = fs::metadata(&made).and_then(|file| file.modified());
    let is_young = |made: SystemTime| {
        lifetime.is_none_or(|lifetime| made.elapsed().is_ok_and(|age| age < lifetime))
    };
    if age.is_ok_and(is_young) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    make(folder)?;
    fs::write(made, "")?;
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    process::program("openssl", "openssl")?;
    fs::write(folder.join("ca.cnf"), CA_CONFIGURATION)?;
    fs::write(folder.join("index.txt"), "")?;
    for name in ["ca", "other-ca"] {
        let options = format!(
            "req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /O=Postern-tests/CN={name} \
             -keyout {name}.key -out {name}.pem"
        );
        openssl(folder, &options)?;
    }
    for person in PEOPLE {
        let extensions = format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,{}\nextendedKeyUsage=emailProtection\n\
             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=email:{}\n",
            person.usage, person.address
        );
        issue(folder, person, &extensions)?;
        export(folder, person.name)?;
    }
    let tls = person("tls", "", Key::Ec("P-256"), "");
    let extensions = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=serverAuth\nsubjectAltName=DNS:gw.example.org,DNS:localhost,IP:127.0.0.1\n";
    issue(folder, &tls, extensions)
}

fn issue(folder: &Path, person: &Person, extensions: &str) -> Result<()> {
    let Person { name, issuer, .. } = person;
    fs::write(folder.join("extensions"), extensions)?;
    let kind = match person.key {
        Key::Rsa => "rsa:2048".to_owned(),
        Key::Ec(curve) => format!("ec -pkeyopt ec_paramgen_curve:{curve}"),
        Key::Other(algorithm) => return issue_for(folder, person, algorithm),
    };
    openssl(
        folder,
        &format!(
            "req -new -newkey {kind} -nodes -subj /O=Postern-tests/CN={name} -keyout {name}.key -out {name}.csr"
        ),
    )?;
    openssl(
        folder,
        &format!(
            "ca -batch -config ca.cnf -cert {issuer}.pem -keyfile {issuer}.key -in {name}.csr -extfile extensions \
             -notext -startdate {} -enddate {} -out {name}.pem",
            person.from, person.until
        ),
    )
}

/// A key that cannot sign makes no request of its own: its certificate comes of another's.
fn issue_for(folder: &Path, person: &Person, algorithm: &str) -> Result<()> {
    let Person { name, issuer, .. } = person;
    for options in [
        format!("genpkey -algorithm {algorithm} -out {name}.key"),
        format!("pkey -in {name}.key -pubout -out {name}.pub"),
        format!("req -new -key {issuer}.key -subj /O=Postern-tests/CN={name} -out {name}.csr"),
        format!(
            "x509 -req -in {name}.csr -force_pubkey {name}.pub -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial \
             -days 3650 -extfile extensions -out {name}.pem"
        ),
    ] {
        openssl(folder, &options)?;
    }
    Ok(())
}

fn export(folder: &Path, name: &str) -> Result<()> {
    for (file, kind) in [("p12", ""), ("legacy.p12", "-legacy")] {
        let options = format!(
            "pkcs12 -export {kind} -in {name}.pem -inkey {name}.key -certfile ca.pem -name {name} \
             -passout env:PASSPHRASE -out {name}.{file}"
        );
        openssl(folder, &options)?;
    }
    Ok(())
}

fn openssl(folder: &Path, options: &str) -> Result<()> {
    let mut command = Command::new("openssl");
    command
        .args(options.split_whitespace())
        .current_dir(folder)
        .env("PASSPHRASE", PASSPHRASE);
    process::run(&mut command, b"").map(drop)
}

/// What `openssl ca` wants to know; it is used because it alone makes certificates of the past.
pub(crate) const CA_CONFIGURATION: &str = "
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = names
unique_subject = no
[names]
organizationName = supplied
commonName = supplied
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_what_the_stories_need() -> Result<()> {
        let pki = pki()?;
        for person in PEOPLE {
            let identity = pki.identity(person.name);
            let all = [
                identity.certificate,
                identity.key,
                identity.p12,
                identity.legacy_p12,
            ];
            assert!(all.iter().all(|file| file.is_file()), "{}", person.name);
        }
        assert!(pki.ca().is_file() && pki.file("tls.pem").is_file());
        Ok(())
    }
}
