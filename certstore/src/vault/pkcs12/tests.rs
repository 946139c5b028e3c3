use std::process::Command;

use super::*;
use crate::samples::corpus;
use crate::vault::software_key::SoftwareKey;

fn read_with(bytes: &[u8], passphrase: &str) -> Result<KeyFile, KeyFileError> {
    read(bytes, &Passphrase::new(passphrase), true)
}

fn counts(file: &KeyFile) -> (usize, usize) {
    (file.keys.len(), file.certificates.len())
}

/// Makes PKCS#12 files with the openssl command.
struct Openssl {
    folder: tempfile::TempDir,
}

impl Openssl {
    fn new() -> Self {
        let openssl = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let request = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem \
                       -days 30 -subj /CN=Alice -addext subjectAltName=email:alice@example.org";
        let arguments: Vec<&str> = request.split_whitespace().collect();
        assert!(openssl.run(&arguments), "openssl req");
        openssl
    }

    fn run(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.folder.path());
        command.output().unwrap().status.success()
    }

    /// None if this openssl cannot write this kind.
    fn export(&self, options: &[&str], passphrase: &str) -> Option<Vec<u8>> {
        let passphrase = format!("pass:{passphrase}");
        let arguments =
            "pkcs12 -export -inkey key.pem -in certificate.pem -name Alice -out out.p12";
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        arguments.extend_from_slice(&["-passout", &passphrase]);
        arguments.extend_from_slice(options);
        self.run(&arguments).then(|| self.file("out.p12"))
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped case is said")]
fn every_kind_that_openssl_writes_is_read() {
    let openssl = Openssl::new();
    let mut read = 0;
    for (options, passphrase) in [
        ("", "secret"),
        ("", ""),
        ("", "pässwörd €"),
        (
            "-keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha256",
            "secret",
        ),
        (
            "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha1",
            "secret",
        ),
        (
            "-keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha512",
            "secret",
        ),
        (
            "-keypbe DES-EDE3-CBC -certpbe NONE -macalg sha384",
            "secret",
        ),
        ("-keypbe NONE -certpbe NONE", "secret"),
        ("-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES", "pässwörd €"),
        ("-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-3DES", "secret"),
        ("-legacy", "secret"),
        ("-legacy", ""),
        (
            "-legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-40",
            "secret",
        ),
        ("-iter 600000 -maciter", "secret"),
    ] {
        let options: Vec<&str> = options.split_whitespace().collect();
        let Some(bytes) = openssl.export(&options, passphrase) else {
            println!("skipped: this openssl does not write {options:?}");
            continue;
        };
        let file = read_with(&bytes, passphrase).unwrap_or_else(|e| panic!("{options:?}: {e}"));
        assert_eq!(counts(&file), (1, 1), "{options:?}");
        assert_eq!(file.keys[0].name.as_deref(), Some("Alice"));
        assert!(SoftwareKey::read(&file.keys[0].der).is_ok(), "{options:?}");
        let wrong = read_with(&bytes, "wrong").unwrap_err();
        assert_eq!(wrong, KeyFileError::WrongPassphrase, "{options:?}");
        read += 1;
    }
    assert!(read >= 9, "only {read} kinds were tried");
}

#[test]
fn a_missing_mac_and_endless_work_are_refused_before_the_work() {
    let openssl = Openssl::new();
    let without_mac = openssl.export(&["-nomac"], "secret").unwrap();
    assert_eq!(
        read_with(&without_mac, "secret").unwrap_err(),
        KeyFileError::NoMac
    );
    let passphrase = Passphrase::new("secret");
    assert_eq!(
        counts(&read(&without_mac, &passphrase, false).unwrap()),
        (1, 1)
    );
    let passphrase = Passphrase::new("wrong");
    let wrong = read(&without_mac, &passphrase, false).unwrap_err();
    assert_eq!(wrong, KeyFileError::WrongPassphrase);

    let slow = openssl.export(&["-iter", "600001"], "secret").unwrap();
    assert_eq!(
        read_with(&slow, "secret").unwrap_err(),
        KeyFileError::Iterations(600_001)
    );
}

#[test]
fn what_is_written_is_read_by_openssl_and_by_us() {
    let openssl = Openssl::new();
    let original = read_with(&openssl.export(&[], "a").unwrap(), "a").unwrap();
    let key = &original.keys[0].der;
    let written = write("alice@example.org", key, &original.certificates, "pässwörd").unwrap();
    let file = read_with(&written, "pässwörd").unwrap();
    assert_eq!(file.keys[0].der, *key);
    assert_eq!(file.keys[0].name.as_deref(), Some("alice@example.org"));
    assert_eq!(file.certificates, original.certificates);
    let path = openssl.folder.path().join("written.p12");
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), &written).unwrap();
    let read = [
        "pkcs12",
        "-in",
        "written.p12",
        "-noenc",
        "-passin",
        "pass:pässwörd",
        "-out",
        "o.pem",
    ];
    assert!(openssl.run(&read), "openssl does not read it");
    let text = String::from_utf8(openssl.file("o.pem")).unwrap();
    assert!(
        text.contains("BEGIN PRIVATE KEY") && text.contains("BEGIN CERTIFICATE"),
        "{text}"
    );
}

#[test]
fn ugly_input_is_a_clear_error() {
    let cut_off = |bytes: &[u8]| {
        let wrong = read_with(bytes, "").unwrap_err();
        assert!(matches!(wrong, KeyFileError::Structure(_)), "{wrong:?}");
    };
    cut_off(b"");
    cut_off(b"0");
    cut_off(b"\x30\x80");
    cut_off(b"\x30\x03\x02\x01\x03");
    cut_off(b"hello, this is no PKCS#12");
    for (input, expected) in [
        (&b"\x30\x03\x02\x01\x02"[..], "version other than 3"),
        (
            b"\x30\x14\x02\x01\x03\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x02\x30\x00",
            "public key",
        ),
    ] {
        let wrong = read_with(input, "").unwrap_err();
        assert!(wrong.to_string().contains(expected), "{wrong}");
    }
}

/// Bags within bags, deeper than anybody nests them: the depth is bounded, and the stack with it.
#[test]
fn nested_bags_are_bounded() {
    let der = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, content].concat()
    };
    let data = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let safe_contents_bag = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06";
    for (depth, refused) in [(1, false), (4, false), (5, true), (20, true)] {
        let mut safe_contents = der(0x30, b"");
        for _ in 0..depth {
            let bag = [&safe_contents_bag[..], &der(0xa0, &safe_contents)].concat();
            safe_contents = der(0x30, &der(0x30, &bag));
        }
        let content_info = |content: &[u8]| {
            let content = der(0xa0, &der(0x04, content));
            der(0x30, &[&data[..], &content].concat())
        };
        let safes = der(0x30, &content_info(&safe_contents));
        let pfx = der(0x30, &[b"\x02\x01\x03", &content_info(&safes)[..]].concat());
        let outcome = read(&pfx, &Passphrase::new(""), false).map(drop);
        assert_eq!(outcome.is_err(), refused, "{depth}: {outcome:?}");
    }
}

/// Flipped, cut and spliced files give an error or a key file, in bounded time, and never a panic.
#[test]
fn mutated_files_never_panic() {
    let openssl = Openssl::new();
    let quick = |options: &[&str]| {
        let options = [options, &["-iter", "1", "-nomaciter"]].concat();
        openssl.export(&options, "a").unwrap()
    };
    let seeds = [
        quick(&[]),
        quick(&["-keypbe", "PBE-SHA1-3DES", "-certpbe", "NONE"]),
        quick(&["-keypbe", "NONE", "-certpbe", "NONE", "-nomac"]),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
    };
    let passphrase = Passphrase::new("a");
    let started = std::time::Instant::now();
    for round in 0..20_000 {
        if started.elapsed().as_millis() > 1_500 {
            break;
        }
        let mut bytes = seeds[round % seeds.len()].clone();
        match random(3) {
            0 => bytes.truncate(random(bytes.len())),
            1 => {
                let (from, to) = (random(bytes.len()), random(bytes.len()));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                let at = random(bytes.len());
                bytes.splice(at..at, piece);
            }
            _ => {}
        }
        for _ in 0..random(4) {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(random(length)) {
                *byte = u8::try_from(random(256)).unwrap();
            }
        }
        if let Ok(file) = read(&bytes, &passphrase, false) {
            assert!(file.keys.len() + file.certificates.len() <= MAX_BAGS);
        }
    }
}

#[test]
fn files_of_other_programs_are_read() {
    let Some(corpus) = corpus() else { return };
    for (name, passphrase, expected) in [
        ("rfc9216-keys/alice.p12", "alice", (2, 3)),
        ("rfc9216-keys/bob.p12", "bob", (2, 3)),
        ("rfc9216-keys/carlos.p12", "carlos", (2, 3)),
        // Written by NSS, in BER with indefinite lengths.
        ("thunderbird-sha384-sha512/Alice.p12", "nss", (1, 2)),
        ("thunderbird-sha384-sha512/Bob.p12", "nss", (1, 2)),
        ("thunderbird-sha384-sha512/Dave.p12", "nss", (1, 2)),
    ] {
        let bytes = std::fs::read(corpus.join(name)).unwrap();
        let file = read_with(&bytes, passphrase).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(counts(&file), expected, "{name}");
    }
}

#[test]
fn the_files_of_pyca_are_read() {
    let Some(corpus) = corpus() else { return };
    let mut files = 0;
    for entry in corpus.join("pyca/pkcs12").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".p12") {
            continue;
        }
        let passphrase = match name {
            "no-password.p12" | "java-truststore.p12" => "",
            name if name.ends_with("no-pwd.p12") => "",
            name if name.ends_with("-pwd.p12") => "password",
            _ => "cryptography",
        };
        let bytes = std::fs::read(&path).unwrap();
        let file = read_with(&bytes, passphrase).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(counts(&file), numbers(name), "{name}");
        files += 1;
    }
    assert_eq!(files, 31);
}

/// The numbers of keys and certificates that OpenSSL finds in a file.
fn numbers(name: &str) -> (usize, usize) {
    match name {
        "no-cert-key-aes256cbc.p12" => (1, 0),
        "cert-aes256cbc-no-key.p12" => (0, 1),
        "no-password.p12" => (1, 1),
        name if name.starts_with("cert-") => (1, 1),
        name if name.starts_with("no-cert-") || name == "java-truststore.p12" => (0, 2),
        _ => (1, 3),
    }
}
