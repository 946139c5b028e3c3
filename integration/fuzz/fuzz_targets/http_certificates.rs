//! What a web server answers: `certstore::source::http::read_body`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::http_certificates(input);
});
