//! What an LDAP client sends: `certstore::ldap::read_request`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::ldap_request(input);
});
