//! Who sends what to whom, as the SMTP session learned it.

use std::net::IpAddr;

use policy::address::Address;

/// The client of a session.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// What it called itself in EHLO or HELO.
    pub helo: String,
    /// Whether it greeted with EHLO (RFC 3848: ESMTP).
    pub extended: bool,
    /// Protocol version and cipher suite, if the session is encrypted ("TLSv1.3", "TLS13_AES_256_GCM_SHA384").
    pub tls: Option<(String, String)>,
    /// Whether it may send outbound: `relay-from` names it.
    pub may_relay: bool,
    /// Whether it is a front MX server (`inbound-from`): what it brings is never signed.
    pub is_inbound: bool,
}

impl Client {
    /// Whether a key of ours may sign for what this client brings, as far as the client alone decides it.
    #[must_use]
    pub const fn may_have_signed(&self) -> bool {
        self.may_relay && !self.is_inbound
    }
}

/// BODY= of MAIL (RFC 6152).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Body {
    /// Seven bits.
    #[default]
    SevenBit,
    /// Eight bits.
    EightBitMime,
}

/// The envelope of one message.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The client that brought it.
    pub client: Client,
    /// MAIL FROM; none is the null reverse-path `<>`.
    pub reverse_path: Option<Address>,
    /// RCPT TO, in order, without repeats; never empty once DATA was accepted.
    pub recipients: Vec<Address>,
    /// BODY=.
    pub body: Body,
    /// Whether SMTPUTF8 was asked for (RFC 6531).
    pub smtputf8: bool,
}
