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
        sid: encode::certificate_identifier(&outline, RecipientIdForm::IssuerAndSerial).unwrap(),
        digest_algorithm: algorithm(digest.oid()),
        signed_attrs,
        signature_algorithm: algorithm(signature_algorithm),
        signature: OctetStringRef::new(&signature).unwrap(),
    };
    let signed_data = encode::SignedData {
        version: 1,
        digest_algorithms: SetOfVec::try_from([algorithm(digest.oid())]).unwrap(),
        encap_content_info: encode::EncapsulatedContentInfo::of_data(None),
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
    attribute(
        rfc5911::ID_CONTENT_TYPE,
        vec![Any::encode_from(&oid).unwrap()],
    )
}

fn message_digest(digest: Digest) -> Attribute {
    let digest = digest.of(CONTENT);
    attribute(rfc5911::ID_MESSAGE_DIGEST, vec![octets(digest.as_ref())])
}

/// What becomes of a signature over these attributes: None if it is accepted, else a part of the reason.
fn assert_outcome(name: &str, attributes: Vec<Attribute>, expected: Option<&str>) {
    let message = signed_by_p256(attributes);
    let outcome = signed(&message)
        .verify(Some(CONTENT), &[])
        .remove(0)
        .outcome;
    match (outcome, expected) {
        (Ok(()), None) => {}
        (Err(SignatureFault::Attributes(text)), Some(expected)) => {
            assert!(text.contains(expected), "{name}: {text}");
        }
        (outcome, _) => panic!("{name}: {outcome:?}"),
    }
}

#[test]
fn what_must_be_there_must_be_there_and_right() {
    let data = || content_type(rfc5911::ID_DATA);
    let digest = || message_digest(Digest::Sha256);
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
            "an attribute without values",
            vec![data(), attribute(rfc5911::ID_MESSAGE_DIGEST, vec![])],
            Some("message-digest"),
        ),
    ] {
        assert_outcome(name, attributes, expected);
    }
}

const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4");

#[test]
fn nothing_may_be_said_twice() {
    let one_more = |oid, values| {
        [
            plain_attributes(Digest::Sha256),
            vec![attribute(oid, values)],
        ]
    };
    let time = |text: &[u8]| Any::new(Tag::UtcTime, text).unwrap();
    for (name, attributes, expected) in [
        (
            "two digest attributes",
            one_more(rfc5911::ID_MESSAGE_DIGEST, vec![octets(b"1")]).concat(),
            "message-digest is there more than once",
        ),
        (
            "two digests in one attribute",
            vec![
                content_type(rfc5911::ID_DATA),
                attribute(rfc5911::ID_MESSAGE_DIGEST, vec![octets(b"1"), octets(b"2")]),
            ],
            "message-digest is there more than once",
        ),
        (
            "two times",
            one_more(
                rfc5911::ID_SIGNING_TIME,
                vec![time(b"260101000000Z"), time(b"270101000000Z")],
            )
            .concat(),
            "signing-time is there more than once",
        ),
        (
            "no time at all",
            one_more(rfc5911::ID_SIGNING_TIME, vec![time(b"yesterday")]).concat(),
            "signing-time: a value",
        ),
        (
            "two that nobody knows",
            [
                plain_attributes(Digest::Sha256),
                vec![attribute(UNKNOWN, vec![octets(b"1")]); 2],
            ]
            .concat(),
            "the attribute 1.2.3.4 is there more than once",
        ),
    ] {
        assert_outcome(name, attributes, Some(expected));
    }
}

#[test]
fn a_signature_bound_to_a_certificate_counts_for_no_other() {
    let people = people();
    for (person, expected) in [
        (&people.p256, None),
        (&people.rsa, Some("names another certificate")),
    ] {
        let hash = Digest::Sha256.of(&person.certificate);
        let identifier = tlv(0x30, &[&tlv(0x04, &[hash.as_ref()])]);
        let value = Any::new(Tag::Sequence, tlv(0x30, &[&identifier])).unwrap();
        let bound_to = attribute(rfc5911::ID_AA_SIGNING_CERTIFICATE_V_2, vec![value]);
        let attributes = [plain_attributes(Digest::Sha256), vec![bound_to]].concat();
        assert_outcome(person.name, attributes, expected);
    }
}

#[test]
fn hints_that_cannot_be_read_are_no_hints() {
    let message = signed_by_p256(vec![
        content_type(rfc5911::ID_DATA),
        message_digest(Digest::Sha256),
        attribute(rfc5911::SMIME_CAPABILITIES, vec![octets(b"aes, please")]),
        attribute(
            rfc5911::ID_AA_ENCRYP_KEY_PREF,
            vec![octets(b"the other one")],
        ),
    ]);
    let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
    assert_eq!(report.outcome, Ok(()));
    assert!(report.capabilities.is_empty());
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
    for preference in [context(true, 1, b"\x04\x03key"), context(false, 2, b"key")] {
        let message = by_key(preference);
        let report = signed(&message).verify(Some(CONTENT), &[]).remove(0);
        assert_eq!(report.encryption_certificate, identifier);
    }
    // The third, issuer and serial number, is what we write ourselves.
}
