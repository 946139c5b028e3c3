//! Certificates that travel alone: certs-only SignedData, the content of `.p7b` and `.p7c` files (RFC 8551, section 3.8).

use const_oid::db::{rfc5911, rfc6268};
use der::asn1::SetOfVec;

use super::encode;
use super::{CmsError, ContentInfo, Unsupported, parse};

/// The certificates (DER, unchecked) of a certs-only bundle, or of any other SignedData.
///
/// # Errors
/// [`CmsError`] if it is none.
pub fn certificates(pkcs7: &[u8]) -> Result<Vec<Vec<u8>>, CmsError> {
    match parse(pkcs7)? {
        ContentInfo::Signed(signed) => Ok(signed.into_certificates()),
        ContentInfo::Enveloped(_) => Err(CmsError::Unsupported(Unsupported::detail(
            rfc5911::ID_ENVELOPED_DATA,
            "encrypted data where certificates were expected",
        ))),
        ContentInfo::Compressed(_) => Err(CmsError::Unsupported(Unsupported::detail(
            rfc6268::ID_CT_COMPRESSED_DATA,
            "compressed data where certificates were expected",
        ))),
        ContentInfo::Other(unsupported) => Err(CmsError::Unsupported(unsupported)),
    }
}

/// A certs-only SignedData with these certificates (DER). What is not DER is left out.
#[must_use]
pub fn certificate_bundle(certificates: &[&[u8]]) -> Vec<u8> {
    let readable = certificates
        .iter()
        .copied()
        .filter(|certificate| der::AnyRef::try_from(*certificate).is_ok());
    let encode = || {
        let signed_data = encode::SignedData {
            version: 1,
            digest_algorithms: SetOfVec::new(),
            encap_content_info: encode::EncapsulatedContentInfo::of_data(None),
            certificates: encode::certificate_set(readable)?,
            signer_infos: SetOfVec::new(),
        };
        encode::content_info(rfc5911::ID_SIGNED_DATA, signed_data)
    };
    let bundle: der::Result<Vec<u8>> = encode();
    debug_assert!(
        bundle.is_ok(),
        "only a bundle beyond 4 GiB cannot be written"
    );
    bundle.unwrap_or_default()
}
