//! Where an issuer's certificate and its OCSP responder are to be found: the authority information access extension
//! (RFC 5280, section 4.2.2.1).
//!
//! The addresses are a stranger's: they are only read here, and only those of the web are kept.

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{ID_AD_CA_ISSUERS, ID_AD_OCSP};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Reader, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::AuthorityInfoAccessSyntax;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};

/// More addresses of one kind than this are not looked at.
const MAX_URLS: usize = 4;
const MAX_URL_LENGTH: usize = 2048;

/// The web addresses in the extension.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    pub(super) issuers: Vec<String>,
    pub(super) ocsp: Vec<String>,
}

impl Access {
    /// What can be read of it; entries that cannot be decoded do not hide the others.
    pub(super) fn read(extensions: &Extensions) -> Self {
        let mut access = Self::default();
        let found = extensions
            .iter()
            .find(|extension| extension.extn_id == AuthorityInfoAccessSyntax::OID);
        if let Some(extension) = found {
            // What was read before a mistake stays.
            let _mistake = access.read_entries(extension.extn_value.as_bytes()).err();
        }
        access
    }

    fn read_entries(&mut self, der: &[u8]) -> der::Result<()> {
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|entries| {
            while !entries.is_finished() {
                let (method, location) = entries.sequence(|entry| {
                    let method: ObjectIdentifier = entry.decode()?;
                    let location: AnyRef<'_> = entry.decode()?;
                    Ok::<_, der::Error>((method, location))
                })?;
                self.add(method, location);
            }
            Ok(())
        })
    }

    fn add(&mut self, method: ObjectIdentifier, location: AnyRef<'_>) {
        let uri = Tag::ContextSpecific {
            constructed: false,
            number: TagNumber(6),
        };
        let list = match method {
            ID_AD_CA_ISSUERS => &mut self.issuers,
            ID_AD_OCSP => &mut self.ocsp,
            _ => return,
        };
        if location.tag() != uri || list.len() >= MAX_URLS {
            return;
        }
        list.extend(std::str::from_utf8(location.value()).ok().and_then(web));
    }
}

/// The web addresses in the name of a distribution point.
#[must_use]
pub fn web_addresses(name: Option<&DistributionPointName>) -> Vec<String> {
    let Some(DistributionPointName::FullName(names)) = name else {
        return Vec::new();
    };
    let urls = names.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => web(uri.as_str()),
        GeneralName::OtherName(_)
        | GeneralName::Rfc822Name(_)
        | GeneralName::DnsName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    });
    urls.take(MAX_URLS).collect()
}

fn web(url: &str) -> Option<String> {
    let scheme = url.split_once("://")?.0;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    (is_web && url.len() <= MAX_URL_LENGTH).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_kept() {
        for (url, expected) in [
            ("http://a.example/x", true),
            ("HTTPS://a.example/x", true),
            ("ldap://a.example/x", false),
            ("file:///etc/passwd", false),
            ("http:a", false),
            ("", false),
        ] {
            assert_eq!(web(url).is_some(), expected, "{url}");
        }
        assert_eq!(web(&format!("http://{}", "a".repeat(3000))), None);
    }
}
