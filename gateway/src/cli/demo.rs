//! `postern demo`: a gateway with its own authority, users and policy, so that a stranger sees mail signed and encrypted.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certstore::clock::SystemClock;
use certstore::database::CertificateSource;
use certstore::issue::KeyAlgorithm;
use certstore::trust::AnchorScope;
use policy::address::Address;

use super::ca;
use super::opened::{self, Opened};
use super::output::line;
use super::run::told_to_stop;
use super::trouble::Trouble;
use crate::app::{self, load_policy};
use crate::observe;

/// Our user, who sends.
const ALICE: &str = "alice@example.org";
/// The partner's user, who has a certificate.
const BOB: &str = "bob@partner.example";

/// A mail to try it with.
const HELLO: &str = "From: Alice <alice@example.org>\r\nTo: Bob <bob@partner.example>\r\nSubject: Hello\r\n\r\n\
    The secret is 42.\r\n";

const POLICY: &str = r#"# First match wins, no match refuses.

[[rule]]
name = "partners are always encrypted"
when = { direction = "outbound", recipient = "*@partner.example" }
sign = "required"
encrypt = "required"

[[rule]]
name = "everybody else: signed, and encrypted where a certificate is known"
when = { direction = "outbound" }
sign = "preferred"
encrypt = "preferred"

[[rule]]
name = "incoming"
when = { direction = "inbound" }
decrypt = "preferred"
verify = "preferred"
"#;

pub(super) async fn demo(dir: &Path, listen: SocketAddr) -> Result<(), Trouble> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let file = furnish(&dir, listen)?;
    let config = opened::config(Some(&file))?;
    let checked = load_policy(&config).map_err(|mistakes| Trouble::mistakes(&mistakes))?;
    observe::start(config.log.format, config.log.level);
    people(&file, &dir).await?;
    let ready = |addresses: &[SocketAddr]| {
        for address in addresses {
            line(&instructions(&dir, *address));
        }
    };
    app::run(
        config,
        checked.policy,
        Arc::new(SystemClock),
        ready,
        told_to_stop()?,
    )
    .await?;
    Ok(())
}

/// Writes the configuration and, unless somebody has changed it, the policy.
fn furnish(dir: &Path, listen: SocketAddr) -> Result<PathBuf, Trouble> {
    fs::create_dir_all(dir)
        .map_err(|error| Trouble::cannot_create(format!("{}: {error}", dir.display())))?;
    let config = dir.join("postern.toml");
    let text = format!(
        "# Written anew at each start of the demo.\nhostname = \"demo.example.org\"\n\
         policy = \"policy.toml\"\ninternal-domains = [\"example.org\"]\n\n\
         [[listener]]\naddress = \"{listen}\"\nrelay-from = [\"127.0.0.0/8\", \"::1/128\"]\n\n\
         [[route]]\ndomain = \"*\"\nto = \"maildir:mail\"\n"
    );
    write(&config, &text)?;
    write(&dir.join("hello.eml"), HELLO)?;
    let policy = dir.join("policy.toml");
    if !policy.exists() {
        write(&policy, POLICY)?;
    }
    Ok(config)
}

#[expect(
    clippy::disallowed_methods,
    reason = "files to look at, made anew at each start: nothing is lost with them"
)]
fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    fs::write(path, text)
        .map_err(|error| Trouble::cannot_create(format!("{}: {error}", path.display())))
}

/// The authority and the two users, made at the first start.
async fn people(config: &Path, dir: &Path) -> Result<(), Trouble> {
    let opened = opened::store(Some(config)).await?;
    let authority = match ca::authority(&opened).await? {
        Some(authority) => authority,
        None => {
            let (name, key) = ("CN=Postern Demo CA", KeyAlgorithm::Rsa3072);
            ca::init(&opened, name, key, AnchorScope::Everybody).await?;
            let made = ca::authority(&opened).await?;
            made.ok_or_else(|| Trouble::unavailable("the authority was made and is not there"))?
        }
    };
    write(&dir.join("ca.pem"), &ca::pem(authority.certificate()))?;
    let alice = opened::address(ALICE)?;
    let has_key = opened.store.vault.keys(Some(&alice)).await;
    if has_key
        .map_err(|error| Trouble::unavailable(error.to_string()))?
        .is_empty()
    {
        let (certificate, pkcs8) =
            ca::issue_to(&opened, &authority, &alice, KeyAlgorithm::Rsa2048)?;
        let kept = opened
            .store
            .vault
            .keep_issued(&alice, &certificate, &pkcs8)
            .await;
        kept.map_err(|error| Trouble::unavailable(error.to_string()))?;
    }
    if !dir.join("bob.key").exists() {
        partner(&opened, &authority, &opened::address(BOB)?, dir).await?;
    }
    opened.store.database.close().await;
    Ok(())
}

/// Bob is somebody else's user: the gateway knows his certificate, and his key lies beside it for you to play him.
async fn partner(
    opened: &Opened,
    authority: &certstore::issue::Authority,
    bob: &Address,
    dir: &Path,
) -> Result<(), Trouble> {
    let (certificate, pkcs8) = ca::issue_to(opened, authority, bob, KeyAlgorithm::Rsa2048)?;
    let now = opened.clock.now();
    let certificates = std::slice::from_ref(&certificate);
    let added = opened
        .store
        .database
        .add_certificates(certificates, CertificateSource::Imported, now)
        .await;
    added.map_err(|error| Trouble::unavailable(error.to_string()))?;
    write(&dir.join("bob.pem"), &ca::pem(&certificate))?;
    let key = encodify::pem::STANDARD.encode("PRIVATE KEY", &pkcs8);
    ca::write_private(&dir.join("bob.key"), key.as_bytes())
}

fn instructions(dir: &Path, address: SocketAddr) -> String {
    let dir = dir.display();
    format!(
        "
Postern's demo listens on {address}. Its files are in {dir}

Alice ({ALICE}) is one of our users; Bob ({BOB}) is a partner whose certificate is known.
The rules are in {dir}/policy.toml

In another terminal:

1. Alice writes to Bob:

   curl -sS smtp://{address} --mail-from {ALICE} --mail-rcpt {BOB} -T {dir}/hello.eml

2. Bob opens the mail with his key, and checks Alice's signature:

   openssl cms -decrypt -in \"$(ls -t {dir}/mail/new/* | head -n 1)\" -inkey {dir}/bob.key -recip {dir}/bob.pem | openssl cms -verify -CAfile {dir}/ca.pem

3. Alice writes to Carol, whose certificate nobody knows. The rules say that partners are always encrypted, so
   this is refused with 550 5.7.5:

   curl -sS smtp://{address} --mail-from {ALICE} --mail-rcpt carol@partner.example -T {dir}/hello.eml

Ctrl-C ends it. What becomes of each message is shown below.
"
    )
}
