//! A mail that may be S/MIME: `gateway::smime`, without keys.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::smime(input);
});
