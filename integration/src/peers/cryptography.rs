//! Python's `cryptography`: `peers/python/peer.py` in a virtual environment of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::library::{self, ask};
use super::{Cipher, KeyMethod, Peer, RecipientForm, Sealing, Signing, no_word};
use crate::pki::Identity;
use crate::scripted::{self, Scripted, kept};
use crate::{mime, process};

const PROGRAM: &str = include_str!("../../peers/python/peer.py");
const REQUIREMENTS: &str = include_str!("../../peers/python/requirements.txt");

static PYTHON: Scripted = Scripted::new("cryptography", || {
    let folder = environment()?;
    let mut python = Command::new(interpreter()?);
    python.args(["-W", "ignore"]).arg(folder.join("peer.py"));
    Ok(python)
});

/// A Python that has the packages of `peers/python/requirements.txt`, installed at first use.
///
/// # Errors
/// There is no Python, or PyPI does not answer.
pub fn interpreter() -> Result<PathBuf> {
    Ok(environment()?.join("venv/bin/python"))
}

fn environment() -> Result<PathBuf> {
    let files = [("peer.py", PROGRAM), ("requirements.txt", REQUIREMENTS)];
    scripted::installed("python", &files, |folder| {
        let mut venv = Command::new(process::program("python3", "python3-venv")?);
        process::run(venv.args(["-m", "venv"]).arg(folder.join("venv")), b"")?;
        let mut pip = Command::new(folder.join("venv/bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]);
        process::run(pip.arg(folder.join("requirements.txt")), b"").map(drop)
    })
}

#[derive(Debug)]
pub(super) struct Cryptography;

impl Peer for Cryptography {
    fn name(&self) -> &'static str {
        "cryptography"
    }

    fn version(&self) -> Result<String> {
        Ok(String::from_utf8(ask(&PYTHON, &[&"version"])?)?)
    }

    fn verify(&self, _mail: &[u8]) -> Result<Vec<u8>> {
        Err(no_word("verifying"))
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        library::sign(&PYTHON, entity, signer, how, "ed25519-sha512")
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        library::decrypt(&PYTHON, mail, reader)
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        if how.recipient == RecipientForm::KeyIdentifier {
            return Err(no_word("key identifiers"));
        }
        if let KeyMethod::Oaep(_) = how.method {
            return Err(no_word("OAEP"));
        }
        let cipher = match how.cipher {
            Cipher::AesCbc(bits) => format!("AES{bits}"),
            Cipher::TripleDes => "TripleDES".to_owned(),
            Cipher::AesGcm(_) | Cipher::ChaCha20Poly1305 | Cipher::Rc2 => {
                return Err(no_word(&how.cipher.to_string()));
            }
        };
        let file = kept(entity)?;
        let sealed = ask(
            &PYTHON,
            &[&"encrypt", &file.path(), &reader.certificate, &cipher],
        )?;
        Ok(mime::pkcs7mime("enveloped-data", &sealed))
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        let file = kept(message)?;
        ask(&PYTHON, &[&"certificate", &file.path()])
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        let answer = ask(&PYTHON, &[&"certificates", &person.certificate])?;
        ensure!(!answer.is_empty(), "nothing");
        Ok(answer)
    }
}
