//! The only way for a key to leave the vault: to its owner, in a file.

use policy::address::Address;
use zeroize::Zeroizing;

use super::keyring::unseal;
use super::pkcs12;
use super::{Vault, VaultError};
use crate::certificate::Fingerprint;
use crate::database::{KeyState, StoredKey};

/// Why a key was not exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The owner has no such key, or it was withdrawn.
    #[error("{owner} has no key for the certificate {certificate}")]
    NoSuchKey {
        /// The canonical address.
        owner: String,
        /// The certificate that was asked for.
        certificate: Fingerprint,
    },
    /// The PKCS#12 file could not be made.
    #[error("the PKCS#12 file could not be made: {0}")]
    Pkcs12(String),
    /// The vault did not answer.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Vault {
    /// A PKCS#12 file (AES-256, SHA-256) with the owner's key for `certificate`, the certificate and its chain.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export_pkcs12(
        &self,
        owner: &Address,
        certificate: &Fingerprint,
        passphrase: &str,
    ) -> Result<Zeroizing<Vec<u8>>, ExportError> {
        let stored = self.stored_key(owner, certificate).await?;
        let pkcs8 = unseal(&self.sealing_key, &stored)?;
        let certificate = stored.entry.certificate;
        let mut chain = self.chain_of(&certificate).await?;
        chain.insert(0, certificate.der().to_vec());
        let (name, passphrase) = (
            owner.as_str().to_owned(),
            Zeroizing::new(passphrase.to_owned()),
        );
        // The key derivation takes a good part of a second.
        tokio::task::spawn_blocking(move || pkcs12::write(&name, &pkcs8, &chain, &passphrase))
            .await
            .map_err(|_| VaultError::Stopping)?
            .map_err(ExportError::Pkcs12)
    }

    /// PEM with the owner's key for `certificate` (PKCS#8, not encrypted), the certificate and its chain.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export_pem(
        &self,
        owner: &Address,
        certificate: &Fingerprint,
    ) -> Result<Zeroizing<String>, ExportError> {
        let stored = self.stored_key(owner, certificate).await?;
        let pkcs8 = unseal(&self.sealing_key, &stored)?;
        let mut text = Zeroizing::new(encodify::pem::STANDARD.encode("PRIVATE KEY", &*pkcs8));
        let certificate = stored.entry.certificate;
        let chain = self.chain_of(&certificate).await?;
        for der in std::iter::once(certificate.der()).chain(chain.iter().map(Vec::as_slice)) {
            let block = encodify::pem::STANDARD.encode("CERTIFICATE", der);
            let mut longer = Zeroizing::new(String::with_capacity(text.len() + block.len()));
            longer.push_str(&text);
            longer.push_str(&block);
            text = longer;
        }
        Ok(text)
    }

    async fn stored_key(
        &self,
        owner: &Address,
        certificate: &Fingerprint,
    ) -> Result<StoredKey, ExportError> {
        let keys = self
            .database
            .keys_of(owner)
            .await
            .map_err(VaultError::from)?;
        keys.into_iter()
            .find(|key| {
                key.entry.certificate.sha256() == *certificate
                    && key.entry.state != KeyState::Withdrawn
            })
            .ok_or_else(|| ExportError::NoSuchKey {
                owner: owner.canonical().to_owned(),
                certificate: *certificate,
            })
    }
}
