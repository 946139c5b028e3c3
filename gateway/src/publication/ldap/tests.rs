use certstore::clock::SystemClock;
use certstore::database::Database;
use certstore::ldap::Filter;
use policy::address::Address;
use policy::mutation::mutations;

use super::super::people::People;
use super::super::rate::Rate;
use super::search::{Wanted, wanted};
use super::*;

const BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
const START_TLS_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const DELETE: &[u8] = b"\x30\x08\x02\x01\x07\x4a\x03o=x";
const UNBIND: &[u8] = b"\x30\x05\x02\x01\x03\x42\x00";

fn equal(attribute: &str, value: &str) -> Filter {
    Filter::Equal {
        attribute: attribute.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

fn these(addresses: &[&str]) -> Wanted {
    Wanted::These(
        addresses
            .iter()
            .map(|text| Address::parse(text).unwrap())
            .collect(),
    )
}

async fn office(folder: &std::path::Path) -> Office {
    let database = Database::open(&folder.join("certstore.db")).await.unwrap();
    Office {
        people: People::new(
            database,
            vec!["example.org".to_owned()],
            Arc::new(SystemClock),
        ),
        base: "o=certificates".to_owned(),
        enumeration: false,
        rate: Rate::new(1_000_000),
    }
}

#[test]
fn a_filter_asks_for_the_addresses_that_it_names() {
    let mail = || equal("mail", "Alice@example.org");
    let proxy = || equal("proxyaddresses", "SMTP:bob@example.org");
    let everybody = Wanted::Everybody;
    for (filter, expected) in [
        (mail(), these(&["alice@example.org"])),
        (proxy(), these(&["bob@example.org"])),
        (equal("mail", "no address"), these(&[])),
        (equal("cn", "alice@example.org"), these(&[])),
        (
            Filter::Or(vec![mail(), proxy()]),
            these(&["alice@example.org", "bob@example.org"]),
        ),
        (Filter::And(vec![mail(), proxy()]), these(&[])),
        (
            Filter::And(vec![
                equal("objectclass", "person"),
                mail(),
                Filter::Present("usercertificate".to_owned()),
            ]),
            these(&["alice@example.org"]),
        ),
        (Filter::Present("mail".to_owned()), everybody.clone()),
        (Filter::Other, everybody.clone()),
        (Filter::Or(vec![mail(), Filter::Other]), everybody.clone()),
        (Filter::Not(Box::new(mail())), everybody.clone()),
        (Filter::And(vec![]), everybody),
        (Filter::Or(vec![]), these(&[])),
    ] {
        assert_eq!(wanted(&filter), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn each_request_has_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let office = office(folder.path()).await;
    let password = b"\x30\x10\x02\x01\x01\x60\x0b\x02\x01\x03\x04\x01x\x80\x03pwd";
    let old = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x02\x04\x00\x80\x00";
    for (request, may_secure, expected) in [
        (
            BIND,
            false,
            Next::Answer(bind_response(1, ResultCode::Success, "")),
        ),
        (UNBIND, false, Next::Close(Vec::new())),
    ] {
        let request = read_request(request).unwrap();
        assert_eq!(respond(request, may_secure, &office).await, expected);
    }
    for (request, may_secure, code) in [
        (&password[..], false, 49),
        (old, false, 2),
        (DELETE, false, 53),
        (START_TLS_REQUEST, false, 2),
    ] {
        let request = read_request(request).unwrap();
        let Next::Answer(answer) = respond(request, may_secure, &office).await else {
            panic!("an answer is expected");
        };
        // Sequence, id, operation, and then the code.
        assert_eq!(
            answer.get(7..10),
            Some(&[0x0a, 1, code][..]),
            "{}",
            answer.escape_ascii()
        );
    }
    let request = read_request(START_TLS_REQUEST).unwrap();
    assert!(matches!(
        respond(request, true, &office).await,
        Next::Secure(_)
    ));
}

#[tokio::test]
async fn damaged_requests_get_an_answer_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let office = office(folder.path()).await;
    let search = b"\x30\x40\x02\x01\x02\x63\x3b\x04\x03o=x\x0a\x01\x02\x0a\x01\x00\x02\x01\x0a\x02\x01\x00\x01\x01\x00\
        \xa3\x0b\x04\x04Mail\x04\x03a@b\x30\x18\x04\x16userCertificate;binary";
    let seeds = [BIND, START_TLS_REQUEST, DELETE, UNBIND, &search[..]];
    for damaged in mutations(&seeds).take(3_000) {
        if let Ok(request) = read_request(&damaged) {
            let next = respond(request, true, &office).await;
            if let Next::Answer(answer) = next {
                assert_eq!(message_length(&answer, 4_000).unwrap(), Some(answer.len()));
            }
        }
    }
}
