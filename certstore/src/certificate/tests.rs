use super::*;

#[test]
fn bytes_that_are_no_certificate_get_an_error() {
    for bytes in [
        &b""[..],
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"-----BEGIN CERTIFICATE-----",
    ] {
        let error = Certificate::from_der(bytes).unwrap_err();
        assert!(matches!(error, CertificateError::Structure(_)), "{error}");
    }
    let long = vec![0x30; MAX_CERTIFICATE_SIZE + 1];
    assert_eq!(
        Certificate::from_der(&long).unwrap_err(),
        CertificateError::TooLarge(MAX_CERTIFICATE_SIZE + 1)
    );
}
