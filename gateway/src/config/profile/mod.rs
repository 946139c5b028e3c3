//! Profiles: named sets of algorithms and forms, of which a policy's rules choose one each.
//!
//! What a profile says is taken as it stands by whoever signs and encrypts; here nothing is chosen.

mod read;
mod shipped;

use certstore::cms::{
    ContentCipher, DecryptOptions, Digest, IncludedChain, KeyTransport, RecipientIdForm,
    RsaSignature,
};

pub(super) use read::read;

/// All profiles, the default one first; never empty.
#[derive(Debug, Clone)]
pub struct Profiles(Vec<Profile>);

/// A named set of algorithms and forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name that policy uses.
    pub name: String,
    /// How a signature travels.
    pub form: Form,
    /// Digest of signatures with RSA keys (EC keys use the one that fits their curve).
    pub digest: Digest,
    /// Padding of RSA signatures.
    pub rsa_signature: RsaSignature,
    /// Which certificates travel with a signature.
    pub chain: IncludedChain,
    /// Whether a signature tells what we can read (RFC 8551, section 2.5.2).
    pub capabilities: bool,
    /// Whether what was encrypted is signed once more, around the ciphertext (RFC 2634, section 1.1).
    pub triple_wrap: bool,
    /// Content encryption, best first; never empty.
    pub ciphers: Vec<ContentCipher>,
    /// The cipher, one of [`Profile::ciphers`], for recipients of whom nothing is known.
    pub fallback_cipher: ContentCipher,
    /// Whose capabilities choose among the ciphers.
    pub cipher_choice: CipherChoice,
    /// Key transport to RSA recipients.
    pub key_transport: KeyTransport,
    /// Digest of the key derivation for recipients with elliptic curve keys; none is the one that fits the curve.
    pub key_agreement: Option<Digest>,
    /// How certificates are named in signatures and to recipients.
    pub recipient_id: RecipientIdForm,
    /// Whether content is compressed before it is encrypted.
    pub compress: bool,
    /// Whether the originator can read what was encrypted, too.
    pub encrypt_to_self: bool,
    /// How the header fields are protected with the content, if they are.
    pub headers: Option<HeaderProtection>,
    /// What is opened, of incoming mail, beside what everybody may send.
    pub reading: DecryptOptions,
}

/// How header fields are protected with the content (RFC 9788).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderProtection {
    /// What is hidden where the message is encrypted.
    pub policy: HeaderPolicy,
    /// Whether hidden fields are shown at the top of the text as well, for mail programs that do not know of any of this.
    pub legacy_display: bool,
}

/// A Header Confidentiality Policy (RFC 9788, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderPolicy {
    /// `hcp_no_confidentiality`: everything stays readable outside.
    None,
    /// `hcp_baseline`: the subject is hidden; comments and keywords are taken out.
    Baseline,
    /// `hcp_shy`: display names and the sender's time zone as well.
    Shy,
}

/// How a signature travels (RFC 8551, section 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// multipart/signed: readable without S/MIME.
    Clear,
    /// application/pkcs7-mime with the content inside.
    Opaque,
}

/// Whose capabilities choose the cipher of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CipherChoice {
    /// All its recipients': one copy, in the best cipher that everybody reads.
    Common,
    /// Each one's: recipients whose best ciphers differ get copies of their own.
    Each,
}

impl Profiles {
    /// The profile with this name, or the default one.
    #[must_use]
    pub fn named(&self, name: Option<&str>) -> Option<&Profile> {
        match name {
            Some(name) => self.0.iter().find(|profile| profile.name == name),
            None => self.0.first(),
        }
    }

    /// Their names, that of the default one first.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|profile| profile.name.as_str()).collect()
    }
}

impl Default for Profiles {
    /// The shipped ones, "outlook-safe" first.
    fn default() -> Self {
        Self(shipped::all())
    }
}
