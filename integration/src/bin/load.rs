//! `make bench`: mail from Postfix's smtp-source through the gateway to Postfix's smtp-sink, signed and encrypted, with
//! the durable queue; messages a second, processor time and memory for each size.
//!
//! 20 sessions at once, a new connection for each message. A size counts only after one message of it was opened by
//! OpenSSL. A rate is counted at the sink, from the first connection to the last delivery. Beside it stands what the
//! machine's OpenSSL does, as a measure of the machine.
//!
//! `load postern peer` measures Postfix with the filter `integration/bench/proxy.py` too (it needs Python's `cryptography`,
//! 44 or newer): figures are to be compared within one run alone.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use integration::figures::{self, Memory};
use integration::gateway::Setup;
use integration::pki::pki;
use integration::postfix::Postfix;
use integration::process::{self, Daemon};
use integration::sink::Sink;
use integration::{mails, mime, openssl, smtp};

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@partner.example";
const SESSIONS: u64 = 20;

/// A size on the wire, how many messages warm it up, and the most that are sent.
const SIZES: [(&str, usize, u64, u64); 3] = [
    ("10 KiB", 10 << 10, 40, 20_000),
    ("100 KiB", 100 << 10, 40, 8_000),
    ("5 MiB", 5 << 20, 6, 400),
];

/// How long one size is measured, about.
const CELL: Duration = Duration::from_secs(8);

fn main() -> Result<()> {
    let mut whom: Vec<String> = std::env::args().skip(1).collect();
    if whom.is_empty() {
        whom.push("postern".to_owned());
    }
    machine()?;
    for name in whom {
        match name.as_str() {
            "postern" => postern()?,
            "peer" => peer()?,
            _ => bail!("{name}: what is measured is postern or peer"),
        }
    }
    Ok(())
}

fn postern() -> Result<()> {
    let hop = process::free_address()?;
    let gateway = Setup::default().next_hop(hop).start()?;
    let id = gateway.id().context("it is not running")?;
    measure("postern", gateway.address(), hop, &[id])
}

/// Postfix, with the Python proxy as its content filter.
fn peer() -> Result<()> {
    let hop = process::free_address()?;
    let proxy = process::free_address()?;
    let folder = tempfile::tempdir()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/proxy.py");
    let mut python = Command::new(process::program("python3", "python3")?);
    let (alice, bob) = (pki()?.alice(), pki()?.bob());
    python.arg(script).arg(proxy.port().to_string());
    python.arg(hop.port().to_string());
    python.args([&alice.certificate, &alice.key, &bob.certificate]);
    let mut filter = Daemon::start(&mut python, &folder.path().join("log"))?;
    filter.wait_for_port(proxy)?;
    let postfix = Postfix::with_filter(proxy)?;
    let roots = [postfix.id(), filter.id()];
    measure("Postfix + Python", postfix.address(), hop, &roots)
}

fn measure(name: &str, server: SocketAddr, hop: SocketAddr, processes: &[u32]) -> Result<()> {
    println!("\n{name:18} messages  messages/s  CPU ms/message  peak RSS MiB  peak PSS MiB");
    for (size, bytes, warm_up, most) in SIZES {
        // Base64 makes 78 bytes on the wire of 57.
        let mail = mails::large(ALICE, BOB, bytes.saturating_sub(900) * 57 / 78);
        check(server, hop, &mail)?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("mail");
        let text = String::from_utf8(mail.content)?;
        // smtp-source ends lines itself.
        fs::write(&file, text.replace("\r\n", "\n"))?;
        let sink = Counter::start(hop, folder.path())?;
        let (probe, _) = cell(server, &sink, &file, warm_up, processes)?;
        let fits = CELL.as_secs_f64() * warm_up as f64 / probe.took.as_secs_f64();
        let count = (fits as u64).clamp(warm_up, most);
        let (cell, memory) = cell(server, &sink, &file, count, processes)?;
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{size:18} {count:8}  {:10.1}  {:14.2}  {:12.1}  {:12.1}",
            count as f64 / cell.took.as_secs_f64(),
            cell.processor.as_secs_f64() * 1e3 / count as f64,
            mebibytes(memory.resident),
            mebibytes(memory.proportional),
        );
    }
    Ok(())
}

/// One message goes to a sink that keeps it: what is not signed and encrypted as it should be is not timed.
fn check(server: SocketAddr, hop: SocketAddr, mail: &mails::Mail) -> Result<()> {
    let sink = process::until(Duration::from_secs(10), "the port", || {
        Sink::start_at(hop).ok()
    })?;
    smtp::send(server, ALICE, &[BOB], &mail.content)?.accepted()?;
    let entity = openssl::open(&sink.only()?.content, &pki()?.bob(), &pki()?.ca())?;
    ensure!(mime::leaves(&entity)? == mail.leaves, "the content differs");
    Ok(())
}

struct Cell {
    took: Duration,
    processor: Duration,
}

fn cell(
    server: SocketAddr,
    sink: &Counter,
    file: &Path,
    count: u64,
    processes: &[u32],
) -> Result<(Cell, Memory)> {
    let before = sink.count();
    let processor = figures::processor_time(processes)?;
    let start = Instant::now();
    let (took, memory) = figures::memory_during(processes, || {
        let mut source = Command::new(process::program("smtp-source", "postfix")?);
        source.args([
            "-s",
            &SESSIONS.min(count).to_string(),
            "-m",
            &count.to_string(),
        ]);
        source.args(["-f", ALICE, "-t", BOB, "-F"]).arg(file);
        let log = file.with_extension("log");
        let source = Daemon::start(source.arg(server.to_string()), &log)?;
        let all = || (sink.count() - before >= count).then_some(start.elapsed());
        process::until(CELL * 20, "the last message", all).with_context(|| source.printed())
    })?;
    let processor = figures::processor_time(processes)? - processor;
    Ok((Cell { took, processor }, memory))
}

/// smtp-sink, which counts what it takes.
struct Counter {
    daemon: Daemon,
}

impl Counter {
    fn start(address: SocketAddr, folder: &Path) -> Result<Self> {
        let mut sink = Command::new(process::program("smtp-sink", "postfix")?);
        sink.args(["-c", "-u", "nobody", &address.to_string(), "1000"]);
        let mut daemon = Daemon::start(&mut sink, &folder.join("count"))?;
        daemon.wait_for_port(address)?;
        Ok(Self { daemon })
    }

    /// It prints `conn=… mesg=…` over and over; the last one counts.
    fn count(&self) -> u64 {
        let printed = self.daemon.printed_last(400);
        let last = printed.rsplit("mesg=").find_map(|text| {
            let end = text.find('\r')?;
            text[..end].trim().parse().ok()
        });
        last.unwrap_or(0)
    }
}

/// What the machine's OpenSSL does in a second, on one core.
fn machine() -> Result<()> {
    println!("openssl speed, one core");
    for algorithm in [
        &["rsa2048"][..],
        &["-evp", "sha256"],
        &["-evp", "aes-256-cbc"],
    ] {
        let mut openssl = Command::new(process::program("openssl", "openssl")?);
        openssl.args(["speed", "-seconds", "1"]).args(algorithm);
        let printed = String::from_utf8(process::run(&mut openssl, b"")?)?;
        for line in printed
            .lines()
            .rev()
            .take(2)
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            println!("  {line}");
        }
    }
    Ok(())
}
