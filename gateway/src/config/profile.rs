//! `[[profile]]`: named sets of algorithms; two are built in.

use certstore::cms::{ContentCipher, Digest, KeyTransport, RsaSignature};
use policy::diagnostic::Located;

use super::checked::{Form, Profile};
use super::read::Reader;

/// Read by every mail program in wide use.
const DEFAULT: &str = "outlook-safe";

fn outlook_safe(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        form: Form::Clear,
        digest: Digest::Sha256,
        rsa_signature: RsaSignature::Pkcs1,
        cipher: ContentCipher::Aes256Cbc,
        key_transport: KeyTransport::Pkcs1,
    }
}

fn modern() -> Profile {
    Profile {
        rsa_signature: RsaSignature::Pss,
        cipher: ContentCipher::Aes256Gcm,
        key_transport: KeyTransport::Oaep(Digest::Sha256),
        ..outlook_safe("modern")
    }
}

/// All profiles, the default one first. What a profile leaves out is as in "outlook-safe".
pub(super) fn read(top: &mut Reader<'_, '_>, default: Option<Located<'_, String>>) -> Vec<Profile> {
    let mut profiles = vec![outlook_safe(DEFAULT), modern()];
    for section in top.sections("profile") {
        if let Some(profile) = one(section) {
            profiles.retain(|known| known.name != profile.name);
            profiles.push(profile);
        }
    }
    let name = default
        .as_ref()
        .map_or(DEFAULT, |default| default.value.as_str());
    match (
        profiles.iter().position(|profile| profile.name == name),
        &default,
    ) {
        (Some(position), _) => profiles.swap(0, position),
        (None, Some(default)) => {
            let names: Vec<_> = profiles
                .iter()
                .map(|profile| profile.name.as_str())
                .collect();
            let message = format!("there is no profile {name:?}, only {}", names.join(", "));
            top.table.error(default.place, message);
        }
        (None, None) => {}
    }
    profiles
}

fn one(mut section: Reader<'_, '_>) -> Option<Profile> {
    let table = &mut section.table;
    table.require("name");
    let name = table.string("name");
    let mut profile = outlook_safe(&name.map(|name| name.value).unwrap_or_default());
    if let Some(form) = table.choice("form", &[("clear", Form::Clear), ("opaque", Form::Opaque)]) {
        profile.form = form.value;
    }
    let digests = [
        ("sha256", Digest::Sha256),
        ("sha384", Digest::Sha384),
        ("sha512", Digest::Sha512),
    ];
    if let Some(digest) = table.choice("digest", &digests) {
        profile.digest = digest.value;
    }
    let paddings = [("pkcs1", RsaSignature::Pkcs1), ("pss", RsaSignature::Pss)];
    if let Some(padding) = table.choice("rsa-signature", &paddings) {
        profile.rsa_signature = padding.value;
    }
    let ciphers = [
        ("aes-128-cbc", ContentCipher::Aes128Cbc),
        ("aes-192-cbc", ContentCipher::Aes192Cbc),
        ("aes-256-cbc", ContentCipher::Aes256Cbc),
        ("aes-128-gcm", ContentCipher::Aes128Gcm),
        ("aes-192-gcm", ContentCipher::Aes192Gcm),
        ("aes-256-gcm", ContentCipher::Aes256Gcm),
        ("chacha20-poly1305", ContentCipher::ChaCha20Poly1305),
    ];
    if let Some(cipher) = table.choice("cipher", &ciphers) {
        profile.cipher = cipher.value;
    }
    let transports = [
        ("pkcs1", KeyTransport::Pkcs1),
        ("oaep-sha1", KeyTransport::Oaep(Digest::Sha1)),
        ("oaep-sha256", KeyTransport::Oaep(Digest::Sha256)),
        ("oaep-sha384", KeyTransport::Oaep(Digest::Sha384)),
        ("oaep-sha512", KeyTransport::Oaep(Digest::Sha512)),
    ];
    if let Some(transport) = table.choice("rsa-key-transport", &transports) {
        profile.key_transport = transport.value;
    }
    section.table.finish();
    (!profile.name.is_empty()).then_some(profile)
}
