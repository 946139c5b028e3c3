//! OpenLDAP's slapd with the people of the PKI in it: started, counted, frozen, taken away, brought back.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use encodify::base64;
use tempfile::TempDir;

use crate::pki;
use crate::process::{self, Daemon};

/// Where people are.
pub const BASE: &str = "ou=people,dc=example,dc=com";
/// Who may bind with [`PASSWORD`].
pub const READER: &str = "cn=reader,dc=example,dc=com";
/// The reader's password.
pub const PASSWORD: &str = "s3cret";

/// An attribute with bytes for its value.
pub type Value = (&'static str, Vec<u8>);

/// A running directory. Its folder and process end with this value.
#[derive(Debug)]
pub struct Slapd {
    folder: TempDir,
    ldap: SocketAddr,
    ldaps: SocketAddr,
    running: Option<Daemon>,
}

/// What Exchange adds to a schema, as far as addresses go.
const EXCHANGE: &str = "
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.2.840.113556.1.5.89 NAME 'mailRecipient' SUP top AUXILIARY MAY proxyAddresses )
";

impl Slapd {
    /// A directory of `people`: a name and attributes for each. Everybody may read, unless `needs_password`.
    ///
    /// # Errors
    /// slapd is missing or refuses; the text is its own.
    pub fn start(people: &[(&str, Vec<Value>)], needs_password: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut slapd = Self {
            ldap: process::free_address()?,
            ldaps: process::free_address()?,
            folder,
            running: None,
        };
        fs::create_dir(slapd.folder.path().join("db"))?;
        fs::write(
            slapd.folder.path().join("slapd.conf"),
            slapd.configuration(needs_password)?,
        )?;
        fs::write(slapd.folder.path().join("people.ldif"), ldif(people)?)?;
        let mut add = Command::new(process::program("slapadd", "slapd")?);
        add.args(["-f", "slapd.conf", "-l", "people.ldif"]);
        process::run(add.current_dir(slapd.folder.path()), b"").context("slapadd")?;
        slapd.bring_back()?;
        Ok(slapd)
    }

    /// `ldap://…`, for clear text and StartTLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://{}", self.ldap)
    }

    /// `ldaps://…`.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("ldaps://{}", self.ldaps)
    }

    /// How many searches for `address` it has seen.
    #[must_use]
    pub fn searches_for(&self, address: &str) -> usize {
        let printed = self
            .running
            .as_ref()
            .map(Daemon::printed)
            .unwrap_or_default();
        let filters = printed.lines().filter(|line| line.contains("filter=\""));
        filters.filter(|line| line.contains(address)).count()
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
        let mut command = Command::new(process::program("slapd", "slapd")?);
        command.args(["-d", "stats", "-f", "slapd.conf", "-h"]);
        command.arg(format!("{} {}", self.url(), self.tls_url()));
        let log = self.folder.path().join("slapd.log");
        let mut daemon = Daemon::start(command.current_dir(self.folder.path()), &log)?;
        daemon.wait_for_port(self.ldap)?;
        self.running = Some(daemon);
        Ok(())
    }

    /// Makes it hang: connections stay, answers do not come.
    ///
    /// # Errors
    /// It is not running.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It is not running.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<()> {
        let daemon = self.running.as_ref().context("it is not running")?;
        process::signal(daemon.id(), name)
    }

    fn configuration(&self, needs_password: bool) -> Result<String> {
        let pki = pki::pki()?;
        let folder = self.folder.path().display();
        let access = if needs_password {
            format!("access to * by dn.exact=\"{READER}\" read by anonymous auth")
        } else {
            "access to * by * read".to_owned()
        };
        Ok(format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\n{EXCHANGE}\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             TLSCertificateFile {}\nTLSCertificateKeyFile {}\nTLSCACertificateFile {}\nTLSVerifyClient try\n\
             authz-regexp \"^.*cn=alice.*$\" \"{READER}\"\n\
             database mdb\nsuffix \"dc=example,dc=com\"\ndirectory {folder}/db\nindex objectClass eq\n\
             index mail,proxyAddresses eq\n{access}\n",
            pki.file("tls.pem").display(),
            pki.file("tls.key").display(),
            pki.ca().display(),
        ))
    }
}

/// A security settings value as Exchange publishes it ([MS-OXOABK], section 2.2.4.36): version, message encoding, the
/// certificate to encrypt to.
///
/// # Panics
/// The certificate is longer than such a value can hold.
#[must_use]
pub fn security_settings(certificate: &[u8]) -> Vec<u8> {
    let setting = |tag: u16, data: &[u8]| {
        let length = u16::try_from(data.len() + 4).expect("a short certificate");
        [&tag.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
    };
    let one = 1_u32.to_le_bytes();
    [setting(1, &one), setting(6, &one), setting(3, certificate)].concat()
}

fn ldif(people: &[(&str, Vec<Value>)]) -> Result<String> {
    let mut ldif = format!(
        "dn: dc=example,dc=com\nobjectClass: domain\n\n\
         dn: {READER}\nobjectClass: person\nsn: reader\nuserPassword: {PASSWORD}\n\n\
         dn: {BASE}\nobjectClass: organizationalUnit\n\n"
    );
    for (name, attributes) in people {
        write!(
            ldif,
            "dn: cn={name},{BASE}\nobjectClass: inetOrgPerson\nobjectClass: mailRecipient\nsn: {name}\n"
        )?;
        for (attribute, value) in attributes {
            let value = base64::STANDARD.encode(value);
            writeln!(ldif, "{attribute}:: {value}")?;
        }
        ldif.push('\n');
    }
    Ok(ldif)
}
