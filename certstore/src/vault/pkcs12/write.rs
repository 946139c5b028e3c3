//! Writing a PKCS#12 file with one key and its certificates, by the p12-keystore crate: AES-256 and SHA-256, which
//! OpenSSL 3, Windows, macOS, iOS, Android and Thunderbird read.

use aws_lc_rs::digest;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKeyChain};
use zeroize::Zeroizing;

/// Enough to slow a guesser down, and read within a moment by a telephone.
const ITERATIONS: u64 = 100_000;

/// Makes the file; `certificates` are DER, the key's own first.
///
/// # Errors
/// What p12-keystore says, when a certificate is none or there is none.
pub(crate) fn write(
    name: &str,
    pkcs8: &[u8],
    certificates: &[Vec<u8>],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let own = certificates.first().ok_or("there is no certificate")?;
    let chain: Vec<Certificate> = certificates
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    // What OpenSSL takes for the identifier that joins key and certificate.
    let local_key_id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, own);
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(pkcs8, local_key_id.as_ref(), chain);
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    let written = store
        .writer(passphrase)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS)
        .write();
    written
        .map(Zeroizing::new)
        .map_err(|error| error.to_string())
}
