//! A PostgreSQL server of its own for a test: a cluster in a temporary folder, on a socket in it.
//!
//! It ends with whoever started it, also when that one is killed: the shell around it waits for the end of its standard
//! input.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Debian keeps them out of the path.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// PostgreSQL refuses to run as root, so that a caller who is root becomes the user that Debian made for it. The word
/// `stop` on standard input leaves the data for another start; the end of the input removes them.
const SCRIPT: &str = r#"
set -e
as=
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid postgres --regid postgres --clear-groups"; fi
if [ ! -d "$DIR/data" ]; then
    if [ -n "$as" ]; then chown postgres "$DIR"; fi
    $as "$BIN/initdb" --no-sync -A trust -U postgres -E UTF8 --locale C.UTF-8 "$DIR/data" >&2
fi
cd "$DIR"
$as "$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c fsync=off -c max_connections=200 >&2 </dev/null &
server=$!
read word || word=
kill -INT $server
wait $server || true
[ "$word" = stop ] || rm -rf "$DIR"
"#;

/// A server; it runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    shell: Child,
}

impl Postgres {
    /// Starts a server; none, and a line that says so, where PostgreSQL is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped: no PostgreSQL in {PROGRAMS}");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("postern-postgres-")
            .tempdir()
            .expect("a folder")
            .keep();
        let shell = shell(&programs, &folder);
        let server = Self { folder, shell };
        server.wait();
        Some(server)
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Panics
    /// If the server does not make it.
    #[must_use]
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        let folder = self.folder.display();
        format!("postgres://postgres@localhost/{name}?host={folder}")
    }

    /// Has a statement obeyed, and gives what it says.
    ///
    /// # Panics
    /// If it is refused.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let output = self.psql(database, statement).output().expect("psql");
        assert!(output.status.success(), "{statement}: {output:?}");
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    }

    /// Stops it; its data stay.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn stop(&mut self) {
        let mut input = self.shell.stdin.take().expect("it runs");
        input.write_all(b"stop\n").expect("told");
        drop(input);
        assert!(self.shell.wait().expect("ended").success());
    }

    /// Starts it again after [`Postgres::stop`].
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let programs = programs().expect("it was there before");
        self.shell = shell(&programs, &self.folder);
        self.wait();
    }

    fn wait(&self) {
        let begun = Instant::now();
        loop {
            let asked = self
                .psql("postgres", "SELECT 1")
                .stderr(Stdio::null())
                .output();
            if asked.expect("psql").status.success() {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "PostgreSQL does not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn psql(&self, database: &str, statement: &str) -> Command {
        let mut command = Command::new("psql");
        command.args([
            "-X", "-q", "-t", "-A", "-U", "postgres", "-d", database, "-c", statement,
        ]);
        command.arg("-h").arg(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ended = self.shell.wait();
    }
}

fn shell(programs: &Path, folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command
        .args(["-c", SCRIPT])
        .env("BIN", programs)
        .env("DIR", folder);
    let log = std::fs::File::create(folder.join("log")).expect("a log");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log);
    command.spawn().expect("sh")
}

/// The newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(PROGRAMS).ok()?.flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    folders
        .filter(|folder| folder.join("postgres").exists())
        .max()
}
