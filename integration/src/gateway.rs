//! The built binary under control: configured in a folder of its own, started, asked, stopped, killed, started again.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::mails;
use crate::mime;
use crate::pki::{self, Identity, PASSPHRASE};
use crate::process::{self, Daemon, Finished};
use crate::smtp::{self, Sent};

/// The name in banners, trace headers and verdicts of every gateway here.
pub const HOSTNAME: &str = "gw.example.org";

/// Signs and encrypts everything that goes out, opens and verifies everything that comes in.
pub const SIGN_AND_ENCRYPT: &str = r#"
[[rule]]
name = "out"
when = { direction = "outbound" }
sign = "required"
encrypt = "required"

[[rule]]
name = "in"
when = { direction = "inbound" }
decrypt = "preferred"
verify = "preferred"
"#;

/// How long a gateway may take to finish what it is at after SIGTERM.
const DRAIN: Duration = Duration::from_secs(60);

/// What a gateway is to be configured with; [`Setup::write`] or [`Setup::start`] makes it one.
#[derive(Debug, Clone)]
pub struct Setup {
    address: Option<SocketAddr>,
    policy: String,
    listener: String,
    internal: &'static str,
    top: String,
    tables: String,
}

impl Default for Setup {
    /// Signs and encrypts, and passes nothing on until there is a [`Setup::next_hop`].
    fn default() -> Self {
        Self {
            address: None,
            policy: SIGN_AND_ENCRYPT.to_owned(),
            listener: "relay-from = [\"127.0.0.0/8\"]".to_owned(),
            internal: "example.org",
            top: String::new(),
            tables: String::new(),
        }
    }
}

impl Setup {
    /// Listens at `address`, instead of a free one that is chosen later.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Uses this policy (TOML).
    #[must_use]
    pub fn policy(mut self, policy: &str) -> Self {
        policy.clone_into(&mut self.policy);
        self
    }

    /// Sends all mail to `address`.
    #[must_use]
    pub fn next_hop(self, address: SocketAddr) -> Self {
        self.route("*", address)
    }

    /// Sends mail for `domain` to `address`; earlier routes come first.
    #[must_use]
    pub fn route(self, domain: &str, address: SocketAddr) -> Self {
        self.tables(&format!(
            "[[route]]\ndomain = \"{domain}\"\nto = \"{address}\"\ntls = \"none\"\n"
        ))
    }

    /// Replaces what the only listener says besides its address; by default it relays for loopback clients.
    #[must_use]
    pub fn listener(mut self, keys: &str) -> Self {
        keys.clone_into(&mut self.listener);
        self
    }

    /// Is the gateway of this domain, instead of example.org.
    #[must_use]
    pub fn internal(mut self, domain: &'static str) -> Self {
        self.internal = domain;
        self
    }

    /// Adds keys at the top of `postern.toml`.
    #[must_use]
    pub fn top(mut self, keys: &str) -> Self {
        self.top.push_str(keys);
        self.top.push('\n');
        self
    }

    /// Adds tables at its end.
    #[must_use]
    pub fn tables(mut self, tables: &str) -> Self {
        self.tables.push_str(tables);
        self.tables.push('\n');
        self
    }

    /// Writes the configuration; nothing runs yet.
    ///
    /// # Errors
    /// The binary was not built, or the folder cannot be written.
    pub fn write(&self) -> Result<Gateway> {
        let folder = tempfile::tempdir()?;
        let address = self.address.map_or_else(process::free_address, Ok)?;
        let anchor = pki::pki()?.ca();
        // A gateway that is only asked things still has to say where mail would go.
        let somewhere = if self.tables.contains("[[route]]") {
            ""
        } else {
            "[[route]]\ndomain = \"*\"\nto = \"127.0.0.1:9\"\n"
        };
        let configuration = format!(
            "hostname = \"{HOSTNAME}\"\ndata-dir = \"data\"\npolicy = \"policy.toml\"\n\
             internal-domains = [\"{}\"]\n{}\n\
             [[listener]]\naddress = \"{address}\"\n{}\n\
             [trust]\nanchors = [\"{}\"]\n\
             {}{somewhere}",
            self.internal,
            self.top,
            self.listener,
            anchor.display(),
            self.tables,
        );
        fs::write(folder.path().join("postern.toml"), configuration)?;
        fs::write(folder.path().join("policy.toml"), &self.policy)?;
        fs::write(folder.path().join("passphrase"), PASSPHRASE)?;
        Ok(Gateway {
            binary: binary()?,
            folder,
            address,
            running: None,
        })
    }

    /// Writes the configuration, imports alice's key and bob's certificate, and starts the gateway.
    ///
    /// # Errors
    /// Any of these fails; the text has the program's own words.
    pub fn start(&self) -> Result<Gateway> {
        let mut gateway = self.write()?;
        let pki = pki::pki()?;
        gateway.import_key(&pki.alice(), "both")?;
        gateway.import_certificate(&pki.bob().certificate)?;
        gateway.start()?;
        Ok(gateway)
    }
}

/// A configured gateway, running or not. Its folder, data and process end with this value.
#[derive(Debug)]
pub struct Gateway {
    binary: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    running: Option<Daemon>,
}

impl Gateway {
    /// Where it takes mail.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file `name` of its folder, such as `postern.toml`, `policy.toml` or `data`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(Daemon::id)
    }

    /// Starts it and waits until it takes mail.
    ///
    /// # Errors
    /// It ends before; the text has what it printed.
    pub fn start(&mut self) -> Result<()> {
        let log = self.file("postern.log");
        let mut daemon = Daemon::start(self.command().arg("run"), &log)?;
        daemon.wait_for_port(self.address)?;
        self.running = Some(daemon);
        Ok(())
    }

    /// Asks it to end, and waits until it has finished what it was at.
    ///
    /// # Errors
    /// It is not running, or takes more than a minute.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        let mut daemon = self.running.take().context("it is not running")?;
        daemon.terminate(DRAIN)
    }

    /// Ends it as a power failure would.
    ///
    /// # Errors
    /// It is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut daemon = self.running.take().context("it is not running")?;
        daemon.kill()
    }

    /// All it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("postern.log")).unwrap_or_default()
    }

    /// Sends one mail through it.
    ///
    /// # Errors
    /// The connection breaks; a refusal is no error.
    pub fn send(&self, from: &str, to: &[&str], mail: &[u8]) -> Result<Sent> {
        smtp::send(self.address, from, to, mail)
    }

    /// Runs `postern --json` with `words` and gives what it says.
    ///
    /// # Errors
    /// It fails, or what it prints is no JSON.
    pub fn ask(&self, words: &[&str]) -> Result<Value> {
        let finished = self.try_to(words)?;
        ensure!(
            finished.status.success(),
            "postern {}: {}: {}",
            words.join(" "),
            finished.status,
            finished.stderr
        );
        serde_json::from_slice(&finished.stdout).with_context(|| {
            let printed = String::from_utf8_lossy(&finished.stdout).into_owned();
            format!("postern {} printed {printed:?}", words.join(" "))
        })
    }

    /// Runs `postern --json` with `words` to its end, however it ends.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn try_to(&self, words: &[&str]) -> Result<Finished> {
        process::finish(self.command().arg("--json").args(words), b"")
    }

    /// Imports somebody's key for its address; `purpose` is `signing`, `encryption` or `both`.
    ///
    /// # Errors
    /// The program refuses.
    pub fn import_key(&self, identity: &Identity, purpose: &str) -> Result<Value> {
        let passphrase = self.file("passphrase");
        self.ask(&[
            "key",
            "import",
            identity.address,
            text(&identity.p12)?,
            "--passphrase-file",
            text(&passphrase)?,
            "--purpose",
            purpose,
        ])
    }

    /// Imports a certificate.
    ///
    /// # Errors
    /// The program refuses.
    pub fn import_certificate(&self, file: &Path) -> Result<Value> {
        self.ask(&["cert", "import", text(file)?])
    }

    /// The messages in its queue.
    ///
    /// # Errors
    /// The program refuses.
    pub fn queue(&self) -> Result<Vec<Value>> {
        let list = self.ask(&["queue", "list"])?;
        Ok(list.as_array().context("no list")?.clone())
    }

    /// Waits until its queue is empty.
    ///
    /// # Errors
    /// It is not within a minute.
    pub fn wait_until_empty(&self) -> Result<()> {
        process::until(Duration::from_secs(60), "an empty queue", || {
            match self.queue() {
                Ok(queue) if queue.is_empty() => Some(Ok(())),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })?
    }

    /// The files of its data folder in which a marked mail can be read.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn readable_files(&self) -> Result<Vec<PathBuf>> {
        let forms = mails::readable_markers();
        let shows = |bytes: &[u8]| forms.iter().any(|form| mime::find(bytes, form).is_some());
        let mut folders = vec![self.file("data")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                match fs::read(&path) {
                    _ if path.is_dir() => folders.push(path),
                    Ok(bytes) if shows(&bytes) => found.push(path),
                    // A file may be gone since the folder was read, and a socket holds nothing.
                    Ok(_) | Err(_) => {}
                }
            }
        }
        Ok(found)
    }

    fn command(&self) -> Command {
        // A file that may not grow further is an error like any other, not the end of the process.
        let mut command = Command::new("env");
        command
            .arg("--ignore-signal=XFSZ")
            .arg(&self.binary)
            .arg("--config")
            .arg(self.file("postern.toml"))
            .current_dir(self.folder.path())
            .env_remove("POSTERN_CONFIG")
            .env("RUST_BACKTRACE", "1");
        command
    }
}

impl Drop for Gateway {
    /// Ends the process, and prints the end of its log: it is seen where a test fails.
    fn drop(&mut self) {
        drop(self.running.take());
        println!("postern.log ends:\n{}", process::tail(&self.log(), 60));
    }
}

/// The built program: `$POSTERN_BIN`, else the one of the same build as this test program.
///
/// # Errors
/// It is not there.
pub fn binary() -> Result<PathBuf> {
    let beside = || {
        let program = std::env::current_exe().ok()?;
        let folder = program.parent()?;
        // Test programs are in a folder `deps` of their own, others are not.
        let builds = [folder.parent()?.join("postern"), folder.join("postern")];
        builds.into_iter().find(|file| file.is_file())
    };
    std::env::var_os("POSTERN_BIN")
        .map(PathBuf::from)
        .or_else(beside)
        .context("the program is not built: cargo build -p gateway --bin postern")
}

/// A path as a word of a command line.
///
/// # Errors
/// It is not UTF-8.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
