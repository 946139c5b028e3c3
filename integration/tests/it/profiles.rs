//! What each shipped profile writes is read by others, and what a recipient can read decides how it is written.

use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, SIGN_AND_ENCRYPT, Setup};
use integration::pki::pki;
use integration::sink::Sink;
use integration::{bouncycastle, mails, mime, nss, openssl, process};

use crate::{ALICE, BOB};

#[test]
fn each_shipped_profile_is_read_by_others() -> Result<()> {
    let pki = pki()?;
    let bob = pki.bob();
    for (profile, words) in [
        (
            "outlook-safe",
            &["aes-256-cbc", "pkcs7-envelopedData", "rsaEncryption"][..],
        ),
        ("modern", &["aes-256-gcm", "authEnvelopedData", "rsaesOaep"]),
        (
            "edi-energy",
            &["aes-128-gcm", "authEnvelopedData", "rsaesOaep"],
        ),
        ("kim", &["aes-256-gcm", "authEnvelopedData", "rsaesOaep"]),
        (
            "post-quantum",
            &["aes-256-gcm", "authEnvelopedData", "rsaesOaep"],
        ),
    ] {
        let sink = Sink::start()?;
        let gateway = Setup::default()
            .top(&format!("default-profile = \"{profile}\""))
            .next_hop(sink.address())
            .start()?;
        let mail = mails::html_with_attachments(ALICE, BOB);
        gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
        let arrived = sink.only()?.content;
        let structure = openssl::structure(&arrived)?;
        for word in words {
            assert!(structure.contains(word), "{profile}: {word} in {structure}");
        }
        let mut opened = vec![
            openssl::open(&arrived, &bob, &pki.ca()).context(profile)?,
            bouncycastle::open(&arrived, &bob, &pki.ca()).context(profile)?,
        ];
        if profile == "outlook-safe" {
            opened.push(nss::open(&arrived, &bob, &pki.ca())?);
        }
        // Where the subject is hidden, text shows it for those who do not look inside.
        let hides_subject = mime::values(&arrived, "Subject").concat() == "[...]";
        let is_new = ["modern", "post-quantum"].contains(&profile);
        assert_eq!(hides_subject, is_new, "{profile}");
        let texts = if hides_subject { 2 } else { 0 };
        for entity in opened {
            let leaves = mime::leaves(&entity)?;
            assert_eq!(leaves[texts..], mail.leaves[texts..], "{profile}");
            let is_shown = mime::find(&leaves[0].content, b"Subject: html").is_some();
            assert_eq!(is_shown, hides_subject, "{profile}");
        }
        let signed = String::from_utf8(openssl::decrypt(&arrived, &bob)?)?;
        let is_opaque = signed.contains("smime-type=signed-data");
        assert_eq!(is_opaque, profile == "kim", "{profile}");
    }
    Ok(())
}

#[test]
fn what_a_recipient_said_it_reads_changes_the_cipher_of_the_answer() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .top("default-profile = \"modern\"")
        .next_hop(sink.address())
        .start()?;
    let question = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &question.content)?.accepted()?;
    let cipher = |number: usize| -> Result<String> {
        let arrived = sink.wait(number)?.pop().context("no mail")?.content;
        openssl::structure(&arrived)
    };
    assert!(cipher(1)?.contains("aes-256-gcm"), "nothing is known yet");

    // OpenSSL says that it reads CBC ciphers, and no GCM.
    let answer = mails::plain(BOB, ALICE);
    let entity = mime::entity(&answer.content);
    let altered = String::from_utf8(openssl::sign(&entity, &pki.bob(), &[])?)?
        .replace("Dear reader", "Dear victim");
    for (number, signed) in [
        (2, altered.into_bytes()),
        (3, openssl::sign(&entity, &pki.bob(), &[])?),
    ] {
        let signed = mime::dress(&answer.content, &signed);
        gateway.send(BOB, &[ALICE], &signed)?.accepted()?;
        sink.wait(number)?;
        if number == 2 {
            assert!(!gateway.log().contains("capabilities.remembered"));
        }
    }
    wait_until_remembered(&gateway)?;
    gateway.send(ALICE, &[BOB], &question.content)?.accepted()?;
    assert!(cipher(4)?.contains("aes-256-cbc"));
    let told =
        "AES-256-CBC, since bob@partner.example is not known to read AES-256-GCM (by a mail signed";
    assert!(gateway.log().contains(told), "{}", gateway.log());
    Ok(())
}

fn wait_until_remembered(gateway: &Gateway) -> Result<()> {
    process::until(Duration::from_secs(10), "a memory", || {
        let is_remembered = gateway.log().contains("capabilities.remembered");
        is_remembered.then_some(())
    })
}

#[test]
fn recipients_share_a_cipher_or_have_copies_of_their_own() -> Result<()> {
    let pki = pki()?;
    for (choice, copies) in [("common", 1), ("each", 2)] {
        let sink = Sink::start()?;
        let gateway = Setup::default()
            .top("default-profile = \"tried\"")
            .tables(&format!(
                "[[profile]]\nname = \"tried\"\nbased-on = \"modern\"\ncipher-choice = \"{choice}\"\n"
            ))
            .next_hop(sink.address())
            .start()?;
        let bert = pki.identity("bert");
        gateway.import_certificate(&bert.certificate)?;
        let said = mails::plain(BOB, ALICE);
        let signed = openssl::sign(&mime::entity(&said.content), &pki.bob(), &[])?;
        let signed = mime::dress(&said.content, &signed);
        gateway.send(BOB, &[ALICE], &signed)?.accepted()?;
        sink.wait(1)?;
        wait_until_remembered(&gateway)?;
        let both = format!("{BOB}>, <{}", bert.address);
        let mail = mails::plain(ALICE, &both);
        gateway
            .send(ALICE, &[BOB, bert.address], &mail.content)?
            .accepted()?;
        let arrived = sink.wait(1 + copies)?;
        for (reader, cipher) in [
            (&pki.bob(), "aes-256-cbc"),
            (
                &bert,
                if copies == 1 {
                    "aes-256-cbc"
                } else {
                    "aes-256-gcm"
                },
            ),
        ] {
            let copy = arrived
                .iter()
                .find(|copy| copy.recipients.contains(&reader.address.to_owned()));
            let copy = &copy.context(reader.address)?.content;
            assert!(openssl::structure(copy)?.contains(cipher), "{choice}");
            openssl::open(copy, reader, &pki.ca())?;
        }
    }
    Ok(())
}

#[test]
fn the_keys_of_a_profile_are_seen_in_what_it_writes() -> Result<()> {
    let pki = pki()?;
    let bert = pki.identity("bert");
    let names_issuer = "d.issuerAndSerialNumber";
    let names_key = "d.subjectKeyIdentifier";
    for (keys, outside, inside) in [
        (
            "",
            &[names_issuer][..],
            &[names_issuer, "S/MIME Capabilities"][..],
        ),
        ("recipient-id = \"ski\"", &["d.rKeyId"], &[names_key]),
        ("key-agreement = \"sha512\"", &["stdDH-sha512kdf"], &[]),
        ("cipher = \"aes-192-cbc\"", &["aes-192-cbc"], &[]),
        ("digest = \"sha384\"", &[], &["sha384"]),
        (
            "chain = \"with-root\"",
            &[],
            &["subject: O=Postern-tests, CN=ca\n"],
        ),
    ] {
        let (gateway, sink) = with_profile(keys)?;
        gateway.import_certificate(&bert.certificate)?;
        let mail = mails::plain(ALICE, bert.address);
        gateway
            .send(ALICE, &[bert.address], &mail.content)?
            .accepted()?;
        let arrived = sink.only()?.content;
        let encrypted = openssl::structure(&arrived)?;
        let signed = openssl::decrypt(&arrived, &bert)?;
        let entity = openssl::verify(&signed, &pki.ca()).context(keys)?;
        assert_eq!(mime::leaves(&entity)?, mail.leaves, "{keys}");
        let signed = openssl::structure(&signed)?;
        for (words, structure) in [(outside, encrypted), (inside, signed)] {
            for word in words {
                assert!(structure.contains(word), "{keys}: no {word} in {structure}");
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_profile_leaves_out_of_a_signature() -> Result<()> {
    let pki = pki()?;
    let (gateway, sink) = with_profile("capabilities = false\ncompress = true\nchain = \"leaf\"")?;
    let mail = mails::plain(ALICE, BOB);
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let inside = openssl::decrypt(&sink.only()?.content, &pki.bob())?;
    let packed = mime::values(&inside, "Content-Type").concat();
    assert!(packed.contains("smime-type=compressed-data"), "{packed}");
    let (gateway, sink) = with_profile("capabilities = false")?;
    gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
    let signed = openssl::decrypt(&sink.only()?.content, &pki.bob())?;
    assert!(!openssl::structure(&signed)?.contains("S/MIME Capabilities"));
    Ok(())
}

#[test]
fn the_originator_reads_what_was_encrypted() -> Result<()> {
    let pki = pki()?;
    let (gateway, sink) = with_profile("encrypt-to-self = true")?;
    gateway.import_certificate(&pki.identity("betty").certificate)?;
    let mail = mails::plain(ALICE, BOB);
    gateway
        .send(ALICE, &[BOB, "betty@partner.example"], &mail.content)?
        .accepted()?;
    for copy in sink.wait(2)? {
        // One recipient, and the originator: a hidden recipient's copy names nobody else.
        assert_eq!(openssl::recipient_count(&copy.content)?, 2);
        let entity = openssl::open(&copy.content, &pki.alice(), &pki.ca())?;
        assert_eq!(mime::leaves(&entity)?, mail.leaves);
    }
    Ok(())
}

#[test]
fn a_triple_wrapped_mail_is_signed_inside_and_outside() -> Result<()> {
    let pki = pki()?;
    for form in ["clear", "opaque"] {
        let (gateway, sink) = with_profile(&format!("triple-wrap = true\nform = \"{form}\""))?;
        let mail = mails::html_with_attachments(ALICE, BOB);
        gateway.send(ALICE, &[BOB], &mail.content)?.accepted()?;
        let arrived = sink.only()?.content;
        let encrypted = openssl::verify(&arrived, &pki.ca()).context("outside")?;
        let inner = openssl::open(&encrypted, &pki.bob(), &pki.ca()).context("inside")?;
        assert_eq!(mime::leaves(&inner)?, mail.leaves);
    }
    Ok(())
}

#[test]
fn odd_bytes_are_carried_into_a_signed_form_that_every_hop_keeps() -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let policy = SIGN_AND_ENCRYPT.replace("encrypt = \"required\"", "encrypt = \"no\"");
    let gateway = Setup::default()
        .policy(&policy)
        .next_hop(sink.address())
        .start()?;
    for (number, (name, mail, expected)) in (1..).zip(odd_mails()) {
        let head = format!("From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: {name}\r\n");
        let content = [head.as_bytes(), &mail].concat();
        gateway
            .send(ALICE, &[BOB], &content)?
            .accepted()
            .context(name)?;
        let arrived = sink.wait(number)?.pop().context(name)?.content;
        assert!(passes_a_seven_bit_hop(&arrived), "{name}");
        let entity = openssl::verify(&arrived, &pki.ca()).context(name)?;
        let leaves = mime::leaves(&entity).context(name)?;
        let found: Vec<_> = leaves.iter().map(|leaf| leaf.content.as_slice()).collect();
        assert_eq!(found, expected, "{name}");
    }
    Ok(())
}

/// What to call it, everything below the first three fields, and what its leaf parts hold.
type OddMail = (&'static str, Vec<u8>, Vec<Vec<u8>>);

fn odd_mails() -> Vec<OddMail> {
    let long = "x".repeat(5_000);
    let plain = |body: &[u8]| [b"\r\n", body].concat();
    let typed = |fields: &str, body: &[u8]| {
        let head = format!("MIME-Version: 1.0\r\n{fields}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let latin = "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit";
    let odd = "Content-Type: multipart/mixed; boundary=\"=_a b'()+_,-./:=?\"";
    let parts = "--=_a b'()+_,-./:=?\r\n\r\none\r\n--=_a b'()+_,-./:=?  \t\r\n\r\ntwo\r\n--=_a b'()+_,-./:=?--";
    vec![
        (
            "a long line",
            plain(format!("{long}\r\n").as_bytes()),
            vec![format!("{long}\r\n").into()],
        ),
        (
            "a long line and a short one",
            plain(format!("{long}\r\nshort\r\n").as_bytes()),
            vec![format!("{long}\r\nshort\r\n").into()],
        ),
        ("headers only", b"\r\n".to_vec(), vec![Vec::new()]),
        (
            "eight bits",
            typed(latin, b"K\xf6ln\r\n"),
            vec![b"K\xf6ln\r\n".to_vec()],
        ),
        (
            "an odd boundary",
            typed(odd, parts.as_bytes()),
            vec![b"one".to_vec(), b"two".to_vec()],
        ),
        (
            "no MIME-Version",
            [
                b"Content-Type: text/plain; charset=utf-8\r\n\r\n".as_slice(),
                "Grüße\r\n".as_bytes(),
            ]
            .concat(),
            vec!["Grüße\r\n".into()],
        ),
        (
            "a From line",
            plain(b"From here\r\nFrom there\r\n"),
            vec![b"From here\r\nFrom there\r\n".to_vec()],
        ),
        (
            "blanks at line ends",
            plain(b"one  \r\n\t\r\n"),
            vec![b"one  \r\n\t\r\n".to_vec()],
        ),
        (
            "dots",
            plain(b".\r\n..\r\n.x\r\n"),
            vec![b".\r\n..\r\n.x\r\n".to_vec()],
        ),
    ]
}

/// ASCII, lines of at most 998 characters, and no CR or LF that is not part of a line end.
fn passes_a_seven_bit_hop(mail: &[u8]) -> bool {
    let text = mail.iter().all(|byte| byte.is_ascii() && *byte != 0);
    let is_short = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.len() <= 998 && !line.contains(&b'\r')
    };
    text && mail.split(|byte| *byte == b'\n').all(is_short) && mime::crlf(mail) == mail
}

/// A gateway that uses "outlook-safe" with these keys, and where its mail goes.
fn with_profile(keys: &str) -> Result<(Gateway, Sink)> {
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .top("default-profile = \"tried\"")
        .tables(&format!("[[profile]]\nname = \"tried\"\n{keys}\n"))
        .next_hop(sink.address())
        .start()?;
    Ok((gateway, sink))
}
