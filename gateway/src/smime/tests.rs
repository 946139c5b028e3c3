mod attacks;
mod compression;
mod forms;
mod headers;
mod hostile;
mod interop;
mod odd_bytes;
mod people;
mod protected;
mod properties;

use std::sync::Arc;
use std::time::SystemTime;

use certstore::certificate::Purpose;
use certstore::cms::{
    ContentCipher, DecryptOptions, Decryptor, Digest, KeyTransport, RsaSignature, Signer,
};
use certstore::trust::TrustedCertificate;
use people::{PEOPLE, Person, now};
use policy::address::Address;

use super::*;
use crate::config::{Form, Profile, Profiles};
use crate::message::tests::message;
use crate::message::{Entity, Message};

/// A mail with all that makes signing hard: eight bits, a long line, a "From " line, an attachment.
const MAIL: &str = "Received: from x\r\n\tby y; Mon, 1 Jan 2024 00:00:00 +0000\r\n\
    from: Alice <Alice@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n folded\r\n\
    To: bob@example.org\r\nMIME-Version: 1.0\r\nX-Odd :  spaces \r\n\
    Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    From Köln with love\r\n.\r\n\r\n\
    --b\r\nContent-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n\
    --b--\r\n";

/// Opens what is encrypted too weakly as well.
const OLD_MAIL: DecryptOptions = DecryptOptions {
    weak_ciphers: true,
    gcm_in_enveloped_data: false,
};

/// The fields of [`MAIL`] that stay outside.
const OUTER: &str = "Received: from x\r\n\tby y; Mon, 1 Jan 2024 00:00:00 +0000\r\n\
    from: Alice <Alice@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n folded\r\n\
    To: bob@example.org\r\nX-Odd :  spaces \r\nMIME-Version: 1.0\r\n";

fn profile(form: Form) -> Profile {
    let shipped = Profiles::default();
    Profile {
        form,
        ..shipped.named(Some("outlook-safe")).unwrap().clone()
    }
}

/// The whole message, signed.
fn sign(
    message: &Message,
    signer: &dyn Signer,
    profile: &Profile,
    now: SystemTime,
) -> Result<Vec<u8>, SmimeFailure> {
    let entity = sign_entity(message, signer, profile, now)?;
    Ok(with_entity(&[], message, &entity))
}

/// The whole message, encrypted as it is.
fn encrypt(
    message: &Message,
    recipients: &[TrustedCertificate],
    profile: &Profile,
) -> Result<Vec<u8>, SmimeFailure> {
    let entity = Entity::as_written(message);
    let recipients: Vec<_> = recipients.iter().collect();
    encrypt_message(&[], message, &entity, encryption(&recipients, profile))
}

/// With the cipher for recipients of whom nothing is known.
fn encryption<'a>(recipients: &'a [&'a TrustedCertificate], profile: &'a Profile) -> EncryptTo<'a> {
    EncryptTo {
        recipients,
        cipher: profile.fallback_cipher,
        profile,
    }
}

fn signed(content: &str, form: Form) -> Message {
    message(sign(&message(content), &*PEOPLE.alice, &profile(form), now()).unwrap())
}

fn trusted(person: &Person) -> TrustedCertificate {
    let address = person.certificate.addresses().first().unwrap().clone();
    PEOPLE
        .trust()
        .validate(
            &person.certificate,
            &[],
            Purpose::Encryption,
            &address,
            now(),
        )
        .unwrap()
}

fn encrypted(mail: &Message, recipients: &[&Person], profile: &Profile) -> Message {
    let recipients: Vec<_> = recipients.iter().map(|person| trusted(person)).collect();
    message(encrypt(mail, &recipients, profile).unwrap())
}

/// A certs-only message, DER.
fn alices_certificate_alone() -> Vec<u8> {
    let file = people::text(&PEOPLE.alice.certificate_file);
    people::openssl(&["crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER"])
}

fn keys(people: &[&Arc<Person>]) -> Vec<Arc<dyn Decryptor>> {
    people
        .iter()
        .map(|person| Arc::clone(person) as Arc<dyn Decryptor>)
        .collect()
}

/// Opens it with whatever keys and ciphers there are.
fn open(mail: &Message, keys: &[Arc<dyn Decryptor>]) -> Result<Option<Opened>, Closed> {
    decrypt(mail, keys, &OLD_MAIL)
}

fn opened(mail: &Message, keys: &[Arc<dyn Decryptor>]) -> Opened {
    open(mail, keys).unwrap().unwrap()
}

fn judge(mail: &Message) -> Verdict {
    verify(mail, &PEOPLE.trust(), now())
}

/// Types and decoded bodies of all leaves.
fn contents(mail: &Message) -> Vec<(String, Vec<u8>)> {
    let leaves = mail
        .parts()
        .iter()
        .filter(|part| part.kind == crate::message::PartKind::Leaf);
    leaves
        .map(|part| {
            let name = format!("{}/{}", part.content_type.main, part.content_type.subtype);
            (name, part.decoded(mail.content()).into_owned())
        })
        .collect()
}

#[test]
fn what_we_sign_passes() {
    for form in [Form::Clear, Form::Opaque] {
        let mail = signed(MAIL, form);
        let verdict = judge(&mail);
        assert_eq!(
            (verdict.result, verdict.reason),
            (VerdictResult::Pass, None),
            "{}",
            verdict.text
        );
        assert_eq!(
            verdict.signer,
            Some(Address::parse("alice@example.org").unwrap())
        );
        assert!(
            mail.content().starts_with(OUTER.as_bytes()),
            "the other fields keep their bytes"
        );
        assert!(mail.content().is_ascii());
        assert_eq!(ClientForm::of(&mail), ClientForm::Signed);
    }
    assert_eq!(ClientForm::of(&message(MAIL)), ClientForm::Plain);
}

#[test]
fn a_clear_signed_mail_shows_its_content() {
    let mail = signed(MAIL, Form::Clear);
    let shown = contents(&mail);
    let original = contents(&message(MAIL));
    assert_eq!(shown.get(..2), original.get(..2));
    assert_eq!(
        shown.get(2).map(|(name, _)| name.as_str()),
        Some("application/pkcs7-signature")
    );
}

#[test]
fn what_we_encrypt_opens_again() {
    let profile = profile(Form::Clear);
    for (cipher, transport) in [
        (ContentCipher::Aes128Cbc, KeyTransport::Pkcs1),
        (ContentCipher::Aes256Gcm, KeyTransport::Oaep(Digest::Sha256)),
    ] {
        let profile = Profile {
            fallback_cipher: cipher,
            key_transport: transport,
            ..profile.clone()
        };
        let mail = encrypted(&message(MAIL), &[&PEOPLE.bob, &PEOPLE.carol], &profile);
        assert!(
            mail.content().starts_with(OUTER.as_bytes()),
            "the other fields keep their bytes"
        );
        for person in [&PEOPLE.bob, &PEOPLE.carol] {
            let opened = opened(&mail, &keys(&[person]));
            assert_eq!(contents(&opened.message), contents(&message(MAIL)));
            assert!(opened.message.content().starts_with(OUTER.as_bytes()));
            assert_eq!(
                opened.is_authenticated(),
                cipher == ContentCipher::Aes256Gcm
            );
            assert!(ClientForm::of(&mail).is_encrypted_to(&trusted(person)));
        }
        assert!(!ClientForm::of(&mail).is_encrypted_to(&trusted(&PEOPLE.alice)));
        assert!(matches!(
            open(&mail, &keys(&[&PEOPLE.alice])).unwrap_err(),
            Closed::NoKey { recipients } if recipients.len() == 2
        ));
    }
}

#[test]
fn signed_and_encrypted_in_one_go_verifies_after_opening() {
    let mail = message(MAIL);
    let profile = profile(Form::Clear);
    let entity = sign_entity(&mail, &*PEOPLE.alice, &profile, now()).unwrap();
    let bob = trusted(&PEOPLE.bob);
    let trace = b"Received: by us\r\n";
    let sealed = encrypt_message(trace, &mail, &entity, encryption(&[&bob], &profile)).unwrap();
    assert!(sealed.starts_with(trace));
    let sealed = message(sealed);
    assert_eq!(judge(&sealed).result, VerdictResult::None);
    let opened = opened(&sealed, &keys(&[&PEOPLE.bob]));
    assert_eq!(judge(&opened.message).result, VerdictResult::Pass);
    assert_eq!(
        opened.message.content(),
        &with_entity(trace, &mail, &entity)
    );
}

#[test]
fn encryption_within_encryption_is_opened_to_a_depth() {
    let profile = profile(Form::Clear);
    let mut mail = message(MAIL);
    for _ in 0..6 {
        mail = encrypted(&mail, &[&PEOPLE.bob], &profile);
    }
    let once = opened(&mail, &keys(&[&PEOPLE.bob]));
    assert_eq!(once.encryptions().count(), 4);
    let opened = opened(&once.message, &keys(&[&PEOPLE.bob]));
    assert_eq!(opened.encryptions().count(), 2);
    assert_eq!(contents(&opened.message), contents(&message(MAIL)));
}

#[test]
fn a_verdict_stands_in_a_field_that_only_we_could_have_written() {
    let field = authentication_results("gw.example.org", &judge(&signed(MAIL, Form::Clear)));
    let text = String::from_utf8(field).unwrap();
    let start = "Authentication-Results: gw.example.org;\r\n\tsmime=pass\r\n\tbody.smime-part=2\r\n\t\
                 body.smime-identifier=alice@example.org\r\n\tbody.smime-serial=\"";
    assert!(text.starts_with(start), "{text}");
    assert!(
        text.contains("\r\n\tbody.smime-issuer=\"CN=Test \\\\\\\"CA\\\\\\\""),
        "{text}"
    );
    let mail = message([text.as_bytes(), MAIL.as_bytes()].concat());
    assert_eq!(
        mail.fields().next().map(|field| field.raw.len()),
        Some(text.len())
    );
}
