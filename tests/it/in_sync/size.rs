//! What limits of AWS the stacks must stay under, counted as CloudFormation counts: after the SAM transform.
//!
//! `expanded` is what the transform makes of this project's resources; where `aws-sam-translator` is installed (it comes
//! with `cfn-lint`), the transform itself is asked, and the two must agree.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

use super::{at, fields, nested_stacks, raw_template, resources, root, routes};

/// A stack takes 500 resources; the rest is room for the day on which somebody notices.
/// Source: AWS, *CloudFormation quotas*.
const MOST_RESOURCES: usize = 450;
/// The largest template.
/// Source: AWS, *CloudFormation quotas*.
const MOST_BYTES: usize = 1_000_000;
/// A template may hold this many dynamic references, such as those to secrets.
/// Source: AWS, *Get values stored in other services using dynamic references*.
const MOST_REFERENCES: usize = 60;
/// A function's name has at most 64 characters; a stack's may have this many of them.
/// Source: AWS, the API reference of Lambda, `CreateFunction`.
const LONGEST_STACK_NAME: usize = 32;

/// What the system is planned to grow to: functions in all, and how many of them the largest stack of functions has.
const PLANNED_FUNCTIONS: usize = 300;
const PLANNED_FUNCTIONS_OF_A_STACK: usize = 120;
/// Log groups, triggers of workers and schedules of such a stack.
const PLANNED_REST_OF_A_STACK: usize = 60;
/// What the root is planned to gain: queues with their dead letters and alarms, secrets, stacks of functions, and two
/// resources for each kind of frame.
const PLANNED_ADDITIONS_OF_THE_ROOT: usize = 150;
/// Routes of all families. An HTTP API takes 300, and 300 integrations.
/// Source: AWS, *Quotas for configuring and running an HTTP API*.
const PLANNED_ROUTES: usize = 260;

/// Every template: its path and what is in it.
fn templates() -> Vec<(String, Yaml)> {
    let mut templates = nested_stacks();
    templates.push(("template.yaml".to_owned(), raw_template()));
    templates
}

fn count(template: &Yaml) -> usize {
    resources(template)
        .map(|(_, kind, properties)| expanded(kind, properties))
        .sum()
}

/// How many resources SAM makes of one.
/// Source: AWS, the SAM guide's pages on generated resources.
fn expanded(kind: &str, properties: &Yaml) -> usize {
    match kind {
        "AWS::Serverless::Function" => {
            let has = |name: &str| usize::from(properties.get(name).is_some());
            let of_event = |event: &Yaml| match at(event, &["Type"]).as_str() {
                // A rule or schedule, and the right to invoke.
                Some("Schedule" | "ScheduleV2" | "EventBridgeRule") => 2,
                _ => 1,
            };
            let events: usize = fields(at(properties, &["Events"]))
                .map(|(_, event)| of_event(event))
                .sum();
            // The function and its role, or a version and an alias more.
            2 - has("Role") + 2 * has("AutoPublishAlias") + events
        }
        // The API and its stage.
        "AWS::Serverless::HttpApi" => 2,
        _ => 1,
    }
}

#[test]
fn every_stack_has_room_for_the_functions_that_are_planned() {
    let functions = local::functions().len();
    assert!(
        functions <= PLANNED_FUNCTIONS,
        "plan for more than {functions} functions"
    );
    for (path, template) in templates() {
        let now = count(&template);
        let planned = if path == "template.yaml" {
            now + PLANNED_ADDITIONS_OF_THE_ROOT
        } else {
            let here = resources(&template).filter(|(_, kind, _)| *kind == "AWS::Serverless::Function");
            let more = PLANNED_FUNCTIONS_OF_A_STACK.saturating_sub(here.count());
            // A function and its role.
            now.max(now + 2 * more + PLANNED_REST_OF_A_STACK)
        };
        println!("{path}: {now} resources, {planned} as planned, of 500");
        assert!(
            planned <= MOST_RESOURCES,
            "{path}: {now} resources, {planned} as planned: begin another stack of functions"
        );
        let bytes = std::fs::metadata(root().join(&path)).map_or(0, |file| file.len());
        // A template grows as its functions do.
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX) * planned / now;
        assert!(bytes <= MOST_BYTES, "{path}: {bytes} bytes as planned");
    }
    let functions = local::functions();
    let routes: usize = routes(&functions).iter().map(|(_, paths)| paths.len()).sum();
    println!("{routes} routes, {PLANNED_ROUTES} as planned, of 300");
    assert!(routes <= PLANNED_ROUTES, "{routes} routes: more than are planned");
}

#[test]
fn the_name_of_every_function_is_short_enough() {
    for function in local::functions() {
        let length = LONGEST_STACK_NAME + 1 + function.binary().len();
        assert!(
            length <= 64,
            "{}: its name has up to {length} characters",
            function.name
        );
    }
}

/// What the transform makes of a template, if it can be asked.
fn transformed(path: &str) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/in_sync/transform.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(root().join(path))
        .output()
        .ok()?;
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("ModuleNotFoundError") {
        return None;
    }
    assert!(output.status.success(), "{path}: {error}");
    serde_json::from_slice(&output.stdout).ok()
}

#[test]
fn after_the_transform_no_stack_meets_a_limit_or_another_stack() {
    for (path, template) in templates() {
        let Some(transformed) = transformed(&path) else {
            println!("skipped: there is no python3 with aws-sam-translator");
            return;
        };
        assert_eq!(
            transformed["resources"],
            count(&template),
            "{path}: `expanded` counts otherwise than the transform"
        );
        let references = transformed["references"].as_u64();
        assert!(
            references.is_some_and(|count| count <= MOST_REFERENCES as u64),
            "{path}: {references:?} dynamic references: pass a secret to the stacks of functions as a parameter"
        );
        // Two stages in one account would have one of them between them.
        assert_eq!(
            transformed["fixed_names"],
            serde_json::json!([]),
            "{path}: leave these names to CloudFormation (`OmitName: true`), or have the stack's name in them"
        );
    }
}
