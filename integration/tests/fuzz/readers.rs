//! Each reader of strangers' bytes, and all that is done with what it read.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use certstore::certificate::{Certificate, Purpose, read_certificates};
use certstore::cms::{self, ContentInfo};
use certstore::trust::{Anchor, AnchorScope, Trust};
use gateway::config::Config;
use gateway::failure::Reply;
use gateway::message::{Entity, Message, without_lookalikes};
use gateway::observe::QueueId;
use gateway::smime;
use gateway::smtp::{Action, Client, Session, Settings, StartTls};
use integration::pki::pki;
use policy::address::{self, Address};
use policy::compile::{CompileOptions, Policy};
use policy::diagnostic::Source;

use crate::seeds::Kind;

/// A reader and what it is fed.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) read: fn(&[u8]),
}

#[rustfmt::skip]
pub(crate) const READERS: &[Reader] = &[
    Reader { name: "message", kind: Kind::Mail, read: message },
    Reader { name: "verify", kind: Kind::Mail, read: verify },
    Reader { name: "cms", kind: Kind::Cms, read: cms },
    Reader { name: "certificate", kind: Kind::Certificate, read: certificate },
    Reader { name: "session", kind: Kind::Dialog, read: session },
    Reader { name: "address", kind: Kind::Address, read: address },
    Reader { name: "policy", kind: Kind::Policy, read: policy },
    Reader { name: "config", kind: Kind::Policy, read: config },
];

fn message(input: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) else {
        return;
    };
    black_box((
        message.from_addresses().ok(),
        message.subject(),
        message.decoded_fields(),
    ));
    black_box((
        message.visible_recipients(),
        message.is_report(),
        message.is_calendar(),
    ));
    for part in message.parts() {
        black_box(part.decoded(message.content()));
    }
    let tags = ["[signed]".to_owned()];
    black_box(without_lookalikes(&message, "gw.example.org", &tags));
    let mut entity = Vec::new();
    Entity::for_transport(&message).append_to(&mut entity);
    black_box(entity);
}

fn verify(input: &[u8]) {
    static TRUST: LazyLock<Trust> = LazyLock::new(|| {
        let file = std::fs::read(pki().unwrap().ca()).unwrap();
        let anchors = read_certificates(&file)
            .into_iter()
            .flatten()
            .map(|certificate| Anchor {
                certificate,
                scope: AnchorScope::Everybody,
            });
        Trust::new(anchors.collect(), Vec::new())
    });
    if let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) {
        let verdict = smime::verify(&message, &TRUST, SystemTime::now());
        let field = smime::authentication_results("gw.example.org", &verdict);
        assert!(field.ends_with(b"\r\n") && !field.windows(3).any(|w| w == b"\r\n\r"));
        black_box(smime::decrypt(&message, &[])).ok();
    }
}

fn cms(input: &[u8]) {
    black_box(cms::certificates(input)).ok();
    match cms::parse(input) {
        Ok(ContentInfo::Signed(signed)) => drop(black_box(signed.verify(Some(b"x"), &[]))),
        Ok(ContentInfo::Enveloped(enveloped)) => {
            black_box(enveloped.cipher_name());
            black_box(enveloped.decrypt(&[])).ok();
        }
        Ok(ContentInfo::Other(_)) | Err(_) => {}
    }
}

fn certificate(input: &[u8]) {
    for certificate in read_certificates(input).into_iter().flatten() {
        black_box((
            certificate.addresses(),
            certificate.subject(),
            certificate.key_kind(),
        ));
        black_box((
            certificate.allows(Purpose::Signing).ok(),
            certificate.not_after(),
        ));
    }
    black_box(Certificate::from_der(input)).ok();
}

fn session(input: &[u8]) {
    let settings = Settings {
        hostname: "gw.example.org".to_owned(),
        message_size: 10_000,
        recipients: 10,
        mistakes: 10,
        start_tls: StartTls::Offered,
    };
    let client = Client {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        helo: String::new(),
        extended: false,
        tls: None,
        may_relay: true,
        is_inbound: false,
    };
    let mut session = Session::new(Arc::new(settings), client);
    let mut bytes = BytesMut::new();
    for piece in input.chunks(7) {
        bytes.extend_from_slice(piece);
        while let Some(action) = session.next(&mut bytes) {
            match action {
                Action::Open { .. } => session.opened(Ok(QueueId::new(SystemTime::now(), 1))),
                Action::Recipient(_) => session.recipient(Reply::new(250, (2, 1, 5), "ok")),
                Action::Room(_) => session.room(Ok(())),
                Action::Message(_) => session.answered(Reply::new(250, (2, 0, 0), "ok")),
                Action::StartTls => session.secured("TLSv1.3".to_owned(), "x".to_owned()),
                Action::Reply(_) | Action::Complain(_) => {}
                Action::Close => return,
            }
        }
    }
}

fn address(input: &[u8]) {
    black_box(address::mailboxes(input)).ok();
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(address) = Address::parse(text)
    {
        let again = Address::parse(address.canonical()).expect("a canonical address is one");
        assert_eq!(again.canonical(), address.canonical());
    }
}

fn policy(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let options = CompileOptions {
        profiles: &["modern"],
    };
    black_box(Policy::compile(
        &[Source::new("policy.toml", text)],
        &options,
    ))
    .ok();
}

fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    black_box(Config::read(
        &Source::new("postern.toml", text),
        Path::new("."),
    ))
    .ok();
}
