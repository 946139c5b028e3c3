//! What we encrypt, others read, and so do we.

use super::support::*;
use crate::cms::certificate_outline::{CertificateOutline, PublicKey};
use crate::cms::*;

#[test]
fn openssl_reads_every_cipher_transport_and_curve() {
    let people = people();
    for cipher in ContentCipher::ALL {
        for key_transport in [
            KeyTransport::Pkcs1,
            KeyTransport::Oaep(Digest::Sha1),
            KeyTransport::Oaep(Digest::Sha256),
            KeyTransport::Oaep(Digest::Sha384),
            KeyTransport::Oaep(Digest::Sha512),
        ] {
            let options = EncryptOptions {
                cipher,
                key_transport,
                ..encrypt_options()
            };
            let recipients = people.strong().map(|person| &person.certificate[..]);
            let message = encrypt(CONTENT.to_vec(), &recipients, &options).unwrap();
            let enveloped = enveloped(&message);
            assert_eq!(enveloped.is_authenticated(), cipher.is_authenticated());
            assert_eq!(enveloped.cipher_name(), cipher.name());
            assert_eq!(enveloped.recipients().len(), 4);
            for person in people.strong() {
                // OpenSSL knows no ChaCha20-Poly1305 in CMS.
                if cipher != ContentCipher::ChaCha20Poly1305 {
                    let found = openssl_decrypt(&message, person)
                        .unwrap_or_else(|error| panic!("{} {options:?}: {error}", person.name));
                    assert_eq!(found, CONTENT, "{} {options:?}", person.name);
                }
                let decrypted = enveloped.decrypt(&[person.decryptor()], &ANYTHING).unwrap();
                assert_eq!(
                    decrypted,
                    Decrypted {
                        content: zeroize::Zeroizing::new(CONTENT.to_vec()),
                        authenticated: cipher.is_authenticated(),
                        cipher: cipher.name().to_owned(),
                        weak: false,
                        recipient: RecipientId::of(&person.certificate).unwrap(),
                    }
                );
            }
        }
    }
}

#[test]
fn versions_are_those_of_the_standard() {
    let people = people();
    for (recipients, cipher, expected) in [
        (vec![&people.rsa], ContentCipher::Aes256Cbc, 0),
        (
            vec![&people.rsa, &people.other_rsa],
            ContentCipher::Aes128Cbc,
            0,
        ),
        (vec![&people.rsa, &people.p256], ContentCipher::Aes256Cbc, 2),
        (vec![&people.p256], ContentCipher::Aes256Gcm, 0),
    ] {
        let options = EncryptOptions {
            cipher,
            ..encrypt_options()
        };
        let recipients: Vec<_> = recipients.iter().map(|one| &one.certificate[..]).collect();
        let message = encrypt(CONTENT.to_vec(), &recipients, &options).unwrap();
        let outer = ber::Element::only(&message).unwrap();
        let mut fields = outer.children().unwrap();
        fields.element().unwrap();
        let content = fields.element().unwrap().only_child().unwrap();
        let version = content.children().unwrap().element().unwrap();
        assert_eq!(version.small_integer(), Ok(expected));
    }
}

#[test]
fn what_stands_before_a_content_is_not_encrypted_with_it() {
    let people = people();
    for cipher in ContentCipher::ALL {
        let options = EncryptOptions {
            cipher,
            ..encrypt_options()
        };
        let mut buffer = [b"a header\r\n", CONTENT].concat();
        let recipients = [&people.rsa.certificate[..]];
        let frame = encrypt_in_place(&mut buffer, 10, &recipients, &options).unwrap();
        let ciphertext = buffer.split_off(10);
        assert_eq!(buffer, b"a header\r\n");
        let message = [&frame.head[..], &ciphertext, &frame.tail].concat();
        assert_eq!(message.len(), frame.whole_len(ciphertext.len()));
        let decrypted = enveloped(&message)
            .decrypt(&[people.rsa.decryptor()], &ANYTHING)
            .unwrap();
        assert!(*decrypted.content == CONTENT, "{cipher:?}");
    }
}

#[test]
fn content_of_every_small_length_and_a_large_one() {
    let people = people();
    let recipients = [&people.p256.certificate[..]];
    for cipher in ContentCipher::ALL {
        let options = EncryptOptions {
            cipher,
            ..encrypt_options()
        };
        for length in (0..40).chain([70_000, 5 << 20]) {
            let content: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let message = encrypt(content.clone(), &recipients, &options).unwrap();
            let decrypted = enveloped(&message)
                .decrypt(&[people.p256.decryptor()], &ANYTHING)
                .unwrap();
            assert!(*decrypted.content == content, "{cipher:?}, {length} bytes");
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_encrypted_to_fails_the_whole() {
    let people = people();
    let good = &people.rsa.certificate[..];
    let encrypt_to = |second: &[u8]| encrypt(CONTENT.to_vec(), &[good, second], &encrypt_options());
    assert_eq!(
        encrypt(CONTENT.to_vec(), &[], &encrypt_options()),
        Err(EncryptFailure::NoRecipients)
    );
    assert_eq!(
        encrypt_to(&people.short_rsa.certificate),
        Err(EncryptFailure::Recipient {
            index: 1,
            reason: RecipientFault::KeyLength(1024)
        })
    );
    for certificate in [&b""[..], b"\x30\x00", &good[..good.len() - 1]] {
        assert!(matches!(
            encrypt_to(certificate),
            Err(EncryptFailure::Recipient {
                index: 1,
                reason: RecipientFault::Certificate(CmsError::Malformed { .. })
            })
        ));
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let person = &people().p256;
    let outline = CertificateOutline::read(&person.certificate).unwrap();
    let PublicKey::Ec { point, .. } = outline.public_key else {
        panic!("{outline:?}");
    };
    let mut certificate = person.certificate.clone();
    let at = certificate
        .windows(point.len())
        .position(|window| window == point)
        .unwrap();
    certificate[at + 40] ^= 1;
    assert_eq!(
        encrypt(CONTENT.to_vec(), &[&certificate], &encrypt_options()),
        Err(EncryptFailure::Recipient {
            index: 0,
            reason: RecipientFault::InvalidKey
        })
    );
}
