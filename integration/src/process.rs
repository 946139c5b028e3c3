//! Other programs: found by name, run with a deadline, and ended by process id when they are dropped.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a tool that should answer at once may take; generous, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Finds a program in `PATH` and in the folders that only root has there.
///
/// # Errors
/// It is not there; the text names the Debian package that brings it.
pub fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("{name} is not installed: apt-get install {package}"))
}

/// What a program that ended left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// The exit code; none if a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// Runs a program to its end with `input` on standard input.
///
/// # Errors
/// It cannot be started, or takes longer than a minute (it is ended then).
pub fn finish(command: &mut Command, input: &[u8]) -> Result<Finished> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    let mut stdout = child.stdout.take().context("no stdout")?;
    let mut stderr = child.stderr.take().context("no stderr")?;
    thread::scope(|scope| {
        // A tool that stops reading early says why in its own words.
        scope.spawn(move || stdin.write_all(input).ok());
        let output = scope.spawn(move || read_all(&mut stdout));
        let errors = scope.spawn(move || read_all(&mut stderr));
        let ended = until(PATIENCE, "the end of a program", || {
            child.try_wait().transpose()
        });
        if ended.is_err() {
            child.kill()?;
            child.wait()?;
        }
        Ok(Finished {
            status: ended.with_context(|| format!("{command:?}"))??,
            stdout: output.join().unwrap_or_default(),
            stderr: String::from_utf8_lossy(&errors.join().unwrap_or_default()).into_owned(),
        })
    })
}

/// Runs a program that must succeed, and gives its standard output.
///
/// # Errors
/// As [`finish`], or it reports a failure: the text is its own.
pub fn run(command: &mut Command, input: &[u8]) -> Result<Vec<u8>> {
    let finished = finish(command, input)?;
    ensure!(
        finished.status.success(),
        "{} ended with {}: {}{}",
        command.get_program().to_string_lossy(),
        finished.status,
        finished.stderr,
        tail(&String::from_utf8_lossy(&finished.stdout), 10),
    );
    Ok(finished.stdout)
}

/// A program that runs in the background until this value is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command`; all it prints is appended to the file `log`.
    ///
    /// It writes into a pipe, so that no limit on its files (see the story of the full disk) touches its log.
    ///
    /// # Errors
    /// It cannot be started, or the file not be opened.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let mut file = File::options().create(true).append(true).open(log)?;
        let (mut reader, writer) = std::io::pipe()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        // The command keeps its ends of the pipe, and the reader would wait for them for ever.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        thread::spawn(move || std::io::copy(&mut reader, &mut file).ok());
        let log = log.to_owned();
        Ok(Self { child, log })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        fs::read(&self.log).map_or_else(
            |error| format!("{}: {error}", self.log.display()),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// The last `bytes` bytes of what it printed.
    #[must_use]
    pub fn printed_last(&self, bytes: u64) -> String {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
            Ok(read_all(&mut file))
        };
        String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// The system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until `address` takes connections.
    ///
    /// # Errors
    /// The program ended before, or takes too long: the text has the last lines that it printed.
    pub fn wait_for_port(&mut self, address: SocketAddr) -> Result<()> {
        let outcome = until(PATIENCE, "a port", || match self.ended() {
            Ok(None) if listens(address) => Some(Ok(())),
            Ok(None) => None,
            Ok(Some(status)) => Some(Err(anyhow::anyhow!("it ended with {status}"))),
            Err(error) => Some(Err(error)),
        });
        outcome
            .and_then(|answer| answer)
            .with_context(|| format!("{address}: {}", tail(&self.printed(), 20)))
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It does not end within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        signal(self.id(), "TERM")?;
        until(limit, "the end of a daemon", || {
            self.child.try_wait().transpose()
        })
        .with_context(|| tail(&self.printed(), 20))?
        .map_err(Into::into)
    }

    /// Ends it at once (SIGKILL), as a power failure would.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.terminate(Duration::from_secs(5)).is_err() {
            self.kill().ok();
        }
    }
}

/// Sends a signal, by its name without SIG, to one process.
///
/// # Errors
/// There is no such process.
pub fn signal(process: u32, name: &str) -> Result<()> {
    let mut kill = Command::new("kill");
    run(kill.arg(format!("-{name}")).arg(process.to_string()), b"").map(drop)
}

/// Asks again and again until there is an answer.
///
/// # Errors
/// There is none within `limit`; the text says that `what` did not come.
pub fn until<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("{what} did not come within {limit:?}");
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A loopback port that nobody listens on.
///
/// It is outside the range that the system gives to outgoing connections, so that none of those can take it meanwhile.
///
/// # Errors
/// No port is free.
pub fn free_address() -> Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 22_000;
    // Each process begins elsewhere; 137 has no factor in common with COUNT, so neighbours stay apart.
    let start = u16::try_from(std::process::id() * 137 % u32::from(COUNT))?;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (u32::from(start) + u32::from(step)).rem_euclid(u32::from(COUNT)) as u16;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no loopback port is free")
}

/// Whether somebody takes connections there.
#[must_use]
pub fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn read_all(from: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).ok();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_its_input_and_says_why_it_failed() -> Result<()> {
        assert_eq!(run(&mut Command::new("cat"), b"ab")?, b"ab");
        let mut shell = Command::new("sh");
        let failure = run(shell.args(["-c", "echo no >&2; exit 3"]), b"").unwrap_err();
        assert!(failure.to_string().contains("no\n"), "{failure}");
        let missing = program("no-such-program", "no-such-package").unwrap_err();
        assert!(
            missing
                .to_string()
                .ends_with("apt-get install no-such-package")
        );
        Ok(())
    }

    #[test]
    fn a_daemon_ends_with_its_value() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let daemon = Daemon::start(Command::new("sleep").arg("60"), &log)?;
        let id = daemon.id();
        assert!(Path::new(&format!("/proc/{id}")).exists());
        drop(daemon);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
        Ok(())
    }
}
