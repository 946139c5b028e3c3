use super::*;
use crate::mutation::mutations;

const WORDS: &[(&str, u8)] = &[("required", 2), ("preferred", 1), ("no", 0)];

/// Reads a table with `reader` and gives what it reports.
fn reported(text: &str, reader: impl FnOnce(&mut Table<'_>)) -> Vec<String> {
    let source = Source::new("f", text);
    let diagnostics = Diagnostics::default();
    if let Some(mut table) = parse(&source, &diagnostics) {
        reader(&mut table);
        table.finish();
    }
    let sorted = diagnostics.into_sorted();
    sorted.iter().map(ToString::to_string).collect()
}

/// Reads every kind of value.
fn read_all(table: &mut Table<'_>) {
    table.string("name");
    table.boolean("on");
    table.integer("count", 1..=10);
    table.choice_or_later("sign", WORDS, &["hold"]);
    table.duration("wait");
    table.size("most");
    table.list_of_strings("list");
    table.string_or_list("some");
    table.not_yet("group");
    if let Some(mut inner) = table.table("inner") {
        inner.require("name");
        inner.string("name");
        inner.finish();
    }
    for mut rule in table.tables("rule").unwrap_or_default() {
        rule.string("name");
        rule.finish();
    }
}

#[test]
fn values_are_read() {
    let text = "name = \"ü\"\non = true\ncount = 0x0a\nsign = \"no\"\nwait = \"10s\"\n\
                most = \"1 KiB\"\nmuch = 7\nsome = \"one\"\nlist = [\"a\", \"b\"]\n";
    let read = reported(text, |table| {
        assert_eq!(table.string("name").unwrap().value, "ü");
        assert!(table.boolean("on").unwrap().value);
        assert_eq!(table.integer("count", 0..=10).unwrap().value, 10);
        assert_eq!(table.choice("sign", WORDS).unwrap().value, 0);
        let wait = table.duration("wait").unwrap();
        assert_eq!(wait.value, Duration::from_secs(10));
        assert_eq!(wait.place.to_string(), "f:5");
        assert_eq!(table.size("most").unwrap().value, 1024);
        assert_eq!(table.size("much").unwrap().value, 7);
        assert_eq!(table.string_or_list("some").unwrap().value[0].value, "one");
        assert_eq!(table.list_of_strings("list").unwrap().value[1].value, "b");
        assert!(table.string("absent").is_none());
    });
    assert!(read.is_empty(), "{read:?}");
}

#[test]
fn tables_know_their_places_and_keys() {
    let text = "[inner]\ny = 1\nx = 2\n[[rule]]\n[[rule]]\nname = \"r\"\n";
    let read = reported(text, |table| {
        let mut inner = table.table("inner").unwrap();
        assert_eq!(inner.place().to_string(), "f:1");
        let keys: Vec<_> = inner.keys().into_iter().map(|key| key.value).collect();
        assert_eq!(keys, ["y", "x"]);
        assert_eq!(inner.integer("x", 0..=9).unwrap().place.line(), 3);
        let rules = table.tables("rule").unwrap();
        let lines: Vec<_> = rules.iter().map(|rule| rule.place().line()).collect();
        assert_eq!(lines, [4, 5]);
    });
    assert!(read.is_empty(), "{read:?}");
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let text = "name = 1\non = \"yes\"\ncount = 11\nsign = \"requierd\"\nwait = \"10\"\nmost = []\n\
                list = \"a\"\nsome = [1, \"b\", 2.5]\ninner = 3\nrule = [{ nam = \"x\" }, 4]\ngroup = 1\ncuont = 1\n";
    let allowed = "`name`, `on`, `count`, `sign`, `wait`, `most`, `list`, `some`, `inner`, `rule`";
    assert_eq!(
        reported(text, read_all),
        [
            "f:1:8: error: `name` must be a string, not a whole number",
            "f:2:6: error: `on` must be true or false, not a string",
            "f:3:9: error: `count` cannot be 11: 1 to 10 is allowed",
            "f:4:8: error: `sign` cannot be \"requierd\"\n  \
             help: did you mean \"required\"? allowed: \"required\", \"preferred\", \"no\"",
            "f:5:8: error: `wait` cannot be \"10\": a time is a whole number with ms, s, m, h or d, such as \"10s\"",
            "f:6:8: error: `most` must be a string, not a list",
            "f:7:8: error: `list` must be a list of strings, not a string",
            "f:8:9: error: `some` must be a string, not a whole number",
            "f:8:17: error: `some` must be a string, not a fraction",
            "f:9:9: error: `inner` must be a table, not a whole number",
            "f:10:11: error: unknown key `nam` in [[rule]]\n  help: did you mean `name`? allowed: `name`",
            "f:10:24: error: `rule` must be a table, not a whole number",
            "f:11:1: error: `group` is not available in this version",
            &format!(
                "f:12:1: error: unknown key `cuont` in the file\n  help: did you mean `count`? allowed: {allowed}"
            ),
        ]
    );
}

#[test]
fn missing_keys_and_words_of_later_versions_are_named() {
    assert_eq!(
        reported("sign = \"hold\"\n[inner]\n", read_all),
        [
            "f:1:8: error: `sign = \"hold\"` is not available in this version\n  \
             help: allowed: \"required\", \"preferred\", \"no\"",
            "f:2:1: error: `inner` has no `name`",
        ]
    );
}

#[test]
fn broken_toml_is_reported_line_by_line() {
    for (text, expected) in [
        (
            "name = \n",
            &["f:1:8: error: string values must be quoted, expected literal string"][..],
        ),
        ("a = 1\na = 2\n", &["f:2:1: error: duplicate key"]),
        (
            "[inner\nname = \"x\nb = = 1\n",
            &[
                "f:1:7: error: unclosed table, expected `]`",
                "f:3:5: error: extra `=`, expected nothing",
            ],
        ),
    ] {
        assert_eq!(reported(text, read_all), expected, "{text:?}");
    }
}

#[test]
fn damaged_documents_never_break_the_reader() {
    let seeds: [&[u8]; 3] = [
        b"name = \"a\"\non = true\n[inner]\nname = 'b'\n[[rule]]\nname = \"c\"\n",
        b"some = [\"a\", \"b\"]\nrule = [{ name = \"x\" }, { name = \"y\" }]\ninner.name = \"z\"\n",
        "wait = \"10s\"\nmost = \"1 MiB\"\ncount = 3\nsign = \"\\u00fc\" # ü\n".as_bytes(),
    ];
    for bytes in mutations(&seeds).take(6_000) {
        if let Ok(text) = String::from_utf8(bytes) {
            let lines = text.lines().count();
            assert!(reported(&text, read_all).len() <= 20 * (lines + 1));
        }
    }
}
