//! Files that people bring their keys in: PKCS#12, or PEM with keys and certificates side by side.
//!
//! Reading one finds keys and certificates; whether a key can be used, and which certificate is its own, is seen later.

use encodify::pem;
use zeroize::Zeroizing;

use super::pkcs12::{self, Passphrase, Work};
use crate::cms::ber::{BerError, Element};

/// The longest key file that is read, in bytes.
pub const MAX_KEY_FILE_SIZE: usize = 1024 * 1024;
/// Most blocks in a PEM file.
const MAX_PEM_BLOCKS: usize = 1_000;

const PEM_BEGIN: &[u8] = b"-----BEGIN ";

/// Why a key file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Longer than [`MAX_KEY_FILE_SIZE`]; the number of bytes.
    #[error("the key file has {0} bytes, more than {MAX_KEY_FILE_SIZE}")]
    TooLarge(usize),
    /// Neither PKCS#12 nor PEM, or cut off or damaged.
    #[error("not a PKCS#12 or PEM file, or a damaged one: {0}")]
    Structure(BerError),
    /// A PEM block that is cut off or damaged.
    #[error("the PEM text is damaged: {0}")]
    Pem(encodify::Error),
    /// The passphrase does not open the file; or the file was changed.
    #[error("wrong passphrase, or the file was changed since it was made")]
    WrongPassphrase,
    /// A PKCS#12 file without a MAC, where one is asked for.
    #[error("the PKCS#12 file has no MAC, so that nobody can tell whether it was changed")]
    NoMac,
    /// A key derivation that would take too long, or that nobody can do; its number of iterations.
    #[error("the file wants {0} iterations of its key derivation: 1 to 600000 are accepted")]
    Iterations(u32),
    /// More than any real file has, of what is named.
    #[error("the file has too many {0}: split it")]
    TooMuch(&'static str),
    /// Something that cannot be read here; what it is.
    #[error("the key file uses something that is not supported: {0}")]
    Unsupported(String),
}

impl From<BerError> for KeyFileError {
    fn from(error: BerError) -> Self {
        Self::Structure(error)
    }
}

/// The keys and certificates in a file, in their order.
#[derive(Debug, Default)]
pub(super) struct KeyFile {
    pub(super) keys: Vec<FoundKey>,
    /// DER.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// A key in a file: PKCS#8, PKCS#1 or SEC 1.
pub(super) struct FoundKey {
    pub(super) der: Zeroizing<Vec<u8>>,
    pub(super) name: Option<String>,
}

impl std::fmt::Debug for FoundKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FoundKey({:?})", self.name)
    }
}

/// Reads a PKCS#12 or PEM file. The passphrase is not needed for PEM keys that are not encrypted.
///
/// # Errors
/// [`KeyFileError`].
pub(super) fn read(
    bytes: &[u8],
    passphrase: &Passphrase,
    mac_required: bool,
) -> Result<KeyFile, KeyFileError> {
    if bytes.len() > MAX_KEY_FILE_SIZE {
        return Err(KeyFileError::TooLarge(bytes.len()));
    }
    if memchr::memmem::find(bytes, PEM_BEGIN).is_some() {
        read_pem(bytes, passphrase)
    } else {
        pkcs12::read(bytes, passphrase, mac_required)
    }
}

fn read_pem(bytes: &[u8], passphrase: &Passphrase) -> Result<KeyFile, KeyFileError> {
    let mut file = KeyFile::default();
    let mut work = Work::default();
    for (number, block) in pem::STANDARD.blocks(bytes).enumerate() {
        if number >= MAX_PEM_BLOCKS {
            return Err(KeyFileError::TooMuch("PEM blocks"));
        }
        let block = block.map_err(KeyFileError::Pem)?;
        let contents = Zeroizing::new(block.contents);
        match block.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => file.certificates.push(contents.to_vec()),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                if !block.headers.is_empty() {
                    return Err(KeyFileError::Unsupported(
                        "OpenSSL's old encryption of PEM keys: convert it with `openssl pkcs8 -topk8`"
                            .to_owned(),
                    ));
                }
                file.keys.push(FoundKey {
                    der: contents,
                    name: None,
                });
            }
            "ENCRYPTED PRIVATE KEY" => {
                let key_info = Element::only(&contents)?;
                let der = pkcs12::decrypt_key_info(key_info, passphrase, &mut work)?;
                file.keys.push(FoundKey { der, name: None });
            }
            _ => {}
        }
    }
    Ok(file)
}
