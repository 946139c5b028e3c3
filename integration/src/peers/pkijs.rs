//! PKI.js: `peers/node/peer.mjs`, its packages pinned by a lock file.

use std::process::Command;

use anyhow::{Error, Result, anyhow};

use super::{
    Cipher, Digest, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing, no_word,
};
use crate::pki::{self, Identity};
use crate::scripted::{self, Scripted, kept};
use crate::{mime, process};

const FILES: [(&str, &str); 3] = [
    ("peer.mjs", include_str!("../../peers/node/peer.mjs")),
    (
        "package.json",
        include_str!("../../peers/node/package.json"),
    ),
    (
        "package-lock.json",
        include_str!("../../peers/node/package-lock.json"),
    ),
];

static NODE: Scripted = Scripted::new("pkijs", || {
    let node = process::program("node", "nodejs")?;
    let folder = scripted::installed("node", &FILES, |folder| {
        let mut npm = Command::new(process::program("npm", "npm")?);
        npm.args(["ci", "--ignore-scripts", "--silent"])
            .current_dir(folder);
        process::run(&mut npm, b"").map(drop)
    })?;
    let mut command = Command::new(node);
    command.arg("--no-warnings").arg(folder.join("peer.mjs"));
    Ok(command)
});

#[derive(Debug)]
pub(super) struct PkiJs;

impl Peer for PkiJs {
    fn name(&self) -> &'static str {
        "PKI.js"
    }

    fn version(&self) -> Result<String> {
        Ok(String::from_utf8(ask(NODE.ask(&[&"version"]))?)?)
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        let anchor = pki::pki()?.ca();
        if mime::is_multipart_signed(mail) {
            let (signed, signature) = mime::clear_signed(mail)?;
            let (signature, content) = (kept(&signature)?, kept(&signed)?);
            return ask(NODE.ask(&[&"verify", &signature.path(), &anchor, &content.path()]));
        }
        let message = kept(&mime::payload(mail)?)?;
        ask(NODE.ask(&[&"verify", &message.path(), &anchor]))
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        let digest = how.signature.digest();
        let signature = match how.signature {
            Signature::RsaPkcs1(_) => format!("rsa-pkcs1-{}", digest.name()),
            Signature::RsaPss(_) => format!("rsa-pss-{}", digest.name()),
            Signature::Ecdsa(_) => format!("ecdsa-{}", digest.name()),
            Signature::Ed25519 => "ed25519".to_owned(),
        };
        let form = match how.form {
            Form::Clear => "clear",
            Form::Opaque => "opaque",
        };
        let file = kept(entity)?;
        let signed = ask(NODE.ask(&[
            &"sign",
            &file.path(),
            &signer.certificate,
            &signer.key,
            &signature,
            &form,
        ]))?;
        Ok(match how.form {
            Form::Clear => mime::multipart_signed(entity, &signed, digest.micalg()),
            Form::Opaque => mime::pkcs7mime("signed-data", &signed),
        })
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        let file = kept(&mime::payload(mail)?)?;
        ask(NODE.ask(&[&"decrypt", &file.path(), &reader.certificate, &reader.key]))
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        if how.recipient == RecipientForm::KeyIdentifier {
            return Err(no_word("key identifiers"));
        }
        let (cipher, bits) = match how.cipher {
            Cipher::AesCbc(bits) => ("AES-CBC", bits),
            // It would write an EnvelopedData with this cipher, which no standard knows.
            Cipher::AesGcm(_) => return Err(no_word("AuthEnvelopedData")),
            Cipher::ChaCha20Poly1305 | Cipher::TripleDes | Cipher::Rc2 => {
                return Err(no_word(&how.cipher.to_string()));
            }
        };
        let (method, digest) = match how.method {
            KeyMethod::Pkcs1 => return Err(no_word("PKCS#1 v1.5")),
            KeyMethod::Oaep(digest) => ("oaep", digest),
            KeyMethod::Ecdh(digest) | KeyMethod::X25519(digest) => ("ecdh", digest),
        };
        let file = kept(entity)?;
        let bits = bits.to_string();
        let sealed = ask(NODE.ask(&[
            &"encrypt",
            &file.path(),
            &reader.certificate,
            &cipher,
            &bits,
            &method,
            &Digest::name(digest),
        ]))?;
        Ok(mime::pkcs7mime("enveloped-data", &sealed))
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        let file = kept(message)?;
        ask(NODE.ask(&[&"certificate", &file.path()]))
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        ask(NODE.ask(&[&"certificates", &person.certificate]))
    }
}

fn ask(answer: Result<Vec<u8>>) -> Result<Vec<u8>> {
    answer.map_err(in_short)
}

fn in_short(error: Error) -> Error {
    let text = format!("{error:#}");
    anyhow!("{}", text.strip_prefix("pkijs: ").unwrap_or(&text))
}
