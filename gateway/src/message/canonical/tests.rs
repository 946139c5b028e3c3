use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::message::tests::message;

fn transported(content: impl Into<Vec<u8>>) -> Vec<u8> {
    let message = message(content);
    let mut entity = Vec::new();
    Entity::for_transport(&message).append_to(&mut entity);
    entity
}

#[test]
fn what_passes_every_hop_keeps_its_bytes() {
    for content in [
        "Content-Type: text/plain\r\n\r\nHi\r\n",
        "Content-Type: text/plain\r\nContent-Language: en\r\n\r\n.\r\nHi \r\n\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\nHi\r\n--b--\r\npost\r\n",
        "Content-Type: multipart/signed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         --b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n--b--\r\n",
        "Content-Type: application/x\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nFrom here\r\n",
    ] {
        assert_eq!(transported(content), content.as_bytes(), "{content}");
    }
}

#[test]
fn what_does_not_is_encoded() {
    let long = "x".repeat(999);
    for (content, expected) in [
        (
            "\r\nHi\r\n",
            "Content-Type: text/plain; charset=us-ascii\r\n\r\nHi\r\n",
        ),
        (
            "From: a@b.example\r\nMIME-Version: 1.0\r\n\r\nHi\r\n",
            "Content-Type: text/plain; charset=us-ascii\r\n\r\nHi\r\n",
        ),
        (
            "Subject: x\r\n\r\nGrüße\r\n",
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n",
        ),
        (
            "Content-Type: text/plain\r\n\r\nFrom here\r\nfrom there\r\n",
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nF=\r\nrom here\r\nfrom there\r\n",
        ),
        (
            "Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\u{1}é",
            "Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAcOp\r\n",
        ),
        (
            "Content-Type: text/plain; charset=utf-16\r\n\r\nH\0i\0",
            "Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nSABpAA==\r\n",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
             é\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <1>\r\n\r\né\r\n\
             --b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\n\r\né\r\n--b--\r\né\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
             --b\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-ID: <1>\r\n\r\n=C3=A9\r\n\
             --b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\n\
             Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\n=C3=A9\r\n--b--\r\n",
        ),
    ] {
        assert_eq!(String::from_utf8(transported(content)).unwrap(), expected);
    }
    let entity = transported(format!("Content-Type: text/plain\r\n\r\n{long}\r\n"));
    assert!(
        entity
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() <= 77)
    );
}

#[test]
fn signed_parts_within_are_not_touched() {
    let signed = "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nFrom Ü\r\n--s--\r\n";
    let content = format!(
        "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\n{signed}\r\n--b\r\n\r\né\r\n--b--\r\n"
    );
    let entity = String::from_utf8(transported(content)).unwrap();
    assert!(entity.contains(signed));
    assert!(entity.contains("=C3=A9"));
    assert!(
        entity.contains("Content-Transfer-Encoding: 8bit"),
        "eight bits are still within"
    );
}

#[derive(Debug, Clone)]
enum Tree {
    Leaf {
        content_type: &'static str,
        encoding: Option<&'static str>,
        body: Vec<u8>,
    },
    Multipart(Vec<Self>),
    Attached(Box<Self>),
}

impl Tree {
    fn write(&self, level: &mut u32, out: &mut Vec<u8>) {
        match self {
            Self::Leaf {
                content_type,
                encoding,
                body,
            } => {
                out.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
                if let Some(encoding) = encoding {
                    out.extend_from_slice(
                        format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes(),
                    );
                }
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(body);
            }
            Self::Multipart(children) => {
                *level += 1;
                let boundary = format!("=_{level}_");
                out.extend_from_slice(
                    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\npreamble é\r\n").as_bytes(),
                );
                for child in children {
                    out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                    child.write(level, out);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(format!("--{boundary}--\r\nepilogue é").as_bytes());
            }
            Self::Attached(inner) => {
                out.extend_from_slice(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: in\r\n");
                inner.write(level, out);
            }
        }
    }
}

/// Lines of text in any bytes, CRLF between them.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[ -~]{0,80}".prop_map(String::into_bytes),
        "From [a-z]{0,90}".prop_map(String::into_bytes),
        "[ -~éß漢]{0,40}[ \t]{0,2}".prop_map(String::into_bytes),
        "[a-z]{990,1100}".prop_map(String::into_bytes),
        proptest::collection::vec(
            any::<u8>().prop_filter("no line ends", |byte| !b"\r\n".contains(byte)),
            0..30
        ),
    ];
    proptest::collection::vec(line, 0..6).prop_map(|lines| lines.join(b"\r\n".as_slice()))
}

fn trees() -> impl Strategy<Value = Tree> {
    let types = proptest::sample::select(vec![
        "text/plain; charset=utf-8",
        "text/html",
        "application/octet-stream",
        "image/png",
    ]);
    let plain = (
        types,
        proptest::sample::select(vec![None, Some("7bit"), Some("8bit"), Some("binary")]),
        lines(),
    )
        .prop_map(|(content_type, encoding, body)| Tree::Leaf {
            content_type,
            encoding,
            body,
        });
    let encoded = proptest::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| Tree::Leaf {
        content_type: "application/octet-stream",
        encoding: Some("base64"),
        body: encodify::base64::STANDARD.encode(bytes).into_bytes(),
    });
    prop_oneof![plain, encoded].prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Tree::Multipart),
            inner.prop_map(|tree| Tree::Attached(Box::new(tree))),
        ]
    })
}

/// Types and decoded bodies of all leaves.
fn leaves(content: &[u8]) -> Vec<(super::super::ContentType, Vec<u8>)> {
    let message = Message::parse(Bytes::copy_from_slice(content)).unwrap();
    let leaves = message
        .parts()
        .iter()
        .filter(|part| part.kind == PartKind::Leaf);
    leaves
        .map(|part| {
            (
                part.content_type.clone(),
                part.decoded(content).into_owned(),
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn every_tree_passes_a_7_bit_hop_with_its_content(tree in trees()) {
        let mut content = Vec::new();
        tree.write(&mut 0, &mut content);
        let entity = transported(content.clone());
        prop_assert!(entity.is_ascii());
        for line in entity.split(|byte| *byte == b'\n') {
            prop_assert!(line.len() <= 999, "a line of {}", line.len());
            prop_assert!(!line.starts_with(b"From "));
        }
        prop_assert_eq!(leaves(&entity), leaves(&content));
        prop_assert_eq!(transported(entity.clone()), entity, "a second time changes nothing");
    }
}
