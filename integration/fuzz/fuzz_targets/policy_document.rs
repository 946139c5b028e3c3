//! A policy: `policy::compile::Policy::compile`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::policy_document(input);
});
