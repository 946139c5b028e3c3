//! What peers that are libraries have in common: a small program around each, [`Scripted`], takes the same requests.

use anyhow::{Result, anyhow};

use super::{Form, Signature, Signing};
use crate::mime;
use crate::pki::Identity;
use crate::scripted::{Scripted, Word, kept};

/// What the library makes of `words`.
///
/// # Errors
/// Its own words, without its name: the column's head says it.
pub(super) fn ask(program: &Scripted, words: &[&dyn Word]) -> Result<Vec<u8>> {
    program.ask(words).map_err(|error| {
        let text = format!("{error:#}");
        let name = format!("{}: ", program.name());
        anyhow!("{}", text.strip_prefix(&name).unwrap_or(&text))
    })
}

/// Signs an entity; gives the signed entity. `ed25519` is what the library calls that algorithm.
///
/// # Errors
/// Those of [`ask`].
pub(super) fn sign(
    program: &Scripted,
    entity: &[u8],
    signer: &Identity,
    how: Signing,
    ed25519: &str,
) -> Result<Vec<u8>> {
    let digest = how.signature.digest();
    let signature = match how.signature {
        Signature::RsaPkcs1(_) => format!("rsa-pkcs1-{}", digest.name()),
        Signature::RsaPss(_) => format!("rsa-pss-{}", digest.name()),
        Signature::Ecdsa(_) => format!("ecdsa-{}", digest.name()),
        Signature::Ed25519 => ed25519.to_owned(),
    };
    let form = match how.form {
        Form::Clear => "clear",
        Form::Opaque => "opaque",
    };
    let file = kept(entity)?;
    let words: [&dyn Word; 6] = [
        &"sign",
        &file.path(),
        &signer.certificate,
        &signer.key,
        &signature,
        &form,
    ];
    let signed = ask(program, &words)?;
    Ok(match how.form {
        Form::Clear => mime::multipart_signed(entity, &signed, digest.micalg()),
        Form::Opaque => mime::pkcs7mime("signed-data", &signed),
    })
}

/// Decrypts a mail, and gives the entity inside.
///
/// # Errors
/// Those of [`ask`].
pub(super) fn decrypt(program: &Scripted, mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
    let file = kept(&mime::payload(mail)?)?;
    let words: [&dyn Word; 4] = [&"decrypt", &file.path(), &reader.certificate, &reader.key];
    ask(program, &words)
}
