//! The authorizer's answer: an IAM policy, judged as API Gateway judges it.
//!
//! From "Output from an API Gateway Lambda authorizer" and "IAM policy evaluation": nothing is allowed that no
//! statement allows, and a denial outweighs every permission.

use serde_json::{Map, Value};

/// What an authorizer decided.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Let in; holds what every later event carries as `requestContext.authorizer`.
    Allow(Map<String, Value>),
    /// Kept out.
    Deny,
}

/// Reads an authorizer's answer for one method; the error says why it is none.
pub(super) fn verdict(answer: &[u8], method_arn: &str) -> Result<Verdict, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let principal = answer
        .get("principalId")
        .and_then(Value::as_str)
        .ok_or("principalId is missing")?;
    let statements = answer
        .pointer("/policyDocument/Statement")
        .ok_or("policyDocument.Statement is missing")?;
    let mut allowed = false;
    for statement in one_or_more(statements) {
        let concerns = any(statement.get("Action"), |action| {
            action.eq_ignore_ascii_case("execute-api:invoke") || matches(action, "execute-api:Invoke")
        }) && any(statement.get("Resource"), |resource| {
            matches(resource, method_arn)
        });
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => allowed |= concerns,
            Some("Deny") if concerns => return Ok(Verdict::Deny),
            Some("Deny") => {}
            _ => return Err("a statement's Effect is neither Allow nor Deny".to_owned()),
        }
    }
    if !allowed {
        return Ok(Verdict::Deny);
    }
    let mut authorizer = Map::new();
    authorizer.insert("principalId".into(), principal.into());
    match answer.get("context") {
        None | Some(Value::Null) => {}
        Some(Value::Object(context)) => {
            for (name, value) in context {
                if !(value.is_string() || value.is_number() || value.is_boolean()) {
                    return Err(format!(
                        "context.{name} is neither a string nor a number nor a boolean"
                    ));
                }
                authorizer.insert(name.clone(), value.clone());
            }
        }
        Some(_) => return Err("context is no object".to_owned()),
    }
    Ok(Verdict::Allow(authorizer))
}

fn one_or_more(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        single => std::slice::from_ref(single),
    }
}

fn any(value: Option<&Value>, test: impl Fn(&str) -> bool) -> bool {
    value.is_some_and(|value| one_or_more(value).iter().filter_map(Value::as_str).any(test))
}

/// Matches IAM's wildcards: `*` for any characters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    // Row by row: `reached` says which beginnings of the text the pattern so far can match.
    let mut reached: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    for symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for (length, slot) in next.iter_mut().enumerate() {
            let here = reached.get(length).copied().unwrap_or(false);
            let shorter = length.checked_sub(1);
            let from_shorter = shorter.and_then(|at| reached.get(at)).copied().unwrap_or(false);
            *slot = match symbol {
                '*' => here || before,
                '?' => from_shorter,
                literal => from_shorter && shorter.and_then(|at| text.get(at)) == Some(&literal),
            };
            before = *slot;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:local/live/$connect";

    fn judge(statement: &Value) -> Verdict {
        let answer = json!({ "principalId": "ada", "policyDocument": { "Statement": statement } });
        verdict(answer.to_string().as_bytes(), ARN).unwrap()
    }

    fn says(effect: &str, resource: &str) -> Value {
        json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource })
    }

    #[test]
    fn only_a_matching_permission_lets_in() {
        let ada = || Verdict::Allow(json!({ "principalId": "ada" }).as_object().unwrap().clone());
        assert_eq!(judge(&json!([says("Allow", ARN)])), ada());
        assert_eq!(judge(&says("Allow", "*")), ada());
        assert_eq!(
            judge(&json!([says("Allow", "arn:aws:execute-api:*:*:local/li?e/*")])),
            ada()
        );
        assert_eq!(
            judge(&json!([says("Allow", "arn:aws:execute-api:*:*:other/*")])),
            Verdict::Deny
        );
        assert_eq!(judge(&json!([])), Verdict::Deny);
    }

    #[test]
    fn a_denial_outweighs_a_permission() {
        assert_eq!(
            judge(&json!([says("Allow", "*"), says("Deny", ARN)])),
            Verdict::Deny
        );
    }

    #[test]
    fn an_answer_that_is_no_policy_is_an_error() {
        let nested = json!({ "principalId": "a", "context": { "x": {} },
            "policyDocument": { "Statement": says("Allow", "*") } });
        for answer in [json!(null), json!({ "principalId": "ada" }), nested] {
            assert!(verdict(answer.to_string().as_bytes(), ARN).is_err(), "{answer}");
        }
    }
}
