//! The rows of the matrix: what is written, by whom, to whom.

use anyhow::{Context, Result, bail, ensure};
use certstore::cms::{self, ContentInfo};
use integration::mails::{self, Mail};
use integration::mime;
use integration::peers::{
    Cipher, Digest, Form, KeyMethod, Peer, RecipientForm, Sealing, Signature, Signing,
};
use integration::pki::{Identity, pki};

use super::posterns::Side;

/// One algorithm or form.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) what: What,
    /// The keys of a profile that makes Postern write it; none, if Postern only reads it.
    pub(crate) profile: Option<String>,
    key: Key,
}

/// What is done to the mail.
pub(crate) enum What {
    Signed(Signing),
    Encrypted(Sealing),
}

/// Whose key it is about.
#[derive(Debug, Clone, Copy)]
enum Key {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    X25519,
}

/// Who writes and who reads, by their names in the PKI.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People {
    pub(crate) writer: &'static str,
    pub(crate) reader: &'static str,
}

impl Key {
    const fn holders(self) -> (&'static str, &'static str) {
        match self {
            Self::Rsa => ("alice", "bob"),
            Self::P256 => ("carol", "bert"),
            Self::P384 => ("dave", "boris"),
            Self::P521 => ("peter", "paula"),
            Self::Ed25519 => ("edgar", "edith"),
            Self::X25519 => ("xaver", "xenia"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
            Self::X25519 => "X25519",
        }
    }
}

/// All rows, in the order of the page.
pub(crate) fn all() -> Vec<Row> {
    let signed = SIGNATURES.iter().flat_map(|(key, signature)| {
        [Form::Clear, Form::Opaque].map(|form| {
            let signature = *signature;
            Row::signed(*key, Signing { form, signature })
        })
    });
    let pkcs1 = CIPHERS
        .iter()
        .map(|cipher| Row::encrypted(Key::Rsa, *cipher, KeyMethod::Pkcs1));
    let oaep = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512]
        .map(|digest| Row::encrypted(Key::Rsa, Cipher::AesCbc(256), KeyMethod::Oaep(digest)));
    let agreed = AGREEMENTS
        .iter()
        .map(|(key, cipher, method)| Row::encrypted(*key, *cipher, *method));
    let by_identifier = [
        (Key::Rsa, KeyMethod::Pkcs1),
        (Key::P256, KeyMethod::Ecdh(Digest::Sha256)),
    ]
    .map(|(key, method)| Row::by_identifier(key, method));
    signed
        .chain(pkcs1)
        .chain(oaep)
        .chain(agreed)
        .chain(by_identifier)
        .collect()
}

#[rustfmt::skip]
const SIGNATURES: [(Key, Signature); 11] = [
    (Key::Rsa, Signature::RsaPkcs1(Digest::Sha256)),
    (Key::Rsa, Signature::RsaPkcs1(Digest::Sha384)),
    (Key::Rsa, Signature::RsaPkcs1(Digest::Sha512)),
    (Key::Rsa, Signature::RsaPss(Digest::Sha256)),
    (Key::Rsa, Signature::RsaPss(Digest::Sha384)),
    (Key::Rsa, Signature::RsaPss(Digest::Sha512)),
    (Key::P256, Signature::Ecdsa(Digest::Sha256)),
    (Key::P384, Signature::Ecdsa(Digest::Sha384)),
    (Key::P521, Signature::Ecdsa(Digest::Sha512)),
    (Key::Ed25519, Signature::Ed25519),
    (Key::Rsa, Signature::RsaPkcs1(Digest::Sha1)),
];

/// With RSA PKCS#1 v1.5.
const CIPHERS: [Cipher; 9] = [
    Cipher::AesCbc(128),
    Cipher::AesCbc(256),
    Cipher::AesGcm(128),
    Cipher::AesGcm(256),
    Cipher::AesCbc(192),
    Cipher::AesGcm(192),
    Cipher::ChaCha20Poly1305,
    Cipher::TripleDes,
    Cipher::Rc2,
];

#[rustfmt::skip]
const AGREEMENTS: [(Key, Cipher, KeyMethod); 10] = [
    (Key::P256, Cipher::AesCbc(128), KeyMethod::Ecdh(Digest::Sha256)),
    (Key::P256, Cipher::AesGcm(256), KeyMethod::Ecdh(Digest::Sha256)),
    (Key::P256, Cipher::AesCbc(192), KeyMethod::Ecdh(Digest::Sha256)),
    (Key::P384, Cipher::AesCbc(256), KeyMethod::Ecdh(Digest::Sha384)),
    (Key::P521, Cipher::AesCbc(256), KeyMethod::Ecdh(Digest::Sha512)),
    (Key::P256, Cipher::AesCbc(256), KeyMethod::Ecdh(Digest::Sha1)),
    (Key::P256, Cipher::AesCbc(256), KeyMethod::Ecdh(Digest::Sha384)),
    (Key::P256, Cipher::AesCbc(256), KeyMethod::Ecdh(Digest::Sha512)),
    (Key::X25519, Cipher::AesGcm(128), KeyMethod::X25519(Digest::Sha256)),
    (Key::X25519, Cipher::AesCbc(256), KeyMethod::X25519(Digest::Sha256)),
];

impl Row {
    fn signed(key: Key, how: Signing) -> Self {
        let (form, clear) = match how.form {
            Form::Clear => ("clear", "multipart/signed"),
            Form::Opaque => ("opaque", "opaque"),
        };
        let digest = how.signature.digest();
        let (padding, name) = match how.signature {
            Signature::RsaPkcs1(_) => ("pkcs1", "RSA PKCS#1 v1.5"),
            Signature::RsaPss(_) => ("pss", "RSA PSS"),
            Signature::Ecdsa(_) => ("pkcs1", key.name()),
            Signature::Ed25519 => ("pkcs1", "Ed25519"),
        };
        let profile = format!(
            "form = \"{form}\"\nrsa-signature = \"{padding}\"\ndigest = \"{}\"\n",
            digest.name()
        );
        Self {
            name: format!("signed: {name}, {digest}, {clear}"),
            what: What::Signed(how),
            profile: (digest != Digest::Sha1).then_some(profile),
            key,
        }
    }

    fn encrypted(key: Key, cipher: Cipher, method: KeyMethod) -> Self {
        let (transport, name) = match method {
            KeyMethod::Pkcs1 => ("pkcs1".to_owned(), "RSA PKCS#1 v1.5".to_owned()),
            KeyMethod::Oaep(digest) => (
                format!("oaep-{}", digest.name()),
                format!("RSA OAEP {digest}"),
            ),
            KeyMethod::Ecdh(digest) | KeyMethod::X25519(digest) => (
                "pkcs1".to_owned(),
                format!("{} with a KDF of {digest}", key.name()),
            ),
        };
        // The profile names the cipher; the key derivation is the one that fits the key (RFC 5753, section 7.1.4).
        let is_own = match method {
            KeyMethod::Ecdh(digest) | KeyMethod::X25519(digest) => match key {
                Key::P384 => digest == Digest::Sha384,
                Key::P521 => digest == Digest::Sha512,
                Key::P256 | Key::X25519 | Key::Ed25519 | Key::Rsa => digest == Digest::Sha256,
            },
            KeyMethod::Pkcs1 | KeyMethod::Oaep(_) => true,
        };
        let is_written = is_own && !matches!(cipher, Cipher::TripleDes | Cipher::Rc2);
        let profile = format!(
            "cipher = \"{}\"\nrsa-key-transport = \"{transport}\"\n",
            cipher.to_string().to_lowercase()
        );
        Self {
            name: format!("encrypted: {cipher}, {name}"),
            what: What::Encrypted(Sealing {
                cipher,
                method,
                recipient: RecipientForm::IssuerAndSerial,
            }),
            profile: is_written.then_some(profile),
            key,
        }
    }

    /// The reader named by its key identifier.
    fn by_identifier(key: Key, method: KeyMethod) -> Self {
        let mut row = Self::encrypted(key, Cipher::AesCbc(128), method);
        row.name.push_str(", named by key identifier");
        row.profile = None;
        if let What::Encrypted(how) = &mut row.what {
            how.recipient = RecipientForm::KeyIdentifier;
        }
        row
    }

    /// Who of `side` writes it, to whom of the other side.
    pub(crate) fn people(&self, side: Side) -> People {
        let (local, partner) = self.key.holders();
        let (own, other) = if side.is_here {
            (local, partner)
        } else {
            (partner, local)
        };
        let (somebody, anybody) = if side.is_here {
            ("alice", "bob")
        } else {
            ("bob", "alice")
        };
        match self.what {
            What::Signed(_) => People {
                writer: own,
                reader: anybody,
            },
            What::Encrypted(_) => People {
                writer: somebody,
                reader: other,
            },
        }
    }

    /// The mail that is written.
    pub(crate) fn mail(&self, people: People) -> Mail {
        let (writer, reader) = people.identities();
        let mut mail = mails::plain(writer.address, reader.address);
        let mark = format!("X-Row: {}\r\n", self.name);
        mail.content.splice(0..0, mark.into_bytes());
        mail
    }

    /// The signed or encrypted entity by another program.
    pub(crate) fn made_by(
        &self,
        peer: &dyn Peer,
        entity: &[u8],
        people: People,
    ) -> Result<Vec<u8>> {
        let (writer, reader) = people.identities();
        match self.what {
            What::Signed(how) => peer.sign(entity, &writer, how),
            What::Encrypted(how) => peer.encrypt(entity, &reader, how),
        }
    }

    /// The entity inside by another program.
    pub(crate) fn read_by(&self, peer: &dyn Peer, mail: &[u8], people: People) -> Result<Vec<u8>> {
        match self.what {
            What::Signed(_) => peer.verify(mail),
            What::Encrypted(_) => peer.decrypt(mail, &people.identities().1),
        }
    }

    /// Whether a mail is what the row says: a program may choose otherwise.
    pub(crate) fn check(&self, mail: &[u8]) -> Result<()> {
        let bytes = if mime::is_multipart_signed(mail) {
            mime::clear_signed(mail)?.1
        } else {
            mime::payload(mail)?
        };
        match (&self.what, cms::parse(&bytes)?) {
            (What::Signed(how), ContentInfo::Signed(signed)) => {
                let detached = signed.content().is_none().then_some(&b""[..]);
                let reports = signed.verify(detached, &[]);
                let report = reports.first().context("nobody signed")?;
                let digest = how.signature.digest();
                let expected = match how.signature {
                    Signature::RsaPkcs1(_) => format!("RSA with {digest}"),
                    Signature::RsaPss(_) => format!("RSASSA-PSS with {digest}"),
                    Signature::Ecdsa(_) => format!("ECDSA with {digest}"),
                    Signature::Ed25519 => "Ed25519".to_owned(),
                };
                let found = &report.algorithm;
                ensure!(*found == expected, "it is signed by {found}");
                Ok(())
            }
            (What::Encrypted(how), ContentInfo::Enveloped(enveloped)) => {
                ensure!(
                    enveloped.is_authenticated() == how.cipher.is_authenticated(),
                    "it writes {} into the wrong one of EnvelopedData and AuthEnvelopedData",
                    how.cipher
                );
                let cipher = enveloped.cipher_name();
                let expected = match how.cipher {
                    Cipher::TripleDes => "Triple DES-CBC".to_owned(),
                    Cipher::Rc2 => "RC2-CBC with 128 bits".to_owned(),
                    other => other.to_string(),
                };
                ensure!(cipher == expected, "the cipher is {cipher}");
                Ok(())
            }
            (_, other) => bail!("it is {other:?}"),
        }
    }

    /// Whether what arrived is what was written, with the right verdict.
    pub(crate) fn is_read(&self, made: &[u8], arrived: &[u8], original: &Mail) -> Result<()> {
        let verdict = mime::values(arrived, "Authentication-Results").concat();
        ensure!(self.is_expected(&verdict), "the verdict is {verdict:?}");
        if let What::Signed(_) = self.what {
            let is_kept = mime::entity(arrived) == mime::entity(made);
            ensure!(is_kept, "the signed content was changed");
            return Ok(());
        }
        if self.is_weak() && !verdict.contains("reason=\"weak") {
            let told = mime::values(arrived, "X-Postern-Verdict").concat();
            ensure!(told.contains(", weak"), "opened without a warning: {told}");
        } else if self.is_weak() {
            // Closed, as it is by default.
            return Ok(());
        }
        let leaves = mime::leaves(&mime::entity(arrived))?;
        ensure!(leaves == original.leaves, "it reads {leaves:?}");
        Ok(())
    }

    /// Whether no other program at hand knows it.
    pub(crate) fn is_unknown_to_others(&self) -> bool {
        matches!(self.key, Key::X25519)
    }

    /// Whether Postern reads it with a warning.
    pub(crate) fn is_weak(&self) -> bool {
        match self.what {
            What::Signed(how) => how.signature.digest() == Digest::Sha1,
            What::Encrypted(how) => matches!(how.cipher, Cipher::TripleDes | Cipher::Rc2),
        }
    }

    /// Whether a verdict is the one that the row should have.
    fn is_expected(&self, verdict: &str) -> bool {
        match self.what {
            What::Signed(_) if self.is_weak() => verdict.contains("reason=\"weak"),
            What::Signed(_) => verdict.contains("smime=pass"),
            What::Encrypted(_) => verdict.contains("smime=none"),
        }
    }
}

impl People {
    pub(crate) fn identities(self) -> (Identity, Identity) {
        let pki = pki().expect("the PKI was made already");
        (pki.identity(self.writer), pki.identity(self.reader))
    }
}
