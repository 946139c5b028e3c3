//! What the stories stand on: the built binary under control, scripted SMTP on both sides of it, a PKI, and other
//! people's mail and S/MIME software to judge what came out.
//!
//! The gateway is known by its documented commands, configuration and wire alone; only [`readers`] links it, to feed it
//! broken input. A peer that is not installed is an error that names its package, never a skip; only the matrix of who reads
//! whom ([`peers`]) says so in its column instead. Import order is the order of the modules below.

pub mod process;
pub mod figures;
pub mod mime;
pub mod mails;
pub mod smtp;
pub mod load;
pub mod sink;
pub mod pki;
pub mod scripted;
pub mod openssl;
pub mod postgres;
pub mod revocation;
pub mod bouncycastle;
pub mod nss;
pub mod gpgsm;
pub mod peers;
pub mod post_quantum;
pub mod postfix;
pub mod dovecot;
pub mod slapd;
pub mod bind;
pub mod web;
pub mod gateway;
pub mod readers;
