//! ML-KEM private keys (FIPS 203; RFC 9935, section 6), which open what was encapsulated for them.

mod expansion;
mod shake;

use aws_lc_rs::digest::{SHA3_256, digest};
use aws_lc_rs::kem::{DecapsulationKey, EncapsulationKey};
use zeroize::Zeroizing;

use super::key_rejection::KeyRejection;
use super::private_key_form::PrivateKeyForm;
use crate::cms::{KeyFailure, MlKem};
use expansion::{Expanded, SEED_LENGTH, expand};

/// Length of the digest and the random octets that end an expanded key, in bytes each.
const TAIL: usize = 32;

/// An ML-KEM private key.
pub(super) struct MlKemKey {
    pub(super) kem: MlKem,
    decapsulation: DecapsulationKey,
    pub(super) public_key: Vec<u8>,
    form: PrivateKeyForm,
}

impl MlKemKey {
    /// Reads the octets of the PKCS#8 field privateKey. A seed that is there is the key; an expanded key beside it must
    /// be its expansion.
    pub(super) fn read(kem: MlKem, private_key: &[u8]) -> Result<Self, KeyRejection> {
        let form = PrivateKeyForm::read(private_key)?;
        let Some(seed) = form.seed else {
            let expanded = form.expanded.ok_or(KeyRejection::Damaged)?;
            let public_key = public_key_inside(kem, &expanded).ok_or(KeyRejection::Refused)?;
            let form = PrivateKeyForm::of_expanded(expanded.clone());
            return Self::new(kem, public_key, &expanded, form);
        };
        let seed_octets: &[u8; SEED_LENGTH] = seed
            .as_slice()
            .try_into()
            .map_err(|_| KeyRejection::Refused)?;
        let Expanded {
            encapsulation_key,
            decapsulation_key,
        } = expand(kem, seed_octets);
        if form
            .expanded
            .is_some_and(|given| given != decapsulation_key)
        {
            return Err(KeyRejection::Refused);
        }
        let form = PrivateKeyForm::of_seed(seed);
        Self::new(kem, encapsulation_key, &decapsulation_key, form)
    }

    /// Tries the key before it is taken: aws-lc looks at its length alone.
    fn new(
        kem: MlKem,
        public_key: Vec<u8>,
        expanded: &[u8],
        form: PrivateKeyForm,
    ) -> Result<Self, KeyRejection> {
        let refused = |_| KeyRejection::Refused;
        let decapsulation =
            DecapsulationKey::new(kem.algorithm(), expanded).map_err(|_| KeyRejection::Refused)?;
        let (ciphertext, sent) = EncapsulationKey::new(kem.algorithm(), &public_key)
            .map_err(|_| KeyRejection::Refused)?
            .encapsulate()
            .map_err(refused)?;
        let received = decapsulation.decapsulate(ciphertext).map_err(refused)?;
        if received.as_ref() != sent.as_ref() {
            return Err(KeyRejection::Refused);
        }
        Ok(Self {
            kem,
            decapsulation,
            public_key,
            form,
        })
    }

    /// The key in PKCS#8.
    pub(super) fn to_pkcs8(&self) -> der::Result<Zeroizing<Vec<u8>>> {
        self.form.to_pkcs8(self.kem.oid())
    }

    /// The shared secret in a ciphertext; another ciphertext of the right length gives another secret.
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let secret = self.decapsulation.decapsulate(ciphertext.into());
        let secret = secret.map_err(|_| KeyFailure::Failed)?;
        Ok(Zeroizing::new(secret.as_ref().to_vec()))
    }
}

/// The public key in an expanded private key, if it is the one whose digest follows (FIPS 203, section 7.3).
fn public_key_inside(kem: MlKem, expanded: &[u8]) -> Option<Vec<u8>> {
    let (_, tail) = expanded.split_at_checked(expanded.len().checked_sub(2 * TAIL)?)?;
    let (expected, _) = tail.split_at_checked(TAIL)?;
    let before_tail = expanded.strip_suffix(tail)?;
    let start = before_tail.len().checked_sub(public_key_length(kem))?;
    let public_key = before_tail.get(start..)?;
    (digest(&SHA3_256, public_key).as_ref() == expected).then(|| public_key.to_vec())
}

/// Length of an encapsulation key, in bytes (FIPS 203, section 8).
fn public_key_length(kem: MlKem) -> usize {
    match kem {
        MlKem::MlKem512 => 800,
        MlKem::MlKem768 => 1184,
        MlKem::MlKem1024 => 1568,
    }
}

#[cfg(test)]
mod tests;
