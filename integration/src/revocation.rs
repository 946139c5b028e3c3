//! A certification authority whose certificates say where they can be looked up: a CRL over HTTP and an OCSP responder,
//! both OpenSSL's, which can be taken away and brought back.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::pki::{CA_CONFIGURATION, Identity};
use crate::process::{self, Daemon};

/// How long the responder may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a certificate says about where it can be looked up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Points {
    /// The CRL's address.
    pub crl: bool,
    /// The OCSP responder's address.
    pub ocsp: bool,
    /// The address of its issuer's certificate.
    pub issuer: bool,
}

/// The authority, with its web server; its responder runs when it is asked to.
pub struct Authority {
    folder: TempDir,
    web: Web,
    responder: SocketAddr,
    responding: RefCell<Option<Daemon>>,
}

impl Authority {
    /// A new root, whose certificate is `ca.pem`.
    ///
    /// # Errors
    /// OpenSSL refuses, or no port is free.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let web = Web::start(folder.path())?;
        let authority = Self {
            folder,
            web,
            responder: process::free_address()?,
            responding: RefCell::new(None),
        };
        fs::write(
            authority.file("ca.cnf"),
            [REQUESTS, CA_CONFIGURATION].concat(),
        )?;
        fs::write(authority.file("index.txt"), "")?;
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -config ca.cnf \
             -subj /O=Postern-tests/CN=revoking-ca -keyout ca.key -out ca.pem",
        )?;
        authority.openssl("x509 -in ca.pem -outform DER -out ca.crt")?;
        authority.certify(
            "responder",
            "ca",
            "extendedKeyUsage=OCSPSigning\nnoCheck=ignored\n",
        )?;
        authority.publish_crl("-crldays 1")?;
        Ok(authority)
    }

    /// A file of its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its web server.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// A person's certificate, issued by the root.
    ///
    /// # Errors
    /// OpenSSL refuses.
    pub fn issue(
        &self,
        name: &'static str,
        address: &'static str,
        points: Points,
    ) -> Result<Identity> {
        self.issue_under("ca", name, address, points)
    }

    /// A person's certificate, issued by an authority that [`Authority::intermediate`] made.
    ///
    /// # Errors
    /// OpenSSL refuses.
    pub fn issue_under(
        &self,
        issuer: &str,
        name: &'static str,
        address: &'static str,
        points: Points,
    ) -> Result<Identity> {
        let mut extensions = format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyAgreement\n\
             extendedKeyUsage=emailProtection\nsubjectAltName=email:{address}\n"
        );
        let web = self.web.address();
        if points.crl {
            writeln!(extensions, "crlDistributionPoints=URI:http://{web}/ca.crl")?;
        }
        if points.ocsp || points.issuer {
            let ocsp = format!("OCSP;URI:http://{}/", self.responder);
            let issuer = format!("caIssuers;URI:http://{web}/{issuer}.crt");
            let access = [(points.ocsp, ocsp), (points.issuer, issuer)];
            let access = access.into_iter().filter(|(is_named, _)| *is_named);
            let access: Vec<String> = access.map(|(_, entry)| entry).collect();
            writeln!(extensions, "authorityInfoAccess={}", access.join(","))?;
        }
        self.certify(name, issuer, &extensions)?;
        self.openssl(&format!(
            "pkcs12 -export -in {name}.pem -inkey {name}.key -name {name} -passout env:PASSPHRASE -out {name}.p12"
        ))?;
        Ok(Identity {
            name,
            address,
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
            p12: self.file(&format!("{name}.p12")),
            legacy_p12: self.file(&format!("{name}.p12")),
        })
    }

    /// An authority below the root; its certificate is on the web server as NAME.crt.
    ///
    /// # Errors
    /// OpenSSL refuses.
    pub fn intermediate(&self, name: &str) -> Result<()> {
        let extensions =
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
        self.certify(name, "ca", extensions)?;
        self.openssl(&format!("x509 -in {name}.pem -outform DER -out {name}.crt"))
    }

    /// Revokes a person's certificate: the responder knows at its next start, the CRL when it is published again.
    ///
    /// # Errors
    /// OpenSSL refuses.
    pub fn revoke(&self, name: &str) -> Result<()> {
        self.ca(&format!("-revoke {name}.pem -crl_reason keyCompromise"))
    }

    /// Publishes a new CRL, with options of `openssl ca -gencrl` about its dates.
    ///
    /// # Errors
    /// OpenSSL refuses.
    pub fn publish_crl(&self, dates: &str) -> Result<()> {
        self.ca(&format!("-gencrl {dates} -out crl.pem"))?;
        self.openssl("crl -in crl.pem -outform DER -out ca.crl")
    }

    /// Starts the responder, or starts it anew with what is revoked by now.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_responder(&self) -> Result<()> {
        self.stop_responder();
        let mut command = Command::new("openssl");
        command
            .current_dir(self.folder.path())
            .args(["ocsp", "-port"]);
        command.arg(self.responder.port().to_string()).args([
            "-index",
            "index.txt",
            "-CA",
            "ca.pem",
            "-rsigner",
            "responder.pem",
            "-rkey",
            "responder.key",
            "-nmin",
            "5",
        ]);
        let log = self.file("responder.log");
        // What an earlier one said is not said by this one.
        fs::write(&log, "")?;
        let daemon = Daemon::start(&mut command, &log)?;
        // A connection to see whether it is there, without a question, would keep it from answering anybody else.
        process::until(PATIENCE, "the responder", || {
            daemon.printed().contains("waiting for").then_some(())
        })?;
        *self.responding.borrow_mut() = Some(daemon);
        Ok(())
    }

    /// Takes the responder away.
    pub fn stop_responder(&self) {
        *self.responding.borrow_mut() = None;
    }

    /// Makes the responder forget that it ever issued this.
    ///
    /// # Errors
    /// The index cannot be written.
    pub fn forget(&self, name: &str) -> Result<()> {
        let index = fs::read_to_string(self.file("index.txt"))?;
        let others = index
            .lines()
            .filter(|line| !line.ends_with(&format!("CN={name}")));
        let others: String = others.map(|line| format!("{line}\n")).collect();
        Ok(fs::write(self.file("index.txt"), others)?)
    }

    fn certify(&self, name: &str, issuer: &str, extensions: &str) -> Result<()> {
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=Postern-tests/CN={name} \
             -keyout {name}.key -out {name}.csr"
        ))?;
        fs::write(self.file("extensions"), extensions)?;
        let options =
            format!("-in {name}.csr -extfile extensions -notext -days 30 -out {name}.pem");
        self.ca_of(issuer, &options)
    }

    fn ca(&self, options: &str) -> Result<()> {
        self.ca_of("ca", options)
    }

    fn ca_of(&self, issuer: &str, options: &str) -> Result<()> {
        self.openssl(&format!(
            "ca -batch -config ca.cnf -cert {issuer}.pem -keyfile {issuer}.key {options}"
        ))
    }

    fn openssl(&self, options: &str) -> Result<()> {
        let mut command = Command::new("openssl");
        command
            .args(options.split_whitespace())
            .env("PASSPHRASE", crate::pki::PASSPHRASE)
            .current_dir(self.folder.path());
        process::run(&mut command, b"").map(drop)
    }
}

/// A web server of one folder.
pub struct Web {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    is_up: AtomicBool,
    requests: AtomicUsize,
}

impl Web {
    fn start(folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            is_up: AtomicBool::new(true),
            requests: AtomicUsize::new(0),
        });
        let server = Arc::clone(&shared);
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever hangs up early is served no further.
                let _cut_off = server.serve(stream);
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it answers from now on, or hangs up on everybody.
    pub fn set_up(&self, is_up: bool) {
        self.shared.is_up.store(is_up, Ordering::SeqCst);
    }

    /// How often something was asked for, answered or not.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if !self.is_up.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut request = [0; 4096];
        let length = stream.read(&mut request)?;
        let text = std::str::from_utf8(&request[..length])?;
        let path = text.split(' ').nth(1).context("no request")?;
        let answer = match fs::read(self.folder.join(path.trim_start_matches('/'))) {
            Ok(content) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    content.len()
                );
                [head.into_bytes(), content].concat()
            }
            Err(_) => {
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
            }
        };
        Ok(stream.write_all(&answer)?)
    }
}

const REQUESTS: &str = "
[req]
distinguished_name = names_of_requests
x509_extensions = root
[names_of_requests]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
";
