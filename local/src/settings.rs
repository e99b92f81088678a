//! The settings with which functions run somewhere else and use the services of a desk: under `cargo lambda watch`, as
//! processes of `cargo lambda invoke`, or in the containers of `sam local`.

use local_gateway::template::Template;
use serde_json::{Map, Value, json};

use crate::environment::{self, Addresses, Environment};

/// Who calls the services with the settings of all functions. No function, so it may do what any of them may.
const ANY_FUNCTION: &str = "any-function";

/// The settings of all functions together, a line `NAME=value` each, as `cargo lambda watch --env-file` reads them.
pub fn of_all(template: &Template, overrides: &Environment, addresses: &Addresses) -> String {
    let of_each = template.functions.iter().map(|function| &function.environment);
    let of_template: Environment = of_each
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let settings = environment::settings(ANY_FUNCTION, &of_template, overrides, addresses);
    let lines: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    lines.join("\n")
}

/// What `sam local` takes from its own environment: a template that sets them does not pass its linter (E3663).
const OF_THE_SHELL: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"];

/// A template of all functions with their settings, for `sam local invoke --template`. `binaries` is the folder that `cargo lambda build` fills, as seen from the template.
pub fn sam_template(
    template: &Template,
    overrides: &Environment,
    addresses: &Addresses,
    binaries: &str,
) -> Value {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let resource = |function: &local_gateway::template::FunctionSpec| {
        let id = &function.logical_id;
        let mut settings = environment::settings(id, &function.environment, overrides, addresses);
        settings.retain(|name, _| !OF_THE_SHELL.contains(&name.as_str()));
        let resource = json!({
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": format!("{binaries}/{}/", function.binary),
                "Handler": "bootstrap",
                "Runtime": "provided.al2023",
                "Architectures": [architecture],
                "MemorySize": function.memory_mb,
                "Timeout": function.timeout_seconds,
                "Environment": { "Variables": settings }
            }
        });
        (id.clone(), resource)
    };
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": template.functions.iter().map(resource).collect::<Map<_, _>>()
    })
}
