//! Recognizes events of the wrong kind, so that the error tells whoever configured the trigger what came and what is
//! wanted.

use serde_json::{Map, Value};

/// The kind of event that a function handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// An HTTP request.
    Http,
    /// A frame, or an event of a connection's life.
    Socket,
    /// A batch of messages.
    Queue,
    /// An event of a schedule.
    Schedule,
}

impl Wanted {
    fn words(self) -> &'static str {
        match self {
            Self::Http => "an event of an HTTP API in payload format 2.0",
            Self::Socket => "an event of a WebSocket API",
            Self::Queue => "a batch of messages from SQS",
            Self::Schedule => "an event of EventBridge Scheduler",
        }
    }
}

/// Why an event is of the wrong kind; none if it looks right.
pub(crate) fn complaint(wanted: Wanted, event: &[u8]) -> Option<String> {
    let (is_wanted, got) = match serde_json::from_slice(event) {
        Ok(Value::Object(event)) => (is_wanted(wanted, &event), name(&event)),
        _ => (false, "something that is no JSON object".to_owned()),
    };
    (!is_wanted).then(|| {
        format!(
            "this function is made for {}, and was invoked with {got}: check what invokes it",
            wanted.words()
        )
    })
}

fn is_wanted(wanted: Wanted, event: &Map<String, Value>) -> bool {
    match wanted {
        Wanted::Http => is_http(event),
        Wanted::Socket => is_socket(event),
        Wanted::Queue => source_of_records(event) == Some("aws:sqs"),
        // The template chooses the event's content (`Input`), unless it looks like another kind.
        Wanted::Schedule => {
            let by_others = ["Records", "requestContext", "httpMethod"];
            let is_tick = event.get("source").is_none_or(is_scheduler);
            is_tick && !by_others.iter().any(|field| event.contains_key(*field))
        }
    }
}

fn is_scheduler(source: &Value) -> bool {
    matches!(source.as_str(), Some("aws.scheduler" | "aws.events"))
}

fn is_http(event: &Map<String, Value>) -> bool {
    let has_context = event
        .get("requestContext")
        .is_some_and(|context| context.get("http").is_some());
    has_context && event.get("version").is_some_and(|version| version == "2.0")
}

fn is_socket(event: &Map<String, Value>) -> bool {
    event
        .get("requestContext")
        .is_some_and(|context| context.get("connectionId").is_some())
}

/// The source of an event's records: `aws:sqs`, `aws:s3`, `aws:sns`.
fn source_of_records(event: &Map<String, Value>) -> Option<&str> {
    let record = event.get("Records")?.as_array()?.first()?;
    // SNS capitalizes the field.
    record
        .get("eventSource")
        .or_else(|| record.get("EventSource"))?
        .as_str()
}

/// A description of the event, from its structure alone: its content must not be logged.
fn name(event: &Map<String, Value>) -> String {
    let context = event.get("requestContext");
    let has = |field: &str| context.is_some_and(|context| context.get(field).is_some());
    if is_http(event) {
        "an event of an HTTP API".to_owned()
    } else if is_socket(event) {
        "an event of a WebSocket API".to_owned()
    } else if has("elb") {
        "an event of an Application Load Balancer".to_owned()
    } else if event.contains_key("httpMethod") && event.get("version").is_some_and(|version| version == "1.0")
    {
        "an event of an HTTP API in payload format 1.0".to_owned()
    } else if event.contains_key("httpMethod") {
        "an event of a REST API".to_owned()
    } else if let Some(source) = source_of_records(event) {
        format!("records from {}", short(source))
    } else if let Some(source) = event.get("source").and_then(Value::as_str) {
        format!("an event from {}", short(source))
    } else {
        let fields: Vec<String> = event.keys().take(5).map(|field| short(field)).collect();
        match fields.as_slice() {
            [] => "an empty event, as something that keeps it warm may send".to_owned(),
            fields => format!("an event with the fields {}", fields.join(", ")),
        }
    }
}

/// A name from outside, shortened for the log.
fn short(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_control())
        .take(40)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event_of(name: &str) -> Value {
        match name {
            "payload 1.0" => {
                json!({ "version": "1.0", "resource": "/health", "path": "/health", "httpMethod": "GET",
                "headers": {}, "requestContext": { "stage": "$default", "resourceId": "GET /health" } })
            }
            "rest" => json!({ "resource": "/health", "path": "/health", "httpMethod": "GET", "headers": {},
                "requestContext": { "stage": "dev", "resourceId": "a1" } }),
            "alb" => json!({ "requestContext": { "elb": { "targetGroupArn": "arn:…" } }, "httpMethod": "GET",
                "path": "/health", "queryStringParameters": {}, "headers": {}, "body": "", "isBase64Encoded": false }),
            "warm-up" => json!({ "source": "serverless-plugin-warmup" }),
            "warmer" => json!({ "warmer": true, "concurrency": 3 }),
            "sns" => json!({ "Records": [{ "EventSource": "aws:sns", "Sns": {} }] }),
            "s3" => json!({ "Records": [{ "eventSource": "aws:s3", "s3": {} }] }),
            "sqs" => json!({ "Records": [{ "eventSource": "aws:sqs", "messageId": "1", "body": "{}" }] }),
            "http" => {
                json!({ "version": "2.0", "rawPath": "/health", "requestContext": { "http": { "method": "GET" } } })
            }
            "socket" => {
                json!({ "requestContext": { "connectionId": "L0SM9cOFvHcCIhw=", "eventType": "MESSAGE" } })
            }
            "tick" => json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event" }),
            _ => json!({}),
        }
    }

    #[test]
    fn an_event_of_another_kind_is_named_with_what_is_wanted() {
        for (wanted, came, words) in [
            (
                Wanted::Http,
                "payload 1.0",
                "an event of an HTTP API in payload format 1.0",
            ),
            (Wanted::Http, "rest", "an event of a REST API"),
            (Wanted::Http, "alb", "an event of an Application Load Balancer"),
            (Wanted::Http, "warm-up", "an event from serverless-plugin-warmup"),
            (
                Wanted::Http,
                "warmer",
                "an event with the fields warmer, concurrency",
            ),
            (Wanted::Http, "nothing", "an empty event"),
            (Wanted::Http, "socket", "an event of a WebSocket API"),
            (Wanted::Socket, "http", "an event of an HTTP API"),
            (
                Wanted::Socket,
                "warm-up",
                "an event from serverless-plugin-warmup",
            ),
            (Wanted::Queue, "sns", "records from aws:sns"),
            (Wanted::Queue, "s3", "records from aws:s3"),
            (Wanted::Queue, "tick", "an event from aws.scheduler"),
            (
                Wanted::Schedule,
                "warm-up",
                "an event from serverless-plugin-warmup",
            ),
            (Wanted::Schedule, "sqs", "records from aws:sqs"),
        ] {
            let complaint = complaint(wanted, event_of(came).to_string().as_bytes()).unwrap();
            assert!(complaint.contains(wanted.words()), "{complaint}");
            assert!(complaint.contains(words), "{came}: {complaint}");
        }
    }

    #[test]
    fn what_is_wanted_is_no_reason_to_complain() {
        for (wanted, came) in [
            (Wanted::Http, "http"),
            (Wanted::Socket, "socket"),
            (Wanted::Queue, "sqs"),
            (Wanted::Schedule, "tick"),
            (Wanted::Schedule, "nothing"),
        ] {
            assert_eq!(
                complaint(wanted, event_of(came).to_string().as_bytes()),
                None,
                "{came}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_said_to_be_none() {
        for event in ["", "[]", "\"ping\"", "{\"version\":"] {
            assert!(
                complaint(Wanted::Http, event.as_bytes())
                    .unwrap()
                    .contains("no JSON object"),
                "{event}"
            );
        }
    }
}
