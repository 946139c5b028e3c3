//! The content of a message behind DATA: `gateway::smtp::DataReader`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::data_reader(input);
});
