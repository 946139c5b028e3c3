use super::*;
use crate::compile::{CompileOptions, Policy};
use crate::mutation::mutations;

fn imported(text: &str) -> Imported {
    import_csv(&Source::new("t.csv", text)).unwrap()
}

fn compiles(text: &str) -> Policy {
    let files = [Source::new("policy.toml", text)];
    Policy::compile(&files, &CompileOptions::default())
        .unwrap()
        .0
}

#[test]
fn rows_become_rules_the_narrowest_first() {
    let table = "Pattern;Sign;Encrypt;Fallback\n\
        *;optional;opportunistic;\n\
        .example;yes;yes;bounce\n\
        *.sub.example;yes;yes;tls\n\
        partner.example;yes;yes;\n\
        @other.example;yes;yes;\n\
        Boss@Partner.example;no;no;\n";
    let Imported { text, warnings } = imported(table);
    assert_eq!(warnings, []);
    let policy = compiles(&text);
    let names: Vec<_> = policy
        .decisions()
        .map(|decision| decision.rule.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "1: boss@partner.example",
            "2: *@partner.example and 1 more",
            "3: *@*.sub.example",
            "4: *@*.example",
            "5: everybody else",
        ]
    );
    assert!(
        text.contains("encrypt = \"required\"\nno-certificate = \"tls\"\n"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_said_is_a_warning_and_never_weaker_than_required() {
    for (row, warning, order) in [
        (
            "x,no,yes,webmail",
            "like the fallback",
            "encrypt = \"required\"\n",
        ),
        (
            "x,no,yes,clear",
            "that is encrypt",
            "encrypt = \"preferred\"\n",
        ),
        (
            "x,no,preferred,bounce",
            "goes in clear",
            "encrypt = \"preferred\"\n",
        ),
        (
            "x,no,yes,quarantine",
            "",
            "encrypt = \"required\"\nno-certificate = \"hold\"\n",
        ),
        ("x,always,never,clear", "", "sign = \"required\"\n"),
    ] {
        let Imported { text, warnings } = imported(row);
        assert_eq!(warnings.len(), usize::from(!warning.is_empty()), "{row}");
        assert!(
            warnings.iter().all(|found| found.message.contains(warning)),
            "{warnings:?}"
        );
        assert!(text.contains(order), "{text}");
        compiles(&text);
    }
}

#[test]
fn rows_that_cannot_be_read_are_all_reported() {
    let table = "a b,yes,yes,\nx,perhaps,yes,\nx,yes,sometimes,\n";
    let found = import_csv(&Source::new("t.csv", table)).unwrap_err();
    let places: Vec<_> = found
        .iter()
        .map(|found| (found.line, found.message.as_str()))
        .collect();
    assert_eq!(
        places,
        [
            (
                1,
                "\"a b\" is no address and no domain: the domain is not a valid host name"
            ),
            (2, "sign cannot be \"perhaps\""),
            (3, "encrypt cannot be \"sometimes\""),
        ]
    );
    assert!(import_csv(&Source::new("t.csv", "\n")).is_err());
}

#[test]
fn whatever_is_imported_compiles() {
    let seeds: [&[u8]; 3] = [
        b"pattern,sign,encrypt,fallback\npartner.example,yes,yes,bounce\n*.x,no,no,\n",
        b"a@x;required;preferred;tls\n\"q\\\"x\"@y;yes;yes;ask\n*;no;no;\n",
        "b\u{fc}cher.example\tyes\tauto\tclear\n".as_bytes(),
    ];
    for bytes in mutations(&seeds).take(3_000) {
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(imported) = import_csv(&Source::new("t.csv", text))
        {
            compiles(&imported.text);
        }
    }
}
