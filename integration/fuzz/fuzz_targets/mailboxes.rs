//! The value of a From, To or Cc field: `policy::address::mailboxes`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::mailboxes(input);
});
