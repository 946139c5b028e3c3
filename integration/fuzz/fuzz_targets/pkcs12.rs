//! A file with private keys: `certstore::vault::Vault::import`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::pkcs12(input);
});
