use super::*;
use crate::decision::{
    HiddenRecipients, NoCertificate, NoSigner, OnBadSignature, OnUnavailable, Requirement,
};
use crate::mutation::mutations;

const OPTIONS: CompileOptions<'_> = CompileOptions {
    profiles: &["strong"],
    list_files: &[],
    unavailable: &[],
    is_time_zone: None,
};

fn decision(orders: &str) -> Decision {
    let text = format!("[[rule]]\nname = \"r\"\n{orders}\n");
    let files = [Source::new("policy.toml", text)];
    let (mut policy, _) = Policy::compile(&files, &OPTIONS).unwrap();
    *policy.rules.remove(0).decision
}

#[test]
fn what_is_left_unsaid_has_safe_defaults() {
    let default = decision("");
    assert_eq!(default.sign, Requirement::No);
    assert_eq!(default.encrypt, Requirement::No);
    assert_eq!(default.decrypt, Requirement::Preferred);
    assert_eq!(default.verify, Requirement::Preferred);
    assert_eq!(default.no_certificate, NoCertificate::Reject);
    assert_eq!(default.on_unavailable, OnUnavailable::Defer);
    assert_eq!(default.on_bad_signature, OnBadSignature::Mark);
    assert_eq!(default.hidden_recipients, HiddenRecipients::Separate);
    assert_eq!((default.profile, default.stop), (None, None));
    assert_eq!(default.rule.line, 1);
}

#[test]
fn defaults_follow_what_is_required() {
    let required = decision("sign = \"required\"\nencrypt = \"required\"\nverify = \"required\"");
    assert_eq!(required.no_certificate, NoCertificate::Reject);
    assert_eq!(required.no_signer, NoSigner::Reject);
    assert_eq!(required.on_bad_signature, OnBadSignature::Reject);
    let preferred = decision("sign = \"preferred\"\nencrypt = \"preferred\"");
    assert_eq!(preferred.no_certificate, NoCertificate::Clear);
    assert_eq!(preferred.no_signer, NoSigner::Unsigned);
    assert_eq!(
        decision("verify = \"no\"").on_bad_signature,
        OnBadSignature::Deliver
    );
}

#[test]
fn tags_are_stripped_wherever_a_pattern_allows_them() {
    let text = "strip-subject-tag = true\n\
                when = { any = [{ subject = [\"[encrypt]*\", \"*[secret]*\"] }, { subject = \"*~x\" }] }";
    let tag = decision(text).strip_subject_tag.unwrap();
    for (subject, stripped) in [
        ("[Encrypt] Offer", Some("Offer")),
        ("Re: [SECRET]  Offer", Some("Re: Offer")),
        ("Offer ~X", Some("Offer")),
        ("[encrypt]", Some("")),
        ("Offer [encrypt]", None),
        ("Ä [secret]Ö", Some("Ä Ö")),
    ] {
        assert_eq!(tag.strip(subject).as_deref(), stripped, "{subject}");
    }
}

#[test]
fn mistakes_in_all_files_come_at_once_and_in_order() {
    let files = [
        Source::new("b.toml", "[[rule]]\nname = \"x\"\nsign = 1\n"),
        Source::new("a.toml", "oops\n"),
        Source::new("c.toml", "[[rule]]\nname = \"x\"\n"),
    ];
    let found = Policy::compile(&files, &OPTIONS).unwrap_err();
    let places: Vec<_> = found.iter().map(|d| (d.file.as_str(), d.line)).collect();
    assert_eq!(places, [("a.toml", 1), ("b.toml", 3), ("c.toml", 2)]);
    assert!(found[2].message.contains("b.toml:2"), "{}", found[2]);
}

#[test]
fn lists_and_defaults_hold_for_all_files() {
    let files = [
        Source::new(
            "1.toml",
            "[defaults]\nsign = \"required\"\n[lists]\nl = [\"x\"]\n",
        ),
        Source::new(
            "2.toml",
            "[[rule]]\nname = \"r\"\nwhen = { sender = \"list:l\" }\n",
        ),
    ];
    let (policy, _) = Policy::compile(&files, &OPTIONS).unwrap();
    assert_eq!(
        policy.decisions().next().unwrap().sign,
        Requirement::Required
    );
    let twice = [
        files[0].clone(),
        Source::new("3.toml", files[0].text.clone()),
        files[1].clone(),
    ];
    let found = Policy::compile(&twice, &OPTIONS).unwrap_err();
    let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "there are [defaults] already, at 1.toml:1",
            "there is a list \"l\" already"
        ]
    );
}

#[test]
fn files_of_lists_are_asked_for_once() {
    let file = |name: &str| {
        Source::new(
            name,
            "[lists]\na = { file = \"x\" }\nb = { file = \"x\" }\nc = [\"y\"]\n",
        )
    };
    assert_eq!(Policy::list_files(&[file("1"), file("2")]), ["x"]);
}

#[test]
fn needs_are_those_of_the_conditions() {
    for (when, groups, moment, attachments) in [
        ("direction = \"inbound\"", false, false, false),
        ("not = { group = \"a\" }", true, false, false),
        (
            "any = [{ time = \"mon\" }, { attachment = \"*\" }]",
            false,
            true,
            true,
        ),
    ] {
        let text = format!("[[rule]]\nname = \"r\"\nwhen = {{ {when}, signed = true }}\n");
        let (policy, _) = Policy::compile(&[Source::new("p", text)], &OPTIONS).unwrap();
        let needs = Needs {
            groups,
            moment,
            attachments,
            properties: vec![Property::Signed],
        };
        assert_eq!(policy.needs(), &needs, "{when}");
    }
}

#[test]
fn rules_of_several_files_stand_in_the_files_order() {
    let files = [
        Source::new(
            "1.toml",
            "[[rule]]\nname = \"x\"\nwhen = { sender = \"a@x\" }\n",
        ),
        Source::new("2.toml", "\n[[rule]]\nname = \"y\"\n"),
    ];
    let (policy, warnings) = Policy::compile(&files, &OPTIONS).unwrap();
    let rules = policy.rules.iter().map(|rule| &rule.decision.rule);
    let rules: Vec<_> = rules
        .map(|r| (r.name.as_str(), r.file.as_str(), r.line))
        .collect();
    assert_eq!(rules, [("x", "1.toml", 1), ("y", "2.toml", 2)]);
    assert_eq!(warnings, []);
}

#[test]
fn damaged_policies_never_break_the_compiler() {
    let seeds: [&[u8]; 3] = [
        b"[[rule]]\nname = \"a\"\nencrypt = \"required\"\nwhen = { recipient = [\"*@x\", \"~/b+/\"], subject = \"[e]*\" }\nstrip-subject-tag = true\n",
        b"[[rule]]\nname = \"b\"\nreject = \"no\"\n[rule.when]\nnot = { any = [{ sender = \"<>\" }, { header = { X-A = \"?\" } }] }\n",
        b"[[test]]\nname = \"t\"\ngiven = { sender = \"a@x\", recipients = [\"b@x\"], subject = \"s\" }\nexpect = { \"b@x\" = { rule = \"a\", refused = false } }\n",
    ];
    for bytes in mutations(&seeds).take(2_100) {
        if let Ok(text) = String::from_utf8(bytes) {
            let size = text.len();
            if let Err(found) = Policy::compile(&[Source::new("f", text)], &OPTIONS) {
                // An empty file has one mistake too: it has no rule.
                assert!((1..=size.max(1)).contains(&found.len()));
            }
        }
    }
}
