//! Certificates from web servers, and the order of sources.

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::pki::pki;
use integration::slapd::{self, Slapd};
use integration::web::{Page, Web};
use integration::{mails, openssl, process};
use serde_json::Value;

use crate::ALICE;

const BETTY: &str = "betty@partner.example";

fn http(url: &str) -> String {
    format!("[[directory]]\nkind = \"http\"\nurl = \"{url}\"\nallow-http = true\n")
}

fn find(gateway: &Gateway, address: &str) -> Result<Value> {
    let answer = gateway.try_to(&["cert", "find", address])?;
    serde_json::from_slice(&answer.stdout).with_context(|| answer.stderr)
}

#[test]
fn stores_and_templates_are_asked_in_their_own_way() -> Result<()> {
    let pki = pki()?;
    let betty = pki.identity("betty").certificate;
    let der = openssl::der(&betty)?;
    let part = b"--x\r\nContent-Type: application/pkix-cert\r\n\r\n";
    let older = openssl::der(&pki.identity("bob-before").certificate)?;
    let several = [&part[..], &older, b"\r\n", part, &der, b"\r\n--x--\r\n"].concat();
    for (url, path, page) in [
        (
            "/search",
            "/search?uri=betty%40partner.example",
            Page::of("application/pkix-cert", &der),
        ),
        (
            "/search",
            "/search?uri=betty%40partner.example",
            Page::of("multipart/mixed; boundary=x", &several),
        ),
        (
            "/{domain}/{local}.p7b",
            "/partner.example/betty.p7b",
            Page::of(
                "application/pkcs7-mime",
                &openssl::bundle(&[&betty, &pki.ca()])?,
            ),
        ),
        (
            "/{address}.pem",
            "/betty%40partner.example.pem",
            Page::of("text/plain", &std::fs::read(&betty)?),
        ),
    ] {
        let web = Web::start()?;
        web.put(path, page);
        let gateway = Setup::default().tables(&http(&(web.url() + url))).write()?;
        let found = find(&gateway, BETTY)?;
        assert_eq!(found["certificate"]["source"], "http", "{url}: {found}");
        assert_eq!(web.asked(), [path]);
        assert_eq!(
            find(&gateway, "nobody@partner.example")?["sources"][2]["outcome"],
            "none"
        );
    }
    Ok(())
}

#[test]
fn what_is_no_answer_is_an_outage() -> Result<()> {
    let web = Web::start()?;
    let path = |name: &str| format!("/search?uri={name}%40partner.example");
    let elsewhere = Page {
        status: 302,
        headers: vec!["Location: http://127.0.0.1:1/".to_owned()],
        body: Vec::new(),
    };
    web.put(&path("moved"), elsewhere);
    web.put(
        &path("login"),
        Page::of("text/html", b"<html>please log in</html>"),
    );
    web.put(
        &path("huge"),
        Page::of("application/pkix-cert", &vec![b'0'; 5 << 20]),
    );
    let gateway = Setup::default()
        .tables(&http(&(web.url() + "/search")))
        .write()?;
    for (name, reason) in [
        ("moved", "redirect"),
        ("login", "no certificate"),
        ("huge", "larger"),
    ] {
        let answer = find(&gateway, &format!("{name}@partner.example"))?;
        let asked = &answer["sources"][2];
        assert_eq!(asked["outcome"], "unavailable", "{answer}");
        assert!(
            asked["reason"]
                .as_str()
                .unwrap_or_default()
                .contains(reason),
            "{answer}"
        );
    }
    Ok(())
}

#[test]
fn while_it_is_down_mail_is_deferred() -> Result<()> {
    let web = Web::start()?;
    let der = openssl::der(&pki()?.identity("betty").certificate)?;
    web.put(
        "/search?uri=betty%40partner.example",
        Page::of("application/pkix-cert", &der),
    );
    let sink = integration::sink::Sink::start()?;
    let gateway = Setup::default()
        .next_hop(sink.address())
        .tables(&http(&(web.url() + "/search")))
        .start()?;
    web.take_away(true);
    let mail = mails::plain(ALICE, BETTY).content;
    let sent = gateway.send(ALICE, &[BETTY], &mail)?;
    assert!(sent.recipients[0].text().starts_with("451 4.4.3 "));
    assert_eq!(sink.count(), 0);
    web.take_away(false);
    process::until(std::time::Duration::from_secs(40), "recovery", || {
        gateway.send(ALICE, &[BETTY], &mail).ok()?.accepted().ok()
    })?;
    Ok(())
}

#[test]
fn the_first_source_in_order_wins() -> Result<()> {
    let betty = pki()?.identity("betty").certificate;
    let der = openssl::der(&betty)?;
    let person = vec![
        ("mail", BETTY.into()),
        ("userCertificate;binary", der.clone()),
    ];
    let slapd = Slapd::start(&[("betty", person)], false)?;
    let web = Web::start()?;
    web.put(
        "/search?uri=betty%40partner.example",
        Page::of("application/pkix-cert", &der),
    );
    let ldap = format!(
        "[[directory]]\nkind = \"ldap\"\nurl = \"{}\"\nbase = \"{}\"\n",
        slapd.url(),
        slapd::BASE
    );
    let http = http(&(web.url() + "/search"));
    for (tables, expected) in [
        (format!("{ldap}{http}"), "ldap"),
        (format!("{http}{ldap}"), "http"),
    ] {
        let gateway = Setup::default().tables(&tables).write()?;
        assert_eq!(find(&gateway, BETTY)?["certificate"]["source"], expected);
        gateway.import_certificate(&betty)?;
        assert_eq!(find(&gateway, BETTY)?["certificate"]["source"], "imported");
    }
    Ok(())
}
