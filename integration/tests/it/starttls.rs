//! TLS on the way in: offered, required or from the first byte, and nothing said in clear survives its start.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup, text};
use integration::pki::pki;
use integration::sink::Sink;
use integration::smtp::Client;
use integration::{mails, mime, process};

use crate::{ALICE, BOB};

#[test]
fn mail_comes_in_over_tls() -> Result<()> {
    for (tls, scheme) in [
        ("starttls", "smtp"),
        ("required", "smtp"),
        ("implicit", "smtps"),
    ] {
        let sink = Sink::start()?;
        let gateway = with_tls(tls, &sink)?;
        let file = gateway.file("mail.eml");
        fs::write(&file, mails::plain(ALICE, BOB).content)?;
        let mut curl = Command::new(process::program("curl", "curl")?);
        curl.args(["--silent", "--show-error", "--ssl-reqd"]);
        curl.args(["--cacert", text(&pki()?.ca())?]);
        curl.args(["--mail-from", ALICE, "--mail-rcpt", BOB]);
        curl.args(["--upload-file", text(&file)?]);
        curl.arg(format!("{scheme}://{}", gateway.address()));
        process::run(&mut curl, b"").context(tls)?;
        let received = mime::values(&sink.only()?.content, "Received").concat();
        assert!(received.contains("ESMTPS"), "{tls}: {received}");
    }
    Ok(())
}

#[test]
fn where_it_is_required_nothing_goes_without() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = with_tls("required", &sink)?;
    let sent = gateway.send(ALICE, &[BOB], &mails::plain(ALICE, BOB).content)?;
    let reply = sent.sender.text();
    assert!(reply.starts_with("530 5.7.0 "), "{reply}");
    Ok(())
}

#[test]
fn commands_sent_ahead_of_the_handshake_are_not_obeyed() -> Result<()> {
    let sink = Sink::start()?;
    let gateway = with_tls("starttls", &sink)?;
    let mut client = Client::connect(gateway.address())?;
    client.write(format!("STARTTLS\r\nMAIL FROM:<{ALICE}>\r\n").as_bytes())?;
    let reply = client.reply()?;
    // Either the whole is refused, or the handshake that now fails ends the connection.
    if reply.code == 220 {
        assert!(client.reply().is_err());
    } else {
        assert_eq!(reply.code / 100, 5, "{}", reply.text());
    }
    Ok(())
}

fn with_tls(tls: &str, sink: &Sink) -> Result<Gateway> {
    let pki = pki()?;
    let (certificate, key) = (pki.file("tls.pem"), pki.file("tls.key"));
    let listener = format!(
        "tls = \"{tls}\"\ncertificate = \"{}\"\nkey = \"{}\"\nrelay-from = [\"127.0.0.0/8\"]",
        text(&certificate)?,
        text(&key)?,
    );
    Setup::default()
        .listener(&listener)
        .next_hop(sink.address())
        .start()
}
