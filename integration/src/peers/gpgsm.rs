//! GnuPG's `gpgsm`, over [`crate::gpgsm::Home`].

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Error, Result, anyhow};

use super::{Cipher, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing, no_word};
use crate::gpgsm::{self, Home};
use crate::mime;
use crate::pki::{self, Identity};

/// Its home is made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Gpgsm {
    home: Mutex<Option<Home>>,
}

impl Gpgsm {
    fn with<T>(&self, ask: impl FnOnce(&Home) -> Result<T>) -> Result<T> {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if home.is_none() {
            *home = Some(Home::new(&pki::pki()?.ca())?);
        }
        ask(home.as_ref().context("no home")?).map_err(in_short)
    }
}

impl Peer for Gpgsm {
    fn name(&self) -> &'static str {
        "gpgsm"
    }

    fn version(&self) -> Result<String> {
        gpgsm::version()
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        self.with(|home| {
            if mime::is_multipart_signed(mail) {
                let (signed, signature) = mime::clear_signed(mail)?;
                home.verify_detached(&signature, &signed)?;
                return Ok(signed);
            }
            home.verify(&mime::payload(mail)?)
        })
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        if let Signature::RsaPss(_) = how.signature {
            return Err(no_word("PSS"));
        }
        let digest = how.signature.digest();
        self.with(|home| {
            home.import(signer)?;
            let name = digest.name().to_uppercase();
            let opaque = how.form == Form::Opaque;
            let signed = home.sign(entity, signer.address, &name, opaque)?;
            Ok(match how.form {
                Form::Opaque => mime::pkcs7mime("signed-data", &signed),
                Form::Clear => mime::multipart_signed(entity, &signed, digest.micalg()),
            })
        })
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        self.with(|home| {
            home.import(reader)?;
            home.decrypt(&mime::payload(mail)?)
        })
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        if how.recipient == RecipientForm::KeyIdentifier {
            return Err(no_word("key identifiers"));
        }
        if let KeyMethod::Oaep(_) = how.method {
            return Err(no_word("OAEP"));
        }
        let cipher = match how.cipher {
            Cipher::AesCbc(128) => "AES",
            Cipher::AesCbc(192) => "AES192",
            Cipher::AesCbc(_) => "AES256",
            Cipher::AesGcm(128) => "AES.GCM",
            Cipher::AesGcm(192) => "AES192.GCM",
            Cipher::AesGcm(_) => "AES256.GCM",
            Cipher::ChaCha20Poly1305 => "CHACHA20",
            Cipher::TripleDes => "3DES",
            Cipher::Rc2 => "RC2",
        };
        self.with(|home| {
            home.import(reader)?;
            let sealed = home.encrypt(entity, reader.address, cipher)?;
            Ok(mime::pkcs7mime("enveloped-data", &sealed))
        })
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.with(|home| home.certificate(message))
    }
}

/// The last complaint but those that follow from it.
fn in_short(error: Error) -> Error {
    let text = format!("{error:#}");
    let mut said = text.lines().filter_map(|line| {
        let (_, said) = line.split_once("gpgsm: ")?;
        let consequence = [
            "CRLs not checked",
            "DBG: adding",
            "No secret key",
            "encrypted to",
        ];
        let matters = consequence.iter().all(|common| !said.contains(common));
        matters.then(|| said.trim())
    });
    match said.next_back() {
        Some(said) => anyhow!("{said}"),
        None => error,
    }
}
