//! NSS: `cmsutil` over one certificate database with everybody in it.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Error, Result, anyhow};

use super::{Cipher, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing, no_word};
use crate::nss::Nss;
use crate::pki::{self, Identity};
use crate::{mime, process};

/// The database is made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Cmsutil {
    database: Mutex<Option<Nss>>,
}

impl Cmsutil {
    fn with<T>(&self, ask: impl FnOnce(&Nss) -> Result<T>) -> Result<T> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            *database = Some(Nss::new(&pki::pki()?.ca(), &[])?);
        }
        ask(database.as_ref().context("no database")?).map_err(in_short)
    }
}

impl Peer for Cmsutil {
    fn name(&self) -> &'static str {
        "NSS"
    }

    fn version(&self) -> Result<String> {
        process::program("cmsutil", "libnss3-tools")?;
        // No program of NSS tells its version; the package does.
        let mut dpkg = Command::new("dpkg-query");
        let printed = process::run(dpkg.args(["-f", "${Version}", "-W", "libnss3-tools"]), b"");
        let version = printed.map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(version.unwrap_or_default())
    }

    fn verify(&self, mail: &[u8]) -> Result<Vec<u8>> {
        self.with(|nss| nss.verify(mail))
    }

    fn sign(&self, entity: &[u8], signer: &Identity, how: Signing) -> Result<Vec<u8>> {
        if let Signature::RsaPss(_) = how.signature {
            return Err(no_word("PSS"));
        }
        let digest = how.signature.digest();
        self.with(|nss| {
            nss.import(signer)?;
            let name = digest.name().to_uppercase();
            let signed = nss.sign(entity, signer.name, &name, how.form == Form::Opaque)?;
            Ok(match how.form {
                Form::Opaque => mime::pkcs7mime("signed-data", &signed),
                Form::Clear => mime::multipart_signed(entity, &signed, digest.micalg()),
            })
        })
    }

    fn decrypt(&self, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
        self.with(|nss| {
            nss.import(reader)?;
            nss.decrypt(mail)
        })
    }

    fn encrypt(&self, entity: &[u8], reader: &Identity, how: Sealing) -> Result<Vec<u8>> {
        if how.recipient == RecipientForm::KeyIdentifier {
            return Err(no_word("key identifiers"));
        }
        if let KeyMethod::Oaep(_) = how.method {
            return Err(no_word("OAEP"));
        }
        // It chooses by what it knows of the reader, which is nothing: then it takes this one.
        if how.cipher != Cipher::AesCbc(128) {
            return Err(no_word("the cipher"));
        }
        self.with(|nss| {
            nss.import(reader)?;
            let sealed = nss.encrypt(entity, reader.address)?;
            Ok(mime::pkcs7mime("enveloped-data", &sealed))
        })
    }

    fn certificate(&self, _message: &[u8]) -> Result<Vec<u8>> {
        Err(no_word("the certificates of a message"))
    }

    fn certificates(&self, person: &Identity) -> Result<Vec<u8>> {
        self.with(|nss| {
            nss.import(person)?;
            nss.certificates(person.address)
        })
    }
}

/// The last thing that the tool says of itself.
fn in_short(error: Error) -> Error {
    let text = format!("{error:#}");
    let mut said = text.lines().filter_map(|line| {
        let (_, said) = line
            .split_once("cmsutil: ")
            .or_else(|| line.split_once("pk12util: "))?;
        Some(said.trim().trim_end_matches('.'))
    });
    match said.next_back() {
        Some(said) => anyhow!("{said}"),
        None => error,
    }
}
