//! Each reader of strangers' bytes, and all that is done with what it read: the bodies of the fuzz targets (`fuzz/`) and
//! of the mutation tests (`tests/mutation.rs`).
//!
//! Every function takes any bytes, says whether they were read to their end and found good, and panics when a reader
//! does, or when it gives more than its input can hold. A reader is named like its function, its target in `fuzz/` and
//! its seeds in `corpus/`.

mod directories;
mod pkcs12;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use certstore::certificate::{Certificate, Purpose};
use certstore::cms::{self, ContentInfo, DecryptOptions};
use certstore::trust::{Anchor, AnchorScope, Trust};
use gateway::config::Config;
use gateway::failure::Reply;
use gateway::message::{Entity, Message, without_lookalikes};
use gateway::observe::QueueId;
use gateway::smime::headers::{self, HeaderPolicy, HeaderProtection};
use gateway::smime::{self, VerdictResult};
use gateway::smtp::{Action, Client, DataReader, Progress, Session, Settings, StartTls, encode};
use policy::address::{self, Address};
use policy::compile::{CompileOptions, Policy};
use policy::diagnostic::Source;

pub use directories::{http_certificates, ldap_request, ldap_value};
pub use pkcs12::pkcs12;

const HOSTNAME: &str = "gw.example.org";

/// Largest message content, in bytes: small, so that it is exceeded.
const MESSAGE_SIZE: u64 = 4_000;

/// Who made the certificates of the corpus.
const CA: &[u8] = include_bytes!("../corpus/ca.pem");

/// A moment at which the certificates of the corpus are valid: 2030-01-01.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000)
}

/// An address as operators and clients write it.
#[must_use]
pub fn address(input: &[u8]) -> bool {
    let Some(address) = std::str::from_utf8(input)
        .ok()
        .and_then(|text| Address::parse(text).ok())
    else {
        return false;
    };
    let again = Address::parse(address.canonical()).expect("a canonical address is one");
    assert_eq!(again.canonical(), address.canonical());
    true
}

/// The value of a From, To or Cc field.
#[must_use]
pub fn mailboxes(input: &[u8]) -> bool {
    let Ok(found) = address::mailboxes(input) else {
        return false;
    };
    assert!(found.len() <= input.len());
    for mailbox in found {
        assert_eq!(
            Address::parse(mailbox.address.as_str()),
            Ok(mailbox.address)
        );
    }
    true
}

/// What a client says, in pieces of seven bytes, to a gateway that wants everything.
#[must_use]
pub fn smtp_session(input: &[u8]) -> bool {
    let settings = Settings {
        hostname: HOSTNAME.to_owned(),
        message_size: MESSAGE_SIZE,
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
    let mut has_message = false;
    for piece in input.chunks(7) {
        bytes.extend_from_slice(piece);
        while let Some(action) = session.next(&mut bytes) {
            has_message |= matches!(action, Action::Message(_));
            if matches!(action, Action::Close) {
                return has_message;
            }
            answer(&mut session, action);
        }
    }
    has_message
}

/// Answers with yes.
fn answer(session: &mut Session, action: Action) {
    match action {
        Action::Reply(reply) | Action::Complain(reply) => {
            let mut line = BytesMut::new();
            encode(&reply, &mut line);
            assert!(line.ends_with(b"\r\n") && line.len() < 2_000);
        }
        Action::Open { .. } => session.opened(Ok(QueueId::new(now(), 1))),
        Action::Recipient(_) => session.recipient(Reply::new(250, (2, 1, 5), "ok")),
        Action::Room(bytes) => {
            assert!(bytes <= MESSAGE_SIZE);
            session.room(Ok(()));
        }
        Action::Message(arrival) => {
            assert!(arrival.content.len() as u64 <= MESSAGE_SIZE);
            assert!((1..=10).contains(&arrival.envelope.recipients.len()));
            session.answered(Reply::new(250, (2, 0, 0), "ok"));
        }
        Action::StartTls => session.secured("TLSv1.3".to_owned(), "x".to_owned()),
        Action::Close => {}
    }
}

/// What follows 354. Read at once or byte by byte, it is the same.
#[must_use]
pub fn data_reader(input: &[u8]) -> bool {
    let at_once = data(input, input.len().max(1));
    assert_eq!(data(input, 1), at_once);
    let (progress, content) = at_once;
    assert!(content.len() <= input.len() && content.len() as u64 <= MESSAGE_SIZE);
    assert!(content.is_empty() || content.ends_with(b"\r\n"));
    progress == Progress::Whole
}

fn data(input: &[u8], size: usize) -> (Progress, Bytes) {
    let mut reader = DataReader::new(MESSAGE_SIZE, Some(1));
    let mut bytes = BytesMut::new();
    for piece in input.chunks(size) {
        bytes.extend_from_slice(piece);
        loop {
            match reader.read(&mut bytes) {
                Progress::NeedsInput => break,
                Progress::NeedsRoom => reader.make_room(),
                Progress::Whole => return (Progress::Whole, reader.into_content()),
                end @ (Progress::TooBig | Progress::BareLineEnd) => return (end, Bytes::new()),
            }
        }
    }
    (Progress::NeedsInput, Bytes::new())
}

/// A CMS message, DER or BER.
#[must_use]
pub fn cms_parse(input: &[u8]) -> bool {
    let parsed = cms::parse(input);
    let is_good = parsed.is_ok();
    match parsed {
        Ok(ContentInfo::Signed(signed)) => {
            assert!(
                signed
                    .content()
                    .is_none_or(|content| content.len() <= input.len())
            );
            let detached = signed.content().is_none().then_some(&b"x"[..]);
            assert!(signed.verify(detached, &[]).len() <= signed.signer_count());
        }
        Ok(ContentInfo::Enveloped(enveloped)) => {
            assert!(enveloped.recipients().len() <= input.len());
            assert!(
                enveloped.decrypt(&[], &DecryptOptions::default()).is_err(),
                "there is no key"
            );
            black_box((enveloped.cipher_name(), enveloped.is_authenticated()));
        }
        Ok(ContentInfo::Compressed(compressed)) => {
            const LIMIT: usize = 1 << 22;
            let unpacked = compressed.decompress(LIMIT);
            assert!(unpacked.is_err() || unpacked.is_ok_and(|content| content.len() <= LIMIT));
        }
        Ok(ContentInfo::Other(unsupported)) => assert!(unsupported.name.len() < 1_000),
        Err(_) => {}
    }
    let bundled: usize = cms::certificates(input).map_or(0, |all| all.iter().map(Vec::len).sum());
    assert!(bundled <= input.len());
    is_good
}

/// A certificate, DER.
#[must_use]
pub fn certificate(input: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(input) else {
        return false;
    };
    assert_eq!(certificate.der(), input);
    about(&certificate);
    true
}

/// A file of certificates: DER, PEM or PKCS#7.
#[must_use]
pub fn read_certificates(input: &[u8]) -> bool {
    let found = certstore::certificate::read_certificates(input);
    assert!(found.len() <= input.len() + 1);
    found.iter().flatten().for_each(about);
    found.iter().all(Result::is_ok)
}

fn about(certificate: &Certificate) {
    let size = certificate.der().len();
    assert!(certificate.addresses().len() <= size);
    assert!(certificate.subject().len() <= 10 * size);
    black_box((certificate.key_kind(), certificate.not_after()));
    for purpose in [Purpose::Signing, Purpose::Encryption] {
        black_box(certificate.allows(purpose)).ok();
    }
}

/// A mail: its structure, its fields, and what is made of it on its way out and in.
#[must_use]
pub fn message(input: &[u8]) -> bool {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) else {
        return false;
    };
    let fields: usize = message.fields().map(|field| field.raw.len()).sum();
    assert!(fields + message.body().len() <= input.len());
    assert!(message.decoded_fields().len() <= message.fields().count());
    assert!(message.visible_recipients().len() <= input.len());
    black_box((
        message.from_addresses(),
        message.sender(),
        message.subject(),
    ))
    .0
    .ok();
    black_box((
        message.is_report(),
        message.is_calendar(),
        message.message_id(),
    ));
    for part in message.parts() {
        assert!(part.decoded(message.content()).len() <= input.len());
    }
    let cleaned = without_lookalikes(&message, HOSTNAME, &["[signed]".to_owned()]);
    assert!(!cleaned.removed.is_empty() || message.lacks_header() || cleaned.content == input);
    let entity = Entity::for_transport(&message);
    assert!(entity.len() <= 4 * input.len() + 200 * (message.parts().len() + 1));
    let mut out = Vec::new();
    entity.append_to(&mut out);
    assert_eq!(out.len(), entity.len());
    protected(&message);
    true
}

/// The message with its header fields inside and hidden outside.
fn protected(message: &Message) {
    let how = HeaderProtection {
        policy: HeaderPolicy::Shy,
        legacy_display: true,
    };
    if let Ok(Some(protected)) = headers::protect(message, &how, true) {
        let subjects = protected.outer().fields_named("Subject");
        assert!(
            subjects
                .into_iter()
                .all(|field| *field.value() == *b"[...]")
        );
        let mut out = Vec::new();
        protected.for_transport().append_to(&mut out);
        // A byte that is no UTF-8 is shown as U+FFFD: three bytes, nine in quoted-printable. And up to four displays of 4 KiB,
        // each character of which HTML or quoted-printable may write as five.
        let most = 12 * message.content().len() + 200 * (message.parts().len() + 1) + 100_000;
        assert!(out.len() <= most, "{} of {most}", out.len());
    }
}

/// A mail that may be S/MIME, for somebody without keys: once nobody is trusted, once who signed the corpus.
#[must_use]
pub fn smime(input: &[u8]) -> bool {
    static NOBODY: LazyLock<Trust> = LazyLock::new(|| Trust::new(Vec::new(), Vec::new()));
    static KNOWN: LazyLock<Trust> = LazyLock::new(|| {
        let found = certstore::certificate::read_certificates(CA).into_iter();
        let anchors = found.map(|certificate| Anchor {
            certificate: certificate.expect("our own certificate"),
            scope: AnchorScope::Everybody,
            revocation: None,
        });
        Trust::new(anchors.collect(), Vec::new())
    });
    let Ok(message) = Message::parse(Bytes::copy_from_slice(input)) else {
        return false;
    };
    black_box(smime::recognise(&message));
    let everything = DecryptOptions {
        weak_ciphers: true,
        gcm_in_enveloped_data: true,
    };
    let opened = smime::decrypt(&message, &[], &everything);
    assert!(!matches!(opened, Ok(Some(_))), "there is no key");
    let passes = [&*NOBODY, &*KNOWN].map(|trust| {
        let verdict = smime::verify(&message, trust, now());
        for field in [
            smime::authentication_results(HOSTNAME, &verdict),
            smime::verdict_field(&verdict),
        ] {
            assert!(field.len() < 10_000 && field.ends_with(b"\r\n"));
            assert!(!field.windows(3).any(|end| end == b"\r\n\r"), "{field:?}");
        }
        verdict.result == VerdictResult::Pass
    });
    assert!(!passes[0], "nobody is trusted");
    passes[1]
}

/// A policy.
#[must_use]
pub fn policy_document(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let most = text.len() + 1;
    let options = CompileOptions {
        profiles: &["modern"],
        ..CompileOptions::default()
    };
    let compiled = Policy::compile(&[Source::new("policy.toml", text)], &options);
    let is_good = compiled.is_ok();
    if let Err(mistakes) = compiled {
        assert!((1..=most).contains(&mistakes.len()));
    }
    is_good
}

/// A configuration. The files that it names are not there.
#[must_use]
pub fn config(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let most = 20 * (text.lines().count() + 10);
    let source = Source::new("postern.toml", text);
    let read = Config::read(&source, Path::new("/nonexistent"));
    let is_good = read.is_ok();
    if let Err(mistakes) = read {
        assert!((1..=most).contains(&mistakes.len()), "{}", mistakes.len());
    }
    is_good
}
