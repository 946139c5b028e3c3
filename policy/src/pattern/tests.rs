use proptest::prelude::*;

use super::*;
use crate::mutation::mutations;

#[test]
fn stars_and_question_marks_alone_are_wild() {
    for (pattern, text, matches) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("**", "any\r\nthing", true),
        ("?", "", false),
        ("?", "ü", true),
        ("?", "*", true),
        ("abc", "ABC", true),
        ("ABC", "abc", true),
        ("ä", "Ä", false),
        ("[encrypt]*", "[Encrypt] offer", true),
        ("[encrypt]*", "e", false),
        ("[a-z]", "b", false),
        ("\\*", "\\anything", true),
        ("{a,b}", "a", false),
        ("a*", "a", true),
        ("*a", "ba", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*bc*d", "abcd", true),
        ("a*bc*d", "abcbcbd", true),
        ("a*b?*d", "abd", false),
        ("*ab*ab*", "aab", false),
        ("*ab*ab*", "xabyabz", true),
        ("*?ü", "xxüü", true),
        ("*@partner.example", "bob@Partner.Example", true),
        ("*@partner.example", "bob@partner.example.org", false),
        ("*@*.partner.example", "bob@partner.example", false),
        ("*@*.partner.example", "bob@a.b.partner.example", true),
        ("~/^a+$/", "AAA", true),
        ("~/^a+$/", "b", false),
        ("~/b/", "abc", true),
        ("~/ö/", "Schön", true),
        ("~a", "~A", true),
    ] {
        let found = Pattern::text(pattern).unwrap().matches(text);
        assert_eq!(found, matches, "{pattern:?} on {text:?}");
    }
}

#[test]
fn address_patterns_are_brought_to_canonical_form() {
    for (pattern, address, matches) in [
        ("Alice@Example.org", "alice@EXAMPLE.org", true),
        (r#""alice"@example.org"#, "alice@example.org", true),
        ("alice@example.org", r#""alice"@example.org"#, true),
        ("*@bücher.example", "a@xn--bcher-kva.example", true),
        ("*@*.bücher.example", "a@x.BÜCHER.example", true),
        ("*@bücher.example", "a@bücher.example", true),
        ("jörg@*", "jörg@x", true),
        ("*", "a@x", true),
        ("a*smith@x", r#""a smith"@x"#, false),
        ("\"a b\"@*", r#""A b"@x"#, true),
        ("*@partner.example", r#""x@partner.example"@evil"#, false),
        ("~/@(a|b)\\.example$/", "x@b.example", true),
    ] {
        let address = Address::parse(address).unwrap();
        let found = Pattern::address(pattern)
            .unwrap()
            .matches(address.canonical());
        assert_eq!(found, matches, "{pattern:?} on {address}");
    }
    assert!(Pattern::sender("<>").unwrap().matches(NULL_SENDER));
    assert!(!Pattern::sender("*@*").unwrap().matches(NULL_SENDER));
}

#[test]
fn patterns_that_match_nothing_are_refused() {
    for (pattern, expected) in [
        (
            "partner.example",
            PatternError::NoAt("partner.example".to_owned()),
        ),
        ("a@b@c", AddressError::Domain.into()),
        ("a @x", AddressError::LocalPartCharacter(' ').into()),
        ("<>", AddressError::LocalPartCharacter('<').into()),
        ("* @x", PatternError::Space),
        ("*@x\n", PatternError::Space),
        ("*@b*ü.example", PatternError::WildLabel("b*ü".to_owned())),
        ("*@ü\u{200b}.example", AddressError::Domain.into()),
        ("~/a", PatternError::Unclosed),
        ("~//", PatternError::Unclosed),
        ("~/", PatternError::Unclosed),
        (
            "~/(/",
            PatternError::Expression("unclosed group".to_owned()),
        ),
        (&"a".repeat(1_001), PatternError::TooLong(1_001)),
    ] {
        assert_eq!(Pattern::address(pattern), Err(expected), "{pattern:?}");
    }
    let large = Pattern::text("~/((a{1,90}){1,90}){1,90}/");
    assert!(
        matches!(large, Err(PatternError::Expression(_))),
        "{large:?}"
    );
    let deep = format!("~/{}{}/", "(".repeat(400), ")".repeat(400));
    assert!(matches!(
        Pattern::text(&deep),
        Err(PatternError::Expression(_))
    ));
}

#[test]
fn what_is_spelt_out_is_found() {
    for (pattern, text, around) in [
        ("[x]*", "[X] offer", Some(("", " offer"))),
        ("*[x]*", "Re: [x] offer", Some(("Re: ", " offer"))),
        ("*[x]", "offer [x]", Some(("offer ", ""))),
        ("[x]*", "offer", None),
        ("*[x]*y", "[x] [x]", None),
        ("~/\\[x\\]|y/", "a y b", Some(("a ", " b"))),
        ("*", "a", None),
    ] {
        let pattern = Pattern::text(pattern).unwrap();
        assert_eq!(pattern.around(text), around, "{pattern:?} on {text:?}");
    }
}

#[test]
fn fixed_domains_are_found() {
    for (pattern, domain) in [
        ("*@X.example", Some("x.example")),
        ("a@x.example", Some("x.example")),
        ("*@*.x.example", Some("x.example")),
        ("*.x.example", Some("x.example")),
        ("*x.example", Some("example")),
        ("*@?x.example", Some("example")),
        ("\"a@b\"@x", Some("x")),
        ("*@x*", None),
        ("*example", None),
        ("*", None),
        ("~/@x$/", None),
    ] {
        let pattern = Pattern::address(pattern).unwrap();
        assert_eq!(pattern.fixed_domain(), domain, "{pattern:?}");
    }
}

#[test]
fn wide_patterns_cover_narrow_ones() {
    for (wide, narrow, covers) in [
        ("*", "~/x/", true),
        ("*", "a*?", true),
        ("a*", "ab*", true),
        ("ab*", "a*", false),
        ("?", "*", false),
        ("?", "?", true),
        ("a", "?", false),
        ("?*", "*", false),
        ("*@*.example", "*@a.example", true),
        ("*@*.example", "bob@A.example", true),
        ("*@example", "*@a.example", false),
        ("*a*", "*b*", false),
        ("~/a/", "abc", true),
        ("~/a/", "ab*", false),
        ("~/a/", "~/a/", true),
        ("~/a/", "~/ab/", false),
    ] {
        let (wide, narrow) = (Pattern::text(wide).unwrap(), Pattern::text(narrow).unwrap());
        assert_eq!(wide.covers(&narrow), covers, "{wide:?} over {narrow:?}");
    }
}

#[test]
fn hostile_texts_cost_linear_time() {
    let pattern = Pattern::text("*a?a?a?b*a?a?c*").unwrap();
    assert!(!pattern.matches(&"a".repeat(1_000_000)));
    let expression = Pattern::text("~/(a*)*(a|a)*b$/").unwrap();
    assert!(!expression.matches(&"a".repeat(100_000)));
}

#[test]
fn damaged_patterns_never_break_the_reader() {
    let seeds: [&[u8]; 4] = [
        b"*@*.partner.example",
        b"~/^(a|b)[c-e]{2,3}\\.x$/",
        "jörg?@*.bücher.example".as_bytes(),
        b"[encrypt]*",
    ];
    for bytes in mutations(&seeds).take(2_000) {
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(pattern) = Pattern::address(&text)
        {
            assert!(pattern.covers(&pattern));
            let subject = "[encrypt] jörg@bücher.example";
            assert!(pattern.matches(subject) || pattern.around(subject).is_none());
        }
    }
}

/// What a pattern means, in the plainest words.
fn plainly_matches(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| plainly_matches(rest, &text[skip..])),
        [own, rest @ ..] => {
            let is_first = |c: &char| *own == '?' || own.eq_ignore_ascii_case(c);
            text.first().is_some_and(is_first) && plainly_matches(rest, &text[1..])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn matching_means_what_the_plainest_words_say(pattern in "[aBü*?]{0,8}", text in "[abü?*]{0,8}") {
        let characters: (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
        let expected = plainly_matches(&characters.0, &characters.1);
        prop_assert_eq!(Pattern::text(&pattern).unwrap().matches(&text), expected);
    }

    #[test]
    fn a_covering_pattern_matches_all_that_the_other_does(
        wide in "[ab*?]{0,6}", narrow in "[ab*?]{0,6}", text in "[ab]{0,6}",
    ) {
        let (wide, narrow) = (Pattern::text(&wide).unwrap(), Pattern::text(&narrow).unwrap());
        if wide.covers(&narrow) && narrow.matches(&text) {
            prop_assert!(wide.matches(&text));
        }
    }
}
