//! Signed messages: multipart/signed (RFC 8551, section 3.5.3; RFC 1847) or application/pkcs7-mime (section 3.5.2).
//!
//! A content is hashed where it lies. A clear-signed one stays there, and is copied once, into the message that leaves.

use std::time::SystemTime;

use certstore::cms::{self, Capabilities, SignOptions, Signer};
use encodify::base64;

use super::{SmimeFailure, armour, pkcs7};
use crate::config::{Form, Profile};
use crate::message::{Entity, Message};

/// The signed content of `message` alone, as a MIME entity: to be encrypted, or to be put under several headers.
///
/// # Errors
/// [`SmimeFailure`].
pub fn sign_entity<'m>(
    message: &'m Message,
    signer: &dyn Signer,
    profile: &Profile,
    now: SystemTime,
) -> Result<Entity<'m>, SmimeFailure> {
    if message.is_ambiguous() {
        return Err(SmimeFailure::Ambiguous);
    }
    sign_content(Entity::for_transport(message), signer, profile, now)
}

/// `content` signed. It must be in a form that passes every hop unchanged, as what was encrypted is.
///
/// # Errors
/// [`SmimeFailure`].
pub fn sign_content<'m>(
    content: Entity<'m>,
    signer: &dyn Signer,
    profile: &Profile,
    now: SystemTime,
) -> Result<Entity<'m>, SmimeFailure> {
    let options = options(profile, signer, now);
    match profile.form {
        Form::Clear => clear(content, signer, &options),
        Form::Opaque => opaque(&content, signer, &options),
    }
}

fn clear<'m>(
    content: Entity<'m>,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Entity<'m>, SmimeFailure> {
    let pieces: Vec<&[u8]> = content.pieces().collect();
    let signature = cms::sign_parts(&pieces, signer, options).map_err(SmimeFailure::Sign)?;
    let boundary = boundary()?;
    let micalg = cms::micalg(signer, options);
    let head = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\
         \tmicalg={micalg}; boundary=\"{boundary}\"\r\n\r\n\
         This is an S/MIME signed message\r\n\r\n--{boundary}\r\n"
    );
    let mut tail = format!(
        "\r\n--{boundary}\r\n\
         Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n"
    );
    base64::MIME.encode_append(&signature, &mut tail);
    tail.push_str(&format!("\r\n--{boundary}--\r\n"));
    Ok(content.within(head.into_bytes(), tail.into_bytes()))
}

fn opaque(
    content: &Entity<'_>,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<Entity<'static>, SmimeFailure> {
    let pieces: Vec<&[u8]> = content.pieces().collect();
    let frame = cms::sign_around(&pieces, signer, options).map_err(SmimeFailure::Sign)?;
    let mut entity = Vec::with_capacity(pkcs7::entity_len(frame.whole_len(content.len())));
    entity.extend_from_slice(pkcs7::header("signed-data").as_bytes());
    let start = entity.len();
    content.append_to(&mut entity);
    armour::encode_in_place(&mut entity, start, &frame);
    Ok(Entity::ready(entity))
}

fn options(profile: &Profile, signer: &dyn Signer, now: SystemTime) -> SignOptions {
    SignOptions {
        attached: profile.form == Form::Opaque,
        digest: profile.digest,
        rsa_signature: profile.rsa_signature,
        signing_time: now,
        capabilities: capabilities(profile, signer),
        signer_id: profile.recipient_id,
        chain: profile.chain,
    }
}

/// What we decrypt with the key that others should encrypt to, the profile's own ciphers first (RFC 8551, section 2.5.2).
fn capabilities(profile: &Profile, signer: &dyn Signer) -> Capabilities {
    if !profile.capabilities {
        return Capabilities::default();
    }
    let certificate = signer.encryption_certificate();
    let mut readable = Capabilities::readable_with(certificate.unwrap_or(signer.certificate()));
    readable
        .ciphers
        .retain(|cipher| !profile.ciphers.contains(cipher));
    readable
        .ciphers
        .splice(0..0, profile.ciphers.iter().copied());
    readable
}

/// A boundary that no content holds: 128 bits of chance.
fn boundary() -> Result<String, SmimeFailure> {
    let mut chance = [0; 16];
    aws_lc_rs::rand::fill(&mut chance).map_err(|_| SmimeFailure::NoRandomness)?;
    Ok(format!("=_postern_{:032x}", u128::from_be_bytes(chance)))
}
