//! Keys and certificates for the tests of this crate.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use policy::address::Address;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ECDSA_P521_SHA512, SanType, SignatureAlgorithm,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::certificate::Certificate;

/// The moment that samples are valid around: 2027-01-15.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// The folder of outside test data, `$POSTERN_CORPUS`; none, and a line that says so, where there is none.
#[expect(clippy::print_stdout, reason = "a skipped test is said")]
pub(crate) fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at {}", path.display());
    None
}

/// What a sample certificate is to look like.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) address: &'static str,
    pub(crate) usages: Vec<KeyUsagePurpose>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    pub(crate) key: SampleKey,
}

#[derive(Clone, Copy)]
pub(crate) enum SampleKey {
    Rsa,
    P256,
    P384,
    P521,
}

impl Sample {
    /// An RSA certificate for `address`, for signing and encryption, valid from yesterday for a year.
    pub(crate) fn of(address: &'static str) -> Self {
        Self {
            address,
            usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyEncipherment,
            ],
            not_before: now() - DAY,
            not_after: now() + 365 * DAY,
            key: SampleKey::Rsa,
        }
    }

    /// The same on an elliptic curve, which is made faster.
    pub(crate) fn ec(address: &'static str) -> Self {
        Self {
            usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyAgreement,
            ],
            key: SampleKey::P256,
            ..Self::of(address)
        }
    }

    /// A self-signed certificate and its key in PKCS#8.
    pub(crate) fn self_signed(&self) -> (Certificate, Vec<u8>) {
        let key = self.key.pair();
        let made = self.params().self_signed(&key).unwrap();
        (
            Certificate::from_der(made.der()).unwrap(),
            key.serialize_der(),
        )
    }

    /// A certificate from `issuer` and its key in PKCS#8.
    pub(crate) fn issued_by(&self, issuer: &SampleAuthority) -> (Certificate, Vec<u8>) {
        let key = self.key.pair();
        let made = self.params().signed_by(&key, &issuer.0).unwrap();
        (
            Certificate::from_der(made.der()).unwrap(),
            key.serialize_der(),
        )
    }

    /// The same, which names `others` as well.
    pub(crate) fn issued_for(
        &self,
        issuer: &SampleAuthority,
        others: &[&str],
    ) -> (Certificate, Vec<u8>) {
        let key = self.key.pair();
        let mut params = self.params();
        let names = others
            .iter()
            .map(|name| SanType::Rfc822Name((*name).try_into().unwrap()));
        params.subject_alt_names.extend(names);
        let made = params.signed_by(&key, &issuer.0).unwrap();
        (
            Certificate::from_der(made.der()).unwrap(),
            key.serialize_der(),
        )
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, self.address);
        params.subject_alt_names = vec![SanType::Rfc822Name(self.address.try_into().unwrap())];
        params.key_usages.clone_from(&self.usages);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.not_before = self.not_before.into();
        params.not_after = self.not_after.into();
        params
    }
}

impl SampleKey {
    fn pair(self) -> KeyPair {
        let ec = |algorithm: &'static SignatureAlgorithm| KeyPair::generate_for(algorithm).unwrap();
        match self {
            Self::P256 => ec(&PKCS_ECDSA_P256_SHA256),
            Self::P384 => ec(&PKCS_ECDSA_P384_SHA384),
            Self::P521 => ec(&PKCS_ECDSA_P521_SHA512),
            Self::Rsa => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let pkcs8 = key.as_der().unwrap().as_ref().to_vec();
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
                KeyPair::try_from(&der).unwrap()
            }
        }
    }
}

/// A certification authority.
pub(crate) struct SampleAuthority(CertifiedIssuer<'static, KeyPair>);

impl SampleAuthority {
    pub(crate) fn root(name: &str) -> Self {
        let key = SampleKey::P256.pair();
        Self(CertifiedIssuer::self_signed(authority_params(name), key).unwrap())
    }

    pub(crate) fn below(&self, name: &str) -> Self {
        let key = SampleKey::P256.pair();
        Self(CertifiedIssuer::signed_by(authority_params(name), key, &self.0).unwrap())
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(self.0.der()).unwrap()
    }

    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        self.0.key().serialize_der()
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = (now() - 30 * DAY).into();
    params.not_after = (now() + 3650 * DAY).into();
    params
}
