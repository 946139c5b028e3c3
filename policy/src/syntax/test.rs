//! `[[test]]`: mail that a policy is asked about, and what it must answer, as they are written.

use std::net::IpAddr;

use super::{Orders, Written, texts_by_name};
use crate::address::Address;
use crate::diagnostic::{Located, Place};
use crate::document::{Table, Texts, Words, parse_size};
use crate::facts::{Attachment, Direction, TlsVersion};
use crate::rule::Property;
use crate::schedule::Moment;

/// One `[[test]]`.
pub(crate) struct Test<'s> {
    pub(crate) place: Place<'s>,
    pub(crate) name: String,
    /// None if it is missing, which is reported.
    pub(crate) given: Option<Given<'s>>,
    pub(crate) expect: Vec<Expectation<'s>>,
}

/// The mail of a test.
pub(crate) struct Given<'s> {
    /// None is mail without a sender.
    pub(crate) sender: Option<Address>,
    pub(crate) recipients: Vec<Located<'s, String>>,
    pub(crate) direction: Option<Direction>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) authenticated: Option<String>,
    pub(crate) tls: Option<TlsVersion>,
    pub(crate) client_certificate: Written<'s, bool>,
    pub(crate) groups: Vec<String>,
    /// Whether the groups could not be found out.
    pub(crate) groups_unavailable: bool,
    pub(crate) time: Option<Moment>,
    pub(crate) subject: Option<String>,
    pub(crate) headers: Vec<(Located<'s, String>, Texts<'s>)>,
    pub(crate) size: u64,
    pub(crate) attachments: Vec<Attachment>,
    /// Those that are true.
    pub(crate) properties: Vec<Property>,
}

/// What a test expects for one recipient.
pub(crate) struct Expectation<'s> {
    pub(crate) recipient: Located<'s, String>,
    pub(crate) rule: Written<'s, String>,
    pub(crate) refused: Option<bool>,
    pub(crate) held: Option<bool>,
    pub(crate) deferred: Option<bool>,
    pub(crate) orders: Orders<'s>,
}

pub(super) fn read(mut table: Table<'_>) -> Test<'_> {
    for key in ["name", "given", "expect"] {
        table.require(key);
    }
    let test = Test {
        place: table.place(),
        name: value(table.string("name")).unwrap_or_default(),
        given: table.table("given").map(given),
        expect: table.table("expect").map(expectations).unwrap_or_default(),
    };
    table.finish();
    test
}

fn given(mut table: Table<'_>) -> Given<'_> {
    table.require("recipients");
    let sender = table.parsed("sender", |text| match text {
        "" | "<>" => Ok(None),
        address => Address::parse(address).map(Some),
    });
    let recipients = table.list_of_strings("recipients");
    let given = Given {
        sender: value(sender).flatten(),
        recipients: value(recipients).unwrap_or_default(),
        direction: value(table.word("direction")),
        client: value(table.parsed("client", str::parse)),
        authenticated: value(table.string("authenticated")),
        tls: value(table.word("tls")),
        client_certificate: table.boolean("client-certificate"),
        groups: texts(table.string_or_list("groups")),
        groups_unavailable: value(table.boolean("groups-unavailable")).unwrap_or_default(),
        time: value(table.parsed("time", str::parse)),
        subject: value(table.string("subject")),
        headers: texts_by_name(table.table("headers")),
        size: value(table.parsed("size", parse_size)).unwrap_or_default(),
        attachments: table
            .tables("attachments")
            .unwrap_or_default()
            .into_iter()
            .map(attachment)
            .collect(),
        properties: Property::WORDS
            .iter()
            .filter(|(word, _)| value(table.boolean(word)).unwrap_or_default())
            .map(|(_, property)| *property)
            .collect(),
    };
    if let (Some(client), None) = (&given.client_certificate, given.tls) {
        table.error(client.place, "`client-certificate` needs `tls`");
    }
    table.finish();
    given
}

fn attachment(mut table: Table<'_>) -> Attachment {
    let attachment = Attachment {
        name: value(table.string("name")).unwrap_or_default(),
        media_type: value(table.string("type")).unwrap_or_default(),
    };
    table.finish();
    attachment
}

fn expectations(mut table: Table<'_>) -> Vec<Expectation<'_>> {
    let mut expectations = Vec::new();
    for recipient in table.keys() {
        if let Some(mut expected) = table.table(&recipient.value) {
            expectations.push(Expectation {
                recipient,
                rule: expected.string("rule"),
                refused: value(expected.boolean("refused")),
                held: value(expected.boolean("held")),
                deferred: value(expected.boolean("deferred")),
                orders: Orders::for_rule(&mut expected),
            });
            expected.finish();
        }
    }
    expectations
}

fn value<T>(written: Written<'_, T>) -> Option<T> {
    written.map(|located| located.value)
}

fn texts(written: Option<Texts<'_>>) -> Vec<String> {
    let texts = value(written).unwrap_or_default().into_iter();
    texts.map(|text| text.value).collect()
}
