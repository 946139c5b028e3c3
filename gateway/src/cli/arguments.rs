//! What can be typed: the one definition of commands and options.

use std::path::PathBuf;

use certstore::cms::{MlDsa, MlKem};
use clap::{Parser, Subcommand, ValueEnum};

/// An S/MIME gateway: signs and encrypts outgoing mail, decrypts and verifies incoming mail, as policy files say.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// The configuration [default: $POSTERN_CONFIG, ./postern.toml, /etc/postern/postern.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// What to do
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the gateway
    Run,
    /// Check configuration and policy; prints every mistake as FILE:LINE:COL
    Check,
    /// Run a gateway with its own CA, policy and users, to try things out
    Demo {
        /// Folder for the demo's files
        #[arg(long, value_name = "DIR", default_value = "postern-demo")]
        dir: PathBuf,
        /// Where it listens
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2525")]
        listen: std::net::SocketAddr,
    },
    /// Other people's certificates
    #[command(subcommand)]
    Cert(CertCommand),
    /// Our users' private keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Certificates that others are judged by
    #[command(subcommand)]
    Trust(TrustCommand),
    /// The built-in certification authority
    #[command(subcommand)]
    Ca(CaCommand),
    /// The policy
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Mail that waits for its delivery
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Certificates, keys and anchors as a whole
    #[command(subcommand)]
    Store(StoreCommand),
}

/// Other people's certificates.
#[derive(Debug, Subcommand)]
pub(super) enum CertCommand {
    /// Import certificates (PEM, DER, PKCS#7, SST, LDIF, CSV); what is broken stops nothing else
    Import {
        /// Files to read, and folders whose files are read
        #[arg(required = true, value_name = "FILE|DIR")]
        files: Vec<PathBuf>,
    },
    /// Show what the S/MIME Baseline Requirements ask for and certificates lack
    Lint {
        /// Files to read
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List all certificates
    List {
        /// Those from signed mail that wait for `cert accept`
        #[arg(long)]
        pending: bool,
    },
    /// Let a certificate from signed mail count that was kept aside
    Accept {
        /// Its SHA-256 fingerprint, as `cert list --pending` prints it
        sha256: String,
    },
    /// Forget a certificate from signed mail that was kept aside
    Reject {
        /// Its SHA-256 fingerprint, as `cert list --pending` prints it
        sha256: String,
    },
    /// Trust a certificate by itself, for one address
    Pin {
        /// The address
        address: String,
        /// The certificate (PEM, DER)
        file: PathBuf,
    },
    /// Print the certificates of an address as PEM
    Export {
        /// The address
        address: String,
    },
    /// Show which certificate would be used for an address, and why not the others
    Find {
        /// The address
        address: String,
        /// Also show the sources that were asked, their answers and times
        #[arg(long)]
        explain: bool,
    },
    /// Print what others can find our users' certificates by
    #[command(subcommand)]
    Publish(PublishCommand),
}

/// Print what others can find our users' certificates by.
#[derive(Debug, Subcommand)]
pub(super) enum PublishCommand {
    /// SMIMEA records (RFC 8162) for a zone that is signed with DNSSEC
    Smimea {
        /// Only addresses in this domain
        #[arg(long)]
        domain: Option<String>,
        /// How long others may keep a record, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        ttl: u32,
    },
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyPurpose {
    /// Signatures
    Signing,
    /// Decryption
    Encryption,
    /// Signatures and decryption
    Both,
}

/// Our users' private keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Import a key with its certificate (PKCS#12)
    Import {
        /// Whose key it is
        address: String,
        /// The file
        file: PathBuf,
        /// File whose first line is the passphrase [default: an empty passphrase]
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
        /// What it is for [default: what its certificate allows]
        #[arg(long)]
        purpose: Option<KeyPurpose>,
    },
    /// List all keys
    List,
}

/// Certificates that others are judged by.
#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Trust certificates as anchors
    Add {
        /// Files to read (PEM, DER, PKCS#7)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Only for these domains
        #[arg(long, value_name = "DOMAIN")]
        domain: Vec<String>,
        /// How much an answer about revocation is insisted on [default: as configured for all]
        #[arg(long)]
        revocation: Option<Revocation>,
    },
    /// List all anchors and what is distrusted
    List,
    /// Stop trusting an anchor
    Remove {
        /// Its SHA-256 fingerprint, as `trust list` prints it
        sha256: String,
    },
    /// Never believe a certificate, of a person or of a CA, whoever vouches for it
    Distrust {
        /// Its SHA-256 fingerprint
        sha256: String,
        /// Take it off the list again
        #[arg(long)]
        undo: bool,
    },
    /// Trust the roots that others trust
    Import {
        /// Whose roots
        whose: ImportedRoots,
        /// The module of NSS that says which roots are for mail
        #[arg(
            long,
            value_name = "FILE",
            default_value = "/usr/lib/x86_64-linux-gnu/libnssckbi.so"
        )]
        module: PathBuf,
        /// The folder of roots where there is no such module
        #[arg(
            long,
            value_name = "DIR",
            default_value = "/usr/share/ca-certificates/mozilla"
        )]
        folder: PathBuf,
    },
}

/// Whose roots can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ImportedRoots {
    /// Mozilla's
    Mozilla,
}

/// How much an answer about revocation is insisted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Revocation {
    /// Not asked
    Off,
    /// Revoked certificates are refused, unknown ones used
    Soft,
    /// Only certificates that are known not to be revoked are used
    Hard,
}

/// The kinds of keys that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyAlgorithm {
    /// Read by every mail program
    #[value(name = "rsa-2048")]
    Rsa2048,
    /// As the authority has it
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    /// An elliptic curve key
    #[value(name = "p-256")]
    P256,
    #[value(name = "p-384")]
    P384,
    /// Post-quantum, for signatures
    #[value(name = "ml-dsa-44")]
    MlDsa44,
    #[value(name = "ml-dsa-65")]
    MlDsa65,
    #[value(name = "ml-dsa-87")]
    MlDsa87,
    /// Post-quantum, for encryption
    #[value(name = "ml-kem-512")]
    MlKem512,
    #[value(name = "ml-kem-768")]
    MlKem768,
    #[value(name = "ml-kem-1024")]
    MlKem1024,
}

impl From<KeyAlgorithm> for certstore::issue::KeyAlgorithm {
    fn from(algorithm: KeyAlgorithm) -> Self {
        match algorithm {
            KeyAlgorithm::Rsa2048 => Self::Rsa2048,
            KeyAlgorithm::Rsa3072 => Self::Rsa3072,
            KeyAlgorithm::Rsa4096 => Self::Rsa4096,
            KeyAlgorithm::P256 => Self::P256,
            KeyAlgorithm::P384 => Self::P384,
            KeyAlgorithm::MlDsa44 => Self::MlDsa(MlDsa::MlDsa44),
            KeyAlgorithm::MlDsa65 => Self::MlDsa(MlDsa::MlDsa65),
            KeyAlgorithm::MlDsa87 => Self::MlDsa(MlDsa::MlDsa87),
            KeyAlgorithm::MlKem512 => Self::MlKem(MlKem::MlKem512),
            KeyAlgorithm::MlKem768 => Self::MlKem(MlKem::MlKem768),
            KeyAlgorithm::MlKem1024 => Self::MlKem(MlKem::MlKem1024),
        }
    }
}

/// The built-in certification authority.
#[derive(Debug, Subcommand)]
pub(super) enum CaCommand {
    /// Make the authority; its certificate is printed, and trusted for the internal domains
    Init {
        /// Its name
        #[arg(long, value_name = "DN", default_value = "CN=Postern CA")]
        subject: String,
        /// Its key
        #[arg(long, value_enum, default_value_t = KeyAlgorithm::Rsa3072)]
        algorithm: KeyAlgorithm,
    },
    /// Issue a certificate to a user, and keep its key
    Issue {
        /// Whose certificate it is
        address: String,
        /// Its key; ML-DSA keys only sign, ML-KEM keys are only encrypted to, all others do both
        #[arg(long, value_enum, default_value_t = KeyAlgorithm::Rsa2048)]
        algorithm: KeyAlgorithm,
        /// Also write key and certificates to FILE: PEM, or PKCS#12 if it ends in .p12
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// File whose first line is the passphrase of a PKCS#12 file
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
}

/// The policy.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Run the policy's [[test]] tables; exit code 1 if one fails
    Test {
        /// Also write the results as JUnit XML
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
    },
    /// Show which rule decides about a mail, why no earlier one did, and what would happen
    Explain(Question),
    /// Show what another policy would have done with recorded mail; exit code 1 if it sends more in clear
    Compare {
        /// The other policy: a file, or a folder of *.toml
        new: PathBuf,
        /// Recorded facts, one JSON object a line (docs/policy.md)
        #[arg(long, value_name = "FILE")]
        facts: PathBuf,
    },
    /// Print the policy as it is understood, with lists, defaults and inherited orders
    Show,
    /// Print the JSON schema of policy files, for editors
    Schema,
    /// Make a policy of a table "pattern, sign, encrypt, fallback"
    Import {
        /// The table (CSV)
        file: PathBuf,
    },
}

/// A mail that the policy is asked about.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    /// MAIL FROM; empty for the null sender
    #[arg(long, value_name = "ADDRESS")]
    pub(super) from: String,
    /// RCPT TO
    #[arg(long, required = true, num_args = 1.., value_name = "ADDRESS")]
    pub(super) to: Vec<String>,
    /// The message itself
    #[arg(long, value_name = "FILE")]
    pub(super) message: Option<PathBuf>,
    /// Its subject
    #[arg(long, value_name = "TEXT")]
    pub(super) subject: Option<String>,
    /// A header field of it
    #[arg(long, value_name = "'NAME: VALUE'")]
    pub(super) header: Vec<String>,
    /// The client's IP address
    #[arg(long, value_name = "IP")]
    pub(super) client: Option<std::net::IpAddr>,
    /// The identity that the client proved
    #[arg(long, value_name = "USER")]
    pub(super) auth: Option<String>,
    /// A group of our user in this mail
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Vec<String>,
    /// When it comes, such as 'mon 08:30' [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) time: Option<String>,
    /// Without certificates and keys
    #[arg(long)]
    pub(super) offline: bool,
}

/// Mail that waits for its delivery.
#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// List it
    List,
    /// Show one message's envelope, tries and replies
    Show {
        /// Its queue id
        id: String,
    },
    /// Try again now
    Retry {
        /// Its queue id
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Everything that waits
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Give a message up, without telling its sender
    Drop {
        /// Its queue id
        id: String,
    },
}

/// Certificates, keys and anchors as a whole.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Write everything to a new file, sealed under the vault key; a gateway may run meanwhile
    Export {
        /// The file
        file: PathBuf,
        /// File whose first line is a passphrase that seals it in place of the vault key
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Read such a file into an empty store, on SQLite or PostgreSQL; the vault key must be the same
    Import {
        /// The file
        file: PathBuf,
        /// File whose first line is its passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
}
