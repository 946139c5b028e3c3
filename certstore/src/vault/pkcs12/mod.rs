//! PKCS#12 files (RFC 7292): private keys and certificates behind a passphrase.
//!
//! What people really bring is read: BER as Firefox and Thunderbird write it, RC2 and 3DES from old exports, several keys
//! under one name, keys without names, bags within bags. The password check (MAC) comes before anything is decrypted,
//! and everything that costs time or memory is bounded before it is spent. Which certificate belongs to which key is
//! not decided here.

mod decrypt;
mod passphrase;
mod write;

use aws_lc_rs::{digest, hmac};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use zeroize::Zeroizing;

use super::key_file::{FoundKey, KeyFile, KeyFileError};
use crate::cms::ber::{Element, Reader, Tag};
use decrypt::decrypt;
pub(super) use decrypt::{Work, decrypt_key_info};
pub(super) use passphrase::Passphrase;
use passphrase::{KdfPurpose, derive};
pub(super) use write::write;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SAFE_CONTENTS_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");

/// Most bags in one file, of all kinds.
const MAX_BAGS: usize = 4_096;
/// Bags within bags, at most this deep.
const MAX_BAG_DEPTH: u8 = 4;

/// Reads every key and certificate in a PKCS#12 file.
///
/// A file without a MAC proves nothing about who changed it since; it is read only if `mac_required` is false.
///
/// # Errors
/// [`KeyFileError`].
pub(super) fn read(
    bytes: &[u8],
    passphrase: &Passphrase,
    mac_required: bool,
) -> Result<KeyFile, KeyFileError> {
    let mut pfx = Element::only(bytes)?.children()?;
    if pfx.expect(Tag::INTEGER)?.small_integer()? != 3 {
        return Err(KeyFileError::Unsupported(
            "a PKCS#12 version other than 3".to_owned(),
        ));
    }
    let (content_type, content) = content_info(pfx.expect(Tag::SEQUENCE)?)?;
    if content_type != DATA {
        return Err(KeyFileError::Unsupported(
            "a PKCS#12 file that is protected by a public key".to_owned(),
        ));
    }
    let authenticated_safe = content.octets()?;
    let mut work = Work::default();
    let passphrase = match pfx.optional(Tag::SEQUENCE)? {
        Some(mac) => check_mac(mac, &authenticated_safe, passphrase, &mut work)?,
        None if mac_required => return Err(KeyFileError::NoMac),
        None => passphrase.clone(),
    };
    let mut safe_reader = SafeReader {
        passphrase,
        work,
        bags: 0,
        found: KeyFile::default(),
    };
    let mut safes = Element::only(&authenticated_safe)?.children()?;
    while let Some(safe) = safes.next_element()? {
        safe_reader.read_safe(safe)?;
    }
    Ok(safe_reader.found)
}

fn content_info(element: Element<'_>) -> Result<(ObjectIdentifier, Element<'_>), KeyFileError> {
    let mut fields = element.children()?;
    let content_type = fields.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
    let content = fields.expect(Tag::context(0))?.only_child()?;
    Ok((content_type, content))
}

/// Finds the form of the passphrase under which the MAC (RFC 7292, section 5.1) is right.
fn check_mac(
    mac_data: Element<'_>,
    content: &[u8],
    passphrase: &Passphrase,
    work: &mut Work,
) -> Result<Passphrase, KeyFileError> {
    let mut fields = mac_data.children()?;
    let mut digest_info = fields.expect(Tag::SEQUENCE)?.children()?;
    let mut algorithm = digest_info.expect(Tag::SEQUENCE)?.children()?;
    let oid = algorithm
        .expect(Tag::OBJECT_IDENTIFIER)?
        .object_identifier()?;
    let expected = digest_info.expect(Tag::OCTET_STRING)?.octets()?;
    let salt = fields.expect(Tag::OCTET_STRING)?.octets()?;
    let iterations = match fields.optional(Tag::INTEGER)? {
        Some(iterations) => iterations.small_integer()?,
        None => 1,
    };
    let (digest, hmac) = mac_algorithm(oid)?;
    for form in passphrase.forms() {
        work.spend(iterations)?;
        let mut key = Zeroizing::new(vec![0; digest.output_len()]);
        derive(
            digest,
            KdfPurpose::Mac,
            form.bmp(),
            &salt,
            iterations,
            &mut key,
        );
        if hmac::verify(&hmac::Key::new(hmac, &key), content, &expected).is_ok() {
            return Ok(passphrase.in_form(form));
        }
    }
    Err(KeyFileError::WrongPassphrase)
}

fn mac_algorithm(
    oid: ObjectIdentifier,
) -> Result<(&'static digest::Algorithm, hmac::Algorithm), KeyFileError> {
    match oid {
        ID_SHA_1 => Ok((
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        )),
        ID_SHA_256 => Ok((&digest::SHA256, hmac::HMAC_SHA256)),
        ID_SHA_384 => Ok((&digest::SHA384, hmac::HMAC_SHA384)),
        ID_SHA_512 => Ok((&digest::SHA512, hmac::HMAC_SHA512)),
        other => Err(KeyFileError::Unsupported(format!("MAC algorithm {other}"))),
    }
}

/// What has been found so far, and what may still be spent.
struct SafeReader {
    passphrase: Passphrase,
    work: Work,
    bags: usize,
    found: KeyFile,
}

impl SafeReader {
    /// One ContentInfo of the AuthenticatedSafe (RFC 7292, section 4.1).
    fn read_safe(&mut self, safe: Element<'_>) -> Result<(), KeyFileError> {
        let (content_type, content) = content_info(safe)?;
        match content_type {
            DATA => self.read_bags(Element::only(&content.octets()?)?, 0),
            ENCRYPTED_DATA => {
                let bags = self.decrypt_safe(content)?;
                self.read_bags(Element::only(&bags)?, 0)
            }
            other => Err(KeyFileError::Unsupported(format!(
                "a part of content type {other} in the PKCS#12 file"
            ))),
        }
    }

    /// An EncryptedData (RFC 5652, section 8).
    fn decrypt_safe(
        &mut self,
        encrypted_data: Element<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let mut fields = encrypted_data.children()?;
        fields.expect(Tag::INTEGER)?;
        let mut content = fields.expect(Tag::SEQUENCE)?.children()?;
        content.expect(Tag::OBJECT_IDENTIFIER)?;
        let algorithm = content.expect(Tag::SEQUENCE)?;
        let ciphertext = content.expect(Tag::context(0))?.octets()?;
        decrypt(algorithm, &ciphertext, &self.passphrase, &mut self.work)
    }

    /// A SafeContents (RFC 7292, section 4.2).
    fn read_bags(&mut self, safe_contents: Element<'_>, depth: u8) -> Result<(), KeyFileError> {
        if depth > MAX_BAG_DEPTH {
            return Err(KeyFileError::TooMuch("bags within bags"));
        }
        let mut bags = safe_contents.children()?;
        while let Some(bag) = bags.next_element()? {
            self.bags += 1;
            if self.bags > MAX_BAGS {
                return Err(KeyFileError::TooMuch("bags"));
            }
            self.read_bag(bag.children()?, depth)?;
        }
        Ok(())
    }

    /// Bags of other kinds (CRLs, secrets) are passed over.
    fn read_bag(&mut self, mut bag: Reader<'_>, depth: u8) -> Result<(), KeyFileError> {
        let kind = bag.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()?;
        let value = bag.expect(Tag::context(0))?.only_child()?;
        match kind {
            KEY_BAG => self.found.keys.push(FoundKey {
                der: Zeroizing::new(value.encoded().to_vec()),
                name: friendly_name(bag),
            }),
            SHROUDED_KEY_BAG => self.found.keys.push(FoundKey {
                der: decrypt_key_info(value, &self.passphrase, &mut self.work)?,
                name: friendly_name(bag),
            }),
            CERTIFICATE_BAG => self.read_certificate_bag(value.children()?)?,
            SAFE_CONTENTS_BAG => self.read_bags(value, depth + 1)?,
            _ => {}
        }
        Ok(())
    }

    fn read_certificate_bag(&mut self, mut bag: Reader<'_>) -> Result<(), KeyFileError> {
        if bag.expect(Tag::OBJECT_IDENTIFIER)?.object_identifier()? == X509_CERTIFICATE {
            let certificate = bag.expect(Tag::context(0))?.only_child()?.octets()?;
            self.found.certificates.push(certificate.into_owned());
        }
        Ok(())
    }
}

/// The friendlyName among the attributes that follow a bag's value, if there is a readable one.
fn friendly_name(mut bag: Reader<'_>) -> Option<String> {
    let mut attributes = bag.optional(Tag::SET).ok()??.children().ok()?;
    while let Some(attribute) = attributes.next_element().ok()? {
        let mut fields = attribute.children().ok()?;
        let kind = fields
            .expect(Tag::OBJECT_IDENTIFIER)
            .ok()?
            .object_identifier()
            .ok()?;
        if kind == FRIENDLY_NAME {
            let bmp_string = fields.expect(Tag::SET).ok()?.only_child().ok()?.contents();
            let (units, _) = bmp_string.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            return char::decode_utf16(units).collect::<Result<_, _>>().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests;
