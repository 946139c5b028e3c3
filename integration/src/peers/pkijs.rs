//! PKI.js: `peers/node/peer.mjs`, its packages pinned by a lock file.

use std::process::Command;

use anyhow::Result;

use super::library::{self, ask};
use super::{Cipher, Digest, KeyMethod, Peer, RecipientForm, Sealing, Signing, no_word};
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
        Ok(String::from_utf8(ask(&NODE, &[&"version"])?)?)
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        let anchor = pki::pki()?.ca();
        if mime::is_multipart_signed(mail) {
            let (signed, signature) = mime::clear_signed(mail)?;
            let (signature, content) = (kept(&signature)?, kept(&signed)?);
            return ask(
                &NODE,
                &[&"verify", &signature.path(), &anchor, &content.path()],
            );
        }
        let message = kept(&mime::payload(mail)?)?;
        ask(&NODE, &[&"verify", &message.path(), &anchor])
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        library::sign(&NODE, entity, signer, how, "ed25519")
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        library::decrypt(&NODE, mail, reader)
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
        let sealed = ask(
            &NODE,
            &[
                &"encrypt",
                &file.path(),
                &reader.certificate,
                &cipher,
                &bits,
                &method,
                &Digest::name(digest),
            ],
        )?;
        Ok(mime::pkcs7mime("enveloped-data", &sealed))
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        let file = kept(message)?;
        ask(&NODE, &[&"certificate", &file.path()])
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        ask(&NODE, &[&"certificates", &person.certificate])
    }
}
