//! CompressedData (RFC 3274): read within bounds, and written.
//!
//! Zlib packs a thousand bytes into one. A message may unpack to some size whatever it was packed into; beyond that only
//! to a multiple of its own size.

use std::borrow::Cow;
use std::io::{Read, Write};

use const_oid::db::rfc6268;
use der::Length;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::algorithm::Algorithm;
use super::ber::{BerError, Element, Tag};
use super::{CmsError, Unsupported, encode};

/// What any message may unpack to, in bytes.
const ALWAYS_ALLOWED: usize = 1 << 20;
/// Beyond that, how many bytes one byte may unpack to. Text packs 3 to 1, logs and spreadsheets up to 50 to 1.
const MAX_RATIO: usize = 100;

/// Something compressed.
#[derive(Debug, Clone)]
pub struct CompressedData<'a> {
    algorithm: Algorithm<'a>,
    content: Cow<'a, [u8]>,
}

/// Why a content was not unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecompressFailure {
    /// Another compression than zlib.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// It unpacks to more than is sane.
    #[error("the content unpacks to more than {limit} bytes")]
    TooLarge {
        /// What would have been unpacked, in bytes.
        limit: usize,
    },
    /// It is damaged, or cut off.
    #[error("the compressed content is damaged")]
    Damaged,
}

impl<'a> CompressedData<'a> {
    /// Unpacks the content, to `limit` bytes at most.
    ///
    /// # Errors
    /// [`DecompressFailure`].
    pub fn decompress(&self, limit: usize) -> Result<Vec<u8>, DecompressFailure> {
        if self.algorithm.oid != rfc6268::ID_ALG_ZLIB_COMPRESS {
            let unsupported = Unsupported::of(self.algorithm.oid);
            return Err(DecompressFailure::Unsupported(unsupported));
        }
        let sane = ALWAYS_ALLOWED.max(self.content.len().saturating_mul(MAX_RATIO));
        let limit = limit.min(sane);
        let mut unpacked = Vec::with_capacity(limit.min(self.content.len().saturating_mul(4)));
        let mut decoder = ZlibDecoder::new(&*self.content);
        // One byte more than allowed tells the end of the content from the end of the patience.
        let patience = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        decoder
            .by_ref()
            .take(patience)
            .read_to_end(&mut unpacked)
            .map_err(|_| DecompressFailure::Damaged)?;
        if unpacked.len() > limit {
            return Err(DecompressFailure::TooLarge { limit });
        }
        // What stands behind the end would be read by some programs and not by others.
        if decoder.total_in() != u64::try_from(self.content.len()).unwrap_or(u64::MAX) {
            return Err(DecompressFailure::Damaged);
        }
        Ok(unpacked)
    }

    pub(super) fn read(element: &Element<'a>) -> Result<Self, CmsError> {
        Self::read_fields(element).map_err(CmsError::in_structure("CompressedData"))
    }

    fn read_fields(element: &Element<'a>) -> Result<Self, BerError> {
        let mut fields = element.children()?;
        fields.expect(Tag::INTEGER)?;
        let algorithm = Algorithm::read(&mut fields)?;
        let mut encapsulated = fields.expect(Tag::SEQUENCE)?.children()?;
        fields.finish()?;
        encapsulated.expect(Tag::OBJECT_IDENTIFIER)?;
        let content = encapsulated.expect(Tag::context(0))?.only_child()?;
        encapsulated.finish()?;
        if content.tag() != Tag::OCTET_STRING {
            return Err(BerError::UnexpectedTag);
        }
        Ok(Self {
            algorithm,
            content: content.octets()?,
        })
    }
}

/// Compresses `content`: a DER ContentInfo with a CompressedData.
///
/// # Errors
/// [`CompressFailure`]; only for content of 4 GiB or more.
pub fn compress(content: &[u8]) -> Result<Vec<u8>, CompressFailure> {
    let packed = Vec::with_capacity(content.len() / 2);
    let mut encoder = ZlibEncoder::new(packed, Compression::default());
    encoder.write_all(content).map_err(|_| CompressFailure)?;
    let packed = encoder.finish().map_err(|_| CompressFailure)?;
    let write = || {
        let compressed_data = encode::CompressedData {
            version: 0,
            compression_algorithm: spki::AlgorithmIdentifierOwned {
                oid: rfc6268::ID_ALG_ZLIB_COMPRESS,
                parameters: None,
            },
            encap_content_info: encode::EncapsulatedContentInfo::of_data(Some(packed.len())),
        };
        let content_type = rfc6268::ID_CT_COMPRESSED_DATA;
        encode::frame(content_type, compressed_data, Length::ZERO)
    };
    let frame = write().map_err(|_: der::Error| CompressFailure)?;
    Ok([frame.head, packed].concat())
}

/// The content is too large to be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content is too large to be compressed")]
pub struct CompressFailure;
