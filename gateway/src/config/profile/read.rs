//! `[[profile]]` in `postern.toml`.

use certstore::cms::{
    ContentCipher, Digest, IncludedChain, KeyTransport, RecipientIdForm, RsaSignature,
};
use policy::diagnostic::Located;
use policy::document::Table;

use super::super::read::Reader;
use super::{CipherChoice, Form, HeaderPolicy, HeaderProtection, Profile, Profiles, shipped};

const FORMS: [(&str, Form); 2] = [("clear", Form::Clear), ("opaque", Form::Opaque)];
const DIGESTS: [(&str, Digest); 3] = [
    ("sha256", Digest::Sha256),
    ("sha384", Digest::Sha384),
    ("sha512", Digest::Sha512),
];
const PADDINGS: [(&str, RsaSignature); 2] =
    [("pkcs1", RsaSignature::Pkcs1), ("pss", RsaSignature::Pss)];
const CHAINS: [(&str, IncludedChain); 3] = [
    ("leaf", IncludedChain::SignerOnly),
    ("no-root", IncludedChain::WithoutRoot),
    ("with-root", IncludedChain::WithRoot),
];
const CIPHERS: [(&str, ContentCipher); 7] = [
    ("aes-128-cbc", ContentCipher::Aes128Cbc),
    ("aes-192-cbc", ContentCipher::Aes192Cbc),
    ("aes-256-cbc", ContentCipher::Aes256Cbc),
    ("aes-128-gcm", ContentCipher::Aes128Gcm),
    ("aes-192-gcm", ContentCipher::Aes192Gcm),
    ("aes-256-gcm", ContentCipher::Aes256Gcm),
    ("chacha20-poly1305", ContentCipher::ChaCha20Poly1305),
];
const DERIVATIONS: [(&str, Option<Digest>); 4] = [
    ("as-curve", None),
    ("sha256", Some(Digest::Sha256)),
    ("sha384", Some(Digest::Sha384)),
    ("sha512", Some(Digest::Sha512)),
];
const IDENTIFIERS: [(&str, RecipientIdForm); 2] = [
    ("issuer-serial", RecipientIdForm::IssuerAndSerial),
    ("ski", RecipientIdForm::SubjectKeyIdentifier),
];
const POLICIES: [(&str, Option<HeaderPolicy>); 4] = [
    ("off", None),
    ("none", Some(HeaderPolicy::None)),
    ("baseline", Some(HeaderPolicy::Baseline)),
    ("shy", Some(HeaderPolicy::Shy)),
];
const CHOICES: [(&str, CipherChoice); 2] = [
    ("common", CipherChoice::Common),
    ("each", CipherChoice::Each),
];
const TRANSPORTS: [(&str, KeyTransport); 5] = [
    ("pkcs1", KeyTransport::Pkcs1),
    ("oaep-sha1", KeyTransport::Oaep(Digest::Sha1)),
    ("oaep-sha256", KeyTransport::Oaep(Digest::Sha256)),
    ("oaep-sha384", KeyTransport::Oaep(Digest::Sha384)),
    ("oaep-sha512", KeyTransport::Oaep(Digest::Sha512)),
];

/// All profiles, the one that `default` names first. One that bears the name of a shipped one takes its place.
pub(in crate::config) fn read(
    top: &mut Reader<'_, '_>,
    default: Option<&Located<'_, String>>,
) -> Profiles {
    let mut profiles = shipped::all();
    let mut written: Vec<String> = Vec::new();
    for section in top.sections("profile") {
        let place = section.table.place();
        let Some(profile) = one(section.table, &profiles) else {
            continue;
        };
        if written.contains(&profile.name) {
            let message = format!("there is a profile {:?} already", profile.name);
            top.table.error(place, message);
        }
        written.push(profile.name.clone());
        profiles.retain(|known| known.name != profile.name);
        profiles.push(profile);
    }
    if let Some(default) = default {
        let is_default = |profile: &Profile| profile.name == default.value;
        match profiles.iter().position(is_default) {
            Some(position) => profiles.swap(0, position),
            None => top
                .table
                .error(default.place, unknown(&default.value, &profiles)),
        }
    }
    Profiles(profiles)
}

fn unknown(name: &str, profiles: &[Profile]) -> String {
    let names: Vec<_> = profiles
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    format!("there is no profile {name:?}, only {}", names.join(", "))
}

/// One profile. What it leaves out is as in the one that `based-on` names, else as in the shipped one of its own name,
/// else as in "outlook-safe".
fn one(mut table: Table<'_>, known: &[Profile]) -> Option<Profile> {
    table.require("name");
    let name = table.string("name");
    let base = table.string("based-on");
    let named = |name: &str| known.iter().find(|profile| profile.name == name).cloned();
    let found = match (&base, &name) {
        (Some(base), _) => named(&base.value),
        (None, Some(name)) => named(&name.value),
        (None, None) => None,
    };
    if let (Some(base), None) = (&base, &found) {
        table.error(base.place, unknown(&base.value, known));
    }
    let mut profile = found.unwrap_or_else(shipped::outlook_safe);
    signature(&mut table, &mut profile);
    encryption(&mut table, &mut profile);
    headers(&mut table, &mut profile);
    reading(&mut table, &mut profile);
    table.finish();
    profile.name = name?.value;
    (!profile.name.is_empty()).then_some(profile)
}

fn signature(table: &mut Table<'_>, profile: &mut Profile) {
    set(&mut profile.form, table.choice("form", &FORMS));
    set(&mut profile.digest, table.choice("digest", &DIGESTS));
    set(
        &mut profile.rsa_signature,
        table.choice("rsa-signature", &PADDINGS),
    );
    set(&mut profile.chain, table.choice("chain", &CHAINS));
    set(&mut profile.capabilities, table.boolean("capabilities"));
    set(&mut profile.triple_wrap, table.boolean("triple-wrap"));
}

fn encryption(table: &mut Table<'_>, profile: &mut Profile) {
    if let Some(ciphers) = ciphers(table) {
        profile.ciphers = ciphers;
        // The base's fallback may not be among them; the last one asks least of a reader.
        if let Some(last) = profile.ciphers.last() {
            profile.fallback_cipher = *last;
        }
    }
    if let Some(fallback) = table.choice("fallback-cipher", &CIPHERS) {
        profile.fallback_cipher = fallback.value;
        if !profile.ciphers.contains(&fallback.value) {
            table.error(
                fallback.place,
                "`fallback-cipher` must be one of the ciphers in `cipher`",
            );
        }
    }
    set(
        &mut profile.cipher_choice,
        table.choice("cipher-choice", &CHOICES),
    );
    set(
        &mut profile.key_transport,
        table.choice("rsa-key-transport", &TRANSPORTS),
    );
    set(
        &mut profile.key_agreement,
        table.choice("key-agreement", &DERIVATIONS),
    );
    set(
        &mut profile.recipient_id,
        table.choice("recipient-id", &IDENTIFIERS),
    );
    set(&mut profile.compress, table.boolean("compress"));
    set(
        &mut profile.encrypt_to_self,
        table.boolean("encrypt-to-self"),
    );
}

fn headers(table: &mut Table<'_>, profile: &mut Profile) {
    let legacy_display = table.boolean("legacy-display");
    if let Some(policy) = table.choice("header-protection", &POLICIES) {
        let before = profile.headers;
        profile.headers = policy.value.map(|policy| HeaderProtection {
            policy,
            legacy_display: before.is_none_or(|before| before.legacy_display),
        });
    }
    match (&mut profile.headers, legacy_display) {
        (Some(headers), Some(wanted)) => headers.legacy_display = wanted.value,
        (None, Some(wanted)) if wanted.value => {
            let message = "`legacy-display` shows what `header-protection` hides, which is off";
            table.error(wanted.place, message);
        }
        (Some(_) | None, _) => {}
    }
}

/// What is opened of partners that write as nobody should.
fn reading(table: &mut Table<'_>, profile: &mut Profile) {
    let options = &mut profile.reading;
    set(&mut options.weak_ciphers, table.boolean("weak-ciphers"));
    set(
        &mut options.gcm_in_enveloped_data,
        table.boolean("gcm-in-enveloped-data"),
    );
}

/// One cipher or several, none twice.
fn ciphers(table: &mut Table<'_>) -> Option<Vec<ContentCipher>> {
    let chosen = table.choices("cipher", &CIPHERS)?;
    let mut ciphers = Vec::with_capacity(chosen.len());
    for cipher in chosen {
        if ciphers.contains(&cipher.value) {
            let message = format!("`cipher` has {} twice", cipher.value.name());
            table.error(cipher.place, message);
        }
        ciphers.push(cipher.value);
    }
    Some(ciphers)
}

fn set<T>(place: &mut T, read: Option<Located<'_, T>>) {
    if let Some(read) = read {
        *place = read.value;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use policy::diagnostic::{Diagnostics, Source};
    use policy::document;

    use super::*;

    fn read_text(text: &str) -> Result<Profiles, Vec<String>> {
        let source = Source::new("postern.toml", text);
        let diagnostics = Diagnostics::default();
        let table = document::parse(&source, &diagnostics).unwrap();
        let folder = Path::new("/");
        let mut top = Reader { table, folder };
        let default = top.table.string("default-profile");
        let profiles = read(&mut top, default.as_ref());
        let mistakes = diagnostics.into_sorted();
        let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        if told.is_empty() {
            Ok(profiles)
        } else {
            Err(told)
        }
    }

    #[test]
    fn what_is_left_out_is_as_in_the_base() {
        for (text, name, cipher, transport) in [
            (
                "",
                "outlook-safe",
                ContentCipher::Aes256Cbc,
                KeyTransport::Pkcs1,
            ),
            (
                "default-profile = \"modern\"",
                "modern",
                ContentCipher::Aes256Gcm,
                KeyTransport::Oaep(Digest::Sha256),
            ),
            (
                "default-profile = \"own\"\n[[profile]]\nname = \"own\"\ncipher = \"aes-128-cbc\"",
                "own",
                ContentCipher::Aes128Cbc,
                KeyTransport::Pkcs1,
            ),
            (
                "default-profile = \"own\"\n[[profile]]\nname = \"own\"\nbased-on = \"modern\"\n\
                 cipher = [\"aes-256-gcm\", \"aes-128-cbc\"]",
                "own",
                ContentCipher::Aes128Cbc,
                KeyTransport::Oaep(Digest::Sha256),
            ),
            (
                "default-profile = \"modern\"\n[[profile]]\nname = \"modern\"\n\
                 cipher = [\"aes-256-gcm\", \"aes-128-cbc\"]\nfallback-cipher = \"aes-256-gcm\"",
                "modern",
                ContentCipher::Aes256Gcm,
                KeyTransport::Oaep(Digest::Sha256),
            ),
        ] {
            let profiles = read_text(text).unwrap();
            let profile = profiles.named(None).unwrap();
            let found = (
                profile.name.as_str(),
                profile.fallback_cipher,
                profile.key_transport,
            );
            assert_eq!(found, (name, cipher, transport), "{text}");
            assert!(profiles.names().contains(&"edi-energy"));
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            (
                "default-profile = \"x\"",
                "there is no profile \"x\", only outlook-safe",
            ),
            (
                "[[profile]]\nname = \"a\"\n[[profile]]\nname = \"a\"",
                "there is a profile \"a\" already",
            ),
            (
                "[[profile]]\nname = \"a\"\nbased-on = \"b\"",
                "there is no profile \"b\"",
            ),
            ("[[profile]]\nform = \"clear\"", "has no `name`"),
            (
                "[[profile]]\nname = \"a\"\ncipher = []",
                "`cipher` cannot be empty",
            ),
            (
                "[[profile]]\nname = \"a\"\ncipher = [\"aes-256-cbc\", \"aes-256-cbc\"]",
                "`cipher` has AES-256-CBC twice",
            ),
            (
                "[[profile]]\nname = \"a\"\ncipher = \"aes-256-cbc\"\nfallback-cipher = \"aes-128-cbc\"",
                "`fallback-cipher` must be one of the ciphers in `cipher`",
            ),
        ] {
            let mistakes = read_text(text).unwrap_err();
            assert!(mistakes[0].contains(expected), "{text}: {mistakes:?}");
        }
    }
}
