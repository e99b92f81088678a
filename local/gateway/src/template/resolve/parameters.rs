//! The values that parameters are given from outside: CloudFormation takes only what the template allows.
//!
//! From "Parameters" of the AWS guide: `AllowedValues`, and `AllowedPattern`, which fits the whole value.

use regex::Regex;
use serde_json::Value;

use super::super::intrinsics::{Fault, text};

/// Fails with the reason if a parameter may not have this value.
pub(super) fn check(name: &str, parameter: &Value, given: &str) -> Result<(), Fault> {
    let is_listed = parameter
        .get("AllowedValues")
        .and_then(Value::as_array)
        .is_none_or(|allowed| allowed.iter().any(|value| value.as_str() == Some(given)));
    let fits = match text(parameter, "AllowedPattern") {
        None => true,
        Some(pattern) => Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|error| format!("the AllowedPattern of the parameter {name} is none: {error}"))?
            .is_match(given),
    };
    if is_listed && fits {
        return Ok(());
    }
    let why = text(parameter, "ConstraintDescription").or_else(|| text(parameter, "Description"));
    let why = why.map(|why| format!(". {why}")).unwrap_or_default();
    Err(format!("the parameter {name} may not be {given:?}{why}"))
}
