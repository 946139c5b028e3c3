//! Signed messages: multipart/signed (RFC 8551, section 3.5.3; RFC 1847) or application/pkcs7-mime (section 3.5.2).
//!
//! A clear-signed content is hashed where it lies and copied once, into the message that leaves.

use std::time::SystemTime;

use certstore::cms::{self, Capabilities, SignOptions, Signer};
use encodify::base64;

use super::{SmimeFailure, pkcs7};
use crate::config::{Form, Profile};
use crate::message::{Entity, Message};

/// The signed content of `message` alone, as a MIME entity: to be encrypted, or to be put under several headers.
///
/// # Errors
/// [`SmimeFailure`].
pub fn sign_entity(
    message: &Message,
    signer: &dyn Signer,
    profile: &Profile,
    now: SystemTime,
) -> Result<Vec<u8>, SmimeFailure> {
    if message.is_ambiguous() {
        return Err(SmimeFailure::Ambiguous);
    }
    sign_content(Entity::for_transport(message), signer, profile, now)
}

/// `content` signed. It must be in a form that passes every hop unchanged, as what was encrypted is.
///
/// # Errors
/// [`SmimeFailure`].
pub fn sign_content(
    content: Entity<'_>,
    signer: &dyn Signer,
    profile: &Profile,
    now: SystemTime,
) -> Result<Vec<u8>, SmimeFailure> {
    let options = options(profile, signer, now);
    let signed = match profile.form {
        Form::Clear => Signed::clear(content, signer, &options)?,
        Form::Opaque => Signed::opaque(&content, signer, &options)?,
    };
    let mut entity = Vec::with_capacity(signed.len());
    signed.append_to(&mut entity);
    Ok(entity)
}

/// What stands before the content, the content as it was signed, and what follows it.
struct Signed<'m> {
    head: Vec<u8>,
    content: Option<Entity<'m>>,
    tail: Vec<u8>,
}

impl<'m> Signed<'m> {
    fn clear(
        content: Entity<'m>,
        signer: &dyn Signer,
        options: &SignOptions,
    ) -> Result<Self, SmimeFailure> {
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
        Ok(Self {
            head: head.into_bytes(),
            content: Some(content),
            tail: tail.into_bytes(),
        })
    }

    fn opaque(
        content: &Entity<'m>,
        signer: &dyn Signer,
        options: &SignOptions,
    ) -> Result<Self, SmimeFailure> {
        let mut bytes = Vec::with_capacity(content.len());
        content.append_to(&mut bytes);
        let signed = cms::sign(&bytes, signer, options).map_err(SmimeFailure::Sign)?;
        let mut head = Vec::with_capacity(pkcs7::entity_len(&signed));
        pkcs7::append_entity("signed-data", &signed, &mut head);
        Ok(Self {
            head,
            content: None,
            tail: Vec::new(),
        })
    }

    fn len(&self) -> usize {
        self.head.len() + self.content.as_ref().map_or(0, Entity::len) + self.tail.len()
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        if let Some(content) = &self.content {
            content.append_to(out);
        }
        out.extend_from_slice(&self.tail);
    }
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
