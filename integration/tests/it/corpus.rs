//! Other people's messages: each one of the corpus gets the verdict that is written down for it, with the reason why that one
//! is right, in `corpus/verdicts.txt`.
//!
//! One gateway trusts the authorities of all collections, and one reader owns all their keys. Whether a message was opened,
//! and what was said of its signature, is what arrives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use integration::gateway::{Gateway, HOSTNAME, Setup, text};
use integration::sink::Sink;
use integration::{mime, process};

/// Whom all messages are sent to.
const READER: &str = "reader@example.org";

const VERDICTS: &str = include_str!("corpus/verdicts.txt");

/// Certificates that vouch for others, PEM or DER.
const ANCHORS: [&str; 5] = [
    "thunderbird-sha384-sha512/TestCA.pem",
    "james/rootCA.crt",
    "rfc9216-keys/ca-rsa.crt",
    "rfc9216-keys/ca-ed25519.crt",
    "rfc4134/CarlRSASelf.cer",
];

/// PKCS#12 files and their passphrases.
const KEYS: [(&str, &str); 5] = [
    ("thunderbird-sha384-sha512/Bob.p12", "nss"),
    ("thunderbird-sha384-sha512/Alice.p12", "nss"),
    ("thunderbird-sha384-sha512/Dave.p12", "nss"),
    ("rfc9216-keys/alice.p12", "alice"),
    ("rfc9216-keys/bob.p12", "bob"),
];

/// Certificates and keys that are not in one file.
const PAIRS: [(&str, &str); 1] = [("pyca/custom/ca/rsa_ca.pem", "pyca/custom/ca/rsa_key.pem")];

/// What is written down about a message.
struct Expected {
    /// In From, where the file is CMS without a mail around it.
    author: &'static str,
    outcome: &'static str,
}

#[test]
fn every_message_gets_its_verdict() -> Result<()> {
    let Some(corpus) = corpus() else {
        return Ok(());
    };
    let expected = expectations();
    let sink = Sink::start()?;
    let gateway = reader(&corpus, &sink)?;
    let mut differences = Vec::new();
    let mut count = 0;
    for file in messages(&corpus)? {
        let name = file.strip_prefix(&corpus)?.display().to_string();
        let Some(about) = about(&expected, &name) else {
            differences.push(format!("{name}: no verdict is written down"));
            continue;
        };
        let mail = as_mail(&name, &fs::read(&file)?, about.author);
        let outcome = outcome(&gateway, &sink, &mail).with_context(|| name.clone())?;
        if outcome != about.outcome {
            differences.push(format!("{name}: {outcome}, not {}", about.outcome));
        }
        count += 1;
    }
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
    ensure!(count > 150, "only {count} messages");
    Ok(())
}

/// What became of a mail: `refused CODE`, or `opened` if it was decrypted, then the result and the reason's word.
fn outcome(gateway: &Gateway, sink: &Sink, mail: &[u8]) -> Result<String> {
    let before = sink.count();
    let sent = gateway.send("sender@example.net", &[READER], mail)?;
    let reply = sent.message.clone().context("no answer to the content")?;
    if !reply.is_positive() {
        return Ok(format!("refused {}", reply.code));
    }
    let arrived = sink.wait(before + 1)?.pop().context("no mail")?.content;
    let ours = |value: &String| value.starts_with(HOSTNAME);
    let results = mime::values(&arrived, "Authentication-Results")
        .into_iter()
        .find(ours);
    let word = |name: &str| {
        let (_, rest) = results.as_ref()?.split_once(name)?;
        rest.split([' ', ':', '\t', ';', '"']).next()
    };
    let is_cms = mime::values(mail, "Content-Type")
        .concat()
        .contains("pkcs7");
    let is_kept = mime::entity(&arrived) == mime::entity(mail);
    let opened = if is_cms && !is_kept { "opened " } else { "" };
    let result = word("smime=").context("no verdict")?;
    let reason = word("reason=\"").map_or(String::new(), |word| format!(" {word}"));
    Ok(format!("{opened}{result}{reason}"))
}

/// The gateway of the one who owns all keys.
fn reader(corpus: &Path, sink: &Sink) -> Result<Gateway> {
    let mut gateway = Setup::default().next_hop(sink.address()).write()?;
    for anchor in ANCHORS {
        gateway.ask(&["trust", "add", text(&corpus.join(anchor))?])?;
    }
    for (file, passphrase) in KEYS {
        import(&gateway, &corpus.join(file), passphrase)?;
    }
    for (certificate, key) in PAIRS {
        let joined = gateway.file("joined.p12");
        let [certificate, key] = [certificate, key].map(|file| corpus.join(file));
        let [certificate, key] = [pem("x509", &certificate)?, pem("pkey", &key)?];
        let mut openssl = Command::new("openssl");
        openssl.args(["pkcs12", "-export", "-passout", "pass:joined", "-out"]);
        let both = gateway.file("joined.pem");
        fs::write(&both, [certificate, key].concat())?;
        process::run(openssl.arg(&joined).arg("-in").arg(both), b"")?;
        import(&gateway, &joined, "joined")?;
    }
    gateway.start()?;
    Ok(gateway)
}

fn import(gateway: &Gateway, file: &Path, passphrase: &str) -> Result<()> {
    let secret = gateway.file("passphrase");
    fs::write(&secret, passphrase)?;
    let words = ["key", "import", READER, text(file)?, "--passphrase-file"];
    let words = [&words[..], &[text(&secret)?, "--purpose", "encryption"]].concat();
    gateway.ask(&words).map(drop)
}

/// A certificate or key, PEM or DER, as PEM.
fn pem(kind: &str, file: &Path) -> Result<Vec<u8>> {
    process::run(Command::new("openssl").arg(kind).arg("-in").arg(file), b"")
}

/// A file as a mail with CRLF line ends; CMS, bare or armoured, gets a mail around it.
fn as_mail(name: &str, content: &[u8], author: &str) -> Vec<u8> {
    let is_mail = name.ends_with(".eml") || name.ends_with(".txt") || !name.contains('.');
    if is_mail || name.starts_with("mime/") {
        return mime::crlf(content);
    }
    let head = format!(
        "From: {author}\r\nTo: {READER}\r\nSubject: {name}\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/pkcs7-mime; name=\"smime.p7m\"\r\n"
    );
    let text = content.starts_with(b"-----BEGIN") || content.starts_with(b"MII");
    let body = if text {
        let encoding = if content.starts_with(b"MII") {
            "base64"
        } else {
            "7bit"
        };
        [
            format!("Content-Transfer-Encoding: {encoding}\r\n\r\n").into_bytes(),
            mime::crlf(content),
        ]
        .concat()
    } else {
        let base64 = encodify::base64::MIME.encode(content);
        format!("Content-Transfer-Encoding: base64\r\n\r\n{base64}\r\n").into_bytes()
    };
    [head.into_bytes(), body].concat()
}

/// All files that are messages, in order.
fn messages(corpus: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = [
        "thunderbird-sha384-sha512",
        "james",
        "rfc9788",
        "rfc4134",
        "pyca/pkcs7",
        "mime",
    ]
    .map(|folder| corpus.join(folder))
    .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_message(&path.strip_prefix(corpus)?.display().to_string()) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Mails, and what the collections of CMS hold besides keys, certificates and contents.
fn is_message(name: &str) -> bool {
    let jsmime = name.starts_with("mime/jsmime/");
    let mail = name.ends_with(".eml") || name.starts_with("mime/mimekit-mbox/messages/");
    let cms = [".bin", ".p7m", ".p7b"]
        .iter()
        .any(|end| name.ends_with(end));
    let pyca = name.starts_with("pyca/pkcs7/") && !name.contains("san.pem");
    let content = name.ends_with("ExContent.bin");
    (jsmime || mail || cms || pyca) && !content
}

/// Folder or file → what is expected. A line is `PATH | AUTHOR | OUTCOME | WHY`.
fn expectations() -> BTreeMap<&'static str, Expected> {
    let lines = VERDICTS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let [path, author, outcome, why] = fields[..] else {
                panic!("four fields: {line}");
            };
            assert!(!why.is_empty(), "no reason: {line}");
            (path, Expected { author, outcome })
        })
        .collect()
}

/// The line of the file, else that of its folder.
fn about<'e>(expected: &'e BTreeMap<&str, Expected>, name: &str) -> Option<&'e Expected> {
    expected.get(name).or_else(|| {
        let folders = name.match_indices('/').map(|(at, _)| &name[..=at]);
        folders.rev().find_map(|folder| expected.get(folder))
    })
}

/// `$POSTERN_CORPUS`, else the folder beside the repository.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("POSTERN_CORPUS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus at {}", folder.display());
    None
}
