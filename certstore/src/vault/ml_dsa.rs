//! ML-DSA private keys (FIPS 204; RFC 9881, section 6), which sign.

use aws_lc_rs::encoding::AsRawBytes;
use aws_lc_rs::signature::{KeyPair, PqdsaKeyPair};
use zeroize::Zeroizing;

use super::key_rejection::KeyRejection;
use super::private_key_form::PrivateKeyForm;
use crate::cms::{KeyFailure, MlDsa};

/// An ML-DSA private key.
pub(super) struct MlDsaKey {
    pub(super) dsa: MlDsa,
    pair: PqdsaKeyPair,
    form: PrivateKeyForm,
}

impl MlDsaKey {
    /// Reads the octets of the PKCS#8 field privateKey. A seed that is there is the key; an expanded key beside it must
    /// be its expansion.
    pub(super) fn read(dsa: MlDsa, private_key: &[u8]) -> Result<Self, KeyRejection> {
        let form = PrivateKeyForm::read(private_key)?;
        let pair = match (&form.seed, &form.expanded) {
            (Some(seed), _) => PqdsaKeyPair::from_seed(dsa.signing(), seed),
            (None, Some(expanded)) => PqdsaKeyPair::from_raw_private_key(dsa.signing(), expanded),
            (None, None) => return Err(KeyRejection::Damaged),
        };
        let pair = pair.map_err(|_| KeyRejection::Refused)?;
        if let Some(given) = &form.expanded {
            let expanded = pair.private_key().as_raw_bytes();
            let expanded = expanded.map_err(|_| KeyRejection::Refused)?;
            if expanded.as_ref() != given.as_slice() {
                return Err(KeyRejection::Refused);
            }
        }
        Ok(Self { dsa, pair, form })
    }

    pub(super) fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The key in PKCS#8.
    pub(super) fn to_pkcs8(&self) -> der::Result<Zeroizing<Vec<u8>>> {
        self.form.to_pkcs8(self.dsa.oid())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let mut signature = vec![0; self.dsa.signing().signature_len()];
        let length = self.pair.sign(message, &mut signature);
        signature.truncate(length.map_err(|_| KeyFailure::Failed)?);
        Ok(signature)
    }
}

#[cfg(test)]
mod tests;
