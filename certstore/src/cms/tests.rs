//! The whole of CMS against OpenSSL, and against hostile input.

mod support;

mod attributes;
mod corpus;
mod decrypting;
mod encrypting;
mod hostile;
mod signing;
mod verifying;
