//! A mail: `gateway::message::Message::parse`, and what is made of it.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::message(input);
});
