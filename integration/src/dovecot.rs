//! Dovecot as the mailbox behind the gateway: LMTP on a loopback port, maildirs in a folder of its own.
//!
//! It takes mail for every address. It runs as root, as its processes change their user, and reads nothing in
//! /etc/dovecot.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::mime;
use crate::process::{self, Daemon};

/// A running instance; it ends with this value.
#[derive(Debug)]
pub struct Dovecot {
    lmtp: SocketAddr,
    // Ends before its files go.
    _daemon: Daemon,
    folder: TempDir,
}

impl Dovecot {
    /// Starts an instance.
    ///
    /// # Errors
    /// Dovecot is not installed, or does not start; the text has its log.
    pub fn start() -> Result<Self> {
        let dovecot = process::program("dovecot", "dovecot-core")?;
        process::program("../lib/dovecot/lmtp", "dovecot-lmtpd")?;
        let folder = tempfile::Builder::new().prefix("dovecot-").tempdir()?;
        // Its processes give up root, and must still get there.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let lmtp = process::free_address()?;
        let settings = SETTINGS
            .replace("ROOT", &folder.path().display().to_string())
            .replace("PORT", &lmtp.port().to_string());
        let file = folder.path().join("dovecot.conf");
        fs::write(&file, settings)?;
        let mailboxes = folder.path().join("mail");
        fs::create_dir(&mailboxes)?;
        process::run(Command::new("chown").arg("nobody").arg(&mailboxes), b"")?;
        let log = folder.path().join("log");
        let mut daemon = Daemon::start(Command::new(dovecot).arg("-F").arg("-c").arg(file), &log)?;
        daemon.wait_for_port(lmtp)?;
        Ok(Self {
            lmtp,
            _daemon: daemon,
            folder,
        })
    }

    /// Where it takes mail by LMTP.
    #[must_use]
    pub fn lmtp(&self) -> SocketAddr {
        self.lmtp
    }

    /// The only mail in somebody's mailbox, with CRLF line ends, once it is there.
    ///
    /// # Errors
    /// None comes within a minute.
    pub fn only(&self, address: &str) -> Result<Vec<u8>> {
        let inbox = self.folder.path().join("mail").join(address).join("new");
        let first = || -> Option<PathBuf> {
            let mut files = fs::read_dir(&inbox).ok()?.flatten();
            files.next().map(|entry| entry.path())
        };
        let file = process::until(Duration::from_secs(60), "a mail in the mailbox", first)
            .with_context(|| {
                fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            })?;
        Ok(mime::crlf(&fs::read(file)?))
    }
}

const SETTINGS: &str = "
base_dir = ROOT/run
state_dir = ROOT/state
log_path = /dev/stderr
protocols = lmtp
listen = 127.0.0.1
ssl = no
mail_location = maildir:ROOT/mail/%u
first_valid_uid = 1
default_internal_user = dovecot
default_login_user = dovenull
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = PORT
  }
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=ROOT/mail/%u allow_all_users=yes
}
";
