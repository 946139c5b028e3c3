use policy::mutation::mutations;

use super::*;
use crate::cms::certificate_bundle;
use crate::samples::Sample;

fn sample() -> Certificate {
    Sample::ec("alice@example.org").self_signed().0
}

/// A setting as Outlook writes it.
fn setting(tag: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + SETTING_HEADER).unwrap();
    [&tag.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
}

/// Version, encoding, defaults, capabilities, both certificates, a name, and a hash.
fn settings(encryption: &Certificate, signing: &Certificate) -> Vec<u8> {
    [
        setting(0x0001, &1_u32.to_le_bytes()),
        setting(0x0006, &1_u32.to_le_bytes()),
        setting(0x0020, &7_u32.to_le_bytes()),
        setting(0x0002, b"\x30\x00"),
        setting(0x0003, encryption.der()),
        setting(0x0008, signing.der()),
        setting(0x000b, b"My settings\0"),
        setting(0x0022, &[0; 20]),
    ]
    .concat()
}

#[test]
fn all_three_encodings_are_read() {
    // In the order that DER gives to the certificates of a bundle.
    let (one, two) = (sample(), sample());
    let (one, two) = if one.der() < two.der() {
        (one, two)
    } else {
        (two, one)
    };
    let bundle = certificate_bundle(&[one.der(), two.der()]);
    for (value, expected) in [
        (one.der().to_vec(), vec![&one]),
        (bundle, vec![&one, &two]),
        (settings(&one, &two), vec![&one, &two]),
    ] {
        let (found, unreadable) = read_value(&value);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        assert_eq!(unreadable, 0);
    }
}

#[test]
fn what_is_broken_is_counted_and_hides_nothing() {
    let certificate = sample();
    let good = setting(0x0003, certificate.der());
    for (value, certificates, unreadable) in [
        (b"".to_vec(), 0, 0),
        (b"\x01".to_vec(), 0, 1),
        (b"\x30".to_vec(), 0, 1),
        (b"\x03\x00\xff\xff".to_vec(), 0, 1),
        (setting(0x0003, b""), 0, 1),
        ([setting(0x0003, b"\x30\x00"), good.clone()].concat(), 1, 1),
        // A length shorter than its own header does not make a reader stand still.
        ([b"\x09\x00\x00\x00".to_vec(), good.clone()].concat(), 1, 0),
        ([good.clone(), b"\x03".to_vec()].concat(), 1, 1),
    ] {
        let (found, not_read) = read_value(&value);
        let short = value
            .get(..8.min(value.len()))
            .unwrap()
            .escape_ascii()
            .to_string();
        assert_eq!(
            (found.len(), not_read),
            (certificates, unreadable),
            "{short}"
        );
    }
}

#[test]
fn damaged_values_do_no_harm() {
    let (one, two) = (sample(), sample());
    let seeds = [
        one.der().to_vec(),
        certificate_bundle(&[one.der(), two.der()]),
        settings(&one, &two),
    ];
    for damaged in mutations(&seeds).take(3_000) {
        let (found, _) = read_value(&damaged);
        assert!(found.len() <= damaged.len() / 100);
    }
}

#[test]
fn an_entry_gives_the_attributes_that_are_wanted() {
    use ldap3::asn1::TagClass;

    let tag = |payload| StructureTag {
        class: TagClass::Universal,
        id: 4,
        payload,
    };
    let text = |text: &[u8]| tag(PL::P(text.to_vec()));
    let attribute = |name: &str, value: &[u8]| {
        tag(PL::C(vec![
            text(name.as_bytes()),
            tag(PL::C(vec![text(value)])),
        ]))
    };
    let (wanted, foreign) = (sample(), sample());
    let entry = tag(PL::C(vec![
        text(b"cn=alice"),
        tag(PL::C(vec![
            attribute("userCertificate;binary", wanted.der()),
            attribute("USERSMIMECERTIFICATE", wanted.der()),
            attribute("cACertificate;binary", foreign.der()),
            attribute("userCertificate", b"\x30\x00"),
        ])),
    ]));
    let names = ["userCertificate;binary", "userSMIMECertificate"].map(str::to_owned);
    let mut collected = Collected::new("ldap", &names);
    collected.add(entry);
    collected.add(text(b"no entry at all"));
    let found = collected.into_found();
    let certificates: Vec<_> = found.candidates.iter().map(|c| &c.certificate).collect();
    assert_eq!(certificates, [&wanted]);
    assert_eq!(
        found.note,
        "1 values of certificate attributes could not be read"
    );
}
