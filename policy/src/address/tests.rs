use proptest::prelude::*;

use super::AddressError::*;
use super::*;
use crate::mutation::mutations;

#[test]
fn addresses_have_one_canonical_form() {
    for (text, canonical) in [
        ("alice@example.org", "alice@example.org"),
        ("Alice.B@EXAMPLE.Org", "alice.b@example.org"),
        ("a!#$%&'*+-/=?^_`{|}~@x", "a!#$%&'*+-/=?^_`{|}~@x"),
        (r#""alice"@example.org"#, "alice@example.org"),
        (r#""al\ice"@example.org"#, "alice@example.org"),
        (r#""A.B"@example.org"#, "a.b@example.org"),
        (r#""a b"@example.org"#, r#""a b"@example.org"#),
        (r#""a..b"@example.org"#, r#""a..b"@example.org"#),
        (r#""a@b"@example.org"#, r#""a@b"@example.org"#),
        (r#""a\"\\\b"@example.org"#, r#""a\"\\b"@example.org"#),
        (r#"""@example.org"#, r#"""@example.org"#),
        ("JÖRG@example.org", "jÖrg@example.org"),
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@bücher。example", "a@xn--bcher-kva.example"),
        ("a@localhost", "a@localhost"),
        ("a@[127.0.0.1]", "a@[127.0.0.1]"),
        ("a@[IPv6:::1]", "a@[ipv6:::1]"),
        ("a@[ipV6:2001:DB8:0:0::1]", "a@[ipv6:2001:db8::1]"),
    ] {
        let address = Address::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(address.canonical(), canonical, "{text}");
        assert_eq!(address.as_str(), text);
        assert_eq!(
            format!("{}@{}", address.local_part(), address.domain()),
            canonical
        );
    }
}

#[test]
fn wrong_local_parts_are_refused() {
    for (text, expected) in [
        ("", NoLocalPart),
        ("alice", NoDomain),
        ("@example.org", NoLocalPart),
        ("alice@", Domain),
        ("a@b@c", Domain),
        (".a@x", LocalPartDot),
        ("a.@x", LocalPartDot),
        ("a..b@x", LocalPartDot),
        (" a@x", LocalPartCharacter(' ')),
        ("a @x", LocalPartCharacter(' ')),
        ("a\t@x", LocalPartCharacter('\t')),
        ("a\r\nb@x", LocalPartCharacter('\r')),
        ("a\0@x", LocalPartCharacter('\0')),
        ("a\u{a0}@x", LocalPartCharacter('\u{a0}')),
        ("a\u{3000}b@x", LocalPartCharacter('\u{3000}')),
        ("a\u{200b}@x", LocalPartCharacter('\u{200b}')),
        ("\u{202e}a@x", LocalPartCharacter('\u{202e}')),
        ("<a@x", LocalPartCharacter('<')),
        ("a(b)@x", LocalPartCharacter('(')),
        ("a,b@x", LocalPartCharacter(',')),
        ("a\\b@x", LocalPartCharacter('\\')),
        ("a\"b\"@x", LocalPartCharacter('"')),
        ("\"a", OpenQuote),
        ("\"a\\", OpenQuote),
        ("\"a\"b@x", NoDomain),
        ("\"a\"", NoDomain),
        ("\"a\tb\"@x", LocalPartCharacter('\t')),
        ("\"a\nb\"@x", LocalPartCharacter('\n')),
        ("\"a\\\0b\"@x", LocalPartCharacter('\0')),
    ] {
        assert_eq!(Address::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn wrong_domains_are_refused() {
    for (text, expected) in [
        ("a@x.", Domain),
        ("a@.x", Domain),
        ("a@x..y", Domain),
        ("a@x。", Domain),
        ("a@ x", Domain),
        ("a@x ", Domain),
        ("a@x y", Domain),
        ("a@x\r\n", Domain),
        ("a@x\u{ad}y", Domain),
        ("a@x\u{200b}", Domain),
        ("a@-x", Domain),
        ("a@x-.y", Domain),
        ("a@x_y", Domain),
        ("a@x>y", Domain),
        ("a@xn--a", Domain),
        ("a@xn--", Domain),
        ("a@*.example", Domain),
        ("a@127.0.0.1]", Domain),
        ("a@[127.0.0.1", Literal),
        ("a@[]", Literal),
        ("a@[127.0.0.01]", Literal),
        ("a@[127.0.0]", Literal),
        ("a@[::1]", Literal),
        ("a@[IPv6:127.0.0.1]", Literal),
        ("a@[IPv6:fe80::1%1]", Literal),
        ("a@[x]", Literal),
        ("a@[127.0.0.1]]", Literal),
    ] {
        assert_eq!(Address::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn lengths_are_bounded() {
    let long_local_part = format!("{}@x.example", "a".repeat(65));
    let long_label = format!("a@{}.example", "b".repeat(64));
    let long_domain = format!("a@{}example", "b.".repeat(124));
    let long_as_labels = format!("a@{}example", "ü.".repeat(60));
    for (text, expected) in [
        (&long_local_part, LocalPartTooLong(65)),
        (&long_label, Domain),
        (&long_domain, TooLong(257)),
        (&long_as_labels, Domain),
    ] {
        assert_eq!(Address::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn white_space_never_matches_another_address() {
    let spaced = Address::parse(r#""alice smith"@example.org"#).unwrap();
    for other in ["alicesmith@example.org", r#""alice  smith"@example.org"#] {
        assert_ne!(spaced, Address::parse(other).unwrap());
    }
    let trailing = Address::parse(r#""alice "@example.org"#).unwrap();
    assert_ne!(trailing, Address::parse("alice@example.org").unwrap());
}

#[test]
fn order_and_equality_follow_the_canonical_form() {
    let mut addresses = ["b@x", "\"A\"@X", "a@x"].map(|text| Address::parse(text).unwrap());
    addresses.sort();
    assert_eq!(addresses[0], addresses[1]);
    assert_eq!(addresses[2].canonical(), "b@x");
}

fn read(field: &str) -> Result<Vec<(Option<String>, String)>, AddressError> {
    let mailboxes = mailboxes(field.as_bytes())?;
    Ok(mailboxes
        .into_iter()
        .map(|m| (m.display_name, m.address.as_str().to_owned()))
        .collect())
}

#[test]
fn one_mailbox_in_every_dress() {
    for (field, name, address) in [
        ("a@x", None, "a@x"),
        (" a@x\r\n", None, "a@x"),
        ("<a@x>", None, "a@x"),
        ("Alice <a@x>", Some("Alice"), "a@x"),
        ("Alice  B\t<a@x>", Some("Alice B"), "a@x"),
        ("Alice\r\n B\r\n\t<a@x>", Some("Alice B"), "a@x"),
        ("\"B, Alice\" <a@x>", Some("B, Alice"), "a@x"),
        ("\"A \\\"B\\\"\" C <a@x>", Some("A \"B\" C"), "a@x"),
        ("\"a@bank.example\" <a@x>", Some("a@bank.example"), "a@x"),
        ("\"\" <a@x>", None, "a@x"),
        ("John Q. Public <a@x>", Some("John Q. Public"), "a@x"),
        (
            "Jörg <jörg@bücher.example>",
            Some("Jörg"),
            "jörg@bücher.example",
        ),
        (
            "=?utf-8?Q?J=C3=B6rg?= <a@x>",
            Some("=?utf-8?Q?J=C3=B6rg?="),
            "a@x",
        ),
        ("a@x (Alice (the first) \\) )", None, "a@x"),
        (
            "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            Some("Pete"),
            "pete@silly.test",
        ),
        ("(c)a@[127.0.0.1](d)", None, "a@[127.0.0.1]"),
        ("\"a b\"@x", None, "\"a b\"@x"),
        ("\"a,b@c\"@x", None, "\"a,b@c\"@x"),
        ("X <\"a b\"@x>", Some("X"), "\"a b\"@x"),
        ("Group: a@x;", None, "a@x"),
    ] {
        let expected = vec![(name.map(str::to_owned), address.to_owned())];
        assert_eq!(read(field), Ok(expected), "{field:?}");
    }
}

#[test]
fn lists_and_groups_are_read_in_order() {
    for (field, addresses) in [
        ("", &[][..]),
        (" \r\n", &[]),
        ("(nobody)", &[]),
        ("undisclosed-recipients:;", &[]),
        ("g: ;, b@x", &["b@x"]),
        ("a@x,b@x", &["a@x", "b@x"]),
        ("a@x ,\r\n B <b@x>, c@x", &["a@x", "b@x", "c@x"]),
        ("g: a@x, B <b@x>;, c@x", &["a@x", "b@x", "c@x"]),
    ] {
        let read: Vec<_> = read(field).unwrap().into_iter().map(|(_, a)| a).collect();
        assert_eq!(read, addresses, "{field:?}");
    }
}

#[test]
fn what_does_not_parse_to_its_end_is_refused() {
    let unexpected = |found, position| Unexpected { found, position };
    let nested = "(".repeat(17) + &")".repeat(17) + " a@x";
    for (field, expected) in [
        ("a@x,", UnexpectedEnd),
        (",a@x", unexpected(',', 1)),
        ("a@x,,b@x", unexpected(',', 5)),
        ("a@x b@x", unexpected('b', 5)),
        ("a@x; b@x", unexpected(';', 4)),
        ("a@x <b@x>", unexpected('<', 5)),
        ("<a@x> b", unexpected('b', 7)),
        ("<a@x><b@x>", unexpected('<', 6)),
        ("<a@x", UnexpectedEnd),
        ("a@x>", unexpected('>', 4)),
        ("<>", unexpected('>', 2)),
        ("Alice", UnexpectedEnd),
        ("Alice <Bob <a@x>>", unexpected('<', 12)),
        ("a@b@c", unexpected('@', 4)),
        ("a@b <c@d>", unexpected('<', 5)),
        ("a@bank.example <a@x>", unexpected('<', 16)),
        ("<@r,@s:a@x>", unexpected('@', 2)),
        ("<@r:a@x>", unexpected('@', 2)),
        ("a . b@x", unexpected('.', 3)),
        ("a.\r\n b@x", unexpected('b', 4)),
        ("a@x .y", unexpected('.', 5)),
        ("g: h: a@x;;", unexpected(':', 5)),
        ("g: a@x", UnexpectedEnd),
        (": a@x;", unexpected(':', 1)),
        ("g: a@x,;", unexpected(';', 8)),
        ("(a@x", UnexpectedEnd),
        ("a@x)", unexpected(')', 4)),
        ("(\\", UnexpectedEnd),
        ("\"Alice <a@x>", OpenQuote),
        ("Alice\0 <a@x>", unexpected('\0', 6)),
        ("\"Al\0\" <a@x>", unexpected('\0', 4)),
        ("\"é\\\"\r\n\" <a@x>", unexpected('\r', 5)),
        ("(\0) a@x", unexpected('\0', 2)),
        ("a@x\nb@x", unexpected('\n', 4)),
        ("a@x\r\nb@x", unexpected('\r', 4)),
        ("a@x\r\n\r\n", unexpected('\r', 4)),
        ("a@x\u{a0}", unexpected('\u{a0}', 4)),
        ("a\u{a0}@x", unexpected('\u{a0}', 2)),
        ("a..b@x", LocalPartDot),
        ("a@x.", Domain),
        ("a@[1.2.3]", Literal),
        ("a@[127.0.0.1", UnexpectedEnd),
        ("a@[ 127.0.0.1 ]", Literal),
        (&nested, TooDeep),
    ] {
        assert_eq!(read(field), Err(expected), "{field:?}");
    }
    assert_eq!(mailboxes(b"J\xf6rg <a@x>"), Err(NotUtf8));
}

#[test]
fn the_number_of_mailboxes_is_bounded() {
    let list = vec!["a@x"; 10_000].join(",");
    assert_eq!(mailboxes(list.as_bytes()).unwrap().len(), 10_000);
    assert_eq!(read(&(list + ",a@x")), Err(TooMany));
}

#[test]
fn damaged_fields_never_break_the_reader() {
    let seeds: [&[u8]; 4] = [
        b"Alice <alice@example.org>, \"B, C\" <\"b c\"@[127.0.0.1]> (x (y) \\) z)\r\n",
        b"g: a@x, =?utf-8?B?w7Y=?= <b@xn--bcher-kva.example>;,\r\n\td@[IPv6:::1]",
        "Jörg <jörg@bücher.example>, (ü) \"\\ü\"@x".as_bytes(),
        b"<@a,@b:c@d>, undisclosed-recipients:;",
    ];
    for bytes in mutations(&seeds).take(20_000) {
        for mailbox in mailboxes(&bytes).unwrap_or_default() {
            let again = Address::parse(mailbox.address.as_str()).unwrap();
            assert_eq!(again, mailbox.address);
        }
        if let Ok(address) = String::from_utf8(bytes)
            .unwrap_or_default()
            .parse::<Address>()
        {
            assert!(address.canonical().len() <= 254);
        }
    }
}

/// Addresses, and texts that are nearly some.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9.!#+=_-]{1,12}@[A-Za-z0-9.-]{1,20}",
        r#""[ -~]{0,12}"@[a-z]{1,5}\.example"#,
        r"\PC{1,8}@\PC{1,12}",
        r"[a-zäöüß]{1,8}@[a-zA-Zäöüéßλ日本。.]{1,20}",
        r"a@\[(IPv6:)?[0-9a-f:.]{1,20}\]",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_canonical_form_is_a_fixed_point(text in texts()) {
        if let Ok(address) = Address::parse(&text) {
            let canonical = Address::parse(address.canonical()).unwrap();
            prop_assert_eq!(canonical.canonical(), address.canonical());
            let again = Address::parse(address.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), address.as_str());
            prop_assert_eq!(again, address);
        }
    }

    #[test]
    fn an_address_alone_is_a_field_of_one(text in texts()) {
        if let Ok(address) = Address::parse(&text) {
            let field = mailboxes(text.as_bytes()).unwrap();
            prop_assert_eq!(field.len(), 1);
            prop_assert_eq!(&field[0].address, &address);
        }
    }
}
