//! Chains made by OpenSSL, and OpenSSL's own verdict on each beside ours.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use policy::address::Address;
use tempfile::TempDir;

use crate::certificate::{Certificate, Purpose, read_certificates};
use crate::trust::{Anchor, AnchorScope, Trust};

/// A folder in which OpenSSL makes keys and certificates.
pub(super) struct Workshop(TempDir);

const ROOT: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign";
const LEAF: &str = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=emailProtection\n\
                    subjectAltName=email:a@example.org";

impl Workshop {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Makes NAME.pem, signed by `issuer` (itself if that is its own name), with these extensions.
    pub(super) fn make(
        &self,
        name: &str,
        issuer: &str,
        extensions: &str,
        more: &[&str],
    ) -> Certificate {
        let key = [
            "ecparam",
            "-genkey",
            "-name",
            "prime256v1",
            "-noout",
            "-out",
        ];
        self.run(&[&key[..], &[&format!("{name}.key")]].concat());
        self.make_with_key(name, issuer, extensions, more)
    }

    pub(super) fn make_with_key(
        &self,
        name: &str,
        issuer: &str,
        extensions: &str,
        more: &[&str],
    ) -> Certificate {
        let (key, request, pem) = (
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
        );
        let subject = format!("/O=Test/CN={name}");
        self.run(&[
            "req", "-new", "-key", &key, "-subj", &subject, "-out", &request,
        ]);
        let config = self.path().join("extensions");
        std::fs::File::create(&config)
            .and_then(|mut file| std::io::Write::write_all(&mut file, extensions.as_bytes()))
            .unwrap();
        let (issuer_key, issuer_pem) = (format!("{issuer}.key"), format!("{issuer}.pem"));
        let signer: Vec<&str> = match name == issuer {
            true => vec!["-signkey", &key],
            false => vec!["-CA", &issuer_pem, "-CAkey", &issuer_key, "-CAcreateserial"],
        };
        let sign = [
            "x509",
            "-req",
            "-in",
            &request,
            "-out",
            &pem,
            "-extfile",
            "extensions",
        ];
        let days = match more.contains(&"-days") {
            true => &[][..],
            false => &["-days", "30"],
        };
        self.run(&[&sign[..], &signer, days, more].concat());
        self.read(&pem)
    }

    pub(super) fn read(&self, file: &str) -> Certificate {
        let bytes = std::fs::read(self.path().join(file)).unwrap();
        read_certificates(&bytes).remove(0).unwrap()
    }

    fn verifies(&self, purpose: &str, intermediates: &[&str], leaf: &str) -> bool {
        let mut arguments = vec!["verify", "-purpose", purpose, "-CAfile", "root.pem"];
        let files: Vec<String> = intermediates
            .iter()
            .map(|name| format!("{name}.pem"))
            .collect();
        for file in &files {
            arguments.extend(["-untrusted", file]);
        }
        let leaf = format!("{leaf}.pem");
        arguments.push(&leaf);
        self.command(&arguments).output().unwrap().status.success()
    }

    pub(super) fn run(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {errors}");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.path());
        command
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What is tried: extensions of the CA between, extensions of the leaf, more options for the leaf.
struct Case {
    what: &'static str,
    authority: &'static str,
    leaf: &'static str,
    options: &'static [&'static str],
    expected: &'static str,
}

const PLAIN: Case = Case {
    what: "plain",
    authority: ROOT,
    leaf: LEAF,
    options: &[],
    expected: "trusted",
};

const CASES: [Case; 11] = [
    PLAIN,
    Case {
        what: "the authority is none",
        authority: "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature",
        expected: "untrusted",
        ..PLAIN
    },
    Case {
        what: "without keyCertSign",
        authority: "basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign",
        expected: "wrong-usage",
        ..PLAIN
    },
    Case {
        what: "an authority for servers only",
        authority: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=serverAuth",
        expected: "wrong-usage",
        ..PLAIN
    },
    Case {
        what: "an authority for mail",
        authority: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\nextendedKeyUsage=emailProtection",
        ..PLAIN
    },
    Case {
        what: "an authority limited to the domain",
        authority: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n\
                    nameConstraints=critical,permitted;email:example.org",
        ..PLAIN
    },
    Case {
        what: "an authority limited to another domain",
        authority: "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n\
                    nameConstraints=critical,permitted;email:other.example",
        expected: "untrusted",
        ..PLAIN
    },
    Case {
        what: "a leaf for servers",
        leaf: "extendedKeyUsage=serverAuth\nsubjectAltName=email:a@example.org",
        expected: "wrong-usage",
        ..PLAIN
    },
    Case {
        what: "a leaf without extensions that limit it",
        leaf: "subjectAltName=email:a@example.org",
        ..PLAIN
    },
    Case {
        what: "a critical extension nobody knows",
        leaf: "subjectAltName=email:a@example.org\n1.3.6.1.4.1.32473.1=critical,DER:0500",
        expected: "untrusted",
        ..PLAIN
    },
    Case {
        what: "expired",
        options: &["-days", "-1"],
        expected: "expired",
        ..PLAIN
    },
];

#[test]
fn verdicts_agree_with_openssl() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", ROOT, &[]);
    for case in CASES {
        let authority = workshop.make("ca", "root", case.authority, &[]);
        let leaf = workshop.make("leaf", "ca", case.leaf, case.options);
        let theirs = workshop.verifies("smimesign", &["ca"], "leaf");
        let verdict = verdict(&root, &[authority], &leaf, now());
        assert_eq!(verdict, case.expected, "{}", case.what);
        assert_eq!(theirs, case.expected == "trusted", "{}", case.what);
    }
}

/// OpenSSL's default level lets these pass; a signature over SHA-1 means nothing since 2017.
#[test]
fn weak_keys_and_digests_are_named_weak() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", ROOT, &[]);
    let sha1 = workshop.make("leaf", "root", LEAF, &["-sha1"]);
    assert_eq!(verdict(&root, &[], &sha1, now()), "weak");
    workshop.run(&["genrsa", "-out", "small.key", "1024"]);
    let small = workshop.make_with_key("small", "root", LEAF, &[]);
    assert_eq!(verdict(&root, &[], &small, now()), "weak");
    // The anchor's signature on itself proves nothing and is not looked at.
    let old_root = workshop.make("old", "old", ROOT, &["-sha1"]);
    let leaf = workshop.make("leaf", "old", LEAF, &[]);
    assert_eq!(verdict(&old_root, &[], &leaf, now()), "trusted");
}

#[test]
fn a_forged_signature_is_not_a_path() {
    let workshop = Workshop::new();
    let root = workshop.make("root", "root", ROOT, &[]);
    // Another key under the same name; without key identifiers the names alone match.
    let forger = Workshop::new();
    forger.make("root", "root", ROOT, &[]);
    let forged = forger.make("leaf", "root", LEAF, &[]);
    assert_eq!(verdict(&root, &[], &forged, now()), "untrusted");
    let text = problem(&root, &forged);
    assert!(
        text.contains("signature") || text.contains("no path"),
        "{text}"
    );
}

/// A root limited by its own name constraints limits everything below (RFC 5937, section 3.2).
#[test]
fn constraints_of_the_anchor_count() {
    let workshop = Workshop::new();
    let limited = format!("{ROOT}\nnameConstraints=critical,permitted;email:other.example");
    let root = workshop.make("root", "root", &limited, &[]);
    let leaf = workshop.make("leaf", "root", LEAF, &[]);
    assert_eq!(verdict(&root, &[], &leaf, now()), "untrusted");
    assert!(problem(&root, &leaf).contains("may certify"));
}

/// The subject's emailAddress and SmtpUTF8Mailbox are addresses too, and no way around name constraints.
#[test]
fn constraints_reach_every_kind_of_address() {
    let workshop = Workshop::new();
    let limited = format!("{ROOT}\nnameConstraints=critical,permitted;email:other.example");
    let root = workshop.make("root", "root", &limited, &[]);
    // A SmtpUTF8Mailbox, in DER, since OpenSSL's own syntax takes the text for Latin-1.
    let utf8 = "subjectAltName=DER:301ea01c06082b06010505070809a0100c0e\
                c3a9406578616d706c652e6f7267";
    let in_subject = ["-subj", "/CN=leaf/emailAddress=a@example.org"];
    for (leaf, wanted) in [
        (
            workshop.make("leaf", "root", utf8, &[]),
            "\u{e9}@example.org",
        ),
        (
            workshop.make("leaf", "root", "keyUsage=digitalSignature", &in_subject),
            "a@example.org",
        ),
    ] {
        let address = Address::parse(wanted).unwrap();
        assert_eq!(leaf.addresses(), std::slice::from_ref(&address));
        let trust = everybody(&root, &[]);
        let result = trust.validate(&leaf, &[], Purpose::Signing, &address, now());
        assert_eq!(result.unwrap_err().word(), "untrusted", "{wanted}");
    }
}

pub(super) fn verdict(
    root: &Certificate,
    extra: &[Certificate],
    leaf: &Certificate,
    at: SystemTime,
) -> &'static str {
    let address = Address::parse("A@example.org").unwrap();
    match everybody(root, &[]).validate(leaf, extra, Purpose::Signing, &address, at) {
        Ok(trusted) => {
            assert_eq!(trusted.certificate(), leaf);
            assert_eq!(trusted.chain().last(), Some(root));
            "trusted"
        }
        Err(distrust) => distrust.word(),
    }
}

pub(super) fn everybody(root: &Certificate, intermediates: &[Certificate]) -> Trust {
    let anchor = Anchor {
        certificate: root.clone(),
        scope: AnchorScope::Everybody,
        revocation: None,
    };
    Trust::new(vec![anchor], intermediates.to_vec())
}

fn problem(root: &Certificate, leaf: &Certificate) -> String {
    let address = Address::parse("a@example.org").unwrap();
    everybody(root, &[])
        .validate(leaf, &[], Purpose::Signing, &address, now())
        .unwrap_err()
        .to_string()
}

/// A moment at which what OpenSSL just made is valid.
pub(super) fn now() -> SystemTime {
    let file = tempfile::tempfile().unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    assert!(modified > UNIX_EPOCH);
    modified
}
