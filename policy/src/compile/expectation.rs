//! `[[test]]` tables: addresses that are some, and names that exist.

use std::collections::HashMap;

use super::{Expectation, Test, TestMail};
use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Place};
use crate::document;
use crate::facts::SessionTls;
use crate::syntax;

pub(super) fn compile(
    test: &syntax::Test<'_>,
    rules: &HashMap<&str, Place<'_>>,
    diagnostics: &Diagnostics,
) -> Test {
    let parsed = |text| address(text, diagnostics);
    let recipients = test.given.iter().flat_map(|given| &given.recipients);
    let recipients: Vec<_> = recipients.filter_map(parsed).collect();
    let mut expect = Vec::with_capacity(test.expect.len());
    for expected in &test.expect {
        check_rule(expected, rules, diagnostics);
        let Some(recipient) = parsed(&expected.recipient) else {
            continue;
        };
        if !recipients.contains(&recipient) {
            let message = format!("{recipient} is not among the recipients of this test");
            diagnostics.push(Diagnostic::error(expected.recipient.place, message));
        }
        let orders = expected.orders.written().into_iter();
        expect.push(Expectation {
            recipient,
            rule: expected.rule.as_ref().map(|rule| rule.value.clone()),
            refused: expected.refused,
            held: expected.held,
            deferred: expected.deferred,
            orders: orders.map(|(key, word)| (key, word.value)).collect(),
        });
    }
    Test {
        name: test.name.clone(),
        file: test.place.file().to_owned(),
        line: test.place.line(),
        mail: test.given.as_ref().map(mail).unwrap_or_default(),
        expect,
    }
}

fn mail(given: &syntax::Given<'_>) -> TestMail {
    let headers = given.headers.iter().flat_map(|(name, values)| {
        let field = |value: &Located<'_, String>| (name.value.clone(), value.value.clone());
        values.value.iter().map(field)
    });
    let client_certificate = given.client_certificate.is_some_and(|client| client.value);
    TestMail {
        sender: given.sender.clone(),
        direction: given.direction,
        client: given.client,
        authenticated: given.authenticated.clone(),
        tls: given.tls.map(|version| SessionTls {
            version,
            client_certificate,
        }),
        groups: (!given.groups_unavailable).then(|| given.groups.clone()),
        moment: given.time,
        subject: given.subject.clone(),
        headers: headers.collect(),
        size: given.size,
        attachments: given.attachments.clone(),
        properties: given.properties.clone(),
    }
}

fn address(text: &Located<'_, String>, diagnostics: &Diagnostics) -> Option<Address> {
    match Address::parse(&text.value) {
        Ok(address) => Some(address),
        Err(error) => {
            let message = format!("{:?} is no address: {error}", text.value);
            diagnostics.push(Diagnostic::error(text.place, message));
            None
        }
    }
}

fn check_rule(
    expected: &syntax::Expectation<'_>,
    rules: &HashMap<&str, Place<'_>>,
    diagnostics: &Diagnostics,
) {
    let Some(Located { value: name, place }) = &expected.rule else {
        return;
    };
    if !rules.contains_key(name.as_str()) {
        let mut names: Vec<_> = rules.keys().copied().collect();
        names.sort_unstable();
        let help = document::help(name, names.into_iter(), '"');
        let message = format!("there is no rule {name:?}");
        diagnostics.push(Diagnostic::error(*place, message).with_help(help));
    }
}
