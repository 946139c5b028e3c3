//! Our users' certificates seen from outside: by ldapsearch, by curl, and by another gateway.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup, text};
use integration::openssl;
use integration::pki::pki;
use integration::process::{self, Finished};

use crate::{ALICE, CAROL};

struct Publishing {
    gateway: Gateway,
    ldap: SocketAddr,
    ldaps: SocketAddr,
    http: SocketAddr,
    https: SocketAddr,
}

fn publishing(more: &str) -> Result<Publishing> {
    let [ldap, ldaps, http, https] = [(); 4].map(|()| process::free_address());
    let (ldap, ldaps, http, https) = (ldap?, ldaps?, http?, https?);
    let pki = pki()?;
    let tables = format!(
        "[publication]\nldap = \"{ldap}\"\nldaps = \"{ldaps}\"\nhttp = \"{http}\"\nhttps = \"{https}\"\n\
         certificate = \"{}\"\nkey = \"{}\"\n{more}\n",
        text(&pki.file("tls.pem"))?,
        text(&pki.file("tls.key"))?
    );
    let gateway = Setup::default().tables(&tables).start()?;
    gateway.import_key(&pki.identity("carol"), "signing")?;
    Ok(Publishing {
        gateway,
        ldap,
        ldaps,
        http,
        https,
    })
}

fn ldapsearch(words: &[&str]) -> Result<Finished> {
    let mut command = Command::new(process::program("ldapsearch", "ldap-utils")?);
    command.env("LDAPTLS_CACERT", pki()?.ca());
    command
        .args(["-x", "-LLL", "-o", "ldif-wrap=no"])
        .args(words);
    process::finish(&mut command, b"")
}

#[test]
fn ldapsearch_finds_who_is_asked_for_and_nobody_else() -> Result<()> {
    let shown = publishing("")?;
    let (clear, tls) = (
        format!("ldap://{}", shown.ldap),
        format!("ldaps://{}", shown.ldaps),
    );
    let base = "o=certificates";
    for (words, expected) in [
        (
            &["-H", &clear, "-b", base, "(mail=ALICE@example.org)"][..],
            1,
        ),
        (
            &[
                "-H",
                &clear,
                "-ZZ",
                "-b",
                base,
                "(proxyAddresses=smtp:alice@example.org)",
            ],
            1,
        ),
        (
            &[
                "-H",
                &tls,
                "-b",
                "",
                "(&(objectClass=*)(|(mail=alice@example.org)(mail=x@example.org)))",
            ],
            1,
        ),
        (
            &[
                "-H",
                &tls,
                "-b",
                "mail=alice@example.org,o=certificates",
                "-s",
                "base",
            ],
            1,
        ),
        // Her key only signs; nobody should encrypt to it.
        (&["-H", &tls, "-b", base, "(mail=carol@example.org)"], 0),
        // Somebody else's certificate is not ours to show.
        (&["-H", &tls, "-b", base, "(mail=bob@partner.example)"], 0),
    ] {
        let found = ldapsearch(words)?;
        assert_eq!(found.code(), Some(0), "{words:?}: {}", found.stderr);
        let printed = String::from_utf8(found.stdout)?;
        assert_eq!(
            printed.matches("userCertificate;binary:: ").count(),
            expected,
            "{words:?}: {printed}"
        );
    }
    let root = ldapsearch(&["-H", &clear, "-b", "", "-s", "base", "+", "*"])?;
    assert!(String::from_utf8(root.stdout)?.contains("namingContexts: o=certificates"));
    for filter in [
        "(mail=*)",
        "(mail=a*)",
        "(!(mail=x@example.org))",
        "(objectClass=*)",
    ] {
        let refused = ldapsearch(&["-H", &clear, "-b", base, filter])?;
        assert_eq!(refused.code(), Some(53), "{filter}");
        assert!(refused.stdout.is_empty(), "{filter}");
    }
    for (words, code) in [
        (
            &["-H", &clear, "-b", "dc=other", "(mail=alice@example.org)"][..],
            32,
        ),
        (
            &[
                "-H",
                &clear,
                "-D",
                "cn=admin",
                "-w",
                "secret",
                "-b",
                base,
                "(mail=alice@example.org)",
            ],
            49,
        ),
        (
            &[
                "-H",
                &clear,
                "-b",
                base,
                "-E",
                "!pr=1/noprompt",
                "(mail=alice@example.org)",
            ],
            12,
        ),
    ] {
        assert_eq!(ldapsearch(words)?.code(), Some(code), "{words:?}");
    }
    Ok(())
}

#[test]
fn an_operator_may_let_people_be_listed() -> Result<()> {
    let shown = publishing("enumeration = true\nbase = \"dc=example,dc=org\"")?;
    let url = format!("ldap://{}", shown.ldap);
    let all = ldapsearch(&[
        "-H",
        &url,
        "-b",
        "dc=example,dc=org",
        "(objectClass=*)",
        "mail",
    ])?;
    let printed = String::from_utf8(all.stdout)?;
    assert!(
        printed.contains("mail: alice@example.org") && !printed.contains(CAROL),
        "{printed}"
    );
    Ok(())
}

#[test]
fn curl_gets_the_certificate_and_too_many_questions_get_none() -> Result<()> {
    let shown = publishing("requests-per-minute = 6")?;
    let alice = openssl::der(&pki()?.alice().certificate)?;
    let curl = |url: &str| -> Result<Vec<u8>> {
        let mut command = Command::new(process::program("curl", "curl")?);
        command.args([
            "--silent",
            "--show-error",
            "--write-out",
            " %{http_code}",
            "--cacert",
        ]);
        command.arg(pki()?.ca()).arg(url);
        process::run(&mut command, b"")
    };
    let (http, https) = (
        format!("http://{}", shown.http),
        format!("https://{}", shown.https),
    );
    for url in [
        format!("{http}/search?uri=alice%40example.org"),
        format!("{https}/certificates/search.cgi?email=Alice@example.org"),
    ] {
        assert_eq!(curl(&url)?, [&alice[..], b" 200"].concat(), "{url}");
    }
    for (path, code) in [
        ("/search?uri=carol%40example.org", "404"),
        ("/search?uri=nobody", "400"),
        ("/search", "400"),
        ("/", "404"),
        ("/search?uri=alice%40example.org", "200"),
        ("/search?uri=alice%40example.org", "429"),
    ] {
        let answer = curl(&(http.clone() + path))?;
        assert!(
            answer.ends_with(code.as_bytes()),
            "{path}: {}",
            answer.escape_ascii()
        );
    }
    Ok(())
}

#[test]
fn another_gateway_finds_our_users() -> Result<()> {
    let shown = publishing("")?;
    let ca = pki()?.ca();
    let ca_file = format!("ca-file = \"{}\"\n", text(&ca)?);
    for (kind, tables) in [
        (
            "ldap",
            format!(
                "kind = \"ldap\"\nurl = \"ldap://{}\"\nstarttls = true\nbase = \"o=certificates\"\n{ca_file}",
                shown.ldap
            ),
        ),
        (
            "http",
            format!(
                "kind = \"http\"\nurl = \"https://{}/search\"\n{ca_file}",
                shown.https
            ),
        ),
    ] {
        let other = Setup::default()
            .tables(&format!("[[directory]]\n{tables}"))
            .write()?;
        let found = other.ask(&["cert", "find", ALICE]).context(kind)?;
        assert_eq!(found["certificate"]["source"], kind, "{found}");
        let expected = openssl::fingerprint(&pki()?.alice().certificate)?;
        assert_eq!(found["certificate"]["sha256"], expected);
    }
    Ok(())
}

#[test]
fn garbage_is_told_so_and_shut_out() -> Result<()> {
    use std::io::{Read, Write};

    let shown = publishing("")?;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x30\x84\x7f\xff\xff\xff",
        b"\x30\x03\x02\x01\x01",
    ] {
        let mut client = std::net::TcpStream::connect(shown.ldap)?;
        client.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
        client.write_all(garbage)?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer)?;
        // A notice of disconnection.
        assert!(
            answer.ends_with(b"1.3.6.1.4.1.1466.20036"),
            "{}",
            answer.escape_ascii()
        );
    }
    assert!(shown.gateway.id().is_some());
    Ok(())
}
