//! One file for each story: what an operator or a correspondent sees of the built gateway.

mod already_encrypted;
mod attacks;
mod bad_config;
mod bulk_import;
mod client_signed;
mod configs;
mod corpus;
mod crash;
mod database_readonly;
mod demo;
mod directory_http;
mod directory_ldap;
mod directory_smimea;
mod dsn;
mod harvest;
mod header_protection;
mod hidden_recipients;
mod interoperability;
mod keys_p12;
mod large;
mod law6;
mod law7;
mod lookalikes;
mod loop_detection;
mod matrix_in;
mod matrix_in_others;
mod matrix_out;
mod metrics;
mod no_certificate;
mod post_quantum;
mod policy_tools;
mod postfix_dovecot;
mod postgresql;
mod profiles;
mod publication;
mod queue_commands;
mod restart;
mod revocation;
mod smarthost;
mod starttls;
mod store_moves;
mod trust;
mod verdicts;

/// Whose mail goes through the gateway.
const ALICE: &str = "alice@example.org";

/// Somebody else of the same house.
const CAROL: &str = "carol@example.org";

/// Whom alice writes to, and who writes to her.
const BOB: &str = "bob@partner.example";
