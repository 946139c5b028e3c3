//! Certificates from DNS: SMIMEA records (RFC 8162), believed only with DNSSEC that is validated here.
//!
//! A record from a zone that is not signed is no answer: anybody on the way may have written it. A zone that claims to be
//! signed and does not prove it is an outage, since "there is no record" may be the forgery. A resolver's word (the AD
//! bit) counts for nothing.

mod name;
mod record;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use policy::address::Address;

use super::{Answer, Association, Found, MOST_CERTIFICATES, Source, SourceFailure};
use crate::selection::Candidate;

pub use name::owner_name;
pub use record::zone_record;

/// How long the resolver here keeps an answer; beyond that, `lookup` keeps its own.
const KEPT: Duration = Duration::from_secs(60);

/// Where DNS is asked, and what its signatures are traced to.
#[derive(Debug, Clone)]
pub struct SmimeaSettings {
    /// Its name in explanations and metrics.
    pub name: String,
    /// Resolvers; none for those of the operating system.
    pub resolvers: Vec<SocketAddr>,
    /// The root's keys as DNSKEY records in a file; none for those of IANA.
    pub trust_anchor: Option<PathBuf>,
}

/// Why DNS cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmimeaError {
    /// The file with the root's keys cannot be used.
    #[error("the trust anchor in {}: {reason}", .file.display())]
    TrustAnchor {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no resolver.
    #[error("no DNS resolver: {0}")]
    NoResolver(String),
}

/// DNS as a directory.
#[derive(Clone)]
pub struct SmimeaDirectory {
    name: String,
    resolver: TokioResolver,
}

impl std::fmt::Debug for SmimeaDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SmimeaDirectory({})", self.name)
    }
}

impl SmimeaDirectory {
    /// Prepares the resolver; nothing is asked before the first question. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`SmimeaError`].
    pub fn new(settings: SmimeaSettings) -> Result<Self, SmimeaError> {
        let anchors = match &settings.trust_anchor {
            None => TrustAnchors::default(),
            Some(file) => read_trust_anchor(file)?,
        };
        let no_resolver = |error: NetError| SmimeaError::NoResolver(error.to_string());
        let mut builder = if settings.resolvers.is_empty() {
            TokioResolver::builder_tokio().map_err(no_resolver)?
        } else {
            let servers = settings.resolvers.iter().map(name_server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.validate = true;
        options.edns0 = true;
        options.try_tcp_on_error = true;
        options.positive_max_ttl = Some(KEPT);
        options.negative_max_ttl = Some(KEPT);
        let resolver = builder
            .with_trust_anchor(Arc::new(anchors))
            .build()
            .map_err(no_resolver)?;
        Ok(Self {
            name: settings.name,
            resolver,
        })
    }

    async fn look_up(&self, address: &Address) -> Result<Found, SourceFailure> {
        let mut found = Found::default();
        for owner in owner_names(address) {
            found = self.ask(&owner).await?;
            if !found.associations.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    async fn ask(&self, owner: &str) -> Result<Found, SourceFailure> {
        // An address literal and the like has no name in DNS.
        let Ok(name) = Name::from_ascii(owner) else {
            return Ok(Found::default());
        };
        match self.resolver.lookup(name, RecordType::SMIMEA).await {
            Ok(lookup) => Ok(self.read(&lookup)),
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Ok(Found::default()),
            Err(NetError::Dns(DnsError::Nsec { proof, .. })) if proof != Proof::Bogus => {
                Ok(insecure("the zone is not signed, so that it has no say"))
            }
            Err(NetError::Dns(DnsError::DnssecBogus | DnsError::Nsec { .. })) => Err(
                SourceFailure(format!("the DNSSEC signatures at {owner} do not hold")),
            ),
            Err(error) => Err(SourceFailure(error.to_string())),
        }
    }

    /// All records on the way must be secure, aliases too.
    fn read(&self, lookup: &Lookup) -> Found {
        if !lookup
            .answers()
            .iter()
            .all(|record| record.proof == Proof::Secure)
        {
            return insecure("records of a zone that is not signed were left out");
        }
        let records = lookup.answers().iter().filter_map(|record| {
            let RData::SMIMEA(smimea) = &record.data else {
                return None;
            };
            Some(&smimea.0)
        });
        let mut found = Found::default();
        let mut unknown = 0;
        for record in records.take(MOST_CERTIFICATES) {
            match record::association(record) {
                Some(association) => found.associations.push(association),
                None => unknown += 1,
            }
        }
        let certificates = found
            .associations
            .iter()
            .filter_map(Association::certificate);
        found.candidates = certificates
            .map(|certificate| Candidate {
                certificate,
                source: self.name.clone(),
            })
            .collect();
        if unknown > 0 {
            found.note = format!("{unknown} records use numbers that RFC 8162 does not know");
        }
        found
    }
}

impl Source for SmimeaDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn find<'a>(&'a self, address: &'a Address) -> Answer<'a> {
        Box::pin(self.look_up(address))
    }
}

/// The names to ask: for the local part as it was written, which is what the RFC says, and in lower case, which is how
/// most domains publish.
fn owner_names(address: &Address) -> Vec<String> {
    let written = address.as_str().rsplit_once('@');
    let written = written.map_or(address.local_part(), |(local_part, _)| local_part);
    let mut names = vec![owner_name(written, address.domain())];
    let usual = owner_name(address.local_part(), address.domain());
    if !names.contains(&usual) {
        names.push(usual);
    }
    names
}

fn insecure(note: &str) -> Found {
    Found {
        note: note.to_owned(),
        ..Found::default()
    }
}

fn read_trust_anchor(file: &Path) -> Result<TrustAnchors, SmimeaError> {
    let wrong = |reason: String| SmimeaError::TrustAnchor {
        file: file.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let anchors = TrustAnchors::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if anchors.is_empty() {
        return Err(wrong(
            "there is no DNSKEY record of the root in it".to_owned(),
        ));
    }
    Ok(anchors)
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let ip: IpAddr = address.ip();
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    NameServerConfig::new(ip, true, connections.map(at_port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_address_are_asked() {
        let names = |text| owner_names(&Address::parse(text).unwrap());
        assert_eq!(names("hugh@example.com").len(), 1);
        let spelled = names("Hugh@Example.COM");
        assert_eq!(spelled.len(), 2);
        assert_eq!(spelled[1], names("hugh@example.com")[0]);
    }

    #[test]
    fn a_trust_anchor_is_a_file_of_the_roots_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.key");
        let key = "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlN\
                   Vz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+\
                   sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555\
                   KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";
        for (text, is_good) in [
            (format!(". 172800 IN DNSKEY 257 3 8 {key}\n"), true),
            (
                format!("example.org. 3600 IN DNSKEY 257 3 8 {key}\n"),
                false,
            ),
            (String::new(), false),
            (". IN A 127.0.0.1\n".to_owned(), false),
        ] {
            std::fs::File::create(&file)
                .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                .unwrap();
            assert_eq!(read_trust_anchor(&file).is_ok(), is_good, "{text}");
        }
    }
}
