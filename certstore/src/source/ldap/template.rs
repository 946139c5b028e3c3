//! The filter that finds an address's entries, with places for the address. What is put in is escaped (RFC 4515,
//! section 3): an address is a stranger's text, and must not widen the search.

use ldap3::{ldap_escape, parse_filter};
use policy::address::Address;

/// A filter with `{address}`, `{local}` and `{domain}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterTemplate(String);

/// Why a text is no filter template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Everybody would be found by it.
    #[error("it names neither {{address}} nor {{local}}")]
    NoAddress,
    /// It is no filter.
    #[error("it is no LDAP filter (RFC 4515)")]
    NoFilter,
}

impl Default for FilterTemplate {
    /// By `mail`, or by an SMTP address of Exchange.
    fn default() -> Self {
        Self("(|(mail={address})(proxyAddresses=smtp:{address}))".to_owned())
    }
}

impl FilterTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if !text.contains("{address}") && !text.contains("{local}") {
            return Err(TemplateError::NoAddress);
        }
        let template = Self(text.to_owned());
        let sample = template.put_in("a@b.example", "a", "b.example");
        parse_filter(sample).map_err(|_| TemplateError::NoFilter)?;
        Ok(template)
    }

    /// The filter for an address in its canonical form.
    #[must_use]
    pub fn fill(&self, address: &Address) -> String {
        self.put_in(
            &ldap_escape(address.canonical()),
            &ldap_escape(address.local_part()),
            &ldap_escape(address.domain()),
        )
    }

    /// In one pass, so that a place's name within an address is text like any other.
    fn put_in(&self, address: &str, local: &str, domain: &str) -> String {
        let mut filled = String::with_capacity(self.0.len() + 2 * address.len());
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let places = [
                ("address}", address),
                ("local}", local),
                ("domain}", domain),
            ];
            let found = places
                .iter()
                .find_map(|(name, value)| Some((after.strip_prefix(name)?, value)));
            match found {
                Some((after, value)) => {
                    filled.push_str(value);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_text_in_a_filter() {
        let template = FilterTemplate::default();
        for (address, expected) in [
            (
                "Alice@Example.org",
                "(|(mail=alice@example.org)(proxyAddresses=smtp:alice@example.org))",
            ),
            (
                "\"*)(uid=*\"@x.example",
                "(|(mail=\"\\2a\\29\\28uid=\\2a\"@x.example)(proxyAddresses=smtp:\"\\2a\\29\\28uid=\\2a\"@x.example))",
            ),
            (
                "é@x.example",
                "(|(mail=é@x.example)(proxyAddresses=smtp:é@x.example))",
            ),
            (
                "{local}@x.example",
                "(|(mail={local}@x.example)(proxyAddresses=smtp:{local}@x.example))",
            ),
        ] {
            let address = Address::parse(address).unwrap();
            assert_eq!(template.fill(&address), expected);
            assert!(parse_filter(expected).is_ok(), "{expected}");
        }
        let own = FilterTemplate::parse("(&(uid={local})(dc={domain})(x={y}))").unwrap();
        let alice = Address::parse("alice@example.org").unwrap();
        assert_eq!(own.fill(&alice), "(&(uid=alice)(dc=example.org)(x={y}))");
    }

    #[test]
    fn what_finds_everybody_or_nobody_is_refused() {
        for (text, expected) in [
            ("(mail=*)", TemplateError::NoAddress),
            ("(dc={domain})", TemplateError::NoAddress),
            ("", TemplateError::NoAddress),
            ("(mail={address}", TemplateError::NoFilter),
            ("mail {address}", TemplateError::NoFilter),
        ] {
            assert_eq!(FilterTemplate::parse(text), Err(expected), "{text}");
        }
    }
}
