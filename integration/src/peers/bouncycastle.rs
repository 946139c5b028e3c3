//! BouncyCastle, over [`crate::bouncycastle`].

use anyhow::{Error, Result, anyhow};

use super::{Cipher, Digest, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing};
use crate::bouncycastle as java;
use crate::pki::{self, Identity};

#[derive(Debug)]
pub(super) struct BouncyCastle;

impl Peer for BouncyCastle {
    fn name(&self) -> &'static str {
        "BouncyCastle"
    }

    fn version(&self) -> Result<String> {
        java::version()
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        java::verify(mail, &pki::pki()?.ca()).map_err(in_short)
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        let digest = how.signature.digest().name().to_uppercase();
        let algorithm = match how.signature {
            Signature::RsaPkcs1(_) => format!("{digest}withRSA"),
            Signature::RsaPss(_) => format!("{digest}withRSAandMGF1"),
            Signature::Ecdsa(_) => format!("{digest}withECDSA"),
            Signature::Ed25519 => "Ed25519".to_owned(),
        };
        let form = match how.form {
            Form::Clear => "clear",
            Form::Opaque => "opaque",
        };
        java::sign(entity, signer, &algorithm, form).map_err(in_short)
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        java::decrypt(mail, reader).map_err(in_short)
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        let cipher = match how.cipher {
            Cipher::AesCbc(bits) => format!("AES{bits}_CBC"),
            Cipher::AesGcm(bits) => format!("AES{bits}_GCM"),
            Cipher::ChaCha20Poly1305 => "ChaCha20Poly1305".to_owned(),
            Cipher::TripleDes => "DES_EDE3_CBC".to_owned(),
            Cipher::Rc2 => "RC2_CBC".to_owned(),
        };
        let by = |digest: Digest| digest.name().to_uppercase();
        let method = match how.method {
            KeyMethod::Pkcs1 => "PKCS1".to_owned(),
            KeyMethod::Oaep(digest) => format!("OAEP_{}", by(digest)),
            KeyMethod::Ecdh(digest) => format!("ECDH_{}", by(digest)),
            KeyMethod::X25519(digest) => format!("X25519_{}", by(digest)),
        };
        let named = match how.recipient {
            RecipientForm::IssuerAndSerial => "issuer",
            RecipientForm::KeyIdentifier => "identifier",
        };
        java::encrypt(entity, reader, &cipher, &method, named).map_err(in_short)
    }

    fn uncompress(&self, mail: &[u8]) -> Result<Vec<u8>> {
        java::uncompress(mail).map_err(in_short)
    }

    fn compress(&self, entity: &[u8]) -> Result<Vec<u8>> {
        java::compress(entity).map_err(in_short)
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        java::certificate(message).map_err(in_short)
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        java::certificates(person).map_err(in_short)
    }
}

/// Without the names of classes.
fn in_short(error: Error) -> Error {
    let text = format!("{error:#}");
    let said = text.strip_prefix("BouncyCastle: ").unwrap_or(&text);
    let (class, words) = said.split_once(": ").unwrap_or((said, said));
    if class.contains("Exception") || class.contains("Error") {
        anyhow!("{words}")
    } else {
        anyhow!("{said}")
    }
}
