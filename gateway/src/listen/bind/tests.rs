use rcgen::generate_simple_self_signed;
use tempfile::TempDir;

use super::*;

fn config(address: &str, tls: ListenerTls) -> ListenerConfig {
    ListenerConfig {
        address: address.parse().unwrap(),
        tls,
        relay_from: Vec::new(),
        inbound_from: Vec::new(),
    }
}

#[tokio::test]
async fn an_address_in_use_is_said_so() {
    let first = bind(&config("127.0.0.1:0", ListenerTls::None)).unwrap();
    let taken = first.address();
    let error = bind(&config(&taken.to_string(), ListenerTls::None)).unwrap_err();
    let expected =
        format!("cannot listen on {taken}: the address is in use; is another mail server running?");
    assert_eq!(error.to_string(), expected);
    let error = bind(&config("192.0.2.1:25", ListenerTls::None)).unwrap_err();
    let expected = "cannot listen on 192.0.2.1:25: this machine does not have this address";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn errors_of_tls_name_the_file() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ours = generate_simple_self_signed(["gw.example.org".to_owned()]).unwrap();
    let other = generate_simple_self_signed(["gw.example.org".to_owned()]).unwrap();
    for (name, content) in [
        ("good.pem", ours.cert.pem()),
        ("good.key", ours.signing_key.serialize_pem()),
        ("other.key", other.signing_key.serialize_pem()),
        ("empty.pem", String::new()),
        (
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_owned(),
        ),
    ] {
        tokio::fs::write(path(name), content).await.unwrap();
    }
    for (certificate, key, expected) in [
        ("good.pem", "good.key", None),
        ("missing.pem", "good.key", Some("missing.pem: No such file")),
        (
            "empty.pem",
            "good.key",
            Some("empty.pem: there is no certificate in PEM form in it"),
        ),
        (
            "good.key",
            "good.key",
            Some("good.key: there is no certificate in PEM form in it"),
        ),
        ("broken.pem", "good.key", Some("broken.pem: base64")),
        ("good.pem", "missing.key", Some("missing.key: No such file")),
        (
            "good.pem",
            "good.pem",
            Some("good.pem: there is no private key in PEM form in it"),
        ),
        (
            "good.pem",
            "other.key",
            Some("other.key: the key does not belong to "),
        ),
    ] {
        let tls = ListenerTls::Implicit {
            certificate: path(certificate),
            key: path(key),
        };
        let error = bind(&config("127.0.0.1:0", tls))
            .err()
            .map(|error| error.to_string());
        match (&error, expected) {
            (None, None) => {}
            (Some(error), Some(expected)) => assert!(error.contains(expected), "{error}"),
            _ => panic!("{certificate}, {key}: {error:?}"),
        }
    }
}
