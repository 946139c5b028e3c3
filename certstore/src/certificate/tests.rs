use super::*;

#[test]
fn bytes_that_are_no_certificate_get_an_error() {
    for bytes in [
        &b""[..],
        b"\x30\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"-----BEGIN CERTIFICATE-----",
    ] {
        let error = Certificate::from_der(bytes).unwrap_err();
        assert!(matches!(error, CertificateError::Structure(_)), "{error}");
    }
    let long = vec![0x30; MAX_CERTIFICATE_SIZE + 1];
    assert_eq!(
        Certificate::from_der(&long).unwrap_err(),
        CertificateError::TooLarge(MAX_CERTIFICATE_SIZE + 1)
    );
}

#[test]
fn every_fact_of_a_real_certificate() {
    let Some(bytes) = corpus_file("rfc9216-keys/alice.sign.crt") else {
        return;
    };
    let certificate = read_certificates(&bytes).remove(0).unwrap();
    println!("{certificate:?}");
}

/// The certificates of the corpus at `folder`, each with the name of its file.
fn corpus(folder: &str) -> Vec<(String, Result<Certificate, CertificateError>)> {
    let mut found = Vec::new();
    for path in files_below(&corpus_root().join(folder)) {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        found.extend(read_certificates(&bytes).into_iter().map(|c| (name.clone(), c)));
    }
    if found.is_empty() {
        println!("skipped: no corpus at {folder}");
    }
    found
}

#[test]
fn the_corpus_report() {
    for folder in ["pkilint-smime-br", "pyca/custom", "openssl/certs", "openssl/smime-certs", "pkits/certs", "rfc9216-keys", "james"] {
        let all = corpus(folder);
        println!("== {folder}: {}", all.len());
        for (name, c) in all {
            if let Err(e) = c { println!("{name}: {e}"); }
        }
    }
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let expand = |path: std::path::PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => vec![path],
    };
    paths.into_iter().flat_map(expand).collect()
}

fn corpus_root() -> std::path::PathBuf {
    std::env::var_os("POSTERN_CORPUS").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        Into::into,
    )
}
fn corpus_file(name: &str) -> Option<Vec<u8>> { std::fs::read(corpus_root().join(name)).ok() }
