//! People with keys and certificates, made by the `openssl` program once for all tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use aws_lc_rs::agreement::{self, UnparsedPublicKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
    Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self, EcdsaKeyPair, RsaKeyPair};
use aws_lc_rs::{error, rand};
use certstore::certificate::Certificate;
use certstore::clock::{Clock, SystemClock};
use certstore::cms::{
    Curve, Decryptor, Digest, KeyFailure, KeyTransport, RecipientId, SignatureScheme, Signer,
};
use certstore::trust::{Anchor, AnchorScope, Trust};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Somebody with a certificate and its private key.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) certificate: Certificate,
    /// PEM of the certificate.
    pub(super) certificate_file: PathBuf,
    /// PEM of the key.
    pub(super) key_file: PathBuf,
    pkcs8: Vec<u8>,
}

/// Alice and Bob (RSA), Carol (P-256), Ann (RSA, a certificate of yesterday), and who vouches for them.
pub(super) struct People {
    pub(super) folder: TempDir,
    pub(super) authority: Certificate,
    pub(super) authority_file: PathBuf,
    pub(super) alice: Arc<Person>,
    pub(super) bob: Arc<Person>,
    pub(super) carol: Arc<Person>,
    pub(super) expired: Arc<Person>,
}

pub(super) static PEOPLE: LazyLock<People> = LazyLock::new(People::new);

pub(super) fn now() -> SystemTime {
    SystemClock.now()
}

/// Runs openssl; its standard output.
pub(super) fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let errors = output.stderr.escape_ascii().to_string();
    assert!(output.status.success(), "openssl {arguments:?}: {errors}");
    output.stdout
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl People {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (key, certificate) = (path("ca.key"), path("ca.pem"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            text(&key),
            "-out",
            text(&certificate),
            "-subj",
            "/CN=Test \"CA\"; smime=pass",
            "-days",
            "100",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]);
        let rsa = ["rsa:2048"].as_slice();
        let ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"].as_slice();
        Self {
            authority: certificate_of(&certificate),
            alice: Arc::new(Person::new(
                folder.path(),
                "alice",
                rsa,
                "keyEncipherment",
                "30",
            )),
            bob: Arc::new(Person::new(
                folder.path(),
                "bob",
                rsa,
                "keyEncipherment",
                "30",
            )),
            carol: Arc::new(Person::new(
                folder.path(),
                "carol",
                ec,
                "keyAgreement",
                "30",
            )),
            expired: Arc::new(Person::new(
                folder.path(),
                "expired",
                rsa,
                "keyEncipherment",
                "-1",
            )),
            authority_file: certificate,
            folder,
        }
    }

    /// Everybody whom the test CA vouches for is trusted.
    pub(super) fn trust(&self) -> Trust {
        trust_in(&self.authority)
    }

    /// Writes a file for openssl to read.
    pub(super) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        use std::io::Write;
        let path = self.folder.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(content)
            .unwrap();
        path
    }
}

pub(super) fn trust_in(authority: &Certificate) -> Trust {
    let anchor = Anchor {
        certificate: authority.clone(),
        scope: AnchorScope::Everybody,
        revocation: None,
    };
    Trust::new(vec![anchor], Vec::new())
}

pub(super) fn certificate_of(pem: &Path) -> Certificate {
    Certificate::from_der(&openssl(&["x509", "-in", text(pem), "-outform", "DER"])).unwrap()
}

impl Person {
    fn new(folder: &Path, name: &str, algorithm: &[&str], usage: &str, days: &str) -> Self {
        let path = |end: &str| folder.join(format!("{name}.{end}"));
        let (key, request, extensions) = (path("key"), path("csr"), path("ext"));
        let subject = format!("/CN={name}");
        let mut arguments = vec!["req", "-newkey"];
        arguments.extend(algorithm);
        arguments.extend([
            "-nodes",
            "-keyout",
            text(&key),
            "-out",
            text(&request),
            "-subj",
            &subject,
        ]);
        openssl(&arguments);
        std::io::Write::write_all(
            &mut std::fs::File::create(&extensions).unwrap(),
            format!(
                "subjectAltName=email:{name}@example.org\nkeyUsage=critical,digitalSignature,{usage}\n\
                 extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            )
            .as_bytes(),
        )
        .unwrap();
        let (authority, authority_key) = (folder.join("ca.pem"), folder.join("ca.key"));
        let certificate = path("pem");
        openssl(&[
            "x509",
            "-req",
            "-in",
            text(&request),
            "-CA",
            text(&authority),
            "-CAkey",
            text(&authority_key),
            "-days",
            days,
            "-extfile",
            text(&extensions),
            "-out",
            text(&certificate),
        ]);
        Self::from_files(certificate, key)
    }

    pub(super) fn from_files(certificate_file: PathBuf, key_file: PathBuf) -> Self {
        let pkcs8 = openssl(&[
            "pkcs8",
            "-topk8",
            "-nocrypt",
            "-in",
            text(&key_file),
            "-outform",
            "DER",
        ]);
        Self {
            certificate: certificate_of(&certificate_file),
            certificate_file,
            key_file,
            pkcs8,
        }
    }
}

impl Signer for Person {
    fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &[]
    }

    fn encryption_certificate(&self) -> Option<&[u8]> {
        None
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let padding: &dyn signature::RsaEncoding = match scheme {
            SignatureScheme::RsaPkcs1(Digest::Sha256) => &signature::RSA_PKCS1_SHA256,
            SignatureScheme::RsaPkcs1(Digest::Sha512) => &signature::RSA_PKCS1_SHA512,
            SignatureScheme::RsaPss(Digest::Sha256) => &signature::RSA_PSS_SHA256,
            SignatureScheme::Ecdsa(Curve::P256, Digest::Sha256) => {
                let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8).unwrap();
                let signature = key.sign(&rand::SystemRandom::new(), message).unwrap();
                return Ok(signature.as_ref().to_vec());
            }
            SignatureScheme::RsaPkcs1(_)
            | SignatureScheme::RsaPss(_)
            | SignatureScheme::Ecdsa(..)
            | SignatureScheme::Ed25519
            | SignatureScheme::MlDsa(_) => {
                return Err(KeyFailure::Unsuitable("this scheme"));
            }
        };
        let key = RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(padding, &rand::SystemRandom::new(), message, &mut signature)
            .unwrap();
        Ok(signature)
    }
}

impl Decryptor for Person {
    fn certificate(&self) -> &[u8] {
        self.certificate.der()
    }

    fn is_named_by(&self, recipient: &RecipientId) -> bool {
        self.certificate.is_named_by(recipient)
    }

    fn decrypt_key(
        &self,
        transport: KeyTransport,
        encrypted_key: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        let key = PrivateDecryptingKey::from_pkcs8(&self.pkcs8)
            .map_err(|_| KeyFailure::Unsuitable("RSA"))?;
        let mut plain = Zeroizing::new(vec![0; key.key_size_bytes()]);
        let decrypted = match transport {
            KeyTransport::Pkcs1 => Pkcs1PrivateDecryptingKey::new(key)
                .unwrap()
                .decrypt(encrypted_key, &mut plain),
            KeyTransport::Oaep(digest) => {
                let algorithm = match digest {
                    Digest::Sha1 => &OAEP_SHA1_MGF1SHA1,
                    Digest::Sha256 | Digest::Sha384 | Digest::Sha512 => &OAEP_SHA256_MGF1SHA256,
                };
                let key = OaepPrivateDecryptingKey::new(key).unwrap();
                key.decrypt(algorithm, encrypted_key, &mut plain, None)
            }
        };
        let length = decrypted.map_err(|_| KeyFailure::Failed)?.len();
        plain.truncate(length);
        Ok(plain)
    }

    fn agree(&self, curve: Curve, public_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        if curve != Curve::P256 {
            return Err(KeyFailure::Unsuitable("this curve"));
        }
        let pair =
            EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8)
                .map_err(|_| KeyFailure::Unsuitable("ECDH"))?;
        let der = pair.private_key().as_der().unwrap();
        let key = agreement::PrivateKey::from_private_key_der(&agreement::ECDH_P256, der.as_ref())
            .unwrap();
        let peer = UnparsedPublicKey::new(&agreement::ECDH_P256, public_key);
        agreement::agree(&key, peer, error::Unspecified, |secret| {
            Ok(Zeroizing::new(secret.to_vec()))
        })
        .map_err(|_| KeyFailure::Failed)
    }
}
