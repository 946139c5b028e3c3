//! A CMS message: `certstore::cms::parse`, and verifying or decrypting what it gives.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::cms_parse(input);
});
