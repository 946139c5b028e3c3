//! A passphrase in the forms that programs have made keys from, and the key derivation of RFC 7292, appendix B.2.
//!
//! The standards want UTF-16 (PKCS#12) and leave it open (PBES2, where UTF-8 won). Old programs took the bytes that a
//! terminal gave them, each as a character of its own; and an empty passphrase is to some an empty string, to others
//! none at all. So a passphrase has several forms, and the first one that fits is taken.

use aws_lc_rs::digest;
use zeroize::Zeroizing;

/// A passphrase in its forms, the likely ones first. Cleared when it goes.
#[derive(Clone)]
pub(crate) struct Passphrase {
    forms: Vec<Form>,
}

/// One way to make bytes of a passphrase.
#[derive(Clone)]
pub(super) struct Form {
    bmp: Zeroizing<Vec<u8>>,
    raw: Vec<Zeroizing<Vec<u8>>>,
}

impl Passphrase {
    pub(crate) fn new(text: &str) -> Self {
        let mut raw = vec![Zeroizing::new(text.as_bytes().to_vec())];
        raw.extend(latin1(text).filter(|_| !text.is_ascii()));
        let form = |bmp| Form {
            bmp,
            raw: raw.clone(),
        };
        let mut forms = vec![form(bmp_string(text.encode_utf16()))];
        if text.is_empty() {
            forms.push(form(Zeroizing::default()));
        }
        if !text.is_ascii() {
            forms.push(form(bmp_string(text.bytes().map(u16::from))));
        }
        Self { forms }
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.iter()
    }

    /// The passphrase in the one form that proved right.
    pub(super) fn in_form(&self, form: &Form) -> Self {
        Self {
            forms: vec![form.clone()],
        }
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl Form {
    /// UTF-16, big-endian, with a zero at its end: for the key derivation of PKCS#12.
    pub(super) fn bmp(&self) -> &[u8] {
        &self.bmp
    }

    /// Bytes for PBKDF2: UTF-8, and Latin-1 where that is something else.
    pub(super) fn raw(&self) -> impl Iterator<Item = &[u8]> {
        self.raw.iter().map(|bytes| &bytes[..])
    }
}

fn bmp_string(units: impl Iterator<Item = u16>) -> Zeroizing<Vec<u8>> {
    // Sized for the longest form, so that nothing is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        2 * (units.size_hint().1.unwrap_or(0) + 1),
    ));
    for unit in units.chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

fn latin1(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.ok().map(Zeroizing::new)
}

/// What the derived bytes are for (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum KdfPurpose {
    EncryptionKey = 1,
    Iv = 2,
    Mac = 3,
}

/// Fills `out` with bytes derived from a passphrase (RFC 7292, appendix B.2).
pub(super) fn derive(
    algorithm: &'static digest::Algorithm,
    purpose: KdfPurpose,
    bmp: &[u8],
    salt: &[u8],
    iterations: u32,
    out: &mut [u8],
) {
    let block_length = algorithm.block_len();
    let diversifier = vec![purpose as u8; block_length];
    let mut input = Zeroizing::new(repeat_to_blocks(salt, block_length));
    input.extend(repeat_to_blocks(bmp, block_length));
    for piece in out.chunks_mut(algorithm.output_len()) {
        let hash = iterated_hash(algorithm, &diversifier, &input, iterations);
        for (to, from) in piece.iter_mut().zip(&hash[..]) {
            *to = *from;
        }
        for block in input.chunks_mut(block_length) {
            add_with_one(block, &hash);
        }
    }
}

/// `bytes` over and over, until whole blocks are full.
fn repeat_to_blocks(bytes: &[u8], block_length: usize) -> Vec<u8> {
    let length = bytes.len().next_multiple_of(block_length);
    bytes.iter().copied().cycle().take(length).collect()
}

fn iterated_hash(
    algorithm: &'static digest::Algorithm,
    diversifier: &[u8],
    input: &[u8],
    iterations: u32,
) -> Zeroizing<Vec<u8>> {
    let mut context = digest::Context::new(algorithm);
    context.update(diversifier);
    context.update(input);
    let mut hash = context.finish();
    for _ in 1..iterations {
        hash = digest::digest(algorithm, hash.as_ref());
    }
    Zeroizing::new(hash.as_ref().to_vec())
}

/// Adds `hash`, repeated to the length of the block, and one to a block, all big-endian numbers.
fn add_with_one(block: &mut [u8], hash: &[u8]) {
    let repeated: Vec<u8> = hash.iter().copied().cycle().take(block.len()).collect();
    let mut carry = 1_u16;
    for (byte, addend) in block.iter_mut().zip(repeated).rev() {
        let [high, low] = (u16::from(*byte) + u16::from(addend) + carry).to_be_bytes();
        *byte = low;
        carry = u16::from(high);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_have_the_forms_that_programs_use() {
        let forms = |text| -> Vec<Vec<u8>> {
            let passphrase = Passphrase::new(text);
            passphrase.forms().map(|form| form.bmp().to_vec()).collect()
        };
        assert_eq!(forms("a"), [vec![0, b'a', 0, 0]]);
        assert_eq!(forms(""), [vec![0, 0], vec![]]);
        assert_eq!(
            forms("é"),
            [vec![0, 0xe9, 0, 0], vec![0, 0xc3, 0, 0xa9, 0, 0]]
        );
        let raw = |text| -> Vec<Vec<u8>> {
            let passphrase = Passphrase::new(text);
            let form = passphrase.forms().next().unwrap();
            form.raw().map(<[u8]>::to_vec).collect()
        };
        assert_eq!(raw("a"), [b"a".to_vec()]);
        assert_eq!(raw("é"), [vec![0xc3, 0xa9], vec![0xe9]]);
        assert_eq!(raw("€"), ["€".as_bytes().to_vec()]);
    }

    /// The values are those of OpenSSL's own test of this derivation.
    #[test]
    fn derivation_gives_known_values() {
        let mut key = [0; 24];
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let smeg = Passphrase::new("smeg");
        let bmp = smeg.forms().next().unwrap().bmp();
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        derive(sha1, KdfPurpose::EncryptionKey, bmp, &salt, 1, &mut key);
        assert_eq!(
            key,
            [
                0x8a, 0xaa, 0xe6, 0x29, 0x7b, 0x6c, 0xb0, 0x46, 0x42, 0xab, 0x5b, 0x07, 0x78, 0x51,
                0x28, 0x4e, 0xb7, 0x12, 0x8f, 0x1a, 0x2a, 0x7f, 0xbc, 0xa3
            ]
        );
    }
}
