//! Signed attributes that break a rule, though the signature over them is right.

use const_oid::db::{rfc5911, rfc5912};
use der::asn1::{Any, ObjectIdentifier, OctetStringRef, SetOfVec};
use der::{Encode, Tag};
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::Attribute;

use super::support::*;
use crate::cms::certificate_outline::CertificateOutline;
use crate::cms::{encode, *};

/// A detached signature over these attributes, whatever they are.
pub(super) fn signed_over(
    attributes: Vec<Attribute>,
    certificate: &[u8],
    digest: Digest,
    signature_algorithm: ObjectIdentifier,
    sign: impl Fn(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let outline = CertificateOutline::read(certificate).unwrap();
    let signed_attrs = SetOfVec::try_from(attributes).unwrap();
    let signature = sign(&signed_attrs.to_der().unwrap());
    let algorithm = |oid| AlgorithmIdentifierOwned {
        oid,
        parameters: None,
    };
    let signer_info = encode::SignerInfo {
        version: 1,
        sid: encode::IssuerAndSerialNumber::of(&outline).unwrap(),
        digest_algorithm: algorithm(digest.oid()),
        signed_attrs,
        signature_algorithm: algorithm(signature_algorithm),
        signature: OctetStringRef::new(&signature).unwrap(),
    };
    let signed_data = encode::SignedData {
        version: 1,
        digest_algorithms: SetOfVec::try_from([algorithm(digest.oid())]).unwrap(),
        encap_content_info: encode::EncapsulatedContentInfo::of_data(None).unwrap(),
        certificates: encode::certificate_set([certificate]).unwrap(),
        signer_infos: SetOfVec::try_from([Any::encode_from(&signer_info).unwrap()]).unwrap(),
    };
    encode::content_info(rfc5911::ID_SIGNED_DATA, signed_data).unwrap()
}

/// The attributes that must be there, as they should be.
pub(super) fn plain_attributes(digest: Digest) -> Vec<Attribute> {
    vec![content_type(rfc5911::ID_DATA), message_digest(digest)]
}

/// A detached signature by `p256` over these attributes.
fn signed_by_p256(attributes: Vec<Attribute>) -> Vec<u8> {
    let person = &people().p256;
    let scheme = SignatureScheme::Ecdsa(Curve::P256, Digest::Sha256);
    signed_over(
        attributes,
        &person.certificate,
        Digest::Sha256,
        rfc5912::ECDSA_WITH_SHA_256,
        |message| person.sign(scheme, message).unwrap(),
    )
}

fn attribute(oid: ObjectIdentifier, values: Vec<Any>) -> Attribute {
    Attribute {
        oid,
        values: SetOfVec::try_from(values).unwrap(),
    }
}

fn octets(bytes: &[u8]) -> Any {
    Any::new(Tag::OctetString, bytes).unwrap()
}

fn content_type(oid: ObjectIdentifier) -> Attribute {
    attribute(rfc5911::ID_CONTENT_TYPE, vec![Any::encode_from(&oid).unwrap()])
}

fn message_digest(digest: Digest) -> Attribute {
    let digest = digest.of(CONTENT);
    attribute(rfc5911::ID_MESSAGE_DIGEST, vec![octets(digest.as_ref())])
}

#[test]
fn each_broken_rule_is_told() {
    let data = || content_type(rfc5911::ID_DATA);
    let digest = || message_digest(Digest::Sha256);
    let time = |text: &[u8]| Any::new(Tag::UtcTime, text).unwrap();
    let bound_to = |hash: &[u8]| {
        let value = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&tlv(0x04, &[hash])])])]);
        let value = Any::new(Tag::Sequence, &value[2..]).unwrap();
        attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, vec![value])
    };
    let own_hash = Digest::Sha256.of(&people().p256.certificate);
    let other_hash = Digest::Sha256.of(&people().rsa.certificate);
    for (name, attributes, expected) in [
        ("all well", vec![data(), digest()], None),
        ("no attributes", vec![], Some("content-type is missing")),
        ("no digest", vec![data()], Some("message-digest is missing")),
        ("no type", vec![digest()], Some("content-type is missing")),
        (
            "another type",
            vec![content_type(rfc5911::ID_SIGNED_DATA), digest()],
            Some("another type"),
        ),
        (
            "two digests in one attribute",
            vec![
                data(),
                attribute(rfc5911::ID_MESSAGE_DIGEST, vec![octets(b"1"), octets(b"2")]),
            ],
            Some("message-digest is there more than once"),
        ),
        (
            "two digest attributes",
            vec![
                data(),
                digest(),
                attribute(rfc5911::ID_MESSAGE_DIGEST, vec![octets(b"1")]),
            ],
            Some("message-digest is there more than once"),
        ),
        (
            "two times",
            vec![
                data(),
                digest(),
                attribute(
                    rfc5911::ID_SIGNING_TIME,
                    vec![time(b"260101000000Z"), time(b"270101000000Z")],
                ),
            ],
            Some("signing-time is there more than once"),
        ),
        (
            "no time at all",
            vec![
                data(),
                digest(),
                attribute(rfc5911::ID_SIGNING_TIME, vec![time(b"yesterday")]),
            ],
            Some("signing-time: a value"),
        ),
        (
            "an attribute without values",
            vec![data(), attribute(rfc5911::ID_MESSAGE_DIGEST, vec![])],
            Some("message-digest"),
        ),
        (
            "bound to the right certificate",
            vec![data(), digest(), bound_to(own_hash.as_ref())],
            None,
        ),
        (
            "bound to another certificate",
            vec![data(), digest(), bound_to(other_hash.as_ref())],
            Some("names another certificate"),
        ),
    ] {
        let message = signed_by_p256(attributes);
        let outcome = signed(&message).verify(Some(CONTENT), &[]).remove(0).outcome;
        match (outcome, expected) {
            (Ok(()), None) => {}
            (Err(SignatureFault::Attributes(text)), Some(expected)) => {
                assert!(text.contains(expected), "{name}: {text}");
            }
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[test]
fn hints_that_cannot_be_read_are_no_hints() {
    let message = signed_by_p256(vec![
        content_type(rfc5911::ID_DATA),
        message_digest(Digest::Sha256),
        attribute(rfc5911::SMIME_CAPABILITIES, vec![octets(b"aes, please")]),
        attribute(rfc5911::ID_AA_ENCRYP_KEY_PREF, vec![octets(b"the other one")]),
    ]);
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(report.outcome, Ok(()));
    assert_eq!(report.capabilities, []);
    assert_eq!(report.encryption_certificate, None);
}

#[test]
fn an_encryption_certificate_can_be_named_in_three_ways() {
    let by_key = |preference| {
        signed_by_p256(vec![
            content_type(rfc5911::ID_DATA),
            message_digest(Digest::Sha256),
            attribute(rfc5911::ID_AA_ENCRYP_KEY_PREF, vec![preference]),
        ])
    };
    let context = |constructed, number, value: &[u8]| {
        let number = der::TagNumber(number);
        let tag = Tag::ContextSpecific {
            constructed,
            number,
        };
        Any::new(tag, value).unwrap()
    };
    let identifier = Some(RecipientId::SubjectKeyIdentifier(b"key".to_vec()));
    for preference in [
        context(true, 1, b"\x04\x03key"),
        context(false, 2, b"key"),
    ] {
        let message = by_key(preference);
        let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
        assert_eq!(report.encryption_certificate, identifier);
    }
    // The third, issuer and serial number, is what we write ourselves.
}
