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
