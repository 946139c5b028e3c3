//! No input makes us panic, and no change to what is protected goes unnoticed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::mutation::mutations;

use super::support::*;
use crate::cms::ber::{Element, Reader};
use crate::cms::certificate_outline::CertificateOutline;
use crate::cms::signature::SignatureAlgorithm;
use crate::cms::*;

#[test]
fn no_bit_of_what_is_signed_can_be_flipped() {
    for person in [&people().p256, &people().ed25519] {
        let options = SignOptions {
            attached: true,
            ..sign_options()
        };
        let message = sign(CONTENT, person, &options).unwrap();
        let signed_data = signed(&message);
        let signer = &signed_data.signers[0];
        let protected = [
            signed_data.content().unwrap(),
            signer.signed_attributes.unwrap().encoded(),
            signer.signature_algorithm.encoded,
            &*signer.signature,
        ];
        for index in places_of(&protected, &message) {
            for bit in [1, 0x20, 0x80] {
                let mut changed = message.clone();
                changed[index] ^= bit;
                let reports = match parse(&changed) {
                    Ok(ContentInfo::Signed(signed)) => signed.verify(None, &[]),
                    Ok(_) | Err(_) => Vec::new(),
                };
                assert!(
                    reports.iter().all(|report| report.outcome.is_err()),
                    "{}: bit {bit:#x} of byte {index} was flipped",
                    person.name
                );
            }
        }
    }
}

#[test]
fn no_bit_of_what_is_authenticated_can_be_flipped() {
    for (person, cipher) in [
        (&people().p256, ContentCipher::Aes256Gcm),
        (&people().x25519, ContentCipher::ChaCha20Poly1305),
    ] {
        let options = EncryptOptions {
            cipher,
            ..encrypt_options()
        };
        let message = encrypt(CONTENT.to_vec(), &[&person.certificate], &options).unwrap();
        let envelope = enveloped(&message);
        let key = &envelope.recipients.keys[0];
        let protected = [
            envelope.content.contents(),
            &*envelope.authentication.as_ref().unwrap().tag,
            envelope.cipher.encoded,
            &*key.octets,
        ];
        for index in places_of(&protected, &message) {
            let mut changed = message.clone();
            changed[index] ^= 1;
            let opened = match parse(&changed) {
                Ok(ContentInfo::Enveloped(enveloped)) => {
                    enveloped.decrypt(&[person.decryptor()], &STRONG).is_ok()
                }
                Ok(_) | Err(_) => false,
            };
            assert!(!opened, "{}: byte {index} was changed", person.name);
        }
    }
}

/// Every index of `whole` that lies in one of `parts`, slices of it.
fn places_of(parts: &[&[u8]], whole: &[u8]) -> Vec<usize> {
    let places = parts.iter().flat_map(|part| place_of(part, whole));
    places.collect()
}

/// Where `part`, a slice of `whole`, lies in it.
fn place_of(part: &[u8], whole: &[u8]) -> std::ops::Range<usize> {
    let start = whole
        .windows(part.len())
        .position(|window| window.as_ptr() == part.as_ptr())
        .unwrap();
    start..start + part.len()
}

#[test]
fn a_message_cut_off_anywhere_is_an_error() {
    for seed in seeds() {
        for length in 0..seed.len() {
            assert!(
                parse(&seed[..length]).is_err(),
                "cut off after {length} bytes"
            );
        }
        let longer = [&seed[..], b"\0"].concat();
        assert!(parse(&longer).is_err());
    }
}

#[test]
fn mutated_messages_never_make_us_panic() {
    let people = people();
    let seeds = seeds();
    let known = [
        people.p256.certificate.clone(),
        people.rsa.certificate.clone(),
    ];
    let keys = [
        people.p256.decryptor(),
        people.rsa.decryptor(),
        people.x25519.decryptor(),
    ];
    let started = Instant::now();
    let mut readable = 0;
    for message in mutations(&seeds).take(20_000) {
        match parse(&message) {
            Ok(ContentInfo::Signed(signed)) => {
                readable += 1;
                let detached = signed.content().is_none().then_some(CONTENT);
                assert!(signed.verify(detached, &known).len() <= 64);
                assert!(signed.certificates().len() <= 256);
            }
            Ok(ContentInfo::Enveloped(enveloped)) => {
                readable += 1;
                if let Ok(opened) = enveloped.decrypt(&keys, &ANYTHING) {
                    assert!(opened.content.len() <= message.len());
                }
            }
            Ok(ContentInfo::Compressed(compressed)) => {
                readable += 1;
                let content = compressed.decompress(1 << 20);
                assert!(content.map_or(0, |content| content.len()) <= 1 << 20);
            }
            Ok(ContentInfo::Other(unsupported)) => assert!(unsupported.name.len() < 300),
            Err(_) => {}
        }
        if started.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    assert!(readable > 100, "only {readable} mutations could be read");
}

#[test]
fn mutated_certificates_never_make_us_panic() {
    let people = people();
    let seeds: Vec<_> = people
        .strong()
        .map(|person| person.certificate.clone())
        .into();
    let started = Instant::now();
    for certificate in mutations(&seeds).take(20_000) {
        if let Ok(id) = RecipientId::of(&certificate) {
            assert!(id.names(&certificate));
        }
        if let Ok(KeyKind::Rsa { bits }) = key_kind(&certificate) {
            assert!(bits as usize <= certificate.len() * 8);
        }
        let options = encrypt_options();
        assert!(
            encrypt(Vec::new(), &[&certificate], &options).map_or(0, |message| message.len())
                < 10_000
        );
        if started.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
}

/// Messages made now, with our keys, and those of tests/seeds and tests/peers.
fn seeds() -> Vec<Vec<u8>> {
    let people = people();
    let opaque = SignOptions {
        attached: true,
        ..sign_options()
    };
    let gcm = EncryptOptions {
        cipher: ContentCipher::Aes128Gcm,
        key_transport: KeyTransport::Oaep(Digest::Sha256),
        ..encrypt_options()
    };
    let chacha = EncryptOptions {
        cipher: ContentCipher::ChaCha20Poly1305,
        recipient_id: RecipientIdForm::SubjectKeyIdentifier,
        ..encrypt_options()
    };
    let both = [&people.rsa.certificate[..], &people.p256.certificate];
    let mut seeds = vec![
        sign(CONTENT, &people.rsa, &sign_options()).unwrap(),
        sign(CONTENT, &people.p256, &opaque).unwrap(),
        encrypt(CONTENT.to_vec(), &both, &encrypt_options()).unwrap(),
        encrypt(CONTENT.to_vec(), &both, &gcm).unwrap(),
        certificate_bundle(&both),
        sign(CONTENT, &people.ed25519, &opaque).unwrap(),
        encrypt(CONTENT.to_vec(), &[&people.x25519.certificate], &chacha).unwrap(),
        compress(CONTENT).unwrap(),
    ];
    for folder in ["tests/seeds/cms", "tests/peers"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            seeds.push(std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
    assert!(seeds.len() > 10);
    seeds
}

/// A SignedData with these certificates and SignerInfos.
fn signed_data(certificates: &[u8], signer_infos: &[u8]) -> Vec<u8> {
    let data = tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"]);
    let signed_data = tlv(
        0x30,
        &[
            b"\x02\x01\x01",
            b"\x31\x00",
            &data,
            &tlv(0xa0, &[certificates]),
            &tlv(0x31, &[signer_infos]),
        ],
    );
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    tlv(0x30, &[oid, &tlv(0xa0, &[&signed_data])])
}

#[test]
fn one_bad_certificate_does_not_spoil_the_message() {
    let person = &people().rsa;
    let message = sign(CONTENT, person, &sign_options()).unwrap();
    let outer = Element::only(&message).unwrap().children().unwrap();
    let signer_infos = last_element(
        last_element(outer)
            .only_child()
            .unwrap()
            .children()
            .unwrap(),
    );
    let long_serial = tlv(
        0x30,
        &[
            &tlv(0x30, &[&tlv(0x02, &[&[1; 40]]), b"\x30\x00\x30\x00"]),
            b"\x30\x00\x03\x01\x00",
        ],
    );
    for (name, bad) in [
        ("empty", b"\x30\x00".to_vec()),
        ("an attribute certificate", b"\xa2\x02\x05\x00".to_vec()),
        ("a long serial number", long_serial),
        ("rubbish inside", tlv(0x30, &[&[0xff; 200]])),
    ] {
        let certificates = [&bad[..], &person.certificate].concat();
        let message = signed_data(&certificates, signer_infos.contents());
        let signed = signed(&message);
        assert!(
            signed.certificates().contains(&person.certificate),
            "{name}"
        );
        assert_eq!(
            signed.verify(Some(CONTENT), &[])[0].outcome,
            Ok(()),
            "{name}"
        );
    }
    // What follows a broken length cannot be found any more; the rest of the message can.
    let certificates = [&person.certificate[..], b"\x30\x7f"].concat();
    let message = signed_data(&certificates, signer_infos.contents());
    assert_eq!(
        signed(&message).verify(Some(CONTENT), &[])[0].outcome,
        Ok(())
    );
}

fn last_element(mut reader: Reader<'_>) -> Element<'_> {
    let mut last = reader.element().unwrap();
    while let Some(element) = reader.next_element().unwrap() {
        last = element;
    }
    last
}

#[test]
fn numbers_are_bounded() {
    let certificates = people().rsa.certificate.repeat(300);
    let message = signed_data(&certificates, b"");
    assert_eq!(signed(&message).certificates().len(), 256);

    let algorithm = b"\x30\x03\x06\x01\x2a";
    let identifier = b"\x80\x01\x01";
    let signer = tlv(
        0x30,
        &[
            b"\x02\x01\x03",
            identifier,
            algorithm,
            algorithm,
            b"\x04\x01\x01",
        ],
    );
    assert_eq!(
        signed(&signed_data(b"", &signer.repeat(64))).signer_count(),
        64
    );
    assert!(matches!(
        parse(&signed_data(b"", &signer.repeat(65))),
        Err(CmsError::TooMany {
            what: "signers",
            ..
        })
    ));

    let recipient = tlv(
        0x30,
        &[b"\x02\x01\x02", identifier, algorithm, b"\x04\x01\x01"],
    );
    for (count, readable) in [(10_000, true), (10_001, false)] {
        let info = tlv(0x30, &[b"\x06\x01\x2a", algorithm, b"\x80\x01\x01"]);
        let enveloped = tlv(
            0x30,
            &[
                b"\x02\x01\x02",
                &tlv(0x31, &[&recipient.repeat(count)]),
                &info,
            ],
        );
        let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
        let message = tlv(0x30, &[oid, &tlv(0xa0, &[&enveloped])]);
        assert_eq!(parse(&message).is_ok(), readable, "{count} recipients");
    }
}

#[test]
fn a_crowd_of_recipients_or_signers_costs_little_time() {
    let person = &people().rsa;
    let started = Instant::now();
    // Ten thousand times the same recipient, with a key that does not fit: few are tried.
    let other = &people().other_rsa;
    let options = EncryptOptions {
        recipient_id: RecipientIdForm::SubjectKeyIdentifier,
        ..encrypt_options()
    };
    let message = encrypt(CONTENT.to_vec(), &[&other.certificate], &options).unwrap();
    let info = enveloped_fields(&message, 1);
    let crowd = [&message[info.clone()]].repeat(10_000).concat();
    let element = Element::only(&message).unwrap();
    let message = indefinite(&element, info, &message, &crowd);
    let stranger: Arc<dyn Decryptor> = Arc::new(Person {
        pkcs8: person.pkcs8.clone(),
        ..other.clone()
    });
    let envelope = enveloped(&message);
    assert_eq!(envelope.recipients().len(), 10_000);
    // A wrong key gives a random one (RFC 3218, section 2.3.2), under which CBC's padding is right now and then: noise, never
    // the content.
    let opened = envelope.decrypt(&[stranger], &STRONG);
    assert!(opened.is_err() || opened.is_ok_and(|noise| *noise.content != CONTENT));

    // As many signers as are looked at, each with its own certificate to look for.
    let message = sign(CONTENT, person, &sign_options()).unwrap();
    let outer = Element::only(&message).unwrap().children().unwrap();
    let signed_fields = last_element(outer).only_child().unwrap();
    let signer = last_element(signed_fields.children().unwrap()).contents();
    let certificates = person.certificate.repeat(256);
    let crowd = signed_data(&certificates, &signer.repeat(64));
    let reports = signed(&crowd).verify(Some(CONTENT), &[]);
    assert_eq!(reports.len(), 64);
    assert!(reports.iter().all(|report| report.outcome.is_ok()));
    assert!(parse(&signed_data(&certificates, &signer.repeat(1_000))).is_err());
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// Where the contents of a field of an EnvelopedData lie in its message.
fn enveloped_fields(message: &[u8], index: usize) -> std::ops::Range<usize> {
    let outer = Element::only(message).unwrap().children().unwrap();
    let mut fields = last_element(outer)
        .only_child()
        .unwrap()
        .children()
        .unwrap();
    for _ in 0..index {
        fields.element().unwrap();
    }
    let infos = fields.element().unwrap();
    place_of(
        infos.children().unwrap().element().unwrap().encoded(),
        message,
    )
}

#[test]
fn hostile_nesting_and_crumbs_cost_little_time() {
    let crumbs = [&[0x24, 0x80][..], &[0x04, 0x00].repeat(2 << 20), &[0, 0]].concat();
    assert_eq!(Element::only(&crumbs).unwrap().octets().unwrap().len(), 0);
    let nested = [
        [0x24, 0x80].repeat(30),
        [0x04, 0x01, 0x61].repeat(1 << 20),
        [0, 0].repeat(30),
    ]
    .concat();
    assert_eq!(
        Element::only(&nested).unwrap().octets().unwrap().len(),
        1 << 20
    );
}

#[test]
fn content_in_nested_pieces_with_odd_lengths_verifies() {
    let options = SignOptions {
        attached: true,
        ..sign_options()
    };
    let message = sign(CONTENT, &people().rsa, &options).unwrap();
    let element = Element::only(&message).unwrap();
    let (head, tail) = CONTENT.split_at(5);
    let pieces = [
        &[0x24, 0x80, 0x24, 0x83, 0, 0, 7, 0x04, 0x05][..],
        head,
        &[0x24, 0x80, 0x04, 0x81, tail.len() as u8],
        tail,
        &[0, 0, 0, 0],
    ]
    .concat();
    let whole = tlv(0x04, &[CONTENT]);
    let at = message
        .windows(whole.len())
        .position(|window| window == whole)
        .unwrap();
    let loosened = indefinite(&element, at..at + whole.len(), &message, &pieces);
    let signed = signed(&loosened);
    assert_eq!(signed.content(), Some(CONTENT));
    assert_eq!(signed.verify(None, &[])[0].outcome, Ok(()));
}

/// `element` with every length on the way to the bytes at `place` made indefinite, and those bytes replaced.
pub(super) fn indefinite(
    element: &Element<'_>,
    place: std::ops::Range<usize>,
    message: &[u8],
    replacement: &[u8],
) -> Vec<u8> {
    let own = place_of(element.encoded(), message);
    if own == place {
        return replacement.to_vec();
    }
    if own.start > place.start || own.end < place.end {
        return element.encoded().to_vec();
    }
    let mut bytes = vec![element.encoded()[0], 0x80];
    let mut children = element.children().unwrap();
    while let Some(child) = children.next_element().unwrap() {
        bytes.extend(indefinite(&child, place.clone(), message, replacement));
    }
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn keys_of_another_kind_than_the_signature_are_no_match() {
    let people = people();
    for (signer, other) in [(&people.rsa, &people.p256), (&people.p256, &people.p384)] {
        let message = sign(CONTENT, signer, &sign_options()).unwrap();
        let signed = signed(&message);
        let (digest, key) = (
            Digest::Sha256,
            CertificateOutline::read(&other.certificate).unwrap(),
        );
        let algorithm = SignatureAlgorithm::read(&signed.signers[0].signature_algorithm, digest);
        let outcome = algorithm.unwrap().verify(
            &key.public_key,
            CONTENT,
            &digest.of(CONTENT),
            &signed.signers[0].signature,
        );
        assert_eq!(outcome, Err(SignatureFault::BadSignature));
    }
}
