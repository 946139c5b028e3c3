//! Parameters of RSASSA-PSS and RSAES-OAEP (RFC 8017, appendix A.2; RFC 4055, sections 3 and 4), read and written.
//!
//! Both name a digest and a mask generation function. We know MGF1 only, and only with the very same digest.

use const_oid::db::rfc5912;
use der::asn1::{Null, ObjectIdentifier};
use der::{Any, Sequence};
use spki::AlgorithmIdentifierOwned;

use super::algorithm::{Algorithm, AlgorithmError};
use super::ber::{BerError, Element, Reader, Tag};
use super::unsupported::name;
use super::{Digest, Unsupported};

/// The digest and the length of the salt, in bytes, of an RSASSA-PSS AlgorithmIdentifier.
pub(super) fn read_pss(algorithm: &Algorithm<'_>) -> Result<(Digest, usize), AlgorithmError> {
    let mut fields = algorithm.fields()?;
    let digest = read_digests(algorithm.oid, &mut fields)?;
    let salt = match fields.optional(Tag::context(2))? {
        Some(explicit) => explicit.only_child()?.small_integer()?,
        None => 20,
    };
    let trailer = match fields.optional(Tag::context(3))? {
        Some(explicit) => explicit.only_child()?.small_integer()?,
        None => 1,
    };
    fields.finish()?;
    if trailer != 1 {
        return Err(BerError::InvalidValue.into());
    }
    let salt = usize::try_from(salt).map_err(|_| BerError::OutOfRange)?;
    Ok((digest, salt))
}

/// The digest and the label of an RSAES-OAEP AlgorithmIdentifier.
pub(super) fn read_oaep<'a>(
    algorithm: &Algorithm<'a>,
) -> Result<(Digest, &'a [u8]), AlgorithmError> {
    if algorithm.parameters.is_none() {
        return Ok((Digest::Sha1, &[]));
    }
    let mut fields = algorithm.fields()?;
    let digest = read_digests(algorithm.oid, &mut fields)?;
    let label = match fields.optional(Tag::context(2))? {
        Some(explicit) => read_label(&Algorithm::from_element(&explicit.only_child()?)?)?,
        None => &[],
    };
    fields.finish()?;
    Ok((digest, label))
}

fn read_label<'a>(source: &Algorithm<'a>) -> Result<&'a [u8], AlgorithmError> {
    if source.oid != rfc5912::ID_P_SPECIFIED {
        return Err(source.unsupported());
    }
    let label = source.parameters.ok_or(BerError::Missing)?;
    if label.tag() != Tag::OCTET_STRING {
        return Err(BerError::UnexpectedTag.into());
    }
    Ok(label.primitive()?)
}

/// The fields that both begin with.
fn read_digests(
    padding: ObjectIdentifier,
    fields: &mut Reader<'_>,
) -> Result<Digest, AlgorithmError> {
    let digest = match fields.optional(Tag::context(0))? {
        Some(explicit) => Algorithm::from_element(&explicit.only_child()?)?.digest()?,
        None => Digest::Sha1,
    };
    let mask_digest = match fields.optional(Tag::context(1))? {
        Some(explicit) => read_mask_digest(&explicit)?,
        None => Digest::Sha1,
    };
    if mask_digest != digest {
        let text = format!("with {}, but {} in MGF1", digest.name(), mask_digest.name());
        return Err(Unsupported::detail(padding, format!("{} {text}", name(padding))).into());
    }
    Ok(digest)
}

fn read_mask_digest(explicit: &Element<'_>) -> Result<Digest, AlgorithmError> {
    let mask = Algorithm::from_element(&explicit.only_child()?)?;
    if mask.oid != rfc5912::ID_MGF_1 {
        return Err(mask.unsupported());
    }
    mask.inner()?.digest()
}

#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    hash_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    mask_gen_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    salt_length: u8,
}

#[derive(Sequence)]
struct OaepParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    hash_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    mask_gen_algorithm: AlgorithmIdentifierOwned,
}

/// RSASSA-PSS with MGF1 on the same digest and a salt as long as the digest (RFC 4056, section 3).
pub(super) fn pss(digest: Digest) -> der::Result<AlgorithmIdentifierOwned> {
    let parameters = PssParameters {
        hash_algorithm: hash_algorithm(digest),
        mask_gen_algorithm: mask_gen_algorithm(digest)?,
        salt_length: u8::try_from(digest.length()).unwrap_or(u8::MAX),
    };
    Ok(AlgorithmIdentifierOwned {
        oid: rfc5912::ID_RSASSA_PSS,
        parameters: Some(Any::encode_from(&parameters)?),
    })
}

/// RSAES-OAEP with MGF1 on the same digest and the empty label (RFC 3560, section 3).
pub(super) fn oaep(digest: Digest) -> der::Result<AlgorithmIdentifierOwned> {
    let parameters = OaepParameters {
        hash_algorithm: hash_algorithm(digest),
        mask_gen_algorithm: mask_gen_algorithm(digest)?,
    };
    Ok(AlgorithmIdentifierOwned {
        oid: rfc5912::ID_RSAES_OAEP,
        parameters: Some(Any::encode_from(&parameters)?),
    })
}

/// In these structures a digest has NULL for parameters (RFC 4055, section 2.1).
pub(super) fn hash_algorithm(digest: Digest) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: digest.oid(),
        parameters: Some(Null.into()),
    }
}

pub(super) fn mask_gen_algorithm(digest: Digest) -> der::Result<AlgorithmIdentifierOwned> {
    Ok(AlgorithmIdentifierOwned {
        oid: rfc5912::ID_MGF_1,
        parameters: Some(Any::encode_from(&hash_algorithm(digest))?),
    })
}
