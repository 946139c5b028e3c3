//! The keys of our own certification authorities: kept like any other, and lent out as a signer.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::import::ImportError;
use super::keyring::VaultSigner;
use super::software_key::SoftwareKey;
use super::{Vault, VaultError, place_of_key};
use crate::certificate::Certificate;
use crate::cms::Signer;

/// Stands where the owner of a user's key stands; no address looks like this.
const OWNER: &str = "certification authority";

impl Vault {
    /// Keeps a new certification authority and its key (PKCS#8); the newest one issues. False if it is there already.
    ///
    /// # Errors
    /// [`ImportError::Key`], [`ImportError::NoCertificate`] if it is not the certificate's key, or [`ImportError::Vault`].
    pub async fn store_authority(
        &self,
        certificate: &Certificate,
        pkcs8: &Zeroizing<Vec<u8>>,
    ) -> Result<bool, ImportError> {
        let key = SoftwareKey::read(pkcs8)?;
        if !key.belongs_to(certificate) {
            return Err(ImportError::NoCertificate { unreadable: 0 });
        }
        let place = place_of_key(OWNER, &certificate.sha256());
        let sealed = self
            .sealing_key
            .seal(&place, &key.to_pkcs8()?)
            .map_err(VaultError::from)?;
        let now = self.clock.now();
        let new = self.database.add_authority(certificate, &sealed, now).await;
        Ok(new.map_err(VaultError::from)?)
    }

    /// Who signs for the newest certification authority; none if there is no authority.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn authority(&self) -> Result<Option<Arc<dyn Signer>>, VaultError> {
        let Some(stored) = self.database.authorities().await?.into_iter().next() else {
            return Ok(None);
        };
        let fingerprint = stored.certificate.sha256();
        let place = place_of_key(OWNER, &fingerprint);
        let pkcs8 = self.sealing_key.open(&place, &stored.sealed)?;
        let key = SoftwareKey::read(&pkcs8).map_err(|reason| VaultError::DamagedKey {
            owner: OWNER.to_owned(),
            certificate: fingerprint,
            reason,
        })?;
        Ok(Some(Arc::new(VaultSigner {
            key: Arc::new(key),
            chain: self.chain_of(&stored.certificate).await?,
            certificate: stored.certificate,
            encryption_certificate: None,
        })))
    }
}
