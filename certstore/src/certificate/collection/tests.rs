use std::path::PathBuf;

use encodify::{base64, pem};
use policy::mutation::mutations;

use super::*;
use crate::cms::certificate_bundle;
use crate::samples::{Sample, SampleAuthority};

const PEOPLE: [&str; 2] = ["a@example.org", "b@example.org"];

fn people() -> [Certificate; 2] {
    PEOPLE.map(|address| Sample::ec(address).self_signed().0)
}

fn rows(name: &str, bytes: &[u8]) -> Vec<Row> {
    let path = PathBuf::from(name);
    read_rows(&path, bytes).collect()
}

/// What is found in each row: an address, or the beginning of the reason.
fn found(name: &str, bytes: &[u8]) -> Vec<String> {
    let shown = |row: Row| match row.certificate {
        Ok(certificate) => certificate.subject().trim_start_matches("CN=").to_owned(),
        Err(error) => error
            .to_string()
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    rows(name, bytes).into_iter().map(shown).collect()
}

fn element(id: u32, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).unwrap();
    let head = [id, 1, length].map(u32::to_le_bytes).concat();
    [&head[..], value].concat()
}

fn sst(certificates: &[&[u8]]) -> Vec<u8> {
    let mut store = b"\0\0\0\0CERT".to_vec();
    for der in certificates {
        store.extend(element(3, b"a property"));
        store.extend(element(32, der));
    }
    store.extend(element(33, b"a CRL"));
    store.extend([0; 12]);
    store
}

fn ldif(certificates: &[Certificate]) -> String {
    let mut text = "version: 1\n".to_owned();
    for certificate in certificates {
        let value = base64::STANDARD.encode(certificate.der());
        let (first, rest) = value.split_at(60);
        let folded: String = rest
            .as_bytes()
            .chunks(76)
            .map(|line| format!("\r\n {}", std::str::from_utf8(line).unwrap()))
            .collect();
        text += &format!(
            "\r\n# somebody\r\ndn: cn=x\r\nmail: x@example.org\r\nUserCertificate;binary:: {first}{folded}\r\n"
        );
    }
    text
}

#[test]
fn every_format_gives_its_certificates_in_their_order() {
    let both = people();
    let ders = both.each_ref().map(Certificate::der);
    let bundle = certificate_bundle(&ders);
    let armoured = ders
        .map(|der| pem::STANDARD.encode("CERTIFICATE", der))
        .concat();
    let csv: String = PEOPLE
        .iter()
        .zip(ders)
        .map(|(address, der)| format!("{address}, {}\n", base64::STANDARD.encode(der)))
        .collect();
    let in_directory = format!(
        "dn: cn=x\nuserSMIMECertificate;binary:: {}\n",
        base64::STANDARD.encode(&bundle)
    );
    for (name, bytes) in [
        ("x.pem", armoured.into_bytes()),
        ("x.p7b", bundle),
        ("x.sst", sst(&ders)),
        ("x.LDIF", ldif(&both).into_bytes()),
        ("y.ldif", in_directory.into_bytes()),
        ("x.csv", csv.clone().into_bytes()),
        (
            "y.csv",
            format!("Address;x,certificate\n{csv}")
                .replace(";x", "")
                .into_bytes(),
        ),
    ] {
        let mut found = found(name, &bytes);
        // A PKCS#7 bundle is a set, and has an order of its own.
        if name == "x.p7b" || name == "y.ldif" {
            found.sort();
        }
        assert_eq!(found, PEOPLE, "{name}");
        let ends: Vec<_> = rows(name, &bytes).iter().map(|row| row.end).collect();
        assert!(
            ends.is_sorted() && ends.iter().all(|end| *end <= bytes.len()),
            "{name}: {ends:?}"
        );
    }
    assert_eq!(found("x.cer", ders[0]), PEOPLE[..1]);
}

#[test]
fn a_broken_row_stops_no_other() {
    let both = people();
    let [a, b] = both
        .each_ref()
        .map(|one| base64::STANDARD.encode(one.der()));
    let cut_off = &sst(&[both[0].der(), both[1].der()])[..800];
    let csv = format!(
        "a@example.org,{a}\nb@example.org,{a}\nnobody\n,\nb@example.org,missing.pem\nx y,{b}\nb@example.org,{b}\n"
    );
    let ldif = format!(
        "userCertificate;binary:: {a}\nuserCertificate:< file:///etc/passwd\nuserCertificate:: ????\n\
         userCertificate: text\ncACertificate;binary:: {b}\n"
    );
    let damaged = "the file is damaged here";
    for (name, bytes, expected) in [
        (
            "x.csv",
            csv.as_bytes(),
            vec![
                "a@example.org",
                "the certificate does not name b@example.org",
                damaged,
                damaged,
                "missing.pem cannot be read",
                damaged,
                "b@example.org",
            ],
        ),
        (
            "x.ldif",
            ldif.as_bytes(),
            vec![
                "a@example.org",
                damaged,
                damaged,
                "no certificate found",
                "b@example.org",
            ],
        ),
        ("x.sst", cut_off, vec!["a@example.org", damaged]),
        ("x.csv", b"", vec!["no certificate found"]),
        ("x.ldif", b"", vec!["no certificate found"]),
        ("x.sst", b"\0\0\0\0CERT", vec!["no certificate found"]),
        ("x.pem", b"", vec!["no certificate found"]),
    ] {
        let found = found(name, bytes);
        let matches = found.len() == expected.len()
            && found
                .iter()
                .zip(&expected)
                .all(|(found, expected)| found.starts_with(expected));
        assert!(matches, "{name}: {found:?}, not {expected:?}");
    }
}

#[test]
fn a_csv_may_name_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = SampleAuthority::root("A root");
    let (certificate, _) = Sample::ec("a@example.org").issued_by(&root);
    let chain = certificate_bundle(&[root.certificate().der(), certificate.der()]);
    std::io::Write::write_all(
        &mut std::fs::File::create(folder.path().join("a.p7b")).unwrap(),
        &chain,
    )
    .unwrap();
    let path = folder.path().join("list.csv");
    let found: Vec<_> = read_rows(&path, b"a@example.org,a.p7b\na@example.org,.\n").collect();
    assert_eq!(found[0].certificate, Ok(certificate));
    assert!(matches!(found[1].certificate, Err(RowError::File { .. })));
}

#[test]
fn no_bytes_make_it_panic_or_run_on() {
    let both = people();
    let ders = both.each_ref().map(Certificate::der);
    let csv = format!("a@example.org,{}\n", base64::STANDARD.encode(ders[0]));
    for (name, seed) in [
        ("x.sst", sst(&ders)),
        ("x.ldif", ldif(&both).into_bytes()),
        ("x.csv", csv.into_bytes()),
    ] {
        for bytes in mutations(&[seed]).take(300) {
            let count = read_rows(Path::new(name), &bytes).count();
            assert!(
                (1..=bytes.len() + 1).contains(&count),
                "{name}: {count} rows"
            );
        }
    }
}
