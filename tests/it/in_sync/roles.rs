//! Rights: what the code declares for each function and what the template allows its role.

use std::collections::BTreeSet;

use serde_yaml_ng::Value as Yaml;
use shared::lambda::Function;

use super::{at, fields, logical_id, nested_stacks, resources};

/// The items of a list, or the one value that stands for a list of one.
fn each(yaml: &Yaml) -> Vec<&Yaml> {
    yaml.as_sequence()
        .map_or_else(|| vec![yaml], |items| items.iter().collect())
}

/// The statements of a function's `Policies`.
fn statements(properties: &Yaml) -> Vec<&Yaml> {
    each(at(properties, &["Policies"]))
        .into_iter()
        .flat_map(|policy| each(at(policy, &["Statement"])))
        .filter(|statement| !statement.is_null())
        .collect()
}

/// A reference to a resource as it stands in the template.
fn written(yaml: &Yaml) -> String {
    match yaml {
        Yaml::Tagged(tag) => format!("{} {}", tag.tag, tag.value.as_str().unwrap_or_default()),
        plain => plain.as_str().unwrap_or_default().to_owned(),
    }
}

/// The patterns of partition keys that a statement is bound to. It has no other condition.
fn leading_keys(statement: &Yaml) -> String {
    const OPERATOR: &str = "ForAllValues:StringLike";
    const KEY: &str = "dynamodb:LeadingKeys";
    let condition = at(statement, &["Condition"]);
    for (operator, keys) in fields(condition) {
        assert_eq!(operator, OPERATOR);
        assert!(fields(keys).all(|(key, _)| key == KEY), "{condition:?}");
    }
    let patterns = at(condition, &[OPERATOR, KEY])
        .as_sequence()
        .into_iter()
        .flatten();
    let patterns = patterns.map(|pattern| format!("{:?}", pattern.as_str().unwrap_or_default()));
    patterns.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_role_allows_what_its_function_declares_and_nothing_else() {
    let stacks = nested_stacks();
    for function in local::functions() {
        let Function { name, rights, .. } = function;
        let id = logical_id(name);
        let properties = stacks
            .iter()
            .flat_map(|(_, stack)| resources(stack))
            .find(|(found, ..)| *found == id)
            .map_or(&Yaml::Null, |(_, _, properties)| properties);
        let mut found = BTreeSet::new();
        for statement in statements(properties) {
            assert_eq!(at(statement, &["Effect"]).as_str(), Some("Allow"), "{id}");
            let within = leading_keys(statement);
            for action in each(at(statement, &["Action"])) {
                for resource in each(at(statement, &["Resource"])) {
                    let action = action.as_str().unwrap_or_default().to_owned();
                    found.insert((action, written(resource), within.clone()));
                }
            }
        }
        let wanted = documents::policies::allowances(&rights);
        let policies = match documents::policies::yaml(&rights) {
            none if none.is_empty() => "no Policies".to_owned(),
            policies => policies,
        };
        assert!(
            wanted == found,
            "{name} declares other RIGHTS than its stack allows {id}.\n\nallowed and not declared: {:?}\n\
             declared and not allowed: {:?}\n\nBy its declaration it has:\n\n{policies}",
            found.difference(&wanted).collect::<Vec<_>>(),
            wanted.difference(&found).collect::<Vec<_>>()
        );
    }
}

#[test]
fn every_role_allows_named_actions_on_named_resources() {
    for (path, stack) in nested_stacks() {
        let arns: Vec<&str> = fields(at(&stack, &["Parameters"]))
            .map(|(name, _)| name)
            .filter(|name| name.ends_with("Arn"))
            .collect();
        let functions = resources(&stack).filter(|(_, kind, _)| *kind == "AWS::Serverless::Function");
        for (id, _, properties) in functions {
            for statement in statements(properties) {
                for action in each(at(statement, &["Action"])) {
                    let action = action.as_str().unwrap_or("*");
                    assert!(
                        !action.contains('*'),
                        "{path}, {id}: {action} allows more than it calls"
                    );
                }
                for resource in each(at(statement, &["Resource"])) {
                    let written = written(resource);
                    let is_passed = arns.iter().any(|arn| {
                        written.starts_with(&format!("!Sub ${{{arn}}}")) || written == format!("!Ref {arn}")
                    });
                    assert!(
                        is_passed,
                        "{path}, {id}: {written} is no resource that template.yaml passes on"
                    );
                }
            }
        }
    }
}
