//! The whole of CMS against OpenSSL, and against hostile input.

mod support;

mod algorithms;
mod attributes;
mod corpus;
mod decrypting;
mod encrypting;
mod hostile;
mod peers;
mod signing;
mod verifying;
