//! What OpenSSL signs and encrypts, the gateway opens, verifies and says so, for every algorithm that is in use.

use anyhow::{Context, Result};
use integration::gateway::{HOSTNAME, Setup};
use integration::pki::{Pki, pki};
use integration::sink::Sink;
use integration::{mails, mime, openssl};

const PSS: &[&str] = &["-keyopt", "rsa_padding_mode:pss"];
const OAEP: &[&str] = &["-keyopt", "rsa_padding_mode:oaep"];
const OAEP_SHA256: &[&str] = &[
    "-keyopt",
    "rsa_padding_mode:oaep",
    "-keyopt",
    "rsa_oaep_md:sha256",
];
const OAEP_LABEL: &[&str] = &[
    "-keyopt",
    "rsa_padding_mode:oaep",
    "-keyopt",
    "rsa_oaep_label:616263",
];
const LEGACY: &[&str] = &["-provider", "legacy", "-provider", "default"];
const OPAQUE: &[&str] = &["-nodetach", "-binary"];

#[test]
fn signed_by_openssl() -> Result<()> {
    let forms: [(&str, &str, &[&str]); 8] = [
        ("clear", "bob", &[]),
        ("opaque", "bob", OPAQUE),
        ("PSS", "bob", PSS),
        ("SHA-384", "bob", &["-md", "sha384"]),
        ("SHA-512", "bob", &["-md", "sha512"]),
        ("key identifier", "bob", &["-keyid"]),
        ("P-256", "bert", &[]),
        ("P-384", "boris", &["-md", "sha384"]),
    ];
    arrive(forms.map(|(name, signer, options)| -> Case<'_> {
        let make =
            move |pki: &Pki, entity: &[u8]| openssl::sign(entity, &pki.identity(signer), options);
        (name, signer, "alice", Box::new(make))
    }))
}

#[test]
fn encrypted_by_openssl() -> Result<()> {
    let forms: [(&str, &str, &str, &[&str]); 13] = [
        ("AES-128-CBC", "alice", "-aes-128-cbc", &[]),
        ("AES-192-CBC", "alice", "-aes-192-cbc", &[]),
        ("AES-256-CBC", "alice", "-aes-256-cbc", &[]),
        ("AES-128-GCM", "alice", "-aes-128-gcm", &[]),
        ("AES-256-GCM", "alice", "-aes-256-gcm", &[]),
        ("3DES", "alice", "-des3", &[]),
        ("OAEP", "alice", "-aes-256-cbc", OAEP),
        ("OAEP SHA-256", "alice", "-aes-256-gcm", OAEP_SHA256),
        ("OAEP with a label", "alice", "-aes-256-cbc", OAEP_LABEL),
        ("RC2", "alice", "-rc2-128", LEGACY),
        ("P-256", "carol", "-aes-256-cbc", &[]),
        ("P-256, AES-192 key wrap", "carol", "-aes-192-cbc", &[]),
        ("P-384", "dave", "-aes-256-gcm", &[]),
    ];
    arrive(forms.map(|(name, reader, cipher, options)| -> Case<'_> {
        let make = move |pki: &Pki, entity: &[u8]| {
            let signed = openssl::sign(entity, &pki.bob(), &[])?;
            openssl::encrypt(&signed, &[&pki.identity(reader)], cipher, options)
        };
        (name, "bob", reader, Box::new(make))
    }))
}

/// What to call it, who signed it, who reads it, and how the entity becomes an S/MIME entity.
pub(crate) type Case<'a> = (
    &'a str,
    &'a str,
    &'a str,
    Box<dyn Fn(&Pki, &[u8]) -> Result<Vec<u8>> + 'a>,
);

/// Sends a mail of each kind, and looks at what arrives.
pub(crate) fn arrive<'a>(cases: impl IntoIterator<Item = Case<'a>>) -> Result<()> {
    let pki = pki()?;
    let sink = Sink::start()?;
    let mut gateway = Setup::default()
        .top("default-profile = \"old-mail\"")
        .tables("[[profile]]\nname = \"old-mail\"\nweak-ciphers = true\n")
        .next_hop(sink.address())
        .write()?;
    for reader in ["alice", "carol", "dave"] {
        gateway.import_key(&pki.identity(reader), "both")?;
    }
    gateway.start()?;
    for (number, (name, signer, reader, make)) in (1..).zip(cases) {
        let (signer, reader) = (pki.identity(signer), pki.identity(reader));
        let mail = mails::html_with_attachments(signer.address, reader.address);
        let made = make(pki, &mime::entity(&mail.content)).with_context(|| name.to_owned())?;
        let made = mime::dress(&mail.content, &made);
        let sent = gateway.send(signer.address, &[reader.address], &made)?;
        sent.accepted().with_context(|| name.to_owned())?;
        let arrived = sink
            .wait(number)?
            .pop()
            .with_context(|| name.to_owned())?
            .content;
        let verdict = mime::values(&arrived, "Authentication-Results").concat();
        let good = verdict.starts_with(HOSTNAME) && verdict.contains("smime=pass");
        assert!(good, "{name}: {verdict}");
        // Who reads it may find the signature still around it.
        let entity = match openssl::verify(&arrived, &pki.ca()) {
            Ok(signed) => signed,
            Err(_) => mime::entity(&arrived),
        };
        assert_eq!(mime::leaves(&entity)?, mail.leaves, "{name}");
    }
    Ok(())
}
