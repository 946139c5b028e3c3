//! What the keys do, checked by aws-lc from the other side.

use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey as PeerKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA512_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, UnparsedPublicKey, VerificationAlgorithm,
};
use der::Decode;
use spki::SubjectPublicKeyInfoRef;

use super::{ALICE, Setting, pem_pair};
use crate::certificate::Certificate;
use crate::cms::SignatureScheme::{self, Ecdsa, RsaPkcs1, RsaPss};
use crate::cms::{Curve, Digest, KeyFailure, KeyTransport};
use crate::samples::{Sample, SampleKey};

fn public_key(certificate: &Certificate) -> Vec<u8> {
    let spki = SubjectPublicKeyInfoRef::from_der(certificate.spki_der()).unwrap();
    spki.subject_public_key.raw_bytes().to_vec()
}

#[tokio::test]
async fn signatures_verify_in_every_scheme() {
    for (key, scheme, verification) in schemes() {
        let setting = Setting::new().await;
        let pair = Sample {
            key,
            ..Sample::of(ALICE)
        }
        .self_signed();
        setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
        let signer = setting.signer(ALICE).await.unwrap();
        let signature = signer.sign(scheme, b"a message").unwrap();
        let public = UnparsedPublicKey::new(verification, public_key(&pair.0));
        assert!(
            public.verify(b"a message", &signature).is_ok(),
            "{scheme:?}"
        );
        assert!(
            public.verify(b"a massage", &signature).is_err(),
            "{scheme:?}"
        );
        for unsuitable in [
            RsaPkcs1(Digest::Sha1),
            RsaPss(Digest::Sha1),
            Ecdsa(Curve::P256, Digest::Sha512),
            Ecdsa(Curve::P384, Digest::Sha256),
        ] {
            let failure = signer.sign(unsuitable, b"a message").unwrap_err();
            assert!(
                matches!(failure, KeyFailure::Unsuitable(_)),
                "{unsuitable:?}"
            );
        }
    }
}

#[tokio::test]
async fn rsa_keys_decrypt_what_was_encrypted_to_them() {
    let setting = Setting::new().await;
    let pair = Sample::of(ALICE).self_signed();
    setting.import(ALICE, &pem_pair(&pair)).await.unwrap();
    let decryptor = setting.decryptors(ALICE).await.remove(0);
    let public = || PublicEncryptingKey::from_der(pair.0.spki_der()).unwrap();
    let secret = b"a content-encryption key";
    let mut buffer = vec![0; 256];
    let pkcs1 = Pkcs1PublicEncryptingKey::new(public()).unwrap();
    pkcs1.encrypt(secret, &mut buffer).unwrap();
    let opened = decryptor.decrypt_key(KeyTransport::Pkcs1, &buffer).unwrap();
    assert_eq!(&opened[..], secret);
    for (digest, algorithm) in [
        (Digest::Sha1, &OAEP_SHA1_MGF1SHA1),
        (Digest::Sha256, &OAEP_SHA256_MGF1SHA256),
        (Digest::Sha384, &OAEP_SHA384_MGF1SHA384),
        (Digest::Sha512, &OAEP_SHA512_MGF1SHA512),
    ] {
        let oaep = OaepPublicEncryptingKey::new(public()).unwrap();
        oaep.encrypt(algorithm, secret, &mut buffer, None).unwrap();
        let transport = KeyTransport::Oaep(digest);
        assert_eq!(
            &decryptor.decrypt_key(transport, &buffer).unwrap()[..],
            secret
        );
        buffer[7] ^= 1;
        for broken in [&buffer[..], &buffer[..255], &[], &[0; 300]] {
            let failure = decryptor.decrypt_key(transport, broken).unwrap_err();
            assert_eq!(
                failure,
                KeyFailure::Failed,
                "the failure must not tell more"
            );
        }
    }
    let failure = decryptor.agree(Curve::P256, &[4; 65]).unwrap_err();
    assert_eq!(failure, KeyFailure::Unsuitable("ECDH"));
}

#[tokio::test]
async fn ec_keys_agree_on_a_secret() {
    let setting = Setting::new().await;
    for (owner, key, curve, algorithm) in [
        (
            "a@x.example",
            SampleKey::P256,
            Curve::P256,
            &agreement::ECDH_P256,
        ),
        (
            "b@x.example",
            SampleKey::P384,
            Curve::P384,
            &agreement::ECDH_P384,
        ),
        (
            "c@x.example",
            SampleKey::P521,
            Curve::P521,
            &agreement::ECDH_P521,
        ),
    ] {
        let pair = Sample {
            key,
            ..Sample::ec(owner)
        }
        .self_signed();
        setting.import(owner, &pem_pair(&pair)).await.unwrap();
        let decryptor = setting.decryptors(owner).await.remove(0);
        let ephemeral = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).unwrap();
        let ephemeral_public = ephemeral.compute_public_key().unwrap();
        let ours = decryptor.agree(curve, ephemeral_public.as_ref()).unwrap();
        let peer = PeerKey::new(algorithm, public_key(&pair.0));
        agreement::agree_ephemeral(ephemeral, peer, (), |theirs| {
            assert_eq!(theirs, &ours[..]);
            Ok(())
        })
        .unwrap();
        assert_eq!(
            decryptor.agree(curve, &[4; 65]).unwrap_err(),
            KeyFailure::Failed
        );
        let other = if curve == Curve::P256 {
            Curve::P384
        } else {
            Curve::P256
        };
        assert!(decryptor.agree(other, ephemeral_public.as_ref()).is_err());
    }
}

/// Each scheme, a key for it, and the algorithm that verifies it.
fn schemes() -> [(
    SampleKey,
    SignatureScheme,
    &'static dyn VerificationAlgorithm,
); 8] {
    use Curve::{P256, P384, P521};
    use Digest::{Sha256, Sha384, Sha512};
    [
        (
            SampleKey::Rsa,
            RsaPkcs1(Sha256),
            &RSA_PKCS1_2048_8192_SHA256,
        ),
        (
            SampleKey::Rsa,
            RsaPkcs1(Sha512),
            &RSA_PKCS1_2048_8192_SHA512,
        ),
        (SampleKey::Rsa, RsaPss(Sha256), &RSA_PSS_2048_8192_SHA256),
        (SampleKey::Rsa, RsaPss(Sha384), &RSA_PSS_2048_8192_SHA384),
        (
            SampleKey::P256,
            Ecdsa(P256, Sha256),
            &ECDSA_P256_SHA256_ASN1,
        ),
        (
            SampleKey::P384,
            Ecdsa(P384, Sha384),
            &ECDSA_P384_SHA384_ASN1,
        ),
        (
            SampleKey::P521,
            Ecdsa(P521, Sha512),
            &ECDSA_P521_SHA512_ASN1,
        ),
        (
            SampleKey::P521,
            Ecdsa(P521, Sha256),
            &ECDSA_P521_SHA256_ASN1,
        ),
    ]
}
