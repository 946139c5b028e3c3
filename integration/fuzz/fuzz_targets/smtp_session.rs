//! What an SMTP client says: `gateway::smtp::Session`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::smtp_session(input);
});
