//! Certificates and keys, for people who send and receive S/MIME mail.
//!
//! Given an address and a purpose, this crate answers with a certificate that it can justify, or with a reason that says
//! what to do. It keeps private keys sealed and hands out only signers and decryptors. Import order is the order of the
//! modules below: each imports only from those above it.

pub mod clock;
pub mod seal;
pub mod cms;
pub mod ldap;
pub mod certificate;
#[cfg(test)]
mod samples;
pub mod database;
pub mod archive;
pub mod fetch;
pub mod trust;
pub mod selection;
pub mod source;
pub mod lookup;
pub mod vault;
pub mod issue;
