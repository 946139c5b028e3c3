//! The URL that is asked for an address.
//!
//! With `{address}`, `{local}`, `{domain}` or `{sha256}` in it, it is filled in; without, it is an RFC 4387 certificate
//! store, and asked by the attribute `uri`, which for S/MIME certificates is the address (RFC 4387, section 2). What is
//! put in is percent-encoded to the last character that could mean something.

use aws_lc_rs::digest::{SHA256, digest};
use policy::address::Address;
use reqwest::Url;

/// A URL with places for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    text: String,
    is_https: bool,
}

/// Why a text is no URL of certificates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no `http:` or `https:` URL.
    #[error("it is no http: or https: URL")]
    NotHttp,
    /// A name in braces that is none of ours.
    #[error("{{{0}}} is not one of {{address}}, {{local}}, {{domain}}, {{sha256}}")]
    UnknownPlace(String),
    /// The host would be a stranger's choice.
    #[error("only what comes after the host may hold places for the address")]
    PlaceInHost,
}

const PLACES: [&str; 4] = ["address", "local", "domain", "sha256"];

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        for place in text.split('{').skip(1) {
            let name = place.split('}').next().unwrap_or_default();
            if !PLACES.contains(&name) || !place.contains('}') {
                return Err(UrlError::UnknownPlace(name.to_owned()));
            }
        }
        let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
        let host = after_scheme
            .split(['/', '?', '#'])
            .next()
            .unwrap_or_default();
        if host.contains('{') {
            return Err(UrlError::PlaceInHost);
        }
        let text = if text.contains('{') {
            text.to_owned()
        } else {
            let joint = if text.contains('?') { '&' } else { '?' };
            format!("{text}{joint}uri={{address}}")
        };
        let sample = Address::parse("a@b.example").map_err(|_| UrlError::NotHttp)?;
        let url = Url::parse(&fill(&text, &sample)).map_err(|_| UrlError::NotHttp)?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::NotHttp),
        };
        Ok(Self { text, is_https })
    }

    /// Whether the way there is encrypted.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.is_https
    }

    /// The URL for an address, in its canonical form.
    #[must_use]
    pub fn fill(&self, address: &Address) -> String {
        fill(&self.text, address)
    }
}

fn fill(template: &str, address: &Address) -> String {
    let mut pieces = template.split('{');
    let mut url = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        match name {
            "address" => url.push_str(&encoded(address.canonical())),
            "local" => url.push_str(&encoded(address.local_part())),
            "domain" => url.push_str(&encoded(address.domain())),
            _ => url.push_str(&sha256(address.canonical())),
        }
        url.push_str(rest);
    }
    url
}

/// Everything but letters, digits, `-`, `.`, `_` and `~` as percent and two digits (RFC 3986, section 2).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for &octet in text.as_bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
    }
    encoded
}

fn sha256(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_one_part_of_a_url() {
        for (template, address, expected) in [
            (
                "https://c.example/search",
                "Alice@Example.org",
                "https://c.example/search?uri=alice%40example.org",
            ),
            (
                "https://c.example/s?x=1",
                "a@b.example",
                "https://c.example/s?x=1&uri=a%40b.example",
            ),
            (
                "https://c.example/{domain}/{local}.cer",
                "a/b@b.example",
                "https://c.example/b.example/a%2Fb.cer",
            ),
            (
                "http://c.example/?q={address}#x",
                "a&x=y@b.example",
                "http://c.example/?q=a%26x%3Dy%40b.example#x",
            ),
            (
                "https://c.example/{sha256}",
                "a@b.example",
                "https://c.example/ebb18a030bf15174f5714e24d63af1a81355c951ea7389bd2a9bd18e3d0c2477",
            ),
        ] {
            let template = UrlTemplate::parse(template).unwrap();
            let filled = template.fill(&Address::parse(address).unwrap());
            assert_eq!(filled, expected);
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, expected) in [
            ("ldap://c.example/", UrlError::NotHttp),
            ("c.example/search", UrlError::NotHttp),
            ("https://", UrlError::NotHttp),
            ("https://{domain}/x", UrlError::PlaceInHost),
            (
                "https://c.example/{mail}",
                UrlError::UnknownPlace("mail".to_owned()),
            ),
            (
                "https://c.example/{address",
                UrlError::UnknownPlace("address".to_owned()),
            ),
        ] {
            assert_eq!(UrlTemplate::parse(text), Err(expected), "{text}");
        }
    }
}
