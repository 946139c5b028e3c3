//! TLS and AUTH towards next hops.

use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server's certificate for this name, and anchors that know it.
fn certificate(name: &str) -> (TlsAcceptor, RootCertStore) {
    let made = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (Arc::new(config).into(), roots)
}

fn with_tls(port: u16, tls: RouteTls) -> RouteConfig {
    RouteConfig {
        tls,
        ..route("*", port)
    }
}

#[tokio::test]
async fn required_tls_must_be_offered_and_good_for_the_name() {
    let (good, trusted) = certificate("127.0.0.1");
    let (wrong, wrong_trusted) = certificate("mx.example.net");
    let none = RootCertStore::empty();
    let tls = ["STARTTLS", "PIPELINING"];
    for (name, sink, roots, fate) in [
        (
            "good",
            Sink::offering(&tls).tls(good.clone()),
            &trusted,
            Fate::Delivered,
        ),
        (
            "unknown",
            Sink::offering(&tls).tls(good.clone()),
            &none,
            Fate::Deferred,
        ),
        (
            "other name",
            Sink::offering(&tls).tls(wrong),
            &wrong_trusted,
            Fate::Deferred,
        ),
        (
            "not offered",
            Sink::offering(&ALL),
            &trusted,
            Fate::Deferred,
        ),
        (
            "refused",
            Sink::offering(&tls)
                .script(|command| say("454 4.7.0 no").filter(|_| command == "STARTTLS")),
            &trusted,
            Fate::Deferred,
        ),
    ] {
        let (port, mut seen) = sink.start().await;
        let routes = vec![with_tls(port, RouteTls::Required)];
        let mut office = Office::with(routes, roots.clone(), now());
        let mut mail = copy(1, &["b@example.com"]);
        mail.transport = Transport::Private;
        office.send(mail).await;
        let told = office.fate().await;
        assert_eq!(told.fate, fate, "{name}: {}", told.reply);
        let has_mail = commands(&mut seen).contains(&"DATA".to_owned());
        assert_eq!(has_mail, fate == Fate::Delivered, "{name}");
    }
}

#[tokio::test]
async fn opportunistic_tls_takes_any_certificate_and_does_without() {
    let (acceptor, _) = certificate("mx.example.net");
    let tls = ["STARTTLS", "PIPELINING"];
    for (name, sink, greetings) in [
        ("any certificate", Sink::offering(&tls).tls(acceptor), 2),
        ("not offered", Sink::offering(&ALL), 1),
        // Offered, but what follows is no handshake.
        ("broken", Sink::offering(&tls), 2),
    ] {
        let (port, mut seen) = sink.start().await;
        let mut office = Office::new(vec![with_tls(port, RouteTls::Opportunistic)]);
        office.send(copy(1, &["b@example.com"])).await;
        let told = office.fate().await;
        assert_eq!(told.fate, Fate::Delivered, "{name}: {}", told.reply);
        let seen = commands(&mut seen);
        let count = seen
            .iter()
            .filter(|command| command.starts_with("EHLO"))
            .count();
        assert_eq!(count, greetings, "{name}: {seen:?}");
    }
}

#[tokio::test]
async fn a_password_is_given_where_the_route_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), b"secret\n").unwrap();
    for (reply, path, fate) in [
        ("235 2.7.0 welcome", file.clone(), Fate::Delivered),
        ("535 5.7.8 no", file, Fate::Deferred),
        (
            "235 2.7.0 welcome",
            folder.path().join("missing"),
            Fate::Deferred,
        ),
    ] {
        let sink = Sink::offering(&["AUTH PLAIN", "PIPELINING"])
            .script(move |command| say(reply).filter(|_| command.starts_with("AUTH")));
        let (port, mut seen) = sink.start().await;
        let mut to = route("*", port);
        to.auth = Some(("gateway".to_owned(), path));
        let mut office = Office::new(vec![to]);
        office.send(copy(1, &["b@example.com"])).await;
        let told = office.fate().await;
        assert_eq!(told.fate, fate, "{}", told.reply);
        assert!(!told.reply.contains("secret"));
        if fate == Fate::Delivered {
            // NUL gateway NUL secret
            let auth = "AUTH PLAIN AGdhdGV3YXkAc2VjcmV0".to_owned();
            assert!(commands(&mut seen).contains(&auth));
        }
    }
}
