//! Keys come in: from files, or from our own certification authority.

use policy::address::Address;
use zeroize::Zeroizing;

use super::key_file::{self, KeyFile, KeyFileError};
use super::key_rejection::KeyRejection;
use super::pkcs12::Passphrase;
use super::software_key::SoftwareKey;
use super::{Vault, VaultError, place_of_key};
use crate::certificate::{Certificate, Purpose};
use crate::database::{KeyOrigin, KeyPurpose, NewKey};

/// How to take a key file.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// What the keys are for; none: what their certificates allow.
    pub purpose: Option<KeyPurpose>,
    /// Whether a PKCS#12 file without a MAC is taken, which anybody could have changed.
    pub without_mac: bool,
}

/// A key that was imported, or was there already.
#[derive(Debug, Clone)]
pub struct ImportedKey {
    /// The certificate that belongs to it.
    pub certificate: Certificate,
    /// The name that the file gives the key.
    pub name: Option<String>,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// False if its owner had it already.
    pub new: bool,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// There is no private key in the file.
    #[error("no private key in the file: was it exported without its key?")]
    NoKey,
    /// A key is none that can be used.
    #[error(transparent)]
    Key(#[from] KeyRejection),
    /// No certificate in the file is for a key in it; how many certificates could not be read.
    #[error(
        "no certificate in the file belongs to the private key ({unreadable} could not be read): put both in one file"
    )]
    NoCertificate {
        /// The number of certificates in the file that could not be read.
        unreadable: usize,
    },
    /// A certificate allows no use in mail; its subject.
    #[error("the certificate of {0:?} allows neither signing nor encryption of mail")]
    NoUse(String),
    /// The keys cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Vault {
    /// Imports every key in a PKCS#12 or PEM file for `owner`, with its certificate and the others in the file; all or
    /// none. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn import(
        &self,
        owner: &Address,
        bytes: &[u8],
        passphrase: &str,
        options: ImportOptions,
    ) -> Result<Vec<ImportedKey>, ImportError> {
        let passphrase = Passphrase::new(passphrase);
        let bytes = Zeroizing::new(bytes.to_vec());
        // The key derivation takes up to a second.
        let pairs = tokio::task::spawn_blocking(move || {
            let file = key_file::read(&bytes, &passphrase, !options.without_mac)?;
            pair(&file)
        })
        .await
        .map_err(|_| VaultError::Stopping)??;
        let mut purposes = Vec::with_capacity(pairs.keys.len());
        for key in &pairs.keys {
            purposes.push(match options.purpose {
                Some(purpose) => purpose,
                None => allowed_purpose(&key.certificate)?,
            });
        }
        let new = self
            .keep(owner, &pairs, &purposes, KeyOrigin::Imported)
            .await?;
        let keys = pairs.keys.into_iter().zip(purposes).zip(new);
        Ok(keys
            .map(|((key, purpose), new)| ImportedKey {
                warnings: warnings(owner, &key.certificate),
                certificate: key.certificate,
                name: key.name,
                purpose,
                new,
            })
            .collect())
    }

    /// Keeps a key (PKCS#8) that was made here for `certificate`. False if its owner had it already.
    ///
    /// # Errors
    /// [`ImportError::Key`], [`ImportError::NoCertificate`] if it is not the certificate's key, [`ImportError::NoUse`] or
    /// [`ImportError::Vault`].
    pub async fn keep_issued(
        &self,
        owner: &Address,
        certificate: &Certificate,
        pkcs8: &Zeroizing<Vec<u8>>,
    ) -> Result<bool, ImportError> {
        let key = SoftwareKey::read(pkcs8)?;
        if !key.belongs_to(certificate) {
            return Err(ImportError::NoCertificate { unreadable: 0 });
        }
        let pairs = Pairs {
            keys: vec![Pair {
                pkcs8: key.to_pkcs8()?,
                name: None,
                certificate: certificate.clone(),
            }],
            others: Vec::new(),
        };
        let purpose = allowed_purpose(certificate)?;
        let new = self
            .keep(owner, &pairs, &[purpose], KeyOrigin::Issued)
            .await?;
        Ok(new.contains(&true))
    }

    async fn keep(
        &self,
        owner: &Address,
        pairs: &Pairs,
        purposes: &[KeyPurpose],
        origin: KeyOrigin,
    ) -> Result<Vec<bool>, VaultError> {
        let mut keys = Vec::with_capacity(pairs.keys.len());
        for (key, purpose) in pairs.keys.iter().zip(purposes) {
            let place = place_of_key(owner.canonical(), &key.certificate.sha256());
            keys.push(NewKey {
                owner,
                certificate: &key.certificate,
                purpose: *purpose,
                origin,
                sealed: self.sealing_key.seal(&place, &key.pkcs8)?,
            });
        }
        let now = self.clock.now();
        let new = self.database.add_keys(&keys, &pairs.others, now).await?;
        self.invalidate(owner.canonical()).await;
        Ok(new)
    }
}

/// Keys with their certificates, and the certificates that are left.
struct Pairs {
    keys: Vec<Pair>,
    others: Vec<Certificate>,
}

struct Pair {
    pkcs8: Zeroizing<Vec<u8>>,
    name: Option<String>,
    certificate: Certificate,
}

/// Gives each key its certificate, by comparing public keys: names and numbers in the file are only hints. If several
/// fit, for the certificate was renewed, the newest is taken and the others stay certificates.
fn pair(file: &KeyFile) -> Result<Pairs, ImportError> {
    if file.keys.is_empty() {
        return Err(ImportError::NoKey);
    }
    let mut certificates: Vec<Certificate> = file
        .certificates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    let unreadable = file.certificates.len() - certificates.len();
    let mut keys = Vec::with_capacity(file.keys.len());
    for found in &file.keys {
        let key = SoftwareKey::read(&found.der)?;
        let certificate = certificates
            .iter()
            .filter(|certificate| key.belongs_to(certificate))
            .max_by_key(|certificate| certificate.not_before())
            .ok_or(ImportError::NoCertificate { unreadable })?;
        keys.push(Pair {
            pkcs8: key.to_pkcs8()?,
            name: found.name.clone(),
            certificate: certificate.clone(),
        });
    }
    certificates.retain(|other| keys.iter().all(|key| key.certificate != *other));
    Ok(Pairs {
        keys,
        others: certificates,
    })
}

fn allowed_purpose(certificate: &Certificate) -> Result<KeyPurpose, ImportError> {
    let allows = |purpose| certificate.allows(purpose).is_ok();
    match (allows(Purpose::Signing), allows(Purpose::Encryption)) {
        (true, true) => Ok(KeyPurpose::Both),
        (true, false) => Ok(KeyPurpose::Signing),
        (false, true) => Ok(KeyPurpose::Encryption),
        (false, false) => Err(ImportError::NoUse(certificate.subject().to_owned())),
    }
}

fn warnings(owner: &Address, certificate: &Certificate) -> Vec<String> {
    if certificate.addresses().contains(owner) {
        return Vec::new();
    }
    let named: Vec<&str> = certificate
        .addresses()
        .iter()
        .map(Address::as_str)
        .collect();
    let named = match named.is_empty() {
        true => "no address".to_owned(),
        false => named.join(", "),
    };
    vec![format!(
        "the certificate names {named}, not {owner}: its key decrypts for {owner}, but does not sign"
    )]
}
