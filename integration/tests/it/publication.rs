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

const BASE: &str = "o=certificates";
const ALICES_ENTRY: &str = "mail=alice@example.org,o=certificates";

impl Publishing {
    fn clear_url(&self) -> String {
        format!("ldap://{}", self.ldap)
    }

    fn tls_url(&self) -> String {
        format!("ldaps://{}", self.ldaps)
    }
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
    let (clear, tls) = (shown.clear_url(), shown.tls_url());
    let by_two = "(&(objectClass=*)(|(mail=alice@example.org)(mail=x@example.org)))";
    let by_proxy = "(proxyAddresses=smtp:alice@example.org)";
    for (words, expected) in [
        (
            &["-H", &clear, "-b", BASE, "(mail=ALICE@example.org)"][..],
            1,
        ),
        (&["-H", &clear, "-ZZ", "-b", BASE, by_proxy], 1),
        (&["-H", &tls, "-b", "", by_two], 1),
        (&["-H", &tls, "-b", ALICES_ENTRY, "-s", "base"], 1),
        // Her key only signs; nobody should encrypt to it.
        (&["-H", &tls, "-b", BASE, "(mail=carol@example.org)"], 0),
        // Somebody else's certificate is not ours to show.
        (&["-H", &tls, "-b", BASE, "(mail=bob@partner.example)"], 0),
    ] {
        let found = ldapsearch(words)?;
        assert_eq!(found.code(), Some(0), "{words:?}: {}", found.stderr);
        let printed = String::from_utf8(found.stdout)?;
        let certificates = printed.matches("userCertificate;binary:: ").count();
        assert_eq!(certificates, expected, "{words:?}: {printed}");
    }
    let root = ldapsearch(&["-H", &clear, "-b", "", "-s", "base", "+", "*"])?;
    let printed = String::from_utf8(root.stdout)?;
    assert!(
        printed.contains("namingContexts: o=certificates"),
        "{printed}"
    );
    Ok(())
}

#[test]
fn nobody_can_list_who_is_here_or_do_anything_but_search() -> Result<()> {
    let shown = publishing("")?;
    let url = shown.clear_url();
    let alice = "(mail=alice@example.org)";
    for (words, code) in [
        (&["-b", BASE, "(mail=*)"][..], 53),
        (&["-b", BASE, "(mail=a*)"], 53),
        (&["-b", BASE, "(!(mail=x@example.org))"], 53),
        (&["-b", BASE, "(objectClass=*)"], 53),
        (&["-b", "dc=other", alice], 32),
        (&["-D", "cn=admin", "-w", "secret", "-b", BASE, alice], 49),
        (&["-b", BASE, "-E", "!pr=1/noprompt", alice], 12),
    ] {
        let words = [&["-H", &url], words].concat();
        let refused = ldapsearch(&words)?;
        assert_eq!(refused.code(), Some(code), "{words:?}: {}", refused.stderr);
        let printed = String::from_utf8(refused.stdout)?;
        assert!(!printed.contains("alice"), "{words:?}: {printed}");
    }
    Ok(())
}

#[test]
fn an_operator_may_let_people_be_listed() -> Result<()> {
    let shown = publishing("enumeration = true\nbase = \"dc=example,dc=org\"")?;
    let url = shown.clear_url();
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
