//! The name in DNS under which an address's certificates stand (RFC 8162, section 3).

use aws_lc_rs::digest::{SHA256, digest};

/// Octets of the digest that make the first label.
const DIGEST_OCTETS: usize = 28;

/// The absolute name for a local part and a domain: SHA-256 of the local part, cut to 28 octets, in hexadecimal digits.
/// Quotes around a local part, and backslashes in them, are not part of it.
#[must_use]
pub fn owner_name(local_part: &str, domain: &str) -> String {
    let digest = digest(&SHA256, unquoted(local_part).as_bytes());
    let octets = digest.as_ref().iter().take(DIGEST_OCTETS);
    let label: String = octets.map(|octet| format!("{octet:02x}")).collect();
    format!("{label}._smimecert.{domain}.")
}

fn unquoted(local_part: &str) -> String {
    let quoted = local_part
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(quoted) = quoted else {
        return local_part.to_owned();
    };
    let mut characters = quoted.chars();
    let mut bare = String::with_capacity(quoted.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => bare.extend(characters.next()),
            other => bare.push(other),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_the_rfc_says() {
        // The example of RFC 8162, section 3, and OPENPGPKEY's, which hashes the same way.
        let hugh =
            "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.example.com.";
        for (local_part, expected) in [("hugh", hugh), ("\"hugh\"", hugh), ("\"hu\\gh\"", hugh)] {
            assert_eq!(owner_name(local_part, "example.com"), expected);
        }
        assert_ne!(owner_name("Hugh", "example.com"), hugh);
        assert_ne!(
            owner_name("\"", "example.com"),
            owner_name("", "example.com")
        );
    }
}
