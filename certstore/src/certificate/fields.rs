//! Where the fields of a certificate lie in its DER (RFC 5280, section 4.1).
//!
//! Names and serials are compared byte for byte by those who name a certificate, so they are kept as ranges of the
//! received bytes and never encoded again. What the fields mean is read elsewhere.

use std::ops::Range;

use der::asn1::AnyRef;
use der::{Reader, SliceReader, Tag, TagNumber};

/// Ranges of whole elements, header included, except for the serial and the signature.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// What the issuer signed.
    pub(super) to_be_signed: Range<usize>,
    /// The octets of the signature, without the count of unused bits before them.
    pub(super) signature: Range<usize>,
    /// Content octets of the serial number.
    pub(super) serial: Range<usize>,
    pub(super) issuer: Range<usize>,
    pub(super) subject: Range<usize>,
    pub(super) public_key: Range<usize>,
}

impl Fields {
    pub(super) fn locate(der: &[u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        reader.sequence(|certificate| {
            let start = usize::try_from(certificate.position())?;
            let fields = certificate.sequence(Self::locate_in_tbs)?;
            let end = usize::try_from(certificate.position())?;
            let _signature_algorithm = element(certificate)?;
            let bits = element_content(certificate)?;
            Ok(Self {
                to_be_signed: start..end,
                signature: bits.start.saturating_add(1)..bits.end,
                ..fields
            })
        })
    }

    fn locate_in_tbs(tbs: &mut SliceReader<'_>) -> der::Result<Self> {
        if Tag::peek(tbs)? == version_tag() {
            element(tbs)?;
        }
        let serial = element_content(tbs)?;
        let _signature_algorithm = element(tbs)?;
        let issuer = element(tbs)?;
        let _validity = element(tbs)?;
        let subject = element(tbs)?;
        let public_key = element(tbs)?;
        while !tbs.is_finished() {
            element(tbs)?;
        }
        Ok(Self {
            to_be_signed: 0..0,
            signature: 0..0,
            serial,
            issuer,
            subject,
            public_key,
        })
    }
}

fn version_tag() -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    }
}

fn element(reader: &mut SliceReader<'_>) -> der::Result<Range<usize>> {
    let start = usize::try_from(reader.position())?;
    reader.tlv_bytes()?;
    Ok(start..usize::try_from(reader.position())?)
}

fn element_content(reader: &mut SliceReader<'_>) -> der::Result<Range<usize>> {
    let length = reader.decode::<AnyRef<'_>>()?.value().len();
    let end = usize::try_from(reader.position())?;
    Ok(end.saturating_sub(length)..end)
}
