//! S/MIME by BouncyCastle and JavaMail: `peers/BouncyCastle.java`, compiled once, started once for each test program.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use encodify::base64;
use tempfile::NamedTempFile;

use crate::pki::{self, Identity};
use crate::process;

const SOURCE: &str = include_str!("../peers/BouncyCastle.java");

/// The libraries and the Debian packages that bring them.
const JARS: [(&str, &str); 6] = [
    ("bcprov", "libbcprov-java"),
    ("bcutil", "libbcutil-java"),
    ("bcpkix", "libbcpkix-java"),
    ("bcmail", "libbcmail-java"),
    ("javax.mail", "libmail-java"),
    ("javax.activation", "libactivation-java"),
];

/// Verifies a signed mail up to `anchor`, and gives the signed entity.
///
/// # Errors
/// The signature or its certificate is not good: the text is BouncyCastle's.
pub fn verify(mail: &[u8], anchor: &Path) -> Result<Vec<u8>> {
    let mail = kept(mail)?;
    ask(&[&"verify", &mail.path(), &anchor])
}

/// Decrypts an encrypted mail with somebody's key, and gives the entity inside.
///
/// # Errors
/// It is not for this key, or damaged.
pub fn decrypt(mail: &[u8], reader: &Identity) -> Result<Vec<u8>> {
    let mail = kept(mail)?;
    ask(&[&"decrypt", &mail.path(), &reader.certificate, &reader.key])
}

/// Decrypts a mail with somebody's key, verifies what was inside up to `anchor`, and gives the signed entity.
///
/// # Errors
/// It is not both encrypted and signed, or either is not good.
pub fn open(mail: &[u8], reader: &Identity, anchor: &Path) -> Result<Vec<u8>> {
    verify(&decrypt(mail, reader)?, anchor)
}

/// Signs an entity; `algorithm` by its Java name (`SHA256withRSAandMGF1`), `form` is `clear` or `opaque`.
///
/// # Errors
/// BouncyCastle refuses.
pub fn sign(entity: &[u8], signer: &Identity, algorithm: &str, form: &str) -> Result<Vec<u8>> {
    let entity = kept(entity)?;
    let Identity {
        certificate, key, ..
    } = signer;
    ask(&[&"sign", &entity.path(), certificate, key, &algorithm, &form])
}

/// Encrypts an entity; `cipher` as `AES256_GCM`, `transport` is `PKCS1`, `OAEP` or `ECDH`.
///
/// # Errors
/// BouncyCastle refuses.
pub fn encrypt(entity: &[u8], reader: &Identity, cipher: &str, transport: &str) -> Result<Vec<u8>> {
    let entity = kept(entity)?;
    ask(&[
        &"encrypt",
        &entity.path(),
        &reader.certificate,
        &cipher,
        &transport,
    ])
}

/// The running Java program; it ends when its standard input is closed.
struct Java {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Java {
    fn start() -> Result<Self> {
        let java = process::program("java", "default-jre-headless")?;
        let mut child = Command::new(java)
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(format!("{}:{}", classes()?.display(), class_path()?))
            .arg("BouncyCastle")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no stdout")?);
        Ok(Self {
            child,
            requests,
            answers,
        })
    }

    fn ask(&mut self, request: &str) -> Result<Vec<u8>> {
        let requests = self.requests.as_mut().context("the program has ended")?;
        writeln!(requests, "{request}")?;
        requests.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim_end().split_once(' ') {
            Some(("ok", result)) => Ok(base64::STANDARD.decode(result)?),
            Some(("error", text)) => bail!("BouncyCastle: {text}"),
            _ if answer.trim_end() == "ok" => Ok(Vec::new()),
            _ => bail!("BouncyCastle ended: {:?}", self.child.try_wait()?),
        }
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        drop(self.requests.take());
        self.child.wait().ok();
    }
}

fn ask(words: &[&dyn Word]) -> Result<Vec<u8>> {
    static JAVA: OnceLock<Mutex<Option<Java>>> = OnceLock::new();
    let words: Vec<String> = words.iter().map(|word| word.text()).collect();
    ensure!(
        words.iter().all(|word| !word.contains([' ', '\n'])),
        "a blank within a word: {words:?}"
    );
    let mut java: MutexGuard<'_, Option<Java>> = JAVA
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if java.is_none() {
        *java = Some(Java::start()?);
    }
    let running = java.as_mut().context("no Java")?;
    running.ask(&words.join(" "))
}

/// A word of a request: a text or the path of a file.
trait Word {
    fn text(&self) -> String;
}

impl Word for &str {
    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl Word for &Path {
    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Word for PathBuf {
    fn text(&self) -> String {
        self.display().to_string()
    }
}

fn kept(bytes: &[u8]) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(bytes)?;
    Ok(file)
}

/// The folder with the compiled program.
fn classes() -> Result<PathBuf> {
    let folder = pki::shared_folder()?.join("bouncycastle");
    let source = folder.join("BouncyCastle.java");
    if fs::read_to_string(&source).is_ok_and(|compiled| compiled != SOURCE) {
        fs::remove_file(folder.join("complete"))?;
    }
    pki::once(&folder, |folder| {
        let javac = process::program("javac", "default-jdk-headless")?;
        fs::write(&source, SOURCE)?;
        let mut compile = Command::new(javac);
        compile.arg("-d").arg(folder);
        compile.arg("-cp").arg(class_path()?).arg(&source);
        process::run(&mut compile, b"").map(drop)
    })?;
    Ok(folder)
}

fn class_path() -> Result<String> {
    let mut path = Vec::new();
    for (jar, package) in JARS {
        let file = format!("/usr/share/java/{jar}.jar");
        ensure!(
            Path::new(&file).is_file(),
            "{file} is not installed: apt-get install {package}"
        );
        path.push(file);
    }
    Ok(path.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mails, mime, openssl, pki::pki};

    #[test]
    fn reads_and_makes_what_openssl_makes_and_reads() -> Result<()> {
        let pki = pki()?;
        let (bob, bert) = (pki.bob(), pki.identity("bert"));
        let mail = mails::html_with_attachments(bob.address, bob.address);
        let entity = mime::entity(&mail.content);
        let signed = openssl::sign(&entity, &bob, &["-keyopt", "rsa_padding_mode:pss"])?;
        assert_eq!(verify(&signed, &pki.ca())?, entity);
        assert!(verify(&signed, &pki.file("other-ca.pem")).is_err());
        for form in ["clear", "opaque"] {
            let signed = sign(&entity, &bert, "SHA256withECDSA", form)?;
            assert_eq!(openssl::verify(&signed, &pki.ca())?, entity, "{form}");
        }
        for (reader, cipher, transport) in [
            (&bob, "AES256_GCM", "OAEP"),
            (&bob, "AES128_CBC", "PKCS1"),
            (&bert, "AES256_CBC", "ECDH"),
        ] {
            let sealed = encrypt(&entity, reader, cipher, transport)?;
            assert_eq!(openssl::decrypt(&sealed, reader)?, entity, "{cipher}");
            assert_eq!(decrypt(&sealed, reader)?, entity, "{cipher}");
        }
        Ok(())
    }
}
