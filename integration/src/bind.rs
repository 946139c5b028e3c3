//! BIND with a root of its own and zones below it: signed, not signed, and signed by the wrong key.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::{self, Daemon};

/// How a zone stands to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Signed, and the root vouches for its key.
    Secure,
    /// Not signed, and the root says so.
    Insecure,
    /// Signed, but the root vouches for another key.
    Bogus,
}

/// A running name server. Its folder and process end with this value.
#[derive(Debug)]
pub struct Bind {
    folder: TempDir,
    address: SocketAddr,
    zones: Vec<String>,
    running: Option<Daemon>,
}

impl Bind {
    /// Serves a signed root and `zones`: a name without its last dot, how it is signed, and records.
    ///
    /// # Errors
    /// BIND is missing or refuses; the text is its own.
    pub fn start(zones: &[(&str, Signing, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut delegations = String::new();
        for (zone, signing, records) in zones {
            delegations += &format!("{zone}. IN NS ns.{zone}.\nns.{zone}. IN A 127.0.0.1\n");
            delegations += &make_zone(folder.path(), zone, *signing, records)?;
        }
        make_root(folder.path(), &delegations)?;
        let mut bind = Self {
            address: process::free_address()?,
            zones: zones.iter().map(|(zone, ..)| (*zone).to_owned()).collect(),
            folder,
            running: None,
        };
        bind.bring_back()?;
        Ok(bind)
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that everything is traced to, as a file of DNSKEY records.
    #[must_use]
    pub fn trust_anchor(&self) -> PathBuf {
        self.folder.path().join("root.key")
    }

    /// Ends it, as an outage does.
    ///
    /// # Errors
    /// It does not end.
    pub fn take_away(&mut self) -> Result<()> {
        let mut daemon = self.running.take().context("it is not running")?;
        daemon.terminate(Duration::from_secs(10)).map(drop)
    }

    /// Starts it where it was.
    ///
    /// # Errors
    /// It ends before it takes connections.
    pub fn bring_back(&mut self) -> Result<()> {
        fs::write(self.folder.path().join("named.conf"), self.configuration())?;
        let mut command = Command::new(process::program("named", "bind9")?);
        command.args(["-g", "-c", "named.conf", "-n", "1"]);
        let log = self.folder.path().join("named.log");
        let mut daemon = Daemon::start(command.current_dir(self.folder.path()), &log)?;
        daemon.wait_for_port(self.address)?;
        self.running = Some(daemon);
        Ok(())
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let mut text = format!(
            "options {{ directory \"{folder}\"; pid-file \"{folder}/named.pid\"; session-keyfile \"{folder}/session.key\";\n\
             listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; }};\n\
             controls {{ }};\nzone \".\" {{ type primary; file \"root.signed\"; }};\n",
            self.address.port()
        );
        for zone in &self.zones {
            text += &format!("zone \"{zone}\" {{ type primary; file \"{zone}.served\"; }};\n");
        }
        text
    }
}

/// Writes `ZONE.served`, and gives the DS records for the root.
fn make_zone(folder: &Path, zone: &str, signing: Signing, records: &str) -> Result<String> {
    let plain = format!(
        "$ORIGIN {zone}.\n$TTL 60\n@ IN SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60\n\
         @ IN NS ns.{zone}.\nns IN A 127.0.0.1\n{records}\n"
    );
    let served = folder.join(format!("{zone}.served"));
    if signing == Signing::Insecure {
        fs::write(served, plain)?;
        return Ok(String::new());
    }
    fs::write(folder.join(zone), plain)?;
    key(folder, zone)?;
    sign(folder, zone, zone, &served)?;
    let ds = fs::read_to_string(folder.join(format!("dsset-{zone}.")))?;
    Ok(match signing {
        Signing::Bogus => with_another_digest(&ds),
        Signing::Secure | Signing::Insecure => ds,
    })
}

fn make_root(folder: &Path, delegations: &str) -> Result<()> {
    let root = format!(
        "$ORIGIN .\n$TTL 60\n@ IN SOA ns.root. hostmaster.root. 1 3600 600 86400 60\n@ IN NS ns.root.\n\
         ns.root. IN A 127.0.0.1\n{delegations}"
    );
    fs::write(folder.join("root"), root)?;
    let name = key(folder, ".")?;
    sign(folder, ".", "root", &folder.join("root.signed"))?;
    fs::copy(folder.join(format!("{name}.key")), folder.join("root.key"))?;
    Ok(())
}

/// Makes one key that signs everything, and gives the name of its files.
fn key(folder: &Path, zone: &str) -> Result<String> {
    let mut keygen = Command::new(process::program("dnssec-keygen", "bind9-utils")?);
    keygen.args(["-a", "ECDSAP256SHA256", "-f", "KSK", zone]);
    let name = process::run(keygen.current_dir(folder), b"")?;
    Ok(String::from_utf8(name)?.trim().to_owned())
}

fn sign(folder: &Path, zone: &str, file: &str, out: &Path) -> Result<()> {
    let mut signzone = Command::new(process::program("dnssec-signzone", "bind9-utils")?);
    signzone
        .args(["-S", "-z", "-o", zone, "-f"])
        .arg(out)
        .arg(file);
    process::run(signzone.current_dir(folder), b"").map(drop)
}

/// DS records of a key that nobody has: the last digit of each is another one.
fn with_another_digest(ds: &str) -> String {
    let change = |line: &str| {
        let (rest, last) = line.split_at(line.len() - 1);
        let other = if last == "0" { "1" } else { "0" };
        format!("{rest}{other}\n")
    };
    ds.lines().map(change).collect()
}
