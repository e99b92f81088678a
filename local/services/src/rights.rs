//! The rights of functions: the statements of their roles, enforced as IAM does.
//!
//! Services with [`Rights`] refuse a call that the caller's role does not allow, with the error of the service. Callers
//! that are not functions (the desk itself, a test) may do everything. Every right remembers whether it was used, so
//! that unused ones can be found and removed.

mod demands;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::Request;

use crate::interceptor::{AwsError, Service};
use demands::Demand;

/// A statement of a function's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Allow or deny; a denial overrides every permission.
    pub allows: bool,
    /// Actions such as `dynamodb:GetItem`, with the wildcards `*` and `?`.
    pub actions: Vec<String>,
    /// ARNs, with the wildcards `*` and `?`.
    pub resources: Vec<String>,
    /// What the partition keys of all items of a call are to be like, as the condition `ForAllValues:StringLike` of
    /// `dynamodb:LeadingKeys` has it. None for any.
    pub leading_keys: Vec<String>,
}

/// A right of a function to perform an action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The function.
    pub function: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.function, self.action, self.resource)
    }
}

/// The roles of all functions.
#[derive(Debug, Default)]
pub struct Rights {
    by_function: HashMap<String, Vec<Entry>>,
    /// The ARN of the WebSocket API and its stage.
    websocket_arn: String,
    /// The attributes of partition keys, by the ARNs of tables and indexes.
    partition_keys: HashMap<String, String>,
}

/// One action on one resource of a statement.
#[derive(Debug)]
struct Entry {
    allows: bool,
    action: String,
    resource: String,
    leading_keys: Vec<String>,
    was_used: AtomicBool,
}

impl Rights {
    /// The rights on an API, `arn:aws:execute-api:region:account:api/stage`, without any functions.
    pub fn new(websocket_arn: impl Into<String>) -> Self {
        Self {
            by_function: HashMap::new(),
            websocket_arn: websocket_arn.into(),
            partition_keys: HashMap::new(),
        }
    }

    /// Adds the attribute that is the partition key of a table, or of one of its indexes.
    #[must_use]
    pub fn with_partition_key(mut self, table: &str, index: Option<&str>, attribute: &str) -> Self {
        self.partition_keys
            .insert(demands::table_or_index_arn(table, index), attribute.to_owned());
        self
    }

    /// Adds a function with the statements of its role; without any, it may do nothing.
    #[must_use]
    pub fn with(mut self, function: &str, statements: &[Statement]) -> Self {
        let entries = statements.iter().flat_map(|statement| {
            statement.actions.iter().flat_map(|action| {
                statement.resources.iter().map(|resource| Entry {
                    allows: statement.allows,
                    action: action.clone(),
                    resource: resource.clone(),
                    leading_keys: statement.leading_keys.clone(),
                    was_used: AtomicBool::new(false),
                })
            })
        });
        self.by_function.insert(function.to_owned(), entries.collect());
        self
    }

    /// Every right that is granted.
    pub fn granted(&self) -> Vec<Right> {
        self.rights(|entry| entry.allows)
    }

    /// The rights that were used.
    pub fn used(&self) -> Vec<Right> {
        self.rights(|entry| entry.was_used.load(Ordering::Relaxed))
    }

    fn rights(&self, picks: impl Fn(&Entry) -> bool) -> Vec<Right> {
        let mut rights = Vec::new();
        for (function, entries) in &self.by_function {
            rights.extend(entries.iter().filter(|entry| picks(entry)).map(|entry| Right {
                function: function.clone(),
                action: entry.action.clone(),
                resource: entry.resource.clone(),
            }));
        }
        rights.sort();
        rights
    }

    /// The error of a call of `function`, unless its role allows everything that the call needs.
    pub(crate) fn refuse(
        &self,
        function: &str,
        service: Service,
        operation: &str,
        request: &Request<Bytes>,
    ) -> Option<AwsError> {
        let role = self.by_function.get(function)?;
        let is_bound = role.iter().any(|entry| !entry.leading_keys.is_empty());
        let keys = (is_bound && service == Service::DynamoDb)
            .then(|| demands::leading_keys(operation, request.body(), &self.partition_keys))
            .flatten();
        demands::of(service, operation, request, &self.websocket_arn)
            .into_iter()
            .find(|demand| !allows(role, demand, keys.as_deref()))
            .map(|demand| denied(function, service, &demand))
    }
}

impl Rights {
    /// The error that a function gets instead of "not found", unless it may list the objects.
    pub(crate) fn refuse_to_miss(&self, function: &str, operation: &str, path: &str) -> Option<AwsError> {
        let role = self.by_function.get(function)?;
        let demand = demands::of_missing(operation, path)?;
        (!allows(role, &demand, None)).then(|| denied(function, Service::S3, &demand))
    }

    /// The error of using something that a function has signed, unless its role allows it.
    pub(crate) fn refuse_object(&self, function: &str, action: &str, resource: &str) -> Option<AwsError> {
        let role = self.by_function.get(function)?;
        let demand = Demand {
            action: action.to_owned(),
            resource: resource.to_owned(),
        };
        (!allows(role, &demand, None)).then(|| denied(function, Service::S3, &demand))
    }
}

impl Entry {
    /// Whether its condition holds for the partition keys of a call.
    fn admits(&self, keys: Option<&[String]>) -> bool {
        let is_like_one = |key: &String| self.leading_keys.iter().any(|like| matches(like, key, u8::eq));
        self.leading_keys.is_empty() || keys.is_some_and(|keys| keys.iter().all(is_like_one))
    }
}

/// Whether a role allows a demand: some entry allows it, and none denies it.
/// `keys` are the partition keys of the items of the call, if they are known; an entry that is restricted to some allows
/// nothing without.
/// Source: AWS, *Policy evaluation logic*.
fn allows(role: &[Entry], demand: &Demand, keys: Option<&[String]>) -> bool {
    let mut allowed = false;
    for entry in role {
        // Action names are case-insensitive.
        let meets = matches(&entry.action, &demand.action, u8::eq_ignore_ascii_case)
            && matches(&entry.resource, &demand.resource, u8::eq)
            && entry.admits(keys);
        if meets && !entry.allows {
            return false;
        }
        if meets {
            entry.was_used.store(true, Ordering::Relaxed);
            allowed = true;
        }
    }
    allowed
}

/// Whether a text matches a pattern, in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str, same: impl Fn(&u8, &u8) -> bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // The position of the last `*`, and how much of the text it has matched so far.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut read) = (0, 0);
    while let Some(letter) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || same(wanted, letter) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((before, taken)) = star else { return false };
                star = Some((before, taken + 1));
                at = before + 1;
                read = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == b'*')
}

/// The error in the format of each service.
fn denied(function: &str, service: Service, demand: &Demand) -> AwsError {
    let (status, kind) = match service {
        Service::DynamoDb => (400, "AccessDeniedException"),
        Service::Sqs => (403, "AccessDeniedException"),
        Service::S3 => (403, "AccessDenied"),
        Service::Connections => (403, "ForbiddenException"),
    };
    let action = match service {
        // Only SQS writes actions in lower case.
        Service::Sqs => demand.action.to_ascii_lowercase(),
        _ => demand.action.clone(),
    };
    let user = format!("arn:aws:sts::000000000000:assumed-role/{function}Role/{function}");
    let message = format!(
        "User: {user} is not authorized to perform: {action} on resource: {} because no identity-based policy \
         allows the {action} action",
        demand.resource
    );
    AwsError::new(status, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters_and_a_question_mark_for_one() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "ab", false),
            ("ab", "a", false),
            ("*", "", true),
            ("a*", "a/b/c", true),
            ("*/POST/@connections/*", "api/dev/POST/@connections/x=", true),
            ("*/POST/@connections/*", "api/dev/DELETE/@connections/x=", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ] {
            assert_eq!(matches(pattern, text, u8::eq), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_denial_beats_an_allowance() {
        let statement = |allows, action: &str, resource: &str| Statement {
            allows,
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
            leading_keys: Vec::new(),
        };
        let rights = Rights::new("").with(
            "GetMe",
            &[
                statement(true, "DynamoDB:getitem", "table/*"),
                statement(false, "dynamodb:*", "table/secret"),
            ],
        );
        let role = &rights.by_function["GetMe"];
        let demand = |resource: &str| Demand {
            action: "dynamodb:GetItem".to_owned(),
            resource: resource.to_owned(),
        };
        assert!(allows(role, &demand("table/open"), None));
        assert!(!allows(role, &demand("table/secret"), None));
        assert!(!allows(role, &demand("index"), None));
        assert_eq!(rights.used(), rights.granted());
    }
}
