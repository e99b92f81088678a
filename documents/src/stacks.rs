//! What the templates say of each function, written from its declaration: in `template.yaml`, between marked lines,
//! routes, throttles, integrations and the stacks of functions with their parameters; and the stacks of functions, one file for
//! each that a domain names.
//!
//! Properties that no declaration speaks of (memory, time-outs, triggers, reserved concurrency, secrets) are kept as
//! they stand in the function's block, with the comments above them. What is said of all functions alike is in
//! `stacks/globals.yaml` beside this file.

mod parameters;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use shared::http::Throttle;
use shared::lambda::{Function, Trigger};

use crate::policies;

/// What every stack of functions says of all of them.
const GLOBALS: &str = include_str!("stacks/globals.yaml");
/// The condition on which functions reserve concurrency, and the parameter that decides it.
const RESERVES: (&str, &str) = ("HasReservedConcurrency", "ReservesConcurrency");
/// The end of a line behind which everything is written, up to [`END`].
const BEGIN: &str = "# written by `UPDATE=1 cargo t in_sync`, up to the end mark";
/// The line that ends the generated part.
const END: &str = "# end mark";
/// The generated properties of a function.
const WRITTEN: [&str; 4] = ["FunctionName", "CodeUri", "LoggingConfig", "Policies"];

/// The name of a function in the templates: `send_message` is `SendMessage`.
pub fn logical_id(name: &str) -> String {
    let mut id = String::new();
    for word in name.split(['_', '-']) {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

/// The names of the stacks of these functions.
pub fn names(functions: &[Function]) -> BTreeSet<&'static str> {
    functions.iter().map(|function| function.stack).collect()
}

/// The path of a stack of functions.
pub fn path(stack: &str) -> String {
    format!("stacks/{stack}.yaml")
}

/// `template.yaml` with the routes, throttles and integrations of these functions, and their stacks, by names and templates.
///
/// # Errors
/// The marked lines are not there.
pub fn root(template: &str, functions: &[Function], stacks: &[(&str, String)]) -> Result<String, String> {
    let (mut paths, mut integrations) = (BTreeMap::<String, Vec<(String, String)>>::new(), String::new());
    let mut throttles = BTreeMap::<String, Throttle>::new();
    for function in functions {
        let Trigger::Http(entry) = &function.trigger else {
            continue;
        };
        let (id, binary) = (logical_id(function.name), function.binary());
        for path in entry.route.paths() {
            let methods = if path == "$default" {
                vec!["any"]
            } else {
                entry.methods()
            };
            for method in &methods {
                let key = if path == "$default" {
                    path.clone()
                } else {
                    format!("{method} {path}")
                };
                throttles.extend(entry.route.throttle.map(|throttle| (key, throttle)));
            }
            let of_path = paths.entry(path).or_default();
            of_path.extend(
                methods
                    .iter()
                    .map(|method| (method.to_ascii_lowercase(), id.clone())),
            );
        }
        let _infallible = write!(
            integrations,
            "            {id}:\n              type: aws_proxy\n              httpMethod: POST\n              \
             payloadFormatVersion: \"2.0\"\n              credentials: !GetAtt InvokeRole.Arn\n              \
             uri: !Sub arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/\
             arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:${{AWS::StackName}}_{binary}\
             /invocations\n"
        );
    }
    let mut routes = String::new();
    for (path, mut methods) in paths {
        methods.sort();
        let _infallible = writeln!(routes, "          {path}:");
        for (method, id) in methods {
            let integration = format!(
                "x-amazon-apigateway-integration: {{ $ref: \"#/components/x-amazon-apigateway-integrations/{id}\" }}"
            );
            let _infallible = if method == "any" {
                // Unmatched requests.
                writeln!(
                    routes,
                    "            x-amazon-apigateway-any-method:\n              isDefaultRoute: true\n              \
                     {integration}"
                )
            } else {
                writeln!(routes, "            {method}: {{ {integration} }}")
            };
        }
    }
    let mut settings = String::new();
    for (key, Throttle { rate, burst }) in throttles {
        // What a route has settings of its own for takes none from the default ones.
        let _infallible = writeln!(
            settings,
            "        \"{key}\": {{ ThrottlingRateLimit: {rate}, ThrottlingBurstLimit: {burst}, DetailedMetricsEnabled: true }}"
        );
    }
    let template = between(template, "RouteSettings: ", &settings)?;
    let template = between(&template, "paths: ", &routes)?;
    let template = between(&template, "x-amazon-apigateway-integrations: ", &integrations)?;
    let mut nested = String::new();
    for (name, stack) in stacks {
        let (id, path) = (logical_id(name), path(name));
        let _infallible = write!(
            nested,
            "  {id}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {path}\n      Parameters:\n"
        );
        for parameter in parameters::of(stack) {
            let _infallible = writeln!(nested, "        {parameter}: {}", parameters::value(parameter));
        }
        nested.push('\n');
    }
    let template = between(&template, "stacks: ", nested.trim_end_matches('\n'))?;
    let ids: Vec<String> = stacks.iter().map(|(name, _)| logical_id(name)).collect();
    Ok(depending(&template, &ids))
}

/// A template in which what depends on a stack of functions depends on all of them.
fn depending(template: &str, stacks: &[String]) -> String {
    const DEPENDS: &str = "    DependsOn: ";
    let all = match stacks {
        [only] => only.clone(),
        stacks => format!("[{}]", stacks.join(", ")),
    };
    let line = |line: &str| match line.strip_prefix(DEPENDS) {
        Some(on)
            if stacks
                .iter()
                .any(|stack| on.trim_matches(['[', ']']).split(", ").any(|one| one == stack)) =>
        {
            format!("{DEPENDS}{all}")
        }
        _ => line.to_owned(),
    };
    let lines: Vec<String> = template.lines().map(line).collect();
    lines.join("\n") + "\n"
}

/// A stack of functions: the blocks of those that are of it, and a log group for each of its domains. `before` is the
/// template as it was, empty for a new one.
pub fn stack(name: &str, before: &str, functions: &[Function]) -> String {
    let by_hand = kept(before);
    let functions: Vec<&Function> = functions
        .iter()
        .filter(|function| function.stack == name)
        .collect();
    let mut domains: Vec<&str> = functions.iter().map(|function| function.domain).collect();
    domains.sort_unstable();
    domains.dedup();
    let mut blocks = String::new();
    for domain in domains {
        let logs = format!("{}Logs", logical_id(domain));
        let _infallible = write!(
            blocks,
            "  # ── {domain} ──\n\n  {logs}:\n    Type: AWS::Logs::LogGroup\n    Properties: {{ LogGroupName: !Sub \
             \"/${{RootStack}}/{domain}\", RetentionInDays: !Ref LogRetentionDays }}\n\n"
        );
        let mut of_domain: Vec<&Function> = functions
            .iter()
            .filter(|function| function.domain == domain)
            .copied()
            .collect();
        of_domain.sort_by_key(|function| function.name);
        for function in of_domain {
            let (id, binary) = (logical_id(function.name), function.binary());
            let _infallible = write!(
                blocks,
                "  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
                 FunctionName: !Sub ${{RootStack}}_{binary}\n      CodeUri: ../target/lambda/{binary}/\n{}      \
                 LoggingConfig: {{ LogGroup: !Ref {logs} }}\n{}\n",
                by_hand.get(&id).map_or_else(|| first(function), String::as_str),
                policies::yaml(&function.rights)
            );
        }
    }
    let mut rest = String::new();
    let (condition, parameter) = RESERVES;
    if blocks.contains(condition) {
        let _infallible = write!(
            rest,
            "Conditions:\n  {condition}: !Equals [!Ref {parameter}, \"true\"]\n\n"
        );
    }
    let globals = GLOBALS
        .split_once('\n')
        .map_or(GLOBALS, |(_, behind_its_comment)| behind_its_comment);
    let _infallible = write!(
        rest,
        "{globals}\nResources: {BEGIN}\n{}\n  {END}\n",
        blocks.trim_end_matches('\n')
    );
    let mut parameters = String::new();
    for parameter in parameters::of(&rest) {
        let _infallible = writeln!(
            parameters,
            "  {parameter}: {}",
            parameters::declaration(parameter)
        );
    }
    format!(
        "# The functions of {name}, their roles, triggers and logs: a nested stack of template.yaml, which has what they \
         share.\nAWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\nDescription: \
         Tidings, the functions of {name}\n\n# What template.yaml passes on, and says more of.\nParameters:\n{parameters}\n{rest}"
    )
}

/// The initial properties of a new function.
fn first(function: &Function) -> &'static str {
    if function.verifies_tokens() {
        "      Environment:\n        Variables:\n          JWT_SECRET_KEY: !Ref JwtSecretKey\n          \
         JWT_SECRET_KEY_PREVIOUS: !Ref JwtSecretKeyPrevious\n"
    } else {
        ""
    }
}

/// The properties of each function that are maintained by hand, with the comments above them.
fn kept(template: &str) -> BTreeMap<String, String> {
    const PROPERTY: &str = "      ";
    let mut kept = BTreeMap::<String, String>::new();
    let (mut id, mut comments, mut is_kept, mut is_in_properties) =
        (String::new(), String::new(), false, false);
    for line in template.lines() {
        let depth = line.len() - line.trim_start().len();
        if depth <= 2 && !line.trim().is_empty() {
            line.trim().trim_end_matches(':').clone_into(&mut id);
            is_in_properties = false;
        } else if depth == 4 {
            is_in_properties = line.trim() == "Properties:";
            is_kept = false;
        } else if !is_in_properties || line.trim().is_empty() {
            is_kept = false;
        } else if line.starts_with(&format!("{PROPERTY}#")) {
            comments.push_str(line);
            comments.push('\n');
            continue;
        } else {
            if depth == PROPERTY.len() {
                let name = line.trim().split(':').next().unwrap_or_default();
                is_kept = !WRITTEN.contains(&name);
                if is_kept {
                    kept.entry(id.clone()).or_default().push_str(&comments);
                }
            }
            if is_kept {
                let block = kept.entry(id.clone()).or_default();
                block.push_str(line);
                block.push('\n');
            }
        }
        comments.clear();
    }
    kept
}

/// A template with new lines after the marker line.
fn between(template: &str, begin: &str, lines: &str) -> Result<String, String> {
    let mark = format!("{begin}{BEGIN}\n");
    let missing = || format!("the line `{begin}{BEGIN}` is missing, or the line `{END}` behind it");
    let (before, rest) = template.split_once(&mark).ok_or_else(missing)?;
    let at = rest.find(END).ok_or_else(missing)?;
    let (_, after) = rest.split_at(at);
    let indent = rest
        .get(..at)
        .and_then(|written| written.rsplit('\n').next())
        .unwrap_or_default();
    let lines = lines.trim_end_matches('\n');
    Ok(format!("{before}{mark}{lines}\n{indent}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_by_hand_is_kept_with_its_comments() {
        let template = "\
Resources: # mark
  # ── a ──

  Send:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: x
      # Why it has more.
      MemorySize: 1024
      Events:
        Jobs:
          # A job alone.
          BatchSize: 1
      LoggingConfig: { LogGroup: !Ref ALogs }
      Policies:
        - Version: \"2012-10-17\"
";
        let kept = kept(template);
        assert_eq!(
            kept.get("Send").map(String::as_str),
            Some(
                "      # Why it has more.\n      MemorySize: 1024\n      Events:\n        Jobs:\n          # A job alone.\n          \
                 BatchSize: 1\n"
            )
        );
        assert_eq!(kept.len(), 1);
    }

    #[test]
    fn what_depends_on_one_stack_depends_on_all() {
        let stacks = ["Messaging", "Team"].map(str::to_owned);
        let all = "  Api:\n    DependsOn: [Messaging, Team]\n    DependsOn: Table\n";
        for before in ["Messaging", "[Messaging]", "[Messaging, Team]"] {
            let template = format!("  Api:\n    DependsOn: {before}\n    DependsOn: Table\n");
            assert_eq!(depending(&template, &stacks), all);
        }
    }

    #[test]
    fn only_what_lies_between_the_marks_is_written() {
        let template = format!("a\n  paths: {BEGIN}\n    old\n    {END}\nb\n");
        let written = between(&template, "paths: ", "    new\n").unwrap();
        assert_eq!(written, format!("a\n  paths: {BEGIN}\n    new\n    {END}\nb\n"));
        assert!(between("a\n", "paths: ", "").is_err());
    }
}
