//! The statements of a function's role.

use serde_json::Value;

use super::Statement;
use super::intrinsics::{Fault, list, text};
use super::resolve::Document;

/// What would change a statement's meaning, and the desk does not know.
const UNKNOWN: [&str; 3] = ["NotAction", "NotResource", "Principal"];

/// Reads a function's `Policies`: documents with statements. Names of managed policies and SAM's policy templates
/// stand for statements that are not in the file, so they are refused.
pub(super) fn statements(document: &Document<'_>, own: &Value) -> Result<Vec<Statement>, Fault> {
    let Some(policies) = own.get("Policies") else {
        return Ok(Vec::new());
    };
    let policies = document.resolve(policies)?;
    let mut statements = Vec::new();
    for policy in each(&policies) {
        let own = policy
            .get("Statement")
            .ok_or("Policies holds something that has no Statement")?;
        for raw in each(own) {
            statements.push(statement(raw)?);
        }
    }
    Ok(statements)
}

fn statement(raw: &Value) -> Result<Statement, Fault> {
    if let Some(field) = UNKNOWN.iter().find(|field| raw.get(field).is_some()) {
        return Err(format!("{field} in a statement is not supported"));
    }
    let allows = match text(raw, "Effect") {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("Effect is neither Allow nor Deny".to_owned()),
    };
    let (actions, resources) = (list(raw, "Action")?, list(raw, "Resource")?);
    if actions.is_empty() || resources.is_empty() {
        return Err("a statement has no Action or no Resource".to_owned());
    }
    Ok(Statement {
        allows,
        actions,
        resources,
        leading_keys: leading_keys(raw)?,
    })
}

/// The patterns of a condition on `dynamodb:LeadingKeys`, which is the one that the desk knows.
fn leading_keys(raw: &Value) -> Result<Vec<String>, Fault> {
    const OPERATOR: &str = "ForAllValues:StringLike";
    const KEY: &str = "dynamodb:LeadingKeys";
    let Some(condition) = raw.get("Condition") else {
        return Ok(Vec::new());
    };
    let only = |value: &Value, name: &str| {
        let fields = value.as_object()?;
        fields.get(name).filter(|_| fields.len() == 1).cloned()
    };
    let keys = only(condition, OPERATOR).filter(|keys| only(keys, KEY).is_some());
    let keys = keys.ok_or_else(|| format!("a Condition other than {OPERATOR} of {KEY} is not supported"))?;
    match list(&keys, KEY)? {
        none if none.is_empty() => Err(format!("the Condition on {KEY} allows nothing")),
        patterns => Ok(patterns),
    }
}

/// The items of a list, or the one value that stands for a list of one.
fn each(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}
