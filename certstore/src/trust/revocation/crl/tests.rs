//! CRLs as they should be, and as strangers send them.

use std::time::{Duration, Instant};

use policy::mutation::mutations;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, IsCa, Issuer, KeyIdMethod, KeyPair, RevocationReason,
    RevokedCertParams, SerialNumber,
};

use super::*;
use crate::samples::now;

/// A CRL that revokes these serial numbers, all for key compromise.
fn crl(serials: &[u64], scope: Option<CrlScope>) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = Issuer::new(params, key);
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: now().into(),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: now().into(),
        next_update: (now() + Duration::from_secs(86_400)).into(),
        crl_number: SerialNumber::from(7_u64),
        issuing_distribution_point: scope.map(|scope| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://crl.example/a.crl".to_owned()],
            },
            scope: Some(scope),
        }),
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(&issuer).unwrap().der().to_vec()
}

#[test]
fn entries_are_found_by_serial_and_issuer() {
    let list = Crl::read(&crl(&[300, 5, 77, 128], None)).unwrap();
    let issuer = list.issuer_der().to_vec();
    let says = |serial: &[u8], issuer: &[u8]| {
        list.entry(serial, issuer, |one, other| one == other)
            .unwrap()
    };
    let revoked = Some(Revoked {
        on: now(),
        reason: Some(CrlReason::KeyCompromise),
    });
    for (serial, expected) in [
        (&[5][..], revoked),
        (&[77], revoked),
        (&[0, 128], revoked),
        (&[1, 44], revoked),
        (&[6], None),
        (&[128], None),
        (&[], None),
    ] {
        assert_eq!(says(serial, &issuer), expected, "{serial:?}");
    }
    assert_eq!(says(&[5], b"somebody else"), None);
    assert_eq!(
        list.next_update(),
        Some(now() + Duration::from_secs(86_400))
    );
    assert!(!list.is_delta());
}

#[test]
fn the_scope_is_read() {
    let list = Crl::read(&crl(&[], Some(CrlScope::UserCertsOnly))).unwrap();
    let scope = list.extensions.scope.as_ref().unwrap();
    assert!(scope.only_contains_user_certs && !scope.only_contains_ca_certs && !scope.indirect_crl);
    assert!(scope.distribution_point.is_some());
    assert_eq!(list.extensions.number.as_deref(), Some(&[7][..]));
}

#[test]
fn pem_is_read_too() {
    let der = crl(&[5], None);
    let text = pem::STANDARD.encode("X509 CRL", &der);
    assert_eq!(Crl::read(text.as_bytes()).unwrap().der(), der);
}

#[test]
fn what_is_no_crl_is_refused() {
    let good = crl(&[5], None);
    let with_tail = [&good[..], b"x"].concat();
    for (what, bytes) in [
        ("nothing", &b""[..]),
        ("text", b"<html>404</html>"),
        ("an empty sequence", &[0x30, 0]),
        ("endless", &[0x30, 0x80, 0, 0]),
        (
            "a length beyond its end",
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ),
        ("cut off", &good[..good.len() - 1]),
        ("with a tail", &with_tail),
        (
            "damaged PEM",
            b"-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n",
        ),
    ] {
        assert!(Crl::read(bytes).is_err(), "{what}");
    }
    let too_large = vec![0x30; MAX_CRL_SIZE + 1];
    assert_eq!(
        Crl::read(&too_large).err(),
        Some(CrlError::TooLarge(MAX_CRL_SIZE + 1))
    );
}

#[test]
fn damage_is_an_error_or_a_list_and_nothing_worse() {
    let seeds = [
        crl(&[5, 77, 300], None),
        crl(&[1], Some(CrlScope::CaCertsOnly)),
    ];
    let begun = Instant::now();
    for bytes in mutations(&seeds).take(20_000) {
        if begun.elapsed() > Duration::from_millis(1_500) {
            break;
        }
        if let Ok(list) = Crl::read(&bytes) {
            assert!(list.entries.len() * 5 <= bytes.len());
            let _said = list
                .entry(&[77], list.issuer_der(), |one, other| one == other)
                .ok();
        }
    }
}
