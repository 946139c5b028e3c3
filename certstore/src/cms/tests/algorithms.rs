//! Every combination of algorithms that we write, we read; what only others write is read as well.

use super::hostile::indefinite;
use super::support::*;
use crate::cms::ber::Element;
use crate::cms::*;

const FORMS: [RecipientIdForm; 2] = [
    RecipientIdForm::IssuerAndSerial,
    RecipientIdForm::SubjectKeyIdentifier,
];
const DIGESTS: [Digest; 4] = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];

#[test]
fn encryption_is_undone_by_decryption() {
    let people = people();
    let mut variants = Vec::new();
    for cipher in ContentCipher::ALL {
        for recipient_id in FORMS {
            let options = EncryptOptions {
                cipher,
                recipient_id,
                ..encrypt_options()
            };
            for key_transport in KeyTransport::ALL {
                variants.push((
                    &people.rsa,
                    EncryptOptions {
                        key_transport,
                        ..options
                    },
                ));
            }
            for key_agreement in DIGESTS.map(Some).into_iter().chain([None]) {
                for person in &people.recipients()[1..] {
                    variants.push((
                        *person,
                        EncryptOptions {
                            key_agreement,
                            ..options
                        },
                    ));
                }
            }
        }
    }
    for (index, (person, options)) in variants.into_iter().enumerate() {
        let content = CONTENT.repeat(index % 4);
        let message = encrypt(content.clone(), &[&person.certificate], &options).unwrap();
        let envelope = enveloped(&message);
        let id = &envelope.recipients()[0];
        let by_key = matches!(id, RecipientId::SubjectKeyIdentifier(_));
        assert_eq!(
            by_key,
            options.recipient_id == RecipientIdForm::SubjectKeyIdentifier
        );
        let opened = envelope
            .decrypt(&[person.decryptor()], &STRONG)
            .unwrap_or_else(|failure| panic!("{} {options:?}: {failure}", person.name));
        assert_eq!(*opened.content, content, "{} {options:?}", person.name);
        assert!(!opened.weak);
    }
}

#[test]
fn signatures_verify() {
    let people = people();
    for person in people.signers() {
        for (digest, rsa_signature) in DIGESTS[1..].iter().flat_map(|digest| {
            [RsaSignature::Pkcs1, RsaSignature::Pss].map(|padding| (*digest, padding))
        }) {
            for (signer_id, attached) in FORMS.into_iter().zip([true, false]) {
                let options = SignOptions {
                    attached,
                    digest,
                    rsa_signature,
                    signer_id,
                    capabilities: Capabilities::readable_with(&person.certificate),
                    ..sign_options()
                };
                let message = sign(CONTENT, person, &options).unwrap();
                let detached = (!attached).then_some(CONTENT);
                let report = signed(&message).verify(detached, &[]).remove(0);
                assert_eq!(report.outcome, Ok(()), "{} {options:?}", person.name);
                assert_eq!(report.capabilities, options.capabilities);
                assert_eq!(report.weak, None);
                let changed = [CONTENT, b"!"].concat();
                let detached = (!attached).then_some(&changed[..]);
                if detached.is_some() {
                    let report = signed(&message).verify(detached, &[]).remove(0);
                    assert_eq!(report.outcome, Err(SignatureFault::Altered));
                }
            }
        }
    }
}

#[test]
fn openssl_reads_key_identifiers_and_verifies_them() {
    let people = people();
    for person in people.strong() {
        let options = EncryptOptions {
            cipher: ContentCipher::Aes192Cbc,
            recipient_id: RecipientIdForm::SubjectKeyIdentifier,
            ..encrypt_options()
        };
        let message = encrypt(CONTENT.to_vec(), &[&person.certificate], &options).unwrap();
        assert_eq!(openssl_decrypt(&message, person).unwrap(), CONTENT);
        let options = SignOptions {
            signer_id: RecipientIdForm::SubjectKeyIdentifier,
            ..sign_options()
        };
        let message = sign(CONTENT, person, &options).unwrap();
        openssl_verify(&message, Some(CONTENT)).unwrap();
    }
}

#[test]
fn the_chain_travels_as_far_as_asked() {
    let people = people();
    // One that somebody else issued, and a root.
    let signer = Person {
        chain: vec![people.issued.clone(), people.p256.certificate.clone()],
        ..people.rsa.clone()
    };
    for (chain, count) in [
        (IncludedChain::SignerOnly, 1),
        (IncludedChain::WithoutRoot, 2),
        (IncludedChain::WithRoot, 3),
    ] {
        let options = SignOptions {
            chain,
            ..sign_options()
        };
        let message = sign(CONTENT, &signer, &options).unwrap();
        assert_eq!(signed(&message).certificates().len(), count, "{chain:?}");
    }
}

#[test]
fn gcm_in_an_enveloped_data_is_opened_where_that_is_allowed() {
    let person = &people().rsa;
    for cipher in [ContentCipher::Aes128Gcm, ContentCipher::Aes256Gcm] {
        let options = EncryptOptions {
            cipher,
            gcm_in_enveloped_data: true,
            ..encrypt_options()
        };
        let message = encrypt(CONTENT.to_vec(), &[&person.certificate], &options).unwrap();
        let envelope = enveloped(&message);
        assert!(!envelope.is_authenticated());
        let refused = envelope.decrypt(&[person.decryptor()], &STRONG);
        assert_eq!(
            refused.unwrap_err().to_string(),
            format!(
                "unsupported: {} {} in an EnvelopedData",
                cipher.oid(),
                cipher.name()
            )
        );
        let allowed = DecryptOptions {
            gcm_in_enveloped_data: true,
            ..STRONG
        };
        let opened = envelope.decrypt(&[person.decryptor()], &allowed).unwrap();
        assert_eq!(&opened.content[..], CONTENT);
        assert!(opened.authenticated, "the tag was compared");

        let last = message.len() - 1;
        let mut changed = message.clone();
        changed[last] ^= 1;
        assert_eq!(
            enveloped(&changed).decrypt(&[person.decryptor()], &allowed),
            Err(DecryptFailure::Undecryptable)
        );
    }
}

#[test]
fn tags_of_twelve_to_sixteen_bytes_are_compared() {
    let person = &people().rsa;
    let options = EncryptOptions {
        cipher: ContentCipher::Aes192Gcm,
        ..encrypt_options()
    };
    let message = encrypt(CONTENT.to_vec(), &[&person.certificate], &options).unwrap();
    let parameters_end = message
        .windows(3)
        .rposition(|window| window == [0x02, 0x01, 0x10])
        .unwrap();
    let tag = message.len() - 16..message.len();
    let element = Element::only(&message).unwrap();
    for (length, expected) in [(16, true), (15, true), (12, true), (11, false), (4, false)] {
        for change in [0, 1] {
            let mut replaced = message[tag.clone()][..length].to_vec();
            replaced[length - 1] ^= change;
            let replaced = tlv(0x04, &[&replaced]);
            let at = tag.start - 2..tag.end;
            let mut shortened = indefinite(&element, at, &message, &replaced);
            let at = shortened
                .windows(3)
                .rposition(|window| window == &message[parameters_end..parameters_end + 3])
                .unwrap();
            shortened[at + 2] = length as u8;
            let opened = enveloped(&shortened).decrypt(&[person.decryptor()], &STRONG);
            match (expected, change) {
                (true, 0) => assert_eq!(&opened.unwrap().content[..], CONTENT),
                (true, _) => assert_eq!(opened, Err(DecryptFailure::Undecryptable)),
                (false, _) => assert!(matches!(opened, Err(DecryptFailure::Unsupported(_)))),
            }
        }
    }
}

#[test]
fn weak_ciphers_are_opened_where_that_is_allowed() {
    let person = &people().rsa;
    let legacy = "-provider legacy -provider default";
    for (arguments, expected, name) in [
        (
            "-des3",
            "weak: 1.2.840.113549.3.7 des-ede3-cbc",
            "Triple DES-CBC",
        ),
        (
            "-rc2-40",
            "weak: 1.2.840.113549.3.2 rc2-cbc",
            "RC2-CBC with 40 bits",
        ),
        (
            "-rc2-64",
            "weak: 1.2.840.113549.3.2 rc2-cbc",
            "RC2-CBC with 64 bits",
        ),
        (
            "-rc2-128",
            "weak: 1.2.840.113549.3.2 rc2-cbc",
            "RC2-CBC with 128 bits",
        ),
    ] {
        let message = openssl(
            &format!(
                "cms -encrypt -binary -outform DER {legacy} {arguments} -recip {}",
                person.certificate_file().display()
            ),
            CONTENT,
        );
        let envelope = enveloped(&message);
        let refused = envelope
            .decrypt(&[person.decryptor()], &STRONG)
            .unwrap_err();
        assert_eq!(refused.to_string(), expected);
        let opened = envelope.decrypt(&[person.decryptor()], &ANYTHING).unwrap();
        assert_eq!(&opened.content[..], CONTENT, "{arguments}");
        assert_eq!((opened.cipher.as_str(), opened.weak), (name, true));
    }
}

#[test]
fn a_label_of_openssl_is_understood() {
    let person = &people().rsa;
    for digest in ["sha1", "sha256", "sha512"] {
        let message = openssl(
            &format!(
                "cms -encrypt -binary -outform DER -aes256 -recip {} -keyopt rsa_padding_mode:oaep \
                 -keyopt rsa_oaep_md:{digest} -keyopt rsa_oaep_label:616263",
                person.certificate_file().display()
            ),
            CONTENT,
        );
        let envelope = enveloped(&message);
        let opened = envelope.decrypt(&[person.decryptor()], &STRONG).unwrap();
        assert_eq!(&opened.content[..], CONTENT, "{digest}");
    }
}

#[test]
fn what_is_compressed_is_unpacked_within_bounds() {
    let long = CONTENT.repeat(10_000);
    for content in [&b""[..], CONTENT, &long] {
        let message = compress(content).unwrap();
        let unpacked = compressed(&message).decompress(usize::MAX).unwrap();
        assert!(unpacked == content);
        let limit = content.len().saturating_sub(1);
        let expected = match content {
            [] => Ok(Vec::new()),
            _ => Err(DecompressFailure::TooLarge { limit }),
        };
        assert!(compressed(&message).decompress(limit) == expected);
    }
    // Nothing but zeros packs a thousand to one.
    let bomb = compress(&vec![0; 64 << 20]).unwrap();
    assert!(bomb.len() < 100_000);
    assert!(matches!(
        compressed(&bomb).decompress(usize::MAX),
        Err(DecompressFailure::TooLarge { limit }) if limit < 10 << 20
    ));
    let message = compress(CONTENT).unwrap();
    // The checksum.
    for index in message.len() - 4..message.len() {
        let mut changed = message.clone();
        changed[index] ^= 0x10;
        assert_eq!(
            compressed(&changed).decompress(usize::MAX),
            Err(DecompressFailure::Damaged)
        );
    }
}

fn compressed(message: &[u8]) -> CompressedData<'_> {
    match parse(message).unwrap() {
        ContentInfo::Compressed(compressed) => compressed,
        other @ (ContentInfo::Signed(_) | ContentInfo::Enveloped(_) | ContentInfo::Other(_)) => {
            panic!("not compressed: {other:?}")
        }
    }
}
