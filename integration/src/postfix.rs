//! Postfix as the mail server whose smarthost the gateway is: an instance of its own, on loopback ports of its own.
//!
//! It takes mail for anybody on one port. Mail for example.org goes to the LMTP server it is given, all else to the
//! relay host; or all of it to a content filter. It runs as root, as Postfix must, and reads nothing in /etc/postfix.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::{self, Daemon};

const PACKAGE: &str = "postfix";

/// A running instance; it ends with this value.
#[derive(Debug)]
pub struct Postfix {
    address: SocketAddr,
    // Before the folder, so that the process is gone when its files go.
    daemon: Daemon,
    folder: TempDir,
}

impl Postfix {
    /// Starts an instance that relays to `relay_host` and delivers mail for example.org to `lmtp`.
    ///
    /// # Errors
    /// Postfix is not installed, or does not start; the text has its log.
    pub fn start(relay_host: SocketAddr, lmtp: SocketAddr) -> Result<Self> {
        let transport = format!(
            "inline:{{ {{example.org=lmtp:inet:{}:{}}} }}",
            lmtp.ip(),
            lmtp.port()
        );
        Self::with_settings(&format!(
            "relayhost = {}\ntransport_maps = {transport}\n",
            bracketed(relay_host)
        ))
    }

    /// Starts an instance that hands all mail to an SMTP `filter`, which passes it on by itself.
    ///
    /// # Errors
    /// As [`Postfix::start`].
    pub fn with_filter(filter: SocketAddr) -> Result<Self> {
        Self::with_settings(&format!("content_filter = smtp:{}\n", bracketed(filter)))
    }

    fn with_settings(more: &str) -> Result<Self> {
        let master =
            process::program("postfix", PACKAGE).map(|_| "/usr/lib/postfix/sbin/master")?;
        let folder = tempfile::Builder::new().prefix("postfix-").tempdir()?;
        // Its processes give up root, and must still get there.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let address = process::free_address()?;
        let root = folder.path().display();
        let settings = SETTINGS.replace("ROOT", &root.to_string()) + more;
        for part in ["conf", "queue", "lib"] {
            fs::create_dir(folder.path().join(part))?;
        }
        fs::write(folder.path().join("conf/main.cf"), settings)?;
        let services = SERVICES.replace("PORT", &address.port().to_string());
        fs::write(folder.path().join("conf/master.cf"), services)?;
        let mut owner = Command::new("chown");
        process::run(owner.arg("postfix").arg(folder.path().join("lib")), b"")?;
        let conf = folder.path().join("conf");
        let mut check = Command::new(process::program("postfix", PACKAGE)?);
        process::run(check.arg("-c").arg(&conf).arg("check"), b"")?;
        let log = folder.path().join("master.log");
        let daemon = Daemon::start(Command::new(master).arg("-c").arg(&conf).arg("-d"), &log)?;
        let mut postfix = Self {
            address,
            daemon,
            folder,
        };
        postfix
            .daemon
            .wait_for_port(address)
            .with_context(|| postfix.log())?;
        Ok(postfix)
    }

    /// Where it takes mail.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process id of its master.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.daemon.id()
    }

    /// What it logged, deliveries and refusals among it.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("maillog")).unwrap_or_default()
    }
}

/// An address as Postfix writes one that needs no lookup.
fn bracketed(address: SocketAddr) -> String {
    format!("[{}]:{}", address.ip(), address.port())
}

const SETTINGS: &str = "
compatibility_level = 3.6
queue_directory = ROOT/queue
data_directory = ROOT/lib
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ROOT/maillog
maillog_file_prefixes = ROOT
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
relay_domains = example.org
message_size_limit = 104857600
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
";

const SERVICES: &str = "
PORT      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dovecot::Dovecot, mails, sink::Sink, smtp};

    #[test]
    fn relays_out_and_delivers_in() -> Result<()> {
        let sink = Sink::start()?;
        let dovecot = Dovecot::start()?;
        let postfix = Postfix::start(sink.address(), dovecot.lmtp())?;
        let (from, to) = ("alice@example.org", "bob@partner.example");
        let mail = mails::utf8(from, to);
        smtp::send(postfix.address(), from, &[to], &mail.content)?.accepted()?;
        let relayed = sink.only().with_context(|| postfix.log())?;
        assert!(relayed.content.ends_with(&mail.content));
        smtp::send(postfix.address(), to, &[from], &mail.content)?.accepted()?;
        let stored = dovecot.only(from).with_context(|| postfix.log())?;
        assert!(
            stored.ends_with(&mail.content),
            "{}",
            String::from_utf8_lossy(&stored)
        );
        Ok(())
    }
}
