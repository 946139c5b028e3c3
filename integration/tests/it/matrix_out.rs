//! What goes out is read by OpenSSL, BouncyCastle and NSS, for every kind of key, signature and cipher that we write.
//!
//! A judge is left out only where its own limits are known (see `nss`).

use std::path::Path;

use anyhow::{Context, Result};
use integration::gateway::Setup;
use integration::pki::{Identity, pki};
use integration::sink::Sink;
use integration::{bouncycastle, mails, mime, nss, openssl};

#[test]
fn rsa_as_everybody_reads_it() -> Result<()> {
    let profile = "form = \"clear\"\ncipher = \"aes-256-cbc\"\nrsa-key-transport = \"pkcs1\"";
    check(profile, "alice", "bob", ALL)
}

#[test]
fn rsa_opaque_with_aes_128() -> Result<()> {
    let profile = "form = \"opaque\"\ncipher = \"aes-128-cbc\"\ndigest = \"sha512\"";
    check(profile, "erin-sign", "bob", ALL)
}

#[test]
fn rsa_of_today() -> Result<()> {
    let profile =
        "rsa-signature = \"pss\"\ncipher = \"aes-256-gcm\"\nrsa-key-transport = \"oaep-sha256\"";
    check(profile, "alice", "bob", MODERN)
}

#[test]
fn p256() -> Result<()> {
    let profile = "cipher = \"aes-128-gcm\"";
    check(profile, "carol", "bert", MODERN)
}

#[test]
fn p384() -> Result<()> {
    let profile = "cipher = \"aes-256-cbc\"";
    check(profile, "dave", "boris", MODERN)
}

/// Opens a mail that was encrypted to somebody, and gives the signed entity inside.
type Judge = fn(&[u8], &Identity, &Path) -> Result<Vec<u8>>;

/// Those that read everything.
const MODERN: &[Judge] = &[openssl::open, bouncycastle::open];

/// Those that read RSA with CBC ciphers.
const ALL: &[Judge] = &[openssl::open, bouncycastle::open, nss::open];

/// Sends every kind of mail with this profile, and lets each judge open each.
fn check(profile: &str, sender: &str, reader: &str, judges: &[Judge]) -> Result<()> {
    let pki = pki()?;
    let (sender, reader) = (pki.identity(sender), pki.identity(reader));
    let sink = Sink::start()?;
    let mut gateway = Setup::default()
        .top("default-profile = \"tried\"")
        .tables(&format!("[[profile]]\nname = \"tried\"\n{profile}\n"))
        .next_hop(sink.address())
        .write()?;
    gateway.import_key(&sender, "signing")?;
    gateway.import_certificate(&reader.certificate)?;
    gateway.start()?;
    let all = mails::small(sender.address, reader.address);
    for mail in &all {
        let sent = gateway.send(sender.address, &[reader.address], &mail.content)?;
        sent.accepted().context(mail.name)?;
    }
    for arrived in sink.wait(all.len())? {
        let subject = mime::values(&arrived.content, "Subject").concat();
        let mail = all.iter().find(|mail| mail.name == subject);
        let expected = &mail.context(subject.clone())?.leaves;
        for (number, judge) in judges.iter().enumerate() {
            let entity = judge(&arrived.content, &reader, &pki.ca())
                .with_context(|| format!("{subject}, judge {number}"))?;
            assert_eq!(
                &mime::leaves(&entity)?,
                expected,
                "{subject}, judge {number}"
            );
        }
    }
    Ok(())
}
