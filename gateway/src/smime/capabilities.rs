//! Which cipher a copy is encrypted with: the best one of the profile that its readers can read (RFC 8551, section 2.7.1).
//!
//! What somebody reads is known from his own signed mail, else from his certificate. Of whom nothing is known, the
//! profile's fallback and what it lists after it is expected. Pure: the same readers give the same answer.

use std::fmt;
use std::time::SystemTime;

use certstore::cms::ContentCipher;
use certstore::database::StoredCapabilities;
use jiff::Timestamp;
use policy::address::Address;

use super::verdict::{Verdict, VerdictResult};
use crate::config::Profile;

/// What is known of the ciphers that somebody reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Readable {
    /// Nothing.
    #[default]
    Unknown,
    /// His certificate names them (RFC 4262).
    Certified(Vec<ContentCipher>),
    /// He named them in a mail that he signed at this time.
    Told(Vec<ContentCipher>, SystemTime),
}

impl Readable {
    fn includes(&self, cipher: ContentCipher, profile: &Profile) -> bool {
        match self {
            Self::Unknown => {
                let from_fallback = profile
                    .ciphers
                    .iter()
                    .skip_while(|known| **known != profile.fallback_cipher);
                from_fallback.into_iter().any(|known| *known == cipher)
            }
            Self::Certified(ciphers) | Self::Told(ciphers, _) => ciphers.contains(&cipher),
        }
    }
}

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("nothing is known"),
            Self::Certified(_) => f.write_str("by the certificate"),
            Self::Told(_, at) => {
                let at = Timestamp::try_from(*at).unwrap_or_default();
                write!(f, "by a mail signed {}", at.strftime("%Y-%m-%d"))
            }
        }
    }
}

/// The cipher of a copy, and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The cipher.
    pub cipher: ContentCipher,
    /// For people: who kept a better one from being used.
    pub reason: String,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.cipher.name(), self.reason)
    }
}

/// The first cipher of `profile` that all `readers` read; the fallback, if there is none.
#[must_use]
pub fn choose(profile: &Profile, readers: &[(&Address, &Readable)]) -> Chosen {
    let mut objection = None;
    for cipher in &profile.ciphers {
        let objector = readers
            .iter()
            .find(|(_, readable)| !readable.includes(*cipher, profile));
        match objector {
            None => {
                let reason = objection.unwrap_or_else(|| format!("the first of {}", profile.name));
                return Chosen {
                    cipher: *cipher,
                    reason,
                };
            }
            Some((address, readable)) => {
                let name = cipher.name();
                let text = || format!("since {address} is not known to read {name} ({readable})");
                objection.get_or_insert_with(text);
            }
        }
    }
    Chosen {
        cipher: profile.fallback_cipher,
        reason: format!(
            "the fallback of {}, for no cipher of it is read by all",
            profile.name
        ),
    }
}

/// What can be remembered of whoever signed a message that passed: what he says that he reads, and when he said so.
#[must_use]
pub fn learned(verdict: &Verdict) -> Option<(Address, StoredCapabilities)> {
    let signer = verdict.signer.clone()?;
    let mut signatures = verdict.signers.iter();
    let learned = signatures.find_map(|signature| {
        let report = &signature.report;
        let is_telling =
            signature.result == VerdictResult::Pass && !report.capabilities.ciphers.is_empty();
        Some(StoredCapabilities {
            ciphers: report.capabilities.ciphers.clone(),
            signed_at: report.signing_time.filter(|_| is_telling)?,
            certificate: signature.certificate.as_ref()?.sha256(),
        })
    })?;
    Some((signer, learned))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use ContentCipher::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm};

    use super::*;
    use crate::config::Profiles;

    fn profile(ciphers: &[ContentCipher], fallback_cipher: ContentCipher) -> Profile {
        Profile {
            ciphers: ciphers.to_vec(),
            fallback_cipher,
            ..Profiles::default().named(Some("modern")).unwrap().clone()
        }
    }

    fn told(ciphers: &[ContentCipher]) -> Readable {
        Readable::Told(ciphers.to_vec(), UNIX_EPOCH + Duration::from_secs(86_400))
    }

    #[test]
    fn all_readers_read_what_is_chosen() {
        let unknown = Readable::Unknown;
        let new = told(&[Aes256Gcm, Aes128Gcm, Aes256Cbc, Aes128Cbc]);
        let old = told(&[Aes256Cbc, Aes128Cbc]);
        let poor = told(&[Aes128Cbc]);
        let none = told(&[]);
        let certified = Readable::Certified(vec![Aes128Gcm]);
        let careful = profile(&[Aes256Gcm, Aes256Cbc], Aes256Cbc);
        let bold = profile(&[Aes256Gcm, Aes128Gcm, Aes256Cbc], Aes256Gcm);
        let strict = profile(&[Aes128Gcm], Aes128Gcm);
        for (profile, readers, expected) in [
            (&careful, &[][..], Aes256Gcm),
            (&careful, &[&unknown], Aes256Cbc),
            (&careful, &[&new], Aes256Gcm),
            (&careful, &[&new, &unknown], Aes256Cbc),
            (&careful, &[&new, &old], Aes256Cbc),
            (&careful, &[&poor], Aes256Cbc),
            (&careful, &[&none], Aes256Cbc),
            (&bold, &[&unknown], Aes256Gcm),
            (&bold, &[&unknown, &old], Aes256Cbc),
            (&bold, &[&unknown, &certified], Aes128Gcm),
            (&bold, &[&old, &certified], Aes256Gcm),
            (&strict, &[&unknown], Aes128Gcm),
            (&strict, &[&old], Aes128Gcm),
            (&strict, &[&certified, &new], Aes128Gcm),
        ] {
            let address = Address::parse("bob@partner.example").unwrap();
            let readers: Vec<_> = readers
                .iter()
                .map(|readable| (&address, *readable))
                .collect();
            let chosen = choose(profile, &readers);
            assert_eq!(chosen.cipher, expected, "{readers:?}: {chosen}");
        }
    }

    #[test]
    fn the_order_of_readers_does_not_matter() {
        let profile = profile(&[Aes256Gcm, Aes128Gcm, Aes256Cbc], Aes128Gcm);
        let kinds = [
            Readable::Unknown,
            told(&[Aes256Cbc]),
            told(&[Aes256Gcm, Aes128Gcm]),
        ];
        let address = Address::parse("bob@partner.example").unwrap();
        for first in &kinds {
            for second in &kinds {
                let one = choose(&profile, &[(&address, first), (&address, second)]);
                let other = choose(&profile, &[(&address, second), (&address, first)]);
                assert_eq!(one.cipher, other.cipher);
            }
        }
    }

    #[test]
    fn the_reason_names_who_held_a_better_cipher_back() {
        let careful = profile(&[Aes256Gcm, Aes256Cbc], Aes256Cbc);
        let address = Address::parse("bob@partner.example").unwrap();
        for (readable, expected) in [
            (told(&[Aes256Gcm]), "AES-256-GCM, the first of modern"),
            (
                Readable::Unknown,
                "AES-256-CBC, since bob@partner.example is not known to read AES-256-GCM (nothing is known)",
            ),
            (
                told(&[Aes256Cbc]),
                "AES-256-CBC, since bob@partner.example is not known to read AES-256-GCM (by a mail signed 1970-01-02)",
            ),
            (
                told(&[Aes128Cbc]),
                "AES-256-CBC, the fallback of modern, for no cipher of it is read by all",
            ),
        ] {
            let chosen = choose(&careful, &[(&address, &readable)]);
            assert_eq!(chosen.to_string(), expected);
        }
    }
}
