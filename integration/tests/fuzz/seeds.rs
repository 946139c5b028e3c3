//! What is damaged: good inputs of each kind.

use std::fs;

use anyhow::Result;
use integration::pki::{Identity, pki};
use integration::{mails, mime, openssl};

/// What a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole mails, plain and S/MIME.
    Mail,
    /// CMS messages, DER and BER.
    Cms,
    /// Certificates and bundles of them, DER and PEM.
    Certificate,
    /// What SMTP clients say.
    Dialog,
    /// Addresses and lists of them.
    Address,
    /// Policies.
    Policy,
}

/// Good inputs of each kind.
pub(crate) struct Seeds(Vec<(Kind, Vec<Vec<u8>>)>);

impl Seeds {
    pub(crate) fn of(&self, kind: Kind) -> &[Vec<u8>] {
        let found = self.0.iter().find(|(other, _)| *other == kind);
        found.map_or(&[], |(_, seeds)| seeds)
    }
}

pub(crate) fn make() -> Result<Seeds> {
    let mails = mails()?;
    let messages = mails.iter().filter_map(|mail| mime::payload(mail).ok());
    let signatures = mails
        .iter()
        .filter_map(|mail| mime::clear_signed(mail).ok());
    let cms = messages
        .chain(signatures.map(|(_, signature)| signature))
        .collect();
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    Ok(Seeds(vec![
        (Kind::Mail, mails),
        (Kind::Cms, cms),
        (Kind::Certificate, certificates()?),
        (Kind::Dialog, texts(DIALOGS)),
        (Kind::Address, texts(ADDRESSES)),
        (Kind::Policy, texts(POLICIES)),
    ]))
}

fn mails() -> Result<Vec<Vec<u8>>> {
    let pki = pki()?;
    let (alice, bob, boris) = (pki.alice(), pki.bob(), pki.identity("boris"));
    let mut made = Vec::new();
    for mail in mails::small(alice.address, bob.address) {
        made.push(mail.content);
    }
    let plain = mails::plain(alice.address, bob.address).content;
    let entity = mime::entity(&plain);
    let opaque = ["-nodetach", "-binary", "-stream"];
    let mut dress = |entity: Vec<u8>| made.push(mime::dress(&plain, &entity));
    for signer in [&alice, &boris] {
        dress(openssl::sign(&entity, signer, &[])?);
        dress(openssl::sign(&entity, signer, &opaque)?);
    }
    dress(openssl::sign(
        &entity,
        &alice,
        &["-keyopt", "rsa_padding_mode:pss"],
    )?);
    let readers: [&[&Identity]; 3] = [&[&bob], &[&boris], &[&alice, &bob, &boris]];
    for (readers, cipher) in readers
        .into_iter()
        .zip(["-aes-256-cbc", "-aes-128-gcm", "-des3"])
    {
        dress(openssl::encrypt(&entity, readers, cipher, &[])?);
    }
    Ok(made)
}

fn certificates() -> Result<Vec<Vec<u8>>> {
    let pki = pki()?;
    let mut made = Vec::new();
    for name in ["alice", "boris", "erin-encrypt"] {
        let pem = fs::read(pki.identity(name).certificate)?;
        made.push(encodify::pem::STANDARD.decode(&pem)?.contents);
        made.push(pem);
    }
    Ok(made)
}

const DIALOGS: &[&str] = &[
    "EHLO a.example\r\nMAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<\"c d\"@e.example>\r\n\
     DATA\r\nFrom: a\r\n\r\n..x\r\n.\r\nQUIT\r\n",
    "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<@x,@y:z@e.example>\r\nRCPT TO:<z@[127.0.0.1]>\r\nRSET\r\n\
     NOOP\r\nVRFY x\r\nHELP\r\nSTARTTLS\r\n",
    "EHLO [IPv6:::1]\r\nMAIL FROM:<\u{fc}@\u{e4}.example> SMTPUTF8\r\nRCPT TO:<z@e.example>\r\nDATA\r\n\
     .\r\nMAIL FROM:<a@b.example>\r\n",
];

const ADDRESSES: &[&str] = &[
    "alice@example.org",
    "\"a \\\"b\\\" c\"@example.org",
    "x@[IPv6:2001:db8::1]",
    "d\u{f6}rte@b\u{fc}cher.example",
    "Alice (a comment (nested)) <alice@example.org>, \"B, b\" <b@example.org>,\r\n c@example.org",
    "friends: a@example.org, <b@example.org>;, =?utf-8?q?J=C3=B6rg?= <j@example.org>",
];

const POLICIES: &[&str] = &[
    "[[rule]]\nname = \"out\"\nwhen = { direction = \"outbound\", recipient = [\"*@a.example\", \"~/^x+@/\"] }\n\
     sign = \"required\"\nencrypt = \"preferred\"\non-unavailable = \"defer\"\n",
    "[[rule]]\nname = \"all\"\nwhen = { any = [{ subject = \"[x]*\" }, { not = { sender = \"a@*\" } }] }\n\
     [[rule]]\nname = \"rest\"\nreject = \"no\"\n\
     [[test]]\nname = \"t\"\ngiven = { sender = \"a@b.example\", recipients = [\"c@d.example\"] }\n\
     expect = { \"c@d.example\" = { rule = \"all\" } }\n",
];
