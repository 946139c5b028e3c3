//! Two gateways of the built program: that of example.org, and that of partner.example, each with the keys of its own people
//! and the certificates of the other's, and with a profile for each row, which the row's name in a header field chooses.

use std::fmt::Write;

use anyhow::{Context, Result};
use integration::gateway::{Gateway, Setup};
use integration::pki::pki;
use integration::sink::Sink;

use super::rows::{People, Row, What};

/// Of which of the two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) is_here: bool,
}

/// example.org.
pub(crate) const HERE: Side = Side { is_here: true };

/// partner.example.
pub(crate) const THERE: Side = Side { is_here: false };

const OURS: [&str; 6] = ["alice", "carol", "dave", "peter", "edgar", "xaver"];
const THEIRS: [&str; 6] = ["bob", "bert", "boris", "paula", "edith", "xenia"];

/// Both gateways.
pub(crate) struct Posterns {
    pub(crate) here: Postern,
    pub(crate) there: Postern,
}

/// A gateway, and the server that it passes all mail on to.
pub(crate) struct Postern {
    gateway: Gateway,
    sink: Sink,
}

impl Posterns {
    pub(crate) fn start(rows: &[Row]) -> Result<Self> {
        Ok(Self {
            here: Postern::start("example.org", rows, OURS, THEIRS)?,
            there: Postern::start("partner.example", rows, THEIRS, OURS)?,
        })
    }
}

impl Postern {
    fn start(
        domain: &'static str,
        rows: &[Row],
        own: [&str; 6],
        others: [&str; 6],
    ) -> Result<Self> {
        let sink = Sink::start()?;
        let (profiles, policy) = configuration(rows);
        let mut gateway = Setup::default()
            .internal(domain)
            .tables(&profiles)
            .policy(&policy)
            .next_hop(sink.address())
            .write()?;
        let pki = pki()?;
        for name in own {
            gateway.import_key(&pki.identity(name), "both")?;
        }
        for name in others {
            gateway.import_certificate(&pki.identity(name).certificate)?;
        }
        gateway.start()?;
        Ok(Self { gateway, sink })
    }

    /// What the gateway hands on of a mail: signed or encrypted on its way out, opened and judged on its way in.
    pub(crate) fn pass(&self, mail: &[u8], people: People) -> Result<Vec<u8>> {
        let (writer, reader) = people.identities();
        let before = self.sink.count();
        let sent = self.gateway.send(writer.address, &[reader.address], mail)?;
        sent.accepted()?;
        let mut mails = self.sink.wait(before + 1)?;
        Ok(mails.pop().context("no mail")?.content)
    }
}

/// The profiles of `postern.toml`, and a policy.
fn configuration(rows: &[Row]) -> (String, String) {
    let mut profiles = String::new();
    let mut policy = String::new();
    for (number, row) in rows.iter().enumerate() {
        let Some(profile) = &row.profile else {
            continue;
        };
        let order = match row.what {
            What::Signed(_) => "sign = \"required\"",
            What::Encrypted(_) => "encrypt = \"required\"",
        };
        let name = &row.name;
        writeln!(profiles, "[[profile]]\nname = \"row {number}\"\n{profile}").expect("a string");
        writeln!(
            policy,
            "[[rule]]\nname = \"{name}\"\nwhen = {{ direction = \"outbound\", header = {{ \"X-Row\" = \"{name}\" }} }}\n\
             {order}\nprofile = \"row {number}\"\n"
        )
        .expect("a string");
    }
    policy.push_str("[[rule]]\nname = \"in\"\nwhen = { direction = \"inbound\" }\n");
    (profiles, policy)
}
