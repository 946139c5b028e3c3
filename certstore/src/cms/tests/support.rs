//! Keys made once by the `openssl` in PATH, holders of those keys, and `openssl` as the other side.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::{agreement, signature};
use zeroize::Zeroizing;

use crate::cms::*;

pub(super) const CONTENT: &[u8] =
    b"Content-Type: text/plain\r\n\r\nDear Bob,\r\nthe gate is open.\r\n";

/// A person with a key and a certificate.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) certificate: Vec<u8>,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) encryption_certificate: Option<Vec<u8>>,
    pub(super) pkcs8: Vec<u8>,
}

impl Person {
    pub(super) fn certificate_file(&self) -> PathBuf {
        folder().join(format!("{}.crt", self.name))
    }

    pub(super) fn key_file(&self) -> PathBuf {
        folder().join(format!("{}.key", self.name))
    }

    pub(super) fn decryptor(&self) -> Arc<dyn Decryptor> {
        Arc::new(self.clone())
    }
}

impl Signer for Person {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn encryption_certificate(&self) -> Option<&[u8]> {
        self.encryption_certificate.as_deref()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let random = SystemRandom::new();
        let encoding: &dyn signature::RsaEncoding = match scheme {
            SignatureScheme::RsaPkcs1(Digest::Sha256) => &signature::RSA_PKCS1_SHA256,
            SignatureScheme::RsaPkcs1(Digest::Sha384) => &signature::RSA_PKCS1_SHA384,
            SignatureScheme::RsaPkcs1(Digest::Sha512) => &signature::RSA_PKCS1_SHA512,
            SignatureScheme::RsaPss(Digest::Sha256) => &signature::RSA_PSS_SHA256,
            SignatureScheme::RsaPss(Digest::Sha384) => &signature::RSA_PSS_SHA384,
            SignatureScheme::RsaPss(Digest::Sha512) => &signature::RSA_PSS_SHA512,
            SignatureScheme::Ecdsa(curve, _) => {
                let algorithm = match curve {
                    Curve::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                    Curve::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
                    Curve::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
                };
                let key = signature::EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8)
                    .map_err(|_| KeyFailure::Unsuitable("ECDSA"))?;
                let signature = key.sign(&random, message).map_err(|_| KeyFailure::Failed)?;
                return Ok(signature.as_ref().to_vec());
            }
            SignatureScheme::Ed25519 => {
                let key = signature::Ed25519KeyPair::from_pkcs8(&self.pkcs8)
                    .map_err(|_| KeyFailure::Unsuitable("Ed25519"))?;
                return Ok(key.sign(message).as_ref().to_vec());
            }
            SignatureScheme::RsaPkcs1(Digest::Sha1) | SignatureScheme::RsaPss(Digest::Sha1) => {
                return Err(KeyFailure::Unsuitable("SHA-1"));
            }
            SignatureScheme::MlDsa(dsa) => return Err(KeyFailure::Unsuitable(dsa.name())),
        };
        let key = signature::RsaKeyPair::from_pkcs8(&self.pkcs8)
            .map_err(|_| KeyFailure::Unsuitable("RSA"))?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding.encoding(), &random, message, &mut signature)
            .map_err(|_| KeyFailure::Failed)?;
        Ok(signature)
    }
}

impl Decryptor for Person {
    fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn is_named_by(&self, recipient: &RecipientId) -> bool {
        recipient.names(&self.certificate)
    }

    fn decrypt_key(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        if let KeyTransport::Oaep(digest) = transport {
            return self.decrypt_labelled_key(digest, &[], encrypted_key);
        }
        let key = PrivateDecryptingKey::from_pkcs8(&self.pkcs8)
            .map_err(|_| KeyFailure::Unsuitable("RSA"))?;
        let mut plain = Zeroizing::new(vec![0; key.key_size_bytes()]);
        let length = Pkcs1PrivateDecryptingKey::new(key)
            .and_then(|key| Ok(key.decrypt(encrypted_key, &mut plain)?.len()))
            .map_err(|_| KeyFailure::Failed)?;
        plain.truncate(length);
        Ok(plain)
    }

    fn decrypt_labelled_key(
        &self,
        digest: Digest,
        label: &[u8],
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let key = PrivateDecryptingKey::from_pkcs8(&self.pkcs8)
            .map_err(|_| KeyFailure::Unsuitable("RSA"))?;
        let mut plain = Zeroizing::new(vec![0; key.key_size_bytes()]);
        let label = (!label.is_empty()).then_some(label);
        let length = OaepPrivateDecryptingKey::new(key)
            .and_then(|key| {
                let padding = oaep_algorithm(digest);
                Ok(key
                    .decrypt(padding, encrypted_key, &mut plain, label)?
                    .len())
            })
            .map_err(|_| KeyFailure::Failed)?;
        plain.truncate(length);
        Ok(plain)
    }

    fn agree(&self, curve: Curve, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let algorithm = match curve {
            Curve::P256 => &agreement::ECDH_P256,
            Curve::P384 => &agreement::ECDH_P384,
            Curve::P521 => &agreement::ECDH_P521,
        };
        let key = agreement::PrivateKey::from_private_key_der(algorithm, &self.pkcs8)
            .map_err(|_| KeyFailure::Unsuitable("ECDH"))?;
        let theirs = agreement::UnparsedPublicKey::new(algorithm, public_key);
        agreement::agree(&key, theirs, KeyFailure::Failed, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }

    fn agree_x25519(&self, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        // The last 32 octets of such a key in PKCS#8 are the key itself (RFC 8410, section 7).
        let (_, seed) = self.pkcs8.split_at(self.pkcs8.len() - 32);
        let key = agreement::PrivateKey::from_private_key(&agreement::X25519, seed).unwrap();
        let theirs = agreement::UnparsedPublicKey::new(&agreement::X25519, public_key);
        agreement::agree(&key, theirs, KeyFailure::Failed, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
    }
}

/// The people of these tests.
pub(super) struct People {
    pub(super) rsa: Person,
    pub(super) other_rsa: Person,
    pub(super) short_rsa: Person,
    pub(super) p256: Person,
    pub(super) p384: Person,
    pub(super) p521: Person,
    pub(super) ed25519: Person,
    pub(super) x25519: Person,
    /// A certificate that is not of its owner's own making.
    pub(super) issued: Vec<u8>,
}

impl People {
    pub(super) fn strong(&self) -> [&Person; 4] {
        [&self.rsa, &self.p256, &self.p384, &self.p521]
    }

    pub(super) fn signers(&self) -> [&Person; 5] {
        [&self.rsa, &self.p256, &self.p384, &self.p521, &self.ed25519]
    }

    pub(super) fn recipients(&self) -> [&Person; 5] {
        [&self.rsa, &self.p256, &self.p384, &self.p521, &self.x25519]
    }
}

pub(super) fn people() -> &'static People {
    static PEOPLE: OnceLock<People> = OnceLock::new();
    PEOPLE.get_or_init(|| {
        let rsa = |bits: &str| format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}");
        let ec = |curve: &str| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
        People {
            rsa: make("rsa", &rsa("2048")),
            other_rsa: make("other-rsa", &rsa("2048")),
            short_rsa: make("short-rsa", &rsa("1024")),
            p256: make("p256", &ec("P-256")),
            p384: make("p384", &ec("P-384")),
            p521: make("p521", &ec("P-521")),
            ed25519: make("ed25519", "-algorithm ED25519"),
            x25519: make_x25519(),
            issued: make_issued(),
        }
    })
}

fn make(name: &'static str, algorithm: &str) -> Person {
    let (key, certificate) = (
        folder().join(format!("{name}.key")),
        folder().join(format!("{name}.crt")),
    );
    openssl(&format!("genpkey {algorithm} -out {}", key.display()), b"");
    // Ed25519 knows no digest.
    let digest = if algorithm.ends_with("ED25519") {
        ""
    } else {
        "-sha256"
    };
    openssl(
        &format!(
            "req -new -x509 {digest} -days 30 -subj /O=Tests/CN={name}/emailAddress={name}@example.org \
             -addext keyUsage=digitalSignature,keyEncipherment,keyAgreement \
             -addext extendedKeyUsage=emailProtection -key {} -out {}",
            key.display(),
            certificate.display()
        ),
        b"",
    );
    person(name)
}

/// A key that cannot sign, so that somebody else signs its certificate.
fn make_x25519() -> Person {
    let path = |name: &str| folder().join(name).display().to_string();
    let (key, public, issuer) = (path("x25519.key"), path("x25519.pub"), path("issuer.key"));
    openssl(&format!("genpkey -algorithm X25519 -out {key}"), b"");
    openssl(&format!("pkey -in {key} -pubout -out {public}"), b"");
    openssl(&format!("genpkey -algorithm ED25519 -out {issuer}"), b"");
    let request = format!("req -new -key {issuer} -subj /O=Tests/CN=x25519");
    let request = file(&openssl(&request, b"")).display().to_string();
    let extensions = file(b"subjectKeyIdentifier=hash\nkeyUsage=keyAgreement\n");
    openssl(
        &format!(
            "x509 -req -in {request} -force_pubkey {public} -signkey {issuer} -days 30 -extfile {} -out {}",
            extensions.display(),
            path("x25519.crt")
        ),
        b"",
    );
    person("x25519")
}

fn make_issued() -> Vec<u8> {
    let path = |name: &str| folder().join(name).display().to_string();
    let request = format!(
        "req -new -newkey ed25519 -nodes -keyout {} -subj /CN=issued",
        path("issued.key")
    );
    let request = file(&openssl(&request, b"")).display().to_string();
    openssl(
        &format!(
            "x509 -req -in {request} -CA {} -CAkey {} -set_serial 7 -days 30 -outform DER",
            path("p256.crt"),
            path("p256.key")
        ),
        b"",
    )
}

/// The owner of the key and the certificate of this name.
fn person(name: &'static str) -> Person {
    let (key, certificate) = (
        folder().join(format!("{name}.key")),
        folder().join(format!("{name}.crt")),
    );
    let certificate = openssl(
        &format!("x509 -in {} -outform DER", certificate.display()),
        b"",
    );
    Person {
        name,
        pkcs8: openssl(
            &format!("pkcs8 -topk8 -nocrypt -in {} -outform DER", key.display()),
            b"",
        ),
        certificate,
        chain: Vec::new(),
        encryption_certificate: None,
    }
}

/// Where this run of the tests keeps its files.
pub(super) fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

/// An element with this tag octet, in DER.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len().to_be_bytes();
    let mut element = vec![tag];
    if contents.len() < 0x80 {
        element.push(contents.len() as u8);
    } else {
        element.push(0x84);
        element.extend_from_slice(&length[4..]);
    }
    element.extend(contents);
    element
}

/// Puts `bytes` into a file of its own.
pub(super) fn file(bytes: &[u8]) -> PathBuf {
    use std::io::Write;
    let mut file = tempfile::NamedTempFile::new_in(folder()).unwrap();
    file.write_all(bytes).unwrap();
    file.into_temp_path().keep().unwrap()
}

/// Runs `openssl` and returns what it wrote; panics if it failed.
pub(super) fn openssl(arguments: &str, input: &[u8]) -> Vec<u8> {
    match try_openssl(arguments, input) {
        Ok(output) => output,
        Err(error) => panic!("openssl {arguments}: {error}"),
    }
}

pub(super) fn try_openssl(arguments: &str, input: &[u8]) -> Result<Vec<u8>, String> {
    let input = file(input);
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .expect("the tests need an openssl in PATH");
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// `openssl cms -verify` accepts the signature; returns the content that it found.
pub(super) fn openssl_verify(message: &[u8], detached: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let content = detached.map(|content| format!("-content {}", file(content).display()));
    try_openssl(
        &format!(
            "cms -verify -binary -noverify -inform DER {}",
            content.unwrap_or_default()
        ),
        message,
    )
}

pub(super) fn openssl_decrypt(message: &[u8], person: &Person) -> Result<Vec<u8>, String> {
    try_openssl(
        &format!(
            "cms -decrypt -binary -inform DER -recip {} -inkey {}",
            person.certificate_file().display(),
            person.key_file().display()
        ),
        message,
    )
}

pub(super) fn signed(message: &[u8]) -> SignedData<'_> {
    match parse(message).unwrap() {
        ContentInfo::Signed(signed) => signed,
        other
        @ (ContentInfo::Enveloped(_) | ContentInfo::Compressed(_) | ContentInfo::Other(_)) => {
            panic!("not signed: {other:?}")
        }
    }
}

pub(super) fn enveloped(message: &[u8]) -> EnvelopedData<'_> {
    match parse(message).unwrap() {
        ContentInfo::Enveloped(enveloped) => enveloped,
        other @ (ContentInfo::Signed(_) | ContentInfo::Compressed(_) | ContentInfo::Other(_)) => {
            panic!("not enveloped: {other:?}")
        }
    }
}

pub(super) fn sign_options() -> SignOptions {
    SignOptions {
        attached: false,
        digest: Digest::Sha256,
        rsa_signature: RsaSignature::Pkcs1,
        signing_time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
        capabilities: Capabilities {
            ciphers: vec![ContentCipher::Aes256Gcm, ContentCipher::Aes256Cbc],
            ..Capabilities::default()
        },
        signer_id: RecipientIdForm::IssuerAndSerial,
        chain: IncludedChain::WithoutRoot,
    }
}

pub(super) fn encrypt_options() -> EncryptOptions {
    EncryptOptions {
        cipher: ContentCipher::Aes256Cbc,
        key_transport: KeyTransport::Pkcs1,
        key_agreement: None,
        recipient_id: RecipientIdForm::IssuerAndSerial,
        gcm_in_enveloped_data: false,
    }
}

/// Whatever can be decrypted.
pub(super) const ANYTHING: DecryptOptions = DecryptOptions {
    weak_ciphers: true,
    gcm_in_enveloped_data: true,
};

/// What everybody may send.
pub(super) const STRONG: DecryptOptions = DecryptOptions {
    weak_ciphers: false,
    gcm_in_enveloped_data: false,
};

/// The folder with test data from outside, if it is there.
pub(super) fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}
