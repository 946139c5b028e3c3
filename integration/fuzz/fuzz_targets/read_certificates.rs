//! A file of certificates: `certstore::certificate::read_certificates`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::read_certificates(input);
});
