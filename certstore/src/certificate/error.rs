//! Why bytes are not a certificate, or a file holds none.

use const_oid::ObjectIdentifier;

use crate::cms::CmsError;

use super::{MAX_CERTIFICATE_SIZE, MAX_CERTIFICATES};

/// Why bytes are not a certificate, or a file holds none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Longer than [`MAX_CERTIFICATE_SIZE`]; the number of bytes.
    #[error("the certificate has {0} bytes, more than {MAX_CERTIFICATE_SIZE}")]
    TooLarge(usize),
    /// Not the DER of an X.509 certificate.
    #[error("not an X.509 certificate in DER: {0}")]
    Structure(der::Error),
    /// A known extension whose content does not decode.
    #[error("the {0} extension of the certificate cannot be read: ask its issuer for a new one")]
    BadExtension(&'static str),
    /// The same extension stands in it twice (RFC 5280, section 4.2).
    #[error("the certificate has the extension {0} twice: ask its issuer for a new one")]
    RepeatedExtension(ObjectIdentifier),
    /// Far more extensions than anybody needs; how many.
    #[error("the certificate has {0} extensions, too many to be honest")]
    TooManyExtensions(usize),
    /// The file has nothing in it that looks like a certificate.
    #[error("no certificate found: expected PEM, DER, base64 or PKCS#7")]
    NoneFound,
    /// A PEM block, or bare base64, that is cut off or damaged.
    #[error("the PEM text is damaged: {0}")]
    Pem(encodify::Error),
    /// OpenSSL's own form, which carries more than a certificate.
    #[error(
        "\"TRUSTED CERTIFICATE\" is OpenSSL's own form: convert it with `openssl x509 -in FILE -out NEW`"
    )]
    OpensslTrusted,
    /// A PKCS#7 bundle that cannot be read; why.
    #[error("the PKCS#7 bundle cannot be read: {0}")]
    Pkcs7(#[from] CmsError),
    /// A private key or a PKCS#12 file instead of a certificate.
    #[error("this is a private key or a PKCS#12 file: import it with `postern key import`")]
    PrivateKey,
    /// More than [`MAX_CERTIFICATES`]; the rest was not read.
    #[error("more than {MAX_CERTIFICATES} certificates in one file: split it")]
    TooMany,
}

impl From<der::Error> for CertificateError {
    fn from(error: der::Error) -> Self {
        Self::Structure(error)
    }
}
