//! Other S/MIME programs under one form, for the matrix of who reads whom: each is asked in the same words, and translates
//! them into its own options.
//!
//! Nothing is left out because a program is known not to do it. It is asked, and its refusal is kept; only where its
//! command line or API has no word for a thing, [`no_word`] says so in its place.

mod bouncycastle;
mod cryptography;
mod gpgsm;
mod library;
mod nss;
mod openssl;
mod pkijs;
mod way;

use anyhow::{Error, Result, anyhow};

pub use cryptography::interpreter as python;
pub use way::{Cipher, Digest, Form, KeyMethod, RecipientForm, Sealing, Signature, Signing};

use crate::pki::Identity;

/// Another program that reads and writes S/MIME.
pub trait Peer {
    /// Its name, as the column's head.
    fn name(&self) -> &'static str;

    /// Its version, in its own words. A program that is not installed has none.
    ///
    /// # Errors
    /// It is not installed; the text says how to.
    fn version(&self) -> Result<String>;

    /// Verifies a signed mail up to the PKI's anchor, and gives the signed entity.
    ///
    /// # Errors
    /// The program's own words, as of all that follow.
    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>>;

    /// Signs an entity; gives the signed entity.
    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>>;

    /// Decrypts a mail with somebody's key, and gives the entity inside.
    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>>;

    /// Encrypts an entity to somebody; gives the encrypted entity.
    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>>;

    /// Opens a compressed mail (RFC 3274).
    fn uncompress(&self, _mail: &[u8]) -> Result<Vec<u8>> {
        Err(no_word("compressed data"))
    }

    /// Compresses an entity.
    fn compress(&self, _entity: &[u8]) -> Result<Vec<u8>> {
        Err(no_word("compressed data"))
    }

    /// The first certificate of a certs-only message (DER), in DER.
    fn certificate(&self, _message: &[u8]) -> Result<Vec<u8>> {
        Err(no_word("certificates alone"))
    }

    /// A certs-only message with somebody's certificate, DER.
    fn certificates(&self, _person: &Identity) -> Result<Vec<u8>> {
        Err(no_word("certificates alone"))
    }
}

/// All of them, in the order of the columns.
#[must_use]
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(openssl::OpenSsl),
        Box::new(nss::Cmsutil::default()),
        Box::new(gpgsm::Gpgsm::default()),
        Box::new(bouncycastle::BouncyCastle),
        Box::new(cryptography::Cryptography),
        Box::new(pkijs::PkiJs),
    ]
}

/// What stands for the words of a program that cannot even be asked.
fn no_word(thing: &str) -> Error {
    anyhow!("it has no option for {thing}")
}
