//! The parts of the templates that are generated from the functions' declarations, between two marker lines: routes,
//! throttles and integrations in `template.yaml`; names, code, roles and log groups in the nested stacks.
//!
//! Properties that no declaration determines (memory, timeouts, triggers, reserved concurrency, secrets) are kept as
//! they are in the function's block, with the comments above them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use shared::http::Throttle;
use shared::lambda::{Function, Trigger};

use crate::policies;

/// The end of the line after which everything up to [`END`] is generated.
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

/// `template.yaml` with the routes, throttles and integrations of these functions.
///
/// # Errors
/// The marker lines are missing.
pub fn root(template: &str, functions: &[Function]) -> Result<String, String> {
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
    between(&template, "x-amazon-apigateway-integrations: ", &integrations)
}

/// A nested stack with the blocks of these functions, and a log group for each domain.
///
/// # Errors
/// The marker lines are missing.
pub fn stack(template: &str, functions: &[Function]) -> Result<String, String> {
    let by_hand = kept(template);
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
    between(template, "Resources: ", blocks.trim_end_matches('\n'))
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
    fn only_what_lies_between_the_marks_is_written() {
        let template = format!("a\n  paths: {BEGIN}\n    old\n    {END}\nb\n");
        let written = between(&template, "paths: ", "    new\n").unwrap();
        assert_eq!(written, format!("a\n  paths: {BEGIN}\n    new\n    {END}\nb\n"));
        assert!(between("a\n", "paths: ", "").is_err());
    }
}
