//! OpenSSL's `cms` command.

use std::process::Command;

use anyhow::{Error, Result, anyhow};

use super::{
    Cipher, Digest, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing, no_word,
};
use crate::pki::{self, Identity};
use crate::{mime, openssl, process};

#[derive(Debug)]
pub(super) struct OpenSsl;

impl Peer for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn version(&self) -> Result<String> {
        let openssl = process::program("openssl", "openssl")?;
        let printed = process::run(Command::new(openssl).arg("version"), b"")?;
        let printed = String::from_utf8_lossy(&printed).into_owned();
        Ok(printed
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .trim()
            .to_owned())
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        openssl::verify(mail, &pki::pki()?.ca()).map_err(in_short)
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        let mut options = vec!["-md", how.signature.digest().name()];
        if how.form == Form::Opaque {
            options.extend(["-nodetach", "-binary"]);
        }
        if matches!(how.signature, Signature::RsaPss(_)) {
            options.extend(["-keyopt", "rsa_padding_mode:pss"]);
        }
        openssl::sign(entity, signer, &options).map_err(in_short)
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        openssl::decrypt(mail, reader).map_err(in_short)
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        let mut options = Vec::new();
        match how.method {
            KeyMethod::Pkcs1 => {}
            KeyMethod::Oaep(digest) => {
                options.extend(["-keyopt", "rsa_padding_mode:oaep", "-keyopt"]);
                options.push(oaep(digest));
            }
            KeyMethod::Ecdh(digest) => options.extend(["-keyopt", kdf(digest)]),
            KeyMethod::X25519(_) => {}
        }
        if how.recipient == RecipientForm::KeyIdentifier {
            options.push("-keyid");
        }
        openssl::encrypt(entity, &[reader], &cipher(how.cipher), &options).map_err(in_short)
    }

    fn uncompress(&self, mail: &[u8]) -> Result<Vec<u8>> {
        run(&["cms", "-uncompress"], mail)
    }

    fn compress(&self, entity: &[u8]) -> Result<Vec<u8>> {
        run(&["cms", "-compress", "-binary"], entity).map(|mail| mime::crlf(&mail))
    }

    fn certificate(&self, message: &[u8]) -> Result<Vec<u8>> {
        let pem = run(&["pkcs7", "-inform", "DER", "-print_certs"], message)?;
        run(&["x509", "-outform", "DER"], &pem)
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        let file = person
            .certificate
            .to_str()
            .ok_or_else(|| no_word("such a path"))?;
        run(
            &["crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile", file],
            b"",
        )
    }
}

fn run(options: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    process::run(Command::new("openssl").args(options), input).map_err(in_short)
}

/// RC2 is in the legacy provider, which has to be asked for beside the default one.
fn cipher(cipher: Cipher) -> String {
    match cipher {
        Cipher::AesCbc(bits) => format!("-aes-{bits}-cbc"),
        Cipher::AesGcm(bits) => format!("-aes-{bits}-gcm"),
        Cipher::ChaCha20Poly1305 => "-chacha20-poly1305".to_owned(),
        Cipher::TripleDes => "-des3".to_owned(),
        Cipher::Rc2 => "-rc2".to_owned(),
    }
}

const fn oaep(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha1 => "rsa_oaep_md:sha1",
        Digest::Sha256 => "rsa_oaep_md:sha256",
        Digest::Sha384 => "rsa_oaep_md:sha384",
        Digest::Sha512 => "rsa_oaep_md:sha512",
    }
}

const fn kdf(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha1 => "ecdh_kdf_md:sha1",
        Digest::Sha256 => "ecdh_kdf_md:sha256",
        Digest::Sha384 => "ecdh_kdf_md:sha384",
        Digest::Sha512 => "ecdh_kdf_md:sha512",
    }
}

/// The reason of the first entry of OpenSSL's error queue: `ID:error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA`.
fn in_short(error: Error) -> Error {
    let text = format!("{error:#}");
    let reason = text.lines().find_map(|line| {
        let (_, entry) = line.split_once(":error:")?;
        entry.split(':').nth(3)
    });
    match reason {
        Some(reason) => anyhow!("{reason}"),
        None => error,
    }
}
