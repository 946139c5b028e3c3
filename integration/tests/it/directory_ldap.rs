//! Certificates from OpenLDAP: every encoding, every way in, and what happens when it is gone.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup, text};
use integration::pki::pki;
use integration::sink::Sink;
use integration::slapd::{self, Slapd, Value};
use integration::{mails, openssl, process, smtp};
use serde_json::Value as Json;

use crate::ALICE;

const BETTY: &str = "betty@partner.example";
const BERT: &str = "bert@partner.example";
const BORIS: &str = "boris@partner.example";

/// How long it may take until a directory that is back is used again.
const RECOVERY: Duration = Duration::from_secs(40);

/// Betty has a plain certificate, bert a bundle, boris what Exchange writes, and is known by `proxyAddresses` alone.
fn people() -> Result<Vec<(&'static str, Vec<Value>)>> {
    let pki = pki()?;
    let der = |name: &str| openssl::der(&pki.identity(name).certificate);
    let bert = pki.identity("bert").certificate;
    Ok(vec![
        (
            "betty",
            vec![
                ("mail", BETTY.into()),
                ("userCertificate;binary", der("betty")?),
            ],
        ),
        (
            "bert",
            vec![
                ("mail", BERT.into()),
                (
                    "userSMIMECertificate",
                    openssl::bundle(&[&bert, &pki.ca()])?,
                ),
            ],
        ),
        (
            "boris",
            vec![
                ("proxyAddresses", b"x400:c=de".to_vec()),
                ("proxyAddresses", format!("SMTP:{BORIS}").into()),
                (
                    "userSMIMECertificate",
                    slapd::security_settings(&der("boris")?),
                ),
            ],
        ),
    ])
}

fn directory(url: &str, more: &str) -> String {
    format!(
        "[[directory]]\nkind = \"ldap\"\nurl = \"{url}\"\nbase = \"{}\"\n{more}\n",
        slapd::BASE
    )
}

/// Where the certificate of an address would come from.
fn source_of(gateway: &Gateway, address: &str) -> Result<String> {
    let found = gateway.ask(&["cert", "find", address, "--explain"])?;
    let source = found["certificate"]["source"].as_str();
    Ok(source.with_context(|| found.to_string())?.to_owned())
}

#[test]
fn all_three_encodings_are_found_and_used() -> Result<()> {
    let slapd = Slapd::start(&people()?, false)?;
    let sink = Sink::start()?;
    let gateway = Setup::default()
        .next_hop(sink.address())
        .tables(&directory(&slapd.url(), ""))
        .start()?;
    for address in [BETTY, BERT, BORIS] {
        assert_eq!(source_of(&gateway, address)?, "ldap", "{address}");
    }
    let mail = mails::plain(ALICE, BETTY);
    gateway.send(ALICE, &[BETTY], &mail.content)?.accepted()?;
    let arrived = sink.only()?;
    openssl::open(&arrived.content, &pki()?.identity("betty"), &pki()?.ca())?;
    let unknown = gateway.send(ALICE, &["nobody@partner.example"], &mail.content)?;
    let reply = unknown.recipients[0].text();
    assert!(reply.starts_with("550 5.7.5 "), "{reply}");
    Ok(())
}

#[test]
fn every_way_in_works() -> Result<()> {
    let open = Slapd::start(&people()?, false)?;
    let closed = Slapd::start(&people()?, true)?;
    let pki = pki()?;
    let ca_file = format!("ca-file = \"{}\"", text(&pki.ca())?);
    let alice = pki.alice();
    let identity = format!(
        "certificate = \"{}\"\nkey = \"{}\"",
        text(&alice.certificate)?,
        text(&alice.key)?
    );
    let reader = format!(
        "bind-dn = \"{}\"\npassword-file = \"password\"",
        slapd::READER
    );
    let unreachable = process::free_address()?;
    for (name, tables) in [
        (
            "StartTLS",
            directory(&open.url(), &format!("starttls = true\n{ca_file}")),
        ),
        ("TLS", directory(&open.tls_url(), &ca_file)),
        ("pages", directory(&open.url(), "page-size = 1")),
        ("password", directory(&closed.url(), &reader)),
        (
            "client certificate",
            directory(
                &closed.tls_url(),
                &format!("{ca_file}\n{identity}\nsasl = \"external\""),
            ),
        ),
        (
            "the second server",
            directory(&open.url(), "").replace(
                &format!("\"{}\"", open.url()),
                &format!("[\"ldap://{unreachable}\", \"{}\"]", open.url()),
            ),
        ),
    ] {
        let gateway = Setup::default().tables(&tables).write()?;
        std::fs::write(gateway.file("password"), slapd::PASSWORD)?;
        assert_eq!(source_of(&gateway, BETTY).context(name)?, "ldap", "{name}");
    }
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_believed_is_unavailable() -> Result<()> {
    let slapd = Slapd::start(&people()?, true)?;
    // It speaks first, as no directory does.
    let mail_server = Sink::start()?;
    let wrong_protocol = format!("ldap://{}", mail_server.address());
    for (tables, expected) in [
        // The system does not trust the authority of the tests.
        (directory(&slapd.tls_url(), ""), "TLS: "),
        (directory(&wrong_protocol, ""), "no LDAP message"),
        (
            directory(&format!("ldap://{}", process::free_address()?), ""),
            "refused",
        ),
        (
            directory(
                &slapd.url(),
                &format!(
                    "bind-dn = \"{}\"\npassword-file = \"password\"",
                    slapd::READER
                ),
            ),
            "LDAP result 49",
        ),
    ] {
        let gateway = Setup::default().tables(&tables).write()?;
        std::fs::write(gateway.file("password"), "wrong")?;
        let answer = gateway.try_to(&["cert", "find", BETTY])?;
        assert_eq!(answer.code(), Some(1));
        let answer: Json = serde_json::from_slice(&answer.stdout)?;
        let asked = &answer["sources"][2];
        assert_eq!(asked["outcome"], "unavailable", "{answer}");
        let reason = asked["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
    Ok(())
}

#[test]
fn while_it_is_gone_nothing_leaves_and_when_it_is_back_mail_flows() -> Result<()> {
    let mut slapd = Slapd::start(&people()?, false)?;
    let sink = Sink::start()?;
    let tables = directory(
        &slapd.url(),
        "timeout = \"1s\"\nfailures = 2\npause = \"2s\"",
    );
    let gateway = Setup::default()
        .next_hop(sink.address())
        .tables(&tables)
        .start()?;
    slapd.take_away()?;
    assert_deferred(&gateway, BETTY)?;
    slapd.bring_back()?;
    accepted_soon(&gateway, BETTY)?;
    // One that hangs is as bad as one that is gone.
    slapd.freeze()?;
    assert_deferred(&gateway, BERT)?;
    slapd.thaw()?;
    accepted_soon(&gateway, BERT)?;
    for message in sink.wait(2)? {
        assert!(openssl::structure(&message.content)?.contains("nvelopedData"));
    }
    Ok(())
}

#[test]
fn a_rule_may_go_on_without_it_but_never_in_clear() -> Result<()> {
    let pki = pki()?;
    let web = integration::web::Web::start()?;
    let page = integration::web::Page::of(
        "application/pkix-cert",
        &openssl::der(&pki.identity("betty").certificate)?,
    );
    web.put("/betty%40partner.example.cer", page);
    let sink = Sink::start()?;
    let nobody = process::free_address()?;
    let http = format!(
        "[[directory]]\nkind = \"http\"\nurl = \"{}/{{address}}.cer\"\nallow-http = true\n",
        web.url()
    );
    let policy = "[[rule]]\nname = \"out\"\nwhen = { direction = \"outbound\" }\nencrypt = \"required\"\non-unavailable = \"next\"\n";
    let gateway = Setup::default()
        .policy(policy)
        .next_hop(sink.address())
        .tables(&(directory(&format!("ldap://{nobody}"), "") + &http))
        .start()?;
    let mail = mails::plain(ALICE, BETTY);
    gateway.send(ALICE, &[BETTY], &mail.content)?.accepted()?;
    openssl::decrypt(&sink.only()?.content, &pki.identity("betty"))?;
    let sent = gateway.send(ALICE, &[BERT], &mail.content)?;
    let reply = sent.recipients[0].text();
    assert!(reply.starts_with("550 5.7.5 "), "{reply}");
    Ok(())
}

#[test]
fn an_outage_opens_the_way_to_clear_text_only_where_a_rule_says_so() -> Result<()> {
    let nobody = directory(&format!("ldap://{}", process::free_address()?), "");
    for (on_unavailable, expected) in [
        ("defer", "451 4.4.3 "),
        ("next", "451 4.4.3 "),
        ("clear", "250 "),
    ] {
        let policy = format!(
            "[[rule]]\nname = \"out\"\nwhen = {{ direction = \"outbound\" }}\nencrypt = \"preferred\"\n\
             on-unavailable = \"{on_unavailable}\"\n"
        );
        let sink = Sink::start()?;
        let gateway = Setup::default()
            .policy(&policy)
            .next_hop(sink.address())
            .tables(&nobody)
            .start()?;
        let mail = mails::plain(ALICE, BETTY);
        let sent = gateway.send(ALICE, &[BETTY], &mail.content)?;
        let reply = sent
            .message
            .unwrap_or_else(|| sent.recipients[0].clone())
            .text();
        assert!(reply.starts_with(expected), "{on_unavailable}: {reply}");
        let clear = usize::from(on_unavailable == "clear");
        assert_eq!(sink.wait(clear)?.len(), clear, "{on_unavailable}");
    }
    Ok(())
}

#[test]
fn a_thousand_messages_at_once_make_one_search() -> Result<()> {
    const MESSAGES: usize = 1_000;
    let slapd = Slapd::start(&people()?, false)?;
    let sink = Sink::start()?;
    let limits =
        "[limits]\nconnections = 2000\nconnections-per-client = 2000\nmessage-budget = \"5m\"\n";
    let gateway = Setup::default()
        .next_hop(sink.address())
        .tables(&(directory(&slapd.url(), "timeout = \"30s\"") + limits))
        .start()?;
    // While it hangs, all of them come to wait for the same answer.
    slapd.freeze()?;
    let mail = mails::plain(ALICE, BERT).content;
    let address: SocketAddr = gateway.address();
    let accepted = thread::scope(|scope| {
        let sending: Vec<_> = (0..MESSAGES)
            .map(|_| scope.spawn(|| smtp::send(address, ALICE, &[BERT], &mail)?.accepted()))
            .collect();
        thread::sleep(Duration::from_secs(2));
        slapd.thaw()?;
        let answers = sending
            .into_iter()
            .map(|sender| sender.join().expect("no panic"));
        let accepted: Result<Vec<_>> = answers.collect();
        Ok::<_, anyhow::Error>(accepted?.len())
    })?;
    assert_eq!(accepted, MESSAGES);
    assert_eq!(slapd.searches_for(BERT), 1);
    Ok(())
}

fn assert_deferred(gateway: &Gateway, to: &str) -> Result<()> {
    let sent = gateway.send(ALICE, &[to], &mails::plain(ALICE, to).content)?;
    let reply = sent.recipients[0].text();
    assert!(reply.starts_with("451 4.4.3 "), "{reply}");
    Ok(())
}

fn accepted_soon(gateway: &Gateway, to: &str) -> Result<()> {
    let mail = mails::plain(ALICE, to).content;
    process::until(RECOVERY, "the directory's recovery", || {
        let sent = gateway.send(ALICE, &[to], &mail);
        sent.and_then(smtp::Sent::accepted).ok()
    })?;
    Ok(())
}
