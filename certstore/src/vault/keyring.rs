//! All open keys of one owner: who signs for the address, and who decrypts.

use std::sync::Arc;
use std::time::SystemTime;

use policy::address::Address;
use zeroize::Zeroizing;

use super::software_key::SoftwareKey;
use super::{Vault, VaultError, place_of_key};
use crate::certificate::{Certificate, Purpose};
use crate::cms::{
    Curve, Decryptor, Digest, KeyFailure, KeyTransport, MlKem, RecipientId, SignatureScheme, Signer,
};
use crate::database::{KeyEntry, KeyPurpose, KeyState, StoredKey};
use crate::seal::SealingKey;

/// Most certificates that travel with a signature, beside the signer's own.
const MAX_CHAIN: usize = 8;

/// The open keys of one owner, those with the newest certificates first.
#[derive(Debug)]
pub(super) struct Keyring {
    signers: Vec<Arc<VaultSigner>>,
    decryptors: Vec<Arc<dyn Decryptor>>,
}

impl Keyring {
    /// The newest signer whose certificate is valid at `time`.
    pub(super) fn signer_at(&self, time: SystemTime) -> Option<Arc<dyn Signer>> {
        let signer = self
            .signers
            .iter()
            .find(|signer| is_valid_at(&signer.certificate, time))?;
        Some(Arc::clone(signer) as Arc<dyn Signer>)
    }

    pub(super) fn decryptors(&self) -> Vec<Arc<dyn Decryptor>> {
        self.decryptors.clone()
    }
}

impl Vault {
    /// Reads and opens the keys of `owner`.
    pub(super) async fn open_keyring(&self, owner: &Address) -> Result<Keyring, VaultError> {
        let mut stored = self.database.keys_of(owner).await?;
        stored.retain(|key| key.entry.state != KeyState::Withdrawn);
        if stored.is_empty() {
            return Ok(Keyring {
                signers: Vec::new(),
                decryptors: Vec::new(),
            });
        }
        let sealing_key = Arc::clone(&self.sealing_key);
        // Checking an RSA key takes about a millisecond.
        let keys = tokio::task::spawn_blocking(move || open_keys(&sealing_key, stored))
            .await
            .map_err(|_| VaultError::Stopping)??;
        let encryption_certificate = self.encryption_certificate(owner, &keys);
        let mut signers = Vec::new();
        for key in keys.iter().filter(|key| key.signs_for(owner)) {
            let certificate = key.entry.certificate.clone();
            signers.push(Arc::new(VaultSigner {
                key: Arc::clone(&key.key),
                chain: der_of(self.path_of(&certificate).await?.iter()),
                encryption_certificate: encryption_certificate
                    .clone()
                    .filter(|encryption| *encryption != certificate),
                certificate,
            }));
        }
        let decryptors = keys.into_iter().filter(OpenKey::decrypts).map(|key| {
            Arc::new(VaultDecryptor {
                key: key.key,
                certificate: key.entry.certificate,
            }) as Arc<dyn Decryptor>
        });
        Ok(Keyring {
            signers,
            decryptors: decryptors.collect(),
        })
    }

    /// The newest certificate that others should encrypt to now.
    fn encryption_certificate(&self, owner: &Address, keys: &[OpenKey]) -> Option<Certificate> {
        let now = self.clock.now();
        keys.iter()
            .filter(|key| key.is_encrypted_to(owner))
            .map(|key| &key.entry.certificate)
            .find(|certificate| is_valid_at(certificate, now))
            .cloned()
    }

    /// DER of the certificates between `certificate` and its root, as far as they are known; nearest first.
    pub(super) async fn chain_of(
        &self,
        certificate: &Certificate,
    ) -> Result<Vec<Vec<u8>>, VaultError> {
        let path = self.path_of(certificate).await?;
        Ok(der_of(path.iter().filter(|above| !above.is_self_issued())))
    }

    /// The certificates above `certificate`, as far as they are known; nearest first, the root last.
    async fn path_of(&self, certificate: &Certificate) -> Result<Vec<Certificate>, VaultError> {
        let mut path: Vec<Certificate> = Vec::new();
        let mut last = certificate.clone();
        while path.len() < MAX_CHAIN && !last.is_self_issued() {
            let issuers = self.database.authorities_named(last.issuer_der()).await?;
            let issuer = issuers
                .into_iter()
                .find(|issuer| may_have_issued(issuer, &last) && !path.contains(issuer));
            let Some(issuer) = issuer else { break };
            path.push(issuer.clone());
            last = issuer;
        }
        Ok(path)
    }
}

fn der_of<'c>(certificates: impl Iterator<Item = &'c Certificate>) -> Vec<Vec<u8>> {
    certificates
        .map(|certificate| certificate.der().to_vec())
        .collect()
}

fn may_have_issued(issuer: &Certificate, certificate: &Certificate) -> bool {
    match (
        certificate.authority_key_identifier(),
        issuer.subject_key_identifier(),
    ) {
        (Some(wanted), Some(found)) => wanted == found,
        (None, _) | (_, None) => true,
    }
}

fn is_valid_at(certificate: &Certificate, time: SystemTime) -> bool {
    (certificate.not_before()..=certificate.not_after()).contains(&time)
}

struct OpenKey {
    entry: KeyEntry,
    key: Arc<SoftwareKey>,
}

impl OpenKey {
    fn signs_for(&self, owner: &Address) -> bool {
        self.entry.state == KeyState::Active
            && matches!(self.entry.purpose, KeyPurpose::Signing | KeyPurpose::Both)
            && self.entry.certificate.allows(Purpose::Signing).is_ok()
            && self.entry.certificate.addresses().contains(owner)
    }

    fn is_encrypted_to(&self, owner: &Address) -> bool {
        self.entry.state == KeyState::Active
            && matches!(
                self.entry.purpose,
                KeyPurpose::Encryption | KeyPurpose::Both
            )
            && self.entry.certificate.allows(Purpose::Encryption).is_ok()
            && self.entry.certificate.addresses().contains(owner)
    }

    /// Whether mail may ever have been encrypted to it: by its purpose here, or by its certificate elsewhere.
    fn decrypts(&self) -> bool {
        self.entry.purpose != KeyPurpose::Signing
            || self.entry.certificate.allows(Purpose::Encryption).is_ok()
    }
}

fn open_keys(sealing_key: &SealingKey, stored: Vec<StoredKey>) -> Result<Vec<OpenKey>, VaultError> {
    stored
        .into_iter()
        .map(|stored| {
            let pkcs8 = unseal(sealing_key, &stored)?;
            let damaged = |reason| VaultError::DamagedKey {
                owner: stored.entry.owner.clone(),
                certificate: stored.entry.certificate.sha256(),
                reason,
            };
            let key = Arc::new(SoftwareKey::read(&pkcs8).map_err(damaged)?);
            Ok(OpenKey {
                entry: stored.entry,
                key,
            })
        })
        .collect()
}

/// The PKCS#8 of a stored key.
pub(super) fn unseal(
    sealing_key: &SealingKey,
    stored: &StoredKey,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let place = place_of_key(&stored.entry.owner, &stored.entry.certificate.sha256());
    Ok(sealing_key.open(&place, &stored.sealed)?)
}

/// Signs with one key of the vault.
#[derive(Debug)]
pub(super) struct VaultSigner {
    pub(super) key: Arc<SoftwareKey>,
    pub(super) certificate: Certificate,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) encryption_certificate: Option<Certificate>,
}

impl Signer for VaultSigner {
    fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn encryption_certificate(&self) -> Option<&[u8]> {
        self.encryption_certificate.as_ref().map(Certificate::der)
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        self.key.sign(scheme, message)
    }
}

/// Decrypts with one key of the vault.
#[derive(Debug)]
struct VaultDecryptor {
    key: Arc<SoftwareKey>,
    certificate: Certificate,
}

impl Decryptor for VaultDecryptor {
    fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    fn is_named_by(&self, recipient: &RecipientId) -> bool {
        self.certificate.is_named_by(recipient)
    }

    fn decrypt_key(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.key.decrypt(transport, encrypted_key)
    }

    fn decrypt_labelled_key(
        &self,
        digest: Digest,
        label: &[u8],
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.key.decrypt_labelled(digest, label, encrypted_key)
    }

    fn agree(&self, curve: Curve, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.key.agree(curve, public_key)
    }

    fn agree_x25519(&self, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.key.agree_x25519(public_key)
    }

    fn decapsulate(&self, kem: MlKem, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        self.key.decapsulate(kem, ciphertext)
    }
}
