//! A policy file as it is written: which keys there are and which values they take. Left out: what they mean together.

use crate::address::Address;
use crate::decision::{
    HiddenRecipients, NoCertificate, NoSigner, OnBadSignature, OnUnavailable, Requirement,
};
use crate::diagnostic::{Diagnostics, Located, Place, Source};
use crate::document::{self, Table, Texts, Words};
use crate::facts::Direction;

/// Conditions that a later version will know.
const LATER_CONDITIONS: [&str; 9] = [
    "group",
    "size",
    "authenticated",
    "client",
    "tls",
    "attachment",
    "signed",
    "encrypted",
    "calendar",
];
/// Orders that a later version will know.
const LATER_ORDERS: [&str; 2] = ["strip-signature", "rewrap"];

/// A word or a text with its place, if it was written.
pub(crate) type Written<'s, T> = Option<Located<'s, T>>;

/// One file.
pub(crate) struct File<'s> {
    pub(crate) rules: Vec<Rule<'s>>,
    pub(crate) tests: Vec<Test<'s>>,
}

/// One `[[rule]]`.
pub(crate) struct Rule<'s> {
    pub(crate) place: Place<'s>,
    /// None if it is missing, which is reported.
    pub(crate) name: Written<'s, String>,
    pub(crate) when: Option<When<'s>>,
    pub(crate) orders: Orders<'s>,
    pub(crate) strip_subject_tag: Written<'s, bool>,
    pub(crate) reject: Written<'s, String>,
}

/// One table of conditions; all that are written must hold.
pub(crate) struct When<'s> {
    pub(crate) place: Place<'s>,
    pub(crate) direction: Written<'s, Direction>,
    pub(crate) sender: Option<Texts<'s>>,
    pub(crate) recipient: Option<Texts<'s>>,
    pub(crate) subject: Option<Texts<'s>>,
    /// Field names and their patterns.
    pub(crate) header: Vec<(Located<'s, String>, Texts<'s>)>,
    pub(crate) all: Vec<Self>,
    /// None if the key is absent.
    pub(crate) any: Option<Vec<Self>>,
    pub(crate) not: Option<Box<Self>>,
}

/// Orders that are words.
pub(crate) struct Orders<'s> {
    pub(crate) sign: Written<'s, Requirement>,
    pub(crate) encrypt: Written<'s, Requirement>,
    pub(crate) decrypt: Written<'s, Requirement>,
    pub(crate) verify: Written<'s, Requirement>,
    pub(crate) no_certificate: Written<'s, NoCertificate>,
    pub(crate) no_signer: Written<'s, NoSigner>,
    pub(crate) on_unavailable: Written<'s, OnUnavailable>,
    pub(crate) on_bad_signature: Written<'s, OnBadSignature>,
    pub(crate) hidden_recipients: Written<'s, HiddenRecipients>,
    pub(crate) profile: Written<'s, String>,
}

/// One `[[test]]`.
pub(crate) struct Test<'s> {
    pub(crate) place: Place<'s>,
    pub(crate) name: String,
    /// None is mail without a sender.
    pub(crate) sender: Written<'s, Address>,
    pub(crate) recipients: Vec<Located<'s, String>>,
    pub(crate) direction: Written<'s, Direction>,
    pub(crate) subject: Written<'s, String>,
    pub(crate) headers: Vec<(Located<'s, String>, Texts<'s>)>,
    pub(crate) expect: Vec<Expectation<'s>>,
}

/// What a test expects for one recipient.
pub(crate) struct Expectation<'s> {
    pub(crate) recipient: Located<'s, String>,
    pub(crate) rule: Written<'s, String>,
    pub(crate) refused: Written<'s, bool>,
    pub(crate) orders: Orders<'s>,
}

/// Reads a file; none if it is not TOML.
pub(crate) fn read<'s>(source: &'s Source, diagnostics: &'s Diagnostics) -> Option<File<'s>> {
    let mut table = document::parse(source, diagnostics)?;
    let rules = table.tables("rule").unwrap_or_default();
    let tests = table.tables("test").unwrap_or_default();
    table.finish();
    Some(File {
        rules: rules.into_iter().map(rule).collect(),
        tests: tests.into_iter().map(test).collect(),
    })
}

fn rule(mut table: Table<'_>) -> Rule<'_> {
    let place = table.place();
    table.require("name");
    let name = table.string("name");
    let when = table.table("when").map(when);
    let orders = orders(&mut table);
    let strip_subject_tag = table.boolean("strip-subject-tag");
    let reject = table.string("reject");
    for key in LATER_ORDERS {
        table.not_yet(key);
    }
    table.finish();
    Rule {
        place,
        name,
        when,
        orders,
        strip_subject_tag,
        reject,
    }
}

fn when(mut table: Table<'_>) -> When<'_> {
    let place = table.place();
    let direction = table.word("direction");
    let sender = table.string_or_list("sender");
    let recipient = table.string_or_list("recipient");
    let subject = table.string_or_list("subject");
    let header = texts_by_name(table.table("header"));
    let all = table.tables("all").unwrap_or_default();
    let all = all.into_iter().map(when).collect();
    let any = table.tables("any");
    let any = any.map(|any| any.into_iter().map(when).collect());
    let not = table.table("not").map(|table| Box::new(when(table)));
    for key in LATER_CONDITIONS {
        table.not_yet(key);
    }
    table.finish();
    When {
        place,
        direction,
        sender,
        recipient,
        subject,
        header,
        all,
        any,
        not,
    }
}

fn orders<'s>(table: &mut Table<'s>) -> Orders<'s> {
    Orders {
        sign: table.word("sign"),
        encrypt: table.word("encrypt"),
        no_certificate: table.word("no-certificate"),
        no_signer: table.word("no-signer"),
        on_unavailable: table.word("on-unavailable"),
        hidden_recipients: table.word("hidden-recipients"),
        decrypt: table.word("decrypt"),
        verify: table.word("verify"),
        on_bad_signature: table.word("on-bad-signature"),
        profile: table.string("profile"),
    }
}

impl<'s> Orders<'s> {
    /// Each order that is written: its key, its word and its place.
    pub(crate) fn written(&self) -> Vec<(&'static str, Located<'s, String>)> {
        fn word<'s, T: Words>(written: Written<'s, T>) -> Written<'s, String> {
            written.map(|located| located.map(|value| value.word().to_owned()))
        }
        [
            ("sign", word(self.sign)),
            ("encrypt", word(self.encrypt)),
            ("no-certificate", word(self.no_certificate)),
            ("no-signer", word(self.no_signer)),
            ("on-unavailable", word(self.on_unavailable)),
            ("hidden-recipients", word(self.hidden_recipients)),
            ("decrypt", word(self.decrypt)),
            ("verify", word(self.verify)),
            ("on-bad-signature", word(self.on_bad_signature)),
            ("profile", self.profile.clone()),
        ]
        .into_iter()
        .filter_map(|(key, written)| Some((key, written?)))
        .collect()
    }
}

fn test(mut table: Table<'_>) -> Test<'_> {
    let place = table.place();
    for key in ["name", "given", "expect"] {
        table.require(key);
    }
    let name = table
        .string("name")
        .map_or_else(String::new, |name| name.value);
    let mut test = Test {
        place,
        name,
        sender: None,
        recipients: Vec::new(),
        direction: None,
        subject: None,
        headers: Vec::new(),
        expect: Vec::new(),
    };
    if let Some(given) = table.table("given") {
        read_given(given, &mut test);
    }
    if let Some(expect) = table.table("expect") {
        test.expect = expectations(expect);
    }
    table.finish();
    test
}

fn read_given<'s>(mut given: Table<'s>, test: &mut Test<'s>) {
    given.require("recipients");
    test.sender = given
        .parsed("sender", |text| match text {
            "" | "<>" => Ok(None),
            address => Address::parse(address).map(Some),
        })
        .and_then(|Located { value, place }| {
            Some(Located {
                value: value?,
                place,
            })
        });
    test.recipients = given
        .list_of_strings("recipients")
        .map_or_else(Vec::new, |recipients| recipients.value);
    test.direction = given.word("direction");
    test.subject = given.string("subject");
    test.headers = texts_by_name(given.table("headers"));
    given.finish();
}

fn expectations(mut table: Table<'_>) -> Vec<Expectation<'_>> {
    let mut expectations = Vec::new();
    for recipient in table.keys() {
        if let Some(mut expected) = table.table(&recipient.value) {
            expectations.push(Expectation {
                recipient,
                rule: expected.string("rule"),
                refused: expected.boolean("refused"),
                orders: orders(&mut expected),
            });
            expected.finish();
        }
    }
    expectations
}

/// A table whose keys are free, each with one text or several.
fn texts_by_name(table: Option<Table<'_>>) -> Vec<(Located<'_, String>, Texts<'_>)> {
    let Some(mut table) = table else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for name in table.keys() {
        if let Some(values) = table.string_or_list(&name.value) {
            texts.push((name, values));
        }
    }
    texts
}
