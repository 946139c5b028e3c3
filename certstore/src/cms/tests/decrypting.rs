//! What others encrypt, we read; what we cannot read, we say why.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::support::*;
use crate::cms::*;

/// `openssl cms -encrypt` to this person.
fn openssl_encrypt(person: &Person, arguments: &str) -> Vec<u8> {
    openssl(
        &format!(
            "cms -encrypt -binary -outform DER -recip {} {arguments}",
            person.certificate_file().display()
        ),
        CONTENT,
    )
}

#[test]
fn openssl_messages_of_every_kind() {
    let people = people();
    let oaep = "-keyopt rsa_padding_mode:oaep";
    for (person, arguments, cipher, weak) in [
        (&people.rsa, "-aes128", "AES-128-CBC", false),
        (&people.rsa, "-aes192", "AES-192-CBC", false),
        (&people.rsa, "-aes256", "AES-256-CBC", false),
        (&people.rsa, "-aes256 -stream", "AES-256-CBC", false),
        (&people.rsa, "-aes256 -keyid", "AES-256-CBC", false),
        (&people.rsa, "-aes-128-gcm", "AES-128-GCM", false),
        (&people.rsa, "-aes-192-gcm", "AES-192-GCM", false),
        (&people.rsa, "-aes-256-gcm -stream", "AES-256-GCM", false),
        (&people.rsa, "-des3", "Triple DES-CBC", true),
        (&people.p256, "-aes128", "AES-128-CBC", false),
        (&people.p256, "-aes256", "AES-256-CBC", false),
        (&people.p256, "-aes256 -keyid", "AES-256-CBC", false),
        (&people.p256, "-aes-256-gcm", "AES-256-GCM", false),
        (
            &people.p256,
            "-aes256 -keyopt ecdh_kdf_md:sha512",
            "AES-256-CBC",
            false,
        ),
        (
            &people.p256,
            "-aes256 -keyopt ecdh_kdf_md:sha224",
            "AES-256-CBC",
            false,
        ),
        (&people.p384, "-aes256", "AES-256-CBC", false),
        (
            &people.p384,
            "-aes256 -keyopt ecdh_kdf_md:sha384 -keyopt ecdh_cofactor_mode:1",
            "AES-256-CBC",
            false,
        ),
        (&people.p521, "-aes128", "AES-128-CBC", false),
    ] {
        let message = openssl_encrypt(person, arguments);
        let decrypted = enveloped(&message)
            .decrypt(&[person.decryptor()], &ANYTHING)
            .unwrap_or_else(|failure| panic!("{} {arguments}: {failure}", person.name));
        assert_eq!(&decrypted.content[..], CONTENT);
        assert_eq!(decrypted.cipher, cipher);
        assert_eq!(decrypted.weak, weak);
        assert_eq!(decrypted.authenticated, cipher.ends_with("GCM"));
    }
    for digest in ["", "sha1", "sha256", "sha384", "sha512"] {
        let md = match digest {
            "" => String::new(),
            name => format!("-keyopt rsa_oaep_md:{name}"),
        };
        let message = openssl_encrypt(&people.rsa, &format!("-aes256 {oaep} {md}"));
        let decrypted = enveloped(&message)
            .decrypt(&[people.rsa.decryptor()], &ANYTHING)
            .unwrap();
        assert_eq!(&decrypted.content[..], CONTENT, "OAEP {digest}");
    }
}

#[test]
fn any_of_our_keys_opens_a_message_to_many() {
    let people = people();
    let message = openssl_encrypt(
        &people.rsa,
        &format!(
            "-aes256 -recip {} -recip {}",
            people.p256.certificate_file().display(),
            people.other_rsa.certificate_file().display()
        ),
    );
    let enveloped = enveloped(&message);
    assert_eq!(enveloped.recipients().len(), 3);
    for person in [&people.rsa, &people.p256, &people.other_rsa] {
        let keys = [people.p384.decryptor(), person.decryptor()];
        let decrypted = enveloped.decrypt(&keys, &ANYTHING).unwrap();
        assert_eq!(
            decrypted.recipient,
            RecipientId::of(&person.certificate).unwrap()
        );
    }
}

#[test]
fn failures_say_why_but_nothing_about_the_key() {
    let people = people();
    let to_rsa = openssl_encrypt(&people.rsa, "-aes256");
    let recipients = enveloped(&to_rsa).recipients().to_vec();
    assert_eq!(
        enveloped(&to_rsa).decrypt(&[people.p256.decryptor()], &ANYTHING),
        Err(DecryptFailure::NotForUs { recipients })
    );

    let wrong_key = |wrong: &Person, right: &Person| -> Arc<dyn Decryptor> {
        Arc::new(Person {
            pkcs8: wrong.pkcs8.clone(),
            ..right.clone()
        })
    };
    let to_p256 = openssl_encrypt(&people.p256, "-aes256");
    let gcm = openssl_encrypt(&people.rsa, "-aes-256-gcm");
    for (message, key) in [
        (&gcm, wrong_key(&people.other_rsa, &people.rsa)),
        (&gcm, wrong_key(&people.p256, &people.rsa)),
        (&to_p256, wrong_key(&people.p384, &people.p256)),
        (&to_p256, wrong_key(&people.rsa, &people.p256)),
    ] {
        assert_eq!(
            enveloped(message).decrypt(&[key], &ANYTHING).map(|_| ()),
            Err(DecryptFailure::Undecryptable)
        );
    }

    let camellia = openssl_encrypt(&people.rsa, "-camellia256");
    let failure = |message: &[u8]| {
        let opened = enveloped(message).decrypt(&[people.rsa.decryptor()], &ANYTHING);
        opened.unwrap_err().to_string()
    };
    assert_eq!(
        failure(&camellia),
        "unsupported: 1.2.392.200011.61.1.1.1.4 id-camellia256-cbc"
    );
    let mixed = "-aes256 -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 \
                 -keyopt rsa_mgf1_md:sha1";
    let message = openssl_encrypt(&people.rsa, mixed);
    assert_eq!(
        failure(&message),
        "unsupported: 1.2.840.113549.1.1.7 id-RSAES-OAEP with SHA-256, but SHA-1 in MGF1"
    );
}

#[test]
fn a_broken_key_padding_looks_like_a_broken_message() {
    // With an authenticated cipher a random key never passes, so that the outcome is certain.
    let people = people();
    let message = openssl_encrypt(&people.rsa, "-aes-256-gcm");
    let encrypted_key = enveloped(&message).recipients.keys[0].octets.to_vec();
    let at = message
        .windows(encrypted_key.len())
        .position(|window| window == encrypted_key)
        .unwrap();
    for changed in [at, at + 100, at + 255] {
        let mut message = message.clone();
        message[changed] ^= 1;
        assert_eq!(
            enveloped(&message).decrypt(&[people.rsa.decryptor()], &ANYTHING),
            Err(DecryptFailure::Undecryptable)
        );
    }
}

/// A token that is out of reach.
#[derive(Debug)]
struct Unreachable(Person);

impl Decryptor for Unreachable {
    fn certificate(&self) -> &[u8] {
        &self.0.certificate
    }

    fn is_named_by(&self, recipient: &RecipientId) -> bool {
        recipient.names(&self.0.certificate)
    }

    fn decrypt_key(&self, _: KeyTransport, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unavailable("token removed".to_owned()))
    }

    fn agree(&self, _: Curve, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFailure> {
        Err(KeyFailure::Unavailable("token removed".to_owned()))
    }
}

#[test]
fn a_key_out_of_reach_is_worth_another_try() {
    let people = people();
    for person in [&people.rsa, &people.p256] {
        let message = openssl_encrypt(person, "-aes256");
        let away: Arc<dyn Decryptor> = Arc::new(Unreachable(person.clone()));
        assert_eq!(
            enveloped(&message).decrypt(std::slice::from_ref(&away), &ANYTHING),
            Err(DecryptFailure::KeyUnavailable("token removed".to_owned()))
        );
        let decrypted = enveloped(&message).decrypt(&[away, person.decryptor()], &ANYTHING);
        assert_eq!(&decrypted.unwrap().content[..], CONTENT);
    }
}

#[test]
fn other_types_are_named() {
    for (arguments, expected) in [
        ("-data_create", "unsupported: 1.2.840.113549.1.7.1 id-data"),
        (
            "-digest_create",
            "unsupported: 1.2.840.113549.1.7.5 id-digestedData",
        ),
    ] {
        let message = openssl(&format!("cms {arguments} -binary -outform DER"), CONTENT);
        assert!(matches!(
            parse(&message),
            Ok(ContentInfo::Other(unsupported)) if unsupported.to_string() == expected
        ));
    }
}
