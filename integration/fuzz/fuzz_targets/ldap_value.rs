//! A value of an LDAP attribute with certificates: `certstore::source::ldap::read_value`.
#![no_main]

use integration::readers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = readers::ldap_value(input);
});
