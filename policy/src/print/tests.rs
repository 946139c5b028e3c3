use proptest::prelude::*;

use super::*;
use crate::decision::RuleRef;
use crate::generated::{compiled, policies};

/// A policy without the places that its rules stand at.
fn meaning(policy: &Policy) -> Vec<(Condition, Decision)> {
    let rules = policy.rules.iter().map(|rule| {
        let place = RuleRef {
            file: String::new(),
            line: 0,
            ..rule.decision.rule.clone()
        };
        let decision = Decision {
            rule: place,
            ..rule.decision.as_ref().clone()
        };
        (rule.condition.clone(), decision)
    });
    rules.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn what_is_printed_compiles_to_the_same(text in policies()) {
        if let Some(policy) = compiled(&text) {
            let printed = policy.print();
            let again = compiled(&printed);
            prop_assert!(again.is_some(), "{printed}");
            let again = again.unwrap();
            prop_assert_eq!(meaning(&policy), meaning(&again), "{}", printed);
            prop_assert_eq!(again.print(), printed);
            prop_assert_eq!(again.time_zone(), policy.time_zone());
        }
    }
}

#[test]
fn policies_are_printed_as_operators_write_them() {
    let text = r#"
        [lists]
        partners = ["partner.example"]
        [[rule]]
        name = "a \"b\""
        when = { direction = "outbound", recipient = ["list:partners", "X@y"] }
        encrypt = "required"
        [[rule]]
        name = "c"
        reject = "no"
    "#;
    let printed = compiled(text).unwrap().print();
    let expected = "[defaults]\ntime-zone = \"UTC\"\n\n[lists]\n\"partners\" = [\"*@partner.example\"]\n\n\
        [[rule]]\nname = \"a \\\"b\\\"\"\n\
        when = { all = [{ direction = \"outbound\" }, { recipient = [\"x@y\", \"list:partners\"] }] }\n\
        encrypt = \"required\"\n\n\
        [[rule]]\nname = \"c\"\nreject = \"no\"\n";
    assert_eq!(printed, expected);
}
