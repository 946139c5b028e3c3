//! A certificate: `certstore::certificate::Certificate::from_der`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::certificate(input);
});
