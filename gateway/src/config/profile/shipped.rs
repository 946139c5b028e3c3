//! The profiles that need no configuration.
//!
//! Sources: RFC 8551 for `modern`; for `edi-energy` the rules on transmission of EDI@Energy (versions 1.7 and 1.8) and
//! what the Bundesnetzagentur says about AES-GCM (notice 45 of ruling chamber 7, 17 September 2024); for `kim` gematik's
//! S/MIME profile gemSMIME_KOMLE.

use certstore::cms::{
    ContentCipher, DecryptOptions, Digest, IncludedChain, KeyTransport, RecipientIdForm,
    RsaSignature,
};

use super::{CipherChoice, Form, HeaderPolicy, HeaderProtection, Profile};

/// Every shipped profile, the default one first.
pub(super) fn all() -> Vec<Profile> {
    vec![
        outlook_safe(),
        modern(),
        edi_energy(),
        kim(),
        post_quantum(),
    ]
}

/// Read by every mail program in wide use: Outlook, Apple Mail, Thunderbird, Gmail.
pub(super) fn outlook_safe() -> Profile {
    Profile {
        name: "outlook-safe".to_owned(),
        form: Form::Clear,
        digest: Digest::Sha256,
        rsa_signature: RsaSignature::Pkcs1,
        chain: IncludedChain::WithoutRoot,
        capabilities: true,
        triple_wrap: false,
        ciphers: vec![ContentCipher::Aes256Cbc, ContentCipher::Aes128Cbc],
        fallback_cipher: ContentCipher::Aes256Cbc,
        cipher_choice: CipherChoice::Common,
        key_transport: KeyTransport::Pkcs1,
        key_agreement: None,
        recipient_id: RecipientIdForm::IssuerAndSerial,
        compress: false,
        encrypt_to_self: false,
        headers: None,
        reading: DecryptOptions::default(),
    }
}

/// What RFC 8551 asks for since 2019; whoever says that he reads less gets less.
fn modern() -> Profile {
    Profile {
        name: "modern".to_owned(),
        rsa_signature: RsaSignature::Pss,
        ciphers: vec![
            ContentCipher::Aes256Gcm,
            ContentCipher::Aes128Gcm,
            ContentCipher::Aes256Cbc,
        ],
        fallback_cipher: ContentCipher::Aes256Gcm,
        key_transport: KeyTransport::Oaep(Digest::Sha256),
        headers: Some(HeaderProtection {
            policy: HeaderPolicy::Baseline,
            legacy_display: true,
        }),
        ..outlook_safe()
    }
}

/// The German energy market: PSS, OAEP and AES-128-GCM, and nothing else; the subject stays readable, for the market's rules
/// say what stands in it.
fn edi_energy() -> Profile {
    Profile {
        name: "edi-energy".to_owned(),
        ciphers: vec![ContentCipher::Aes128Gcm],
        fallback_cipher: ContentCipher::Aes128Gcm,
        headers: None,
        reading: DecryptOptions {
            gcm_in_enveloped_data: true,
            ..DecryptOptions::default()
        },
        ..modern()
    }
}

/// The German health sector: opaque signatures, authenticated encryption, and the sender as a recipient.
fn kim() -> Profile {
    Profile {
        name: "kim".to_owned(),
        form: Form::Opaque,
        ciphers: vec![ContentCipher::Aes256Gcm],
        fallback_cipher: ContentCipher::Aes256Gcm,
        encrypt_to_self: true,
        headers: None,
        ..modern()
    }
}

/// As strong as ML-KEM and ML-DSA keys deserve; whether a key is one of these, its certificate says. Classic recipients are
/// written to as in `modern`.
fn post_quantum() -> Profile {
    Profile {
        name: "post-quantum".to_owned(),
        ciphers: vec![ContentCipher::Aes256Gcm, ContentCipher::Aes256Cbc],
        fallback_cipher: ContentCipher::Aes256Gcm,
        ..modern()
    }
}
