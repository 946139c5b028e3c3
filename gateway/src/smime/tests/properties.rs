//! What holds for every MIME tree: signing and verifying, encrypting and decrypting give back the content; a changed byte
//! under a signature is noticed.

use std::fmt::Write;

use encodify::base64;
use memchr::memmem;
use proptest::prelude::*;

use super::*;

/// A part of a message, as a generator makes it.
#[derive(Debug, Clone)]
enum Tree {
    Leaf {
        kind: &'static str,
        encoding: &'static str,
        body: Vec<u8>,
    },
    Multipart {
        subtype: &'static str,
        boundary: String,
        preamble: &'static str,
        parts: Vec<Tree>,
        epilogue: &'static str,
    },
    Attached(Box<Tree>),
}

impl Tree {
    /// Content fields, blank line, body.
    fn entity(&self) -> Vec<u8> {
        match self {
            Self::Leaf {
                kind,
                encoding,
                body,
            } => {
                let mut entity = format!("Content-Type: {kind}\r\n");
                if !encoding.is_empty() {
                    write!(entity, "Content-Transfer-Encoding: {encoding}\r\n").unwrap();
                }
                [entity.as_bytes(), b"\r\n", body].concat()
            }
            Self::Multipart {
                subtype,
                boundary,
                preamble,
                parts,
                epilogue,
            } => {
                let head = format!(
                    "Content-Type: multipart/{subtype};\r\n\tboundary=\"{boundary}\"\r\n\
                     Content-Transfer-Encoding: 8bit\r\n\r\n{preamble}"
                );
                let mut entity = head.into_bytes();
                for part in parts {
                    entity.extend(format!("\r\n--{boundary}\r\n").bytes());
                    entity.extend(part.entity());
                }
                entity.extend(format!("\r\n--{boundary}--{epilogue}").bytes());
                entity
            }
            Self::Attached(tree) => {
                let head = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
                            From: zoe@example.net\r\nSubject: within\r\nMIME-Version: 1.0\r\n";
                [head.as_bytes(), &tree.entity()].concat()
            }
        }
    }

    /// A mail by alice.
    fn mail(&self) -> Message {
        let head = "From: alice@example.org\r\nTo: bob@example.org\r\nSubject: any\r\nMIME-Version: 1.0\r\n";
        message([head.as_bytes(), &self.entity()].concat())
    }
}

/// Text of all kinds of lines: empty, with eight bits, longer than any hop takes, of which a reader might make something.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[ -~]{0,76}",
        1 => Just(String::new()),
        1 => Just("From here on".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("--".to_owned()),
        1 => Just("trailing \t ".to_owned()),
        1 => Just("Grüße, 你好 🙂".to_owned()),
        1 => Just("x".repeat(1_200)),
        1 => Just("=E4=\t".to_owned()),
    ];
    let end = prop_oneof![Just("\r\n"), Just("")];
    (prop::collection::vec(line, 0..6), end)
        .prop_map(|(lines, end)| (lines.join("\r\n") + end).into_bytes())
}

fn leaf() -> impl Strategy<Value = Tree> {
    let written = (
        prop_oneof![
            Just("text/plain; charset=utf-8"),
            Just("text/html"),
            Just("text/plain; charset=utf-8; format=flowed"),
        ],
        prop_oneof![Just("8bit"), Just("7bit"), Just(""), Just("BINARY")],
        text(),
    )
        .prop_map(|(kind, encoding, body)| Tree::Leaf {
            kind,
            encoding,
            body,
        });
    let encoded = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..400)).prop_map(
        |(is_base64, bytes)| {
            let (encoding, body) = if is_base64 {
                ("base64", base64::MIME.encode(&bytes))
            } else {
                ("Quoted-Printable", encodify::qp::BINARY.encode(&bytes))
            };
            Tree::Leaf {
                kind: "application/octet-stream; name=\"a b.bin\"",
                encoding,
                body: body.into_bytes(),
            }
        },
    );
    prop_oneof![3 => written, 1 => encoded]
}

/// Boundaries to the letter of RFC 2046, section 5.1.1; those within are never the beginning of those around.
fn boundary() -> impl Strategy<Value = String> {
    "[0-9A-Za-z'()+_,./:=?-]{1,20}[0-9A-Za-z]"
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(3, 12, 4, |inner| {
        let multipart = (
            prop_oneof![
                Just("mixed"),
                Just("alternative"),
                Just("related"),
                Just("x-unknown")
            ],
            boundary(),
            prop_oneof![Just(""), Just("a preamble\r\n"), Just("\r\n\r\n")],
            prop::collection::vec(inner.clone(), 1..4),
            prop_oneof![Just("\r\n"), Just(""), Just("\r\nan epilogue")],
        )
            .prop_map(
                |(subtype, boundary, preamble, parts, epilogue)| Tree::Multipart {
                    subtype,
                    boundary,
                    preamble,
                    parts,
                    epilogue,
                },
            );
        let attached = inner.prop_map(|tree| Tree::Attached(Box::new(tree)));
        prop_oneof![3 => multipart, 1 => attached]
    })
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Clear), Just(Form::Opaque)]
}

/// The entity as a signature covers it.
fn covered(mail: &Message) -> Vec<u8> {
    let mut entity = Vec::new();
    Entity::for_transport(mail).append_to(&mut entity);
    entity
}

/// The message that a signed mail shows, and where in `mail`, or in the CMS that it holds, its bytes stand.
fn signed_bytes(mail: &Message) -> Vec<u8> {
    match recognise(mail) {
        SmimeForm::ClearSigned { signed, .. } => signed.to_vec(),
        SmimeForm::Pkcs7(bytes) => match certstore::cms::parse(&bytes).unwrap() {
            certstore::cms::ContentInfo::Signed(signed) => signed.content().unwrap().to_vec(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The signed mail with one byte under its signature changed.
fn changed(mail: &Message, at: usize, by: u8) -> Message {
    let mut content = mail.content().to_vec();
    if let SmimeForm::ClearSigned { signed, .. } = recognise(mail) {
        let start = memmem::find(&content, signed).unwrap();
        content[start + at % signed.len()] ^= by;
        return message(content);
    }
    let covered = signed_bytes(mail);
    let SmimeForm::Pkcs7(cms) = recognise(mail) else {
        panic!("neither clear nor opaque");
    };
    let mut cms = cms.into_owned();
    let start = memmem::find(&cms, &covered).unwrap();
    cms[start + at % covered.len()] ^= by;
    content.truncate(mail.body_range().start);
    base64::MIME.encode_append(&cms, &mut content);
    message(content)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_signed_verifies_and_is_what_was_written(tree in tree(), form in form()) {
        let mail = tree.mail();
        let signed = message(sign(&mail, &*PEOPLE.alice, &profile(form), now()).unwrap());
        let verdict = judge(&signed);
        prop_assert_eq!(verdict.result, VerdictResult::Pass, "{}", verdict.text);
        let bytes = signed_bytes(&signed);
        prop_assert_eq!(&bytes, &covered(&mail));
        let shown = message([b"MIME-Version: 1.0\r\n".as_slice(), &bytes].concat());
        prop_assert_eq!(contents(&shown), contents(&mail));
        prop_assert!(bytes.is_ascii() && bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    }

    #[test]
    fn what_is_encrypted_opens_byte_for_byte(tree in tree(), gcm in any::<bool>()) {
        let mail = tree.mail();
        let cipher = if gcm { ContentCipher::Aes256Gcm } else { ContentCipher::Aes256Cbc };
        let sealed = encrypted(&mail, &[&PEOPLE.bob], &with_cipher(cipher));
        let opened = opened(&sealed, &keys(&[&PEOPLE.bob]));
        prop_assert_eq!(opened.message.body(), mail.body());
        prop_assert_eq!(contents(&opened.message), contents(&mail));
    }

    #[test]
    fn a_changed_byte_is_noticed(tree in tree(), form in form(), at in any::<usize>(), by in 1_u8..) {
        let signed = message(sign(&tree.mail(), &*PEOPLE.alice, &profile(form), now()).unwrap());
        let changed = changed(&signed, at, by);
        prop_assert_ne!(judge(&changed).result, VerdictResult::Pass);
    }

    #[test]
    fn a_changed_ciphertext_is_noticed_where_it_is_authenticated(tree in tree(), at in any::<usize>(), by in 1_u8..) {
        let sealed = encrypted(&tree.mail(), &[&PEOPLE.bob], &with_cipher(ContentCipher::Aes256Gcm));
        let SmimeForm::Pkcs7(cms) = recognise(&sealed) else {
            panic!("not encrypted");
        };
        // The last fifth of the message is ciphertext and tag.
        let mut cms = cms.into_owned();
        let fifth = cms.len() / 5;
        let place = cms.len() - 1 - at % fifth;
        cms[place] ^= by;
        let mut content = sealed.content()[..sealed.body_range().start].to_vec();
        base64::MIME.encode_append(&cms, &mut content);
        prop_assert!(open(&message(content), &keys(&[&PEOPLE.bob])).is_err());
    }
}

fn with_cipher(cipher: ContentCipher) -> Profile {
    Profile {
        ciphers: vec![cipher],
        fallback_cipher: cipher,
        ..profile(Form::Clear)
    }
}
