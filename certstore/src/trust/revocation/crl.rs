//! Certificate revocation lists (RFC 5280, section 5), read once and then asked many times.
//!
//! A CRL may have a million entries, so the entries stay in the DER; what is kept of each is where it lies, in the order
//! of the serial numbers. Whether a CRL is signed by whom it should be, and which certificates it speaks for, is not
//! looked at here.

use std::ops::Range;
use std::time::SystemTime;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_CERTIFICATE_ISSUER, ID_CE_CRL_NUMBER, ID_CE_CRL_REASONS,
    ID_CE_DELTA_CRL_INDICATOR, ID_CE_FRESHEST_CRL, ID_CE_HOLD_INSTRUCTION_CODE,
    ID_CE_INVALIDITY_DATE, ID_CE_ISSUING_DISTRIBUTION_POINT,
};
use der::asn1::{AnyRef, BitStringRef, UintRef};
use der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber};
use encodify::pem;
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::pkix::crl::CrlReason;
use x509_cert::ext::pkix::crl::dp::{DistributionPoint, IssuingDistributionPoint};
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, FreshestCrl};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::time::Time;

use crate::certificate::Fingerprint;

/// id-ce-cRLReasons of entries and the other extensions that this reader understands when they are critical.
const KNOWN_ENTRY_EXTENSIONS: [ObjectIdentifier; 4] = [
    ID_CE_CRL_REASONS,
    ID_CE_INVALIDITY_DATE,
    ID_CE_CERTIFICATE_ISSUER,
    ID_CE_HOLD_INSTRUCTION_CODE,
];
/// More than this is not read, in bytes.
pub(crate) const MAX_CRL_SIZE: usize = crate::fetch::MAX_FETCHED_SIZE;

/// A revocation list, well-formed; nobody says yet that it is true.
#[derive(Debug)]
pub struct Crl {
    der: Vec<u8>,
    pub(in crate::trust) sha256: Fingerprint,
    to_be_signed: Range<usize>,
    signature: Vec<u8>,
    pub(in crate::trust) signature_algorithm: AlgorithmIdentifierOwned,
    issuer: Range<usize>,
    pub(in crate::trust) this_update: SystemTime,
    pub(in crate::trust) next_update: Option<SystemTime>,
    pub(in crate::trust) extensions: CrlExtensions,
    /// Sorted by serial number.
    entries: Vec<Entry>,
    /// Whose certificates the entries of an indirect CRL are about; the first is its own issuer.
    issuers: Vec<Vec<u8>>,
}

/// The extensions of a CRL that count.
#[derive(Debug, Default)]
pub(in crate::trust) struct CrlExtensions {
    pub(in crate::trust) number: Option<Vec<u8>>,
    /// A delta CRL: the number of the CRL that it changes.
    pub(in crate::trust) base_number: Option<Vec<u8>>,
    pub(in crate::trust) authority_key_identifier: Option<Vec<u8>>,
    pub(in crate::trust) scope: Option<IssuingDistributionPoint>,
    pub(in crate::trust) freshest: Vec<DistributionPoint>,
}

/// Where an entry lies in the DER.
#[derive(Debug, Clone, Copy)]
struct Entry {
    serial: (u32, u32),
    end: u32,
    issuer: u32,
}

/// What a CRL says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trust) struct Revoked {
    pub(in crate::trust) on: SystemTime,
    pub(in crate::trust) reason: Option<CrlReason>,
}

/// Why bytes are no CRL that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// Neither DER nor PEM of a CRL.
    #[error("not a CRL in DER or PEM: {0}")]
    Structure(der::Error),
    /// Too large; the number of bytes.
    #[error("the CRL has {0} bytes, more than {MAX_CRL_SIZE}")]
    TooLarge(usize),
    /// A critical extension that nobody here understands: whatever it limits would not be seen.
    #[error("the CRL has the critical extension {0}, which is not understood here")]
    CriticalExtension(ObjectIdentifier),
    /// The PEM text is damaged.
    #[error("the PEM text is damaged: {0}")]
    Pem(encodify::Error),
}

impl From<der::Error> for CrlError {
    fn from(error: der::Error) -> Self {
        Self::Structure(error)
    }
}

impl Crl {
    /// Reads a CRL in DER or PEM.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn read(bytes: &[u8]) -> Result<Self, CrlError> {
        if bytes.len() > MAX_CRL_SIZE {
            return Err(CrlError::TooLarge(bytes.len()));
        }
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
            let block = pem::STANDARD.decode(bytes).map_err(CrlError::Pem)?;
            return Self::from_der(block.contents.to_vec());
        }
        Self::from_der(bytes.to_vec())
    }

    fn from_der(der: Vec<u8>) -> Result<Self, CrlError> {
        let mut reader = SliceReader::new(&der)?;
        let crl = reader.sequence(|list| {
            let start = position(list)?;
            let tbs = list.sequence(Tbs::read)?;
            let end = position(list)?;
            let signature_algorithm = list.decode()?;
            let signature: BitStringRef<'_> = list.decode()?;
            Ok::<_, CrlError>(Self {
                der: Vec::new(),
                sha256: Fingerprint::of(&der),
                to_be_signed: start..end,
                signature: signature.as_bytes().unwrap_or_default().to_vec(),
                signature_algorithm,
                issuer: tbs.issuer,
                this_update: tbs.this_update,
                next_update: tbs.next_update,
                extensions: tbs.extensions,
                entries: tbs.entries,
                issuers: Vec::new(),
            })
        })?;
        reader.finish()?;
        Self { der, ..crl }.sorted()
    }

    /// Brings the entries into the order of their serial numbers, and finds out whom those of an indirect CRL are about.
    fn sorted(mut self) -> Result<Self, CrlError> {
        self.issuers = vec![self.issuer_der().to_vec()];
        let is_indirect = self
            .extensions
            .scope
            .as_ref()
            .is_some_and(|s| s.indirect_crl);
        if is_indirect {
            self.assign_issuers()?;
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by(|one, other| self.serial(*one).cmp(self.serial(*other)));
        self.entries = entries;
        Ok(self)
    }

    /// An entry without a certificateIssuer is about the same one as the entry before (RFC 5280, section 5.3.3).
    fn assign_issuers(&mut self) -> Result<(), CrlError> {
        let mut entries = std::mem::take(&mut self.entries);
        let mut issuer = 0;
        for entry in &mut entries {
            let (_, extensions) = self.decode(*entry)?;
            if let Some(name) = certificate_issuer(&extensions)? {
                self.issuers.push(name);
                issuer = u32::try_from(self.issuers.len() - 1).unwrap_or(u32::MAX);
            }
            entry.issuer = issuer;
        }
        self.entries = entries;
        Ok(())
    }

    /// The CRL as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// When its issuer promised the next one.
    #[must_use]
    pub const fn next_update(&self) -> Option<SystemTime> {
        self.next_update
    }

    /// DER of the issuer's `Name`.
    pub(in crate::trust) fn issuer_der(&self) -> &[u8] {
        self.der.get(self.issuer.clone()).unwrap_or_default()
    }

    pub(in crate::trust) fn to_be_signed(&self) -> &[u8] {
        self.der.get(self.to_be_signed.clone()).unwrap_or_default()
    }

    pub(in crate::trust) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(in crate::trust) const fn is_delta(&self) -> bool {
        self.extensions.base_number.is_some()
    }

    /// About the number of bytes that it takes.
    pub(in crate::trust) fn size(&self) -> usize {
        self.der.len() + self.entries.len() * size_of::<Entry>()
    }

    /// What it says of the certificate with this serial number (content octets) and issuer, whose names are compared by
    /// `is_same`.
    ///
    /// # Errors
    /// [`CrlError::CriticalExtension`]: it says something that is not understood.
    pub(in crate::trust) fn entry(
        &self,
        serial: &[u8],
        issuer: &[u8],
        is_same: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Option<Revoked>, CrlError> {
        let first = self
            .entries
            .partition_point(|entry| self.serial(*entry) < serial);
        let same_serial = self
            .entries
            .iter()
            .skip(first)
            .take_while(|entry| self.serial(**entry) == serial);
        for entry in same_serial {
            let about = usize::try_from(entry.issuer).ok();
            let about = about.and_then(|index| self.issuers.get(index));
            if !about.is_some_and(|about| is_same(about, issuer)) {
                continue;
            }
            let (on, extensions) = self.decode(*entry)?;
            let unknown = extensions
                .iter()
                .find(|e| e.critical && !KNOWN_ENTRY_EXTENSIONS.contains(&e.extn_id));
            if let Some(unknown) = unknown {
                return Err(CrlError::CriticalExtension(unknown.extn_id));
            }
            let reason = find(&extensions, ID_CE_CRL_REASONS);
            let reason = reason.and_then(|e| CrlReason::from_der(e.extn_value.as_bytes()).ok());
            return Ok(Some(Revoked { on, reason }));
        }
        Ok(None)
    }

    fn serial(&self, entry: Entry) -> &[u8] {
        self.der.get(range(entry.serial)).unwrap_or_default()
    }

    /// What stands behind the serial number of an entry.
    fn decode(&self, entry: Entry) -> Result<(SystemTime, Extensions), CrlError> {
        let rest = self.der.get(range((entry.serial.1, entry.end)));
        let mut reader = SliceReader::new(rest.unwrap_or_default())?;
        let on: Time = reader.decode()?;
        let extensions: Option<Extensions> = match reader.is_finished() {
            true => None,
            false => Some(reader.decode()?),
        };
        reader.finish()?;
        Ok((on.to_system_time(), extensions.unwrap_or_default()))
    }
}

/// The fields of a `TBSCertList` (RFC 5280, section 5.1.2).
struct Tbs {
    issuer: Range<usize>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    entries: Vec<Entry>,
    extensions: CrlExtensions,
}

impl Tbs {
    fn read(tbs: &mut SliceReader<'_>) -> Result<Self, CrlError> {
        if Tag::peek(tbs)? == Tag::Integer {
            let _version: UintRef<'_> = tbs.decode()?;
        }
        let _signature_algorithm = tbs.tlv_bytes()?;
        let start = position(tbs)?;
        tbs.tlv_bytes()?;
        let issuer = start..position(tbs)?;
        let this_update: Time = tbs.decode()?;
        let next_update: Option<Time> = match next_tag(tbs)? {
            Some(Tag::UtcTime | Tag::GeneralizedTime) => Some(tbs.decode()?),
            _ => None,
        };
        let entries = match next_tag(tbs)? {
            Some(Tag::Sequence) => tbs.sequence(entries)?,
            _ => Vec::new(),
        };
        let extensions = match tbs.is_finished() {
            true => CrlExtensions::default(),
            false => CrlExtensions::read(tbs)?,
        };
        Ok(Self {
            issuer,
            this_update: this_update.to_system_time(),
            next_update: next_update.map(|time| time.to_system_time()),
            entries,
            extensions,
        })
    }
}

impl CrlExtensions {
    fn read(tbs: &mut SliceReader<'_>) -> Result<Self, CrlError> {
        let explicit: AnyRef<'_> = tbs.decode()?;
        let expected = Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(0),
        };
        der::Tagged::tag(&explicit).assert_eq(expected)?;
        let mut read = Self::default();
        for extension in Extensions::from_der(explicit.value())? {
            read.add(&extension)?;
        }
        Ok(read)
    }

    fn add(&mut self, extension: &Extension) -> Result<(), CrlError> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            ID_CE_CRL_NUMBER => self.number = Some(number(value)?),
            ID_CE_DELTA_CRL_INDICATOR => self.base_number = Some(number(value)?),
            ID_CE_AUTHORITY_KEY_IDENTIFIER => {
                let identifier = AuthorityKeyIdentifier::from_der(value)?.key_identifier;
                self.authority_key_identifier = identifier.map(|id| id.as_bytes().to_vec());
            }
            ID_CE_ISSUING_DISTRIBUTION_POINT => {
                self.scope = Some(IssuingDistributionPoint::from_der(value)?);
            }
            ID_CE_FRESHEST_CRL => self.freshest = FreshestCrl::from_der(value)?.0,
            unknown if extension.critical => return Err(CrlError::CriticalExtension(unknown)),
            _ => {}
        }
        Ok(())
    }
}

fn entries(list: &mut SliceReader<'_>) -> Result<Vec<Entry>, CrlError> {
    // An entry takes about 30 bytes at least; most have a reason too.
    let mut entries = Vec::with_capacity(usize::try_from(list.remaining_len())? / 40);
    while !list.is_finished() {
        entries.push(list.sequence(|entry| {
            let serial: AnyRef<'_> = entry.decode()?;
            der::Tagged::tag(&serial).assert_eq(Tag::Integer)?;
            let end_of_serial = place(entry)?;
            let length = u32::try_from(serial.value().len()).unwrap_or(u32::MAX);
            while !entry.is_finished() {
                entry.tlv_bytes()?;
            }
            Ok::<_, CrlError>(Entry {
                serial: (end_of_serial.saturating_sub(length), end_of_serial),
                end: place(entry)?,
                issuer: 0,
            })
        })?);
    }
    Ok(entries)
}

/// The first name of a directory in the certificateIssuer extension.
fn certificate_issuer(extensions: &[Extension]) -> Result<Option<Vec<u8>>, CrlError> {
    let Some(extension) = find(extensions, ID_CE_CERTIFICATE_ISSUER) else {
        return Ok(None);
    };
    let names = GeneralNames::from_der(extension.extn_value.as_bytes())?;
    let name = names.iter().find_map(|name| match name {
        GeneralName::DirectoryName(name) => Some(name),
        GeneralName::OtherName(_)
        | GeneralName::Rfc822Name(_)
        | GeneralName::DnsName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::UniformResourceIdentifier(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    });
    // Without one it is about nobody that we could know.
    Ok(Some(
        name.map(Encode::to_der).transpose()?.unwrap_or_default(),
    ))
}

fn find(extensions: &[Extension], id: ObjectIdentifier) -> Option<&Extension> {
    extensions.iter().find(|extension| extension.extn_id == id)
}

/// The octets of a number, without leading zeros, so that two can be compared by length and octets.
fn number(value: &[u8]) -> der::Result<Vec<u8>> {
    Ok(UintRef::from_der(value)?.as_bytes().to_vec())
}

fn next_tag(reader: &SliceReader<'_>) -> der::Result<Option<Tag>> {
    match reader.is_finished() {
        true => Ok(None),
        false => Tag::peek(reader).map(Some),
    }
}

fn position(reader: &SliceReader<'_>) -> der::Result<usize> {
    usize::try_from(reader.position())
}

fn place(reader: &SliceReader<'_>) -> der::Result<u32> {
    Ok(u32::from(reader.position()))
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    let index = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
    index(start)..index(end)
}

#[cfg(test)]
mod tests;
