use std::path::{Path, PathBuf};

use policy::mutation::mutations;

use super::*;

/// The folder with test data, if it is there.
pub(crate) fn corpus(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let corpus = std::env::var_os("POSTERN_CORPUS").map_or(beside, PathBuf::from);
    let folder = corpus.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
    {
        eprintln!("skipped: no corpus at {}", folder.display());
    }
    None
}

/// All files under `folder`, deeply.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((path, content));
        }
    }
    found.sort();
    found
}

pub(crate) fn message(content: impl Into<Vec<u8>>) -> Message {
    Message::parse(Bytes::from(content.into())).unwrap()
}

/// What must hold of every message that is read.
fn check(content: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(content)) else {
        return;
    };
    let mut kept: Vec<u8> = message
        .fields()
        .flat_map(|field| field.raw.to_vec())
        .collect();
    kept.extend_from_slice(
        message.slice(&(message.header_range().end..message.body_range().start)),
    );
    kept.extend_from_slice(message.body());
    assert_eq!(kept, content);
    for (index, part) in message.parts().iter().enumerate() {
        assert!(part.header.start <= part.header.end, "{part:?}");
        assert!(
            part.header.end <= part.body.start && part.body.start <= part.body.end,
            "{part:?}"
        );
        assert!(part.body.end <= content.len(), "{part:?}");
        assert!(part.parent.is_none_or(|parent| parent < index), "{part:?}");
    }
    let entity = Entity::for_transport(&message);
    assert!(entity.len() <= 4 * content.len() + 200 * (message.parts().len() + 1));
    let cleaned = without_lookalikes(&message, "gw.example.org", &["[signed OK]".to_owned()]);
    assert!(!cleaned.removed.is_empty() || message.lacks_header() || cleaned.content == content);
    assert!(message.decoded_fields().len() <= message.fields().count());
    assert!(message.visible_recipients().len() <= content.len());
    assert!(
        message
            .from_addresses()
            .map_or(true, |from| !from.is_empty())
    );
}

#[test]
fn the_corpus_is_read_and_kept() {
    let Some(folder) = corpus("mime") else { return };
    for (_, content) in files(&folder) {
        check(&content);
        check(&with_crlf(&content));
    }
}

#[test]
fn mutated_messages_are_read_and_kept() {
    let seeds: [&[u8]; 3] = [
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHi\r\n--x\r\n\
          Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nFrom me \xff\r\n--x--\r\n",
        b"Subject: =?utf-8?q?=5Bsigned?= OK]\r\nTo: a: b@c.example, \"d\" <e@f.example>;\r\n\
          Authentication-Results: (a) gw.example.org; smime=pass\r\n\r\nbody",
        b"Content-Type: text/calendar; method=REQUEST;\r\n boundary*0=a; boundary*1=b\r\n\
          Content-Transfer-Encoding: base64\r\n\r\nSGk=\r\n",
    ];
    for bytes in mutations(&seeds).take(4_500) {
        check(&bytes);
    }
}

#[test]
fn from_is_one_field_read_whole() {
    for (header, expected) in [
        ("From: Ann <ann@example.org>", Ok(vec!["ann@example.org"])),
        (
            "from : ann@example.org, bob@example.org",
            Ok(vec!["ann@example.org", "bob@example.org"]),
        ),
        ("To: ann@example.org", Err("no From")),
        (
            "From: ann@example.org\r\nFROM: bob@example.org",
            Err("several"),
        ),
        (
            "From: ann@example.org\r\nfrom\t: bob@example.org",
            Err("several"),
        ),
        (
            "From: ann@example.org bob@example.org",
            Err("cannot be read"),
        ),
        ("From: ann@example.org\r\ngarbage", Err("no header field")),
        ("From:", Err("no From")),
    ] {
        let message = message(format!("{header}\r\n\r\n"));
        let found = message.from_addresses();
        match (expected, &found) {
            (Ok(expected), Ok(found)) => {
                assert_eq!(
                    found
                        .iter()
                        .map(|address| address.as_str())
                        .collect::<Vec<_>>(),
                    expected
                );
            }
            (Err(expected), Err(found)) => assert!(found.to_string().contains(expected), "{found}"),
            _ => panic!("{header}: {found:?}"),
        }
    }
}

#[test]
fn what_two_readers_may_read_differently_is_ambiguous() {
    for (header, expected) in [
        ("Content-Type: text/plain\r\nMIME-Version: 1.0", false),
        ("Content-Type: text/plain\r\ncontent-type: text/html", true),
        (
            "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
            true,
        ),
        ("MIME-Version: 1.0\r\nMIME-Version: 1.0", true),
        (
            "Content-Type: multipart/mixed; boundary=a; boundary=b",
            true,
        ),
        ("A: 1\r\n \t\r\nB: 2", true),
        ("A: 1\r\ngarbage\r\nB: 2", true),
        ("From someone\r\nA: 1", true),
        ("A: 1\r\n folded\r\nB: 2", false),
    ] {
        let message = message(format!("{header}\r\n\r\nbody\r\n"));
        assert_eq!(message.is_ambiguous(), expected, "{header}");
    }
    for content in ["", "\r\n", "\r\nbody\r\n", "A: 1\r\n", "A: 1"] {
        assert!(!message(content).is_ambiguous(), "{content:?}");
    }
}

#[test]
fn recipients_in_headers_are_visible_and_others_hidden() {
    let message = message(
        "To: Ann <ANN@Example.org>, team: bob@example.org;\r\nCc: broken\r\nBcc: eve@example.org\r\n\
         Resent-To: dan@example.org\r\n\r\n",
    );
    let mut visible: Vec<_> = message.visible_recipients().into_iter().collect();
    visible.sort();
    assert_eq!(
        visible,
        ["ann@example.org", "bob@example.org", "dan@example.org"]
    );
}

#[test]
fn calendars_and_reports_are_recognised() {
    let alternative = |inner: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n{inner}\r\n\r\nX\r\n--b--\r\n"
        )
    };
    for (content, calendar, report) in [
        ("Content-Type: text/calendar; method=REQUEST\r\n\r\nX\r\n".to_owned(), true, false),
        ("Content-Type: text/calendar\r\n\r\nX\r\n".to_owned(), false, false),
        (alternative("Content-Type: text/calendar; method=REPLY"), true, false),
        (alternative("Content-Type: text/html"), false, false),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b--\r\n".to_owned(), false, true),
        ("Subject: Hi\r\n\r\nHi\r\n".to_owned(), false, false),
    ] {
        let message = message(content.clone());
        assert_eq!((message.is_calendar(), message.is_report()), (calendar, report), "{content}");
    }
}

#[test]
fn bounds_hold() {
    let nested = |depth: usize| {
        let mut content = String::new();
        for level in 0..depth {
            content.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        content
    };
    assert!(Message::parse(nested(MAX_DEPTH).into()).is_ok());
    assert_eq!(
        Message::parse(nested(MAX_DEPTH + 2).into()).err(),
        Some(MessageError::TooDeep)
    );
    let wide = |parts: usize| {
        let start = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
        start + &"--b\r\n\r\nx\r\n".repeat(parts) + "--b--\r\n"
    };
    assert!(Message::parse(wide(MAX_PARTS - 1).into()).is_ok());
    assert_eq!(
        Message::parse(wide(MAX_PARTS + 1).into()).err(),
        Some(MessageError::TooManyParts)
    );
}
