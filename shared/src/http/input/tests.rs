//! What is taken from requests, and what is refused.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::domain::ids::UserId;
use crate::domain::message::ContentType;
use crate::domain::text::MessageText;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it parses matters")]
struct Body {
    content: MessageText,
    #[serde(default)]
    content_type: ContentType,
    member_ids: Option<Vec<UserId>>,
    page: Option<u32>,
    wanted: Option<bool>,
}

fn problem(value: &Value) -> (String, String, String) {
    match object::<Body>(value.to_string().as_bytes()).unwrap_err() {
        Error::Invalid { field, invalid } => (
            field.into_owned(),
            invalid.issue.into_owned(),
            invalid.reason.into_owned(),
        ),
        other => panic!("{other}"),
    }
}

#[test]
fn a_wrong_field_is_named_with_what_is_wrong() {
    let cases = [
        (json!({}), "content", "missing"),
        (json!({ "content": 5 }), "content", "wrong_type"),
        (json!({ "content": null }), "content", "wrong_type"),
        (json!({ "content": "" }), "content", "too_short"),
        (
            json!({ "content": "a", "content_type": "smell" }),
            "content_type",
            "unknown_value",
        ),
        (
            json!({ "content": "a", "content_type": 3 }),
            "content_type",
            "wrong_type",
        ),
        (
            json!({ "content": "a", "member_ids": ["x"] }),
            "member_ids.0",
            "wrong_format",
        ),
        (
            json!({ "content": "a", "member_ids": "x" }),
            "member_ids",
            "wrong_type",
        ),
        (json!({ "content": "a", "page": -1 }), "page", "out_of_range"),
        (json!({ "content": "a", "page": "1" }), "page", "wrong_type"),
        (json!({ "content": "a", "page": 1.5 }), "page", "wrong_type"),
    ];
    for (value, field, issue) in cases {
        let (found_field, found_issue, reason) = problem(&value);
        assert_eq!(
            (found_field.as_str(), found_issue.as_str()),
            (field, issue),
            "{value}: {reason}"
        );
    }
}

#[test]
fn what_is_no_object_is_malformed() {
    for text in ["", "{", "[]", "null", "\"x\"", "\u{0}"] {
        assert!(
            matches!(object::<Body>(text.as_bytes()), Err(Error::Malformed(_))),
            "{text}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(
        object::<Body>(deep.as_bytes()),
        Err(Error::Malformed(_))
    ));
}

#[test]
fn unknown_fields_are_ignored_and_a_query_writes_numbers_out() {
    assert!(object::<Body>(br#"{"content":"a","x":{"y":[1]}}"#).is_ok());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let query = [pair("content", "a"), pair("page", "7"), pair("wanted", "true")];
    assert_eq!(self::query::<Body>(&query).unwrap().page, Some(7));
    assert!(self::query::<Body>(&[pair("content", "a"), pair("page", "seven")]).is_err());
}

#[test]
fn an_unknown_field_may_hold_any_number() {
    for number in [
        "1e400",
        "-1e999",
        "0.1234567890123456789",
        "123456789012345678901234567890",
    ] {
        let body = format!(r#"{{"content":"a","x":{number},"y":[{{"z":{number}}}]}}"#);
        assert!(object::<Body>(body.as_bytes()).is_ok(), "{body}");
    }
}

#[test]
fn null_is_the_absence_of_a_field() {
    let body = br#"{"content":"a","content_type":null,"member_ids":null,"page":null,"wanted":null,"x":null}"#;
    assert!(object::<Body>(body).is_ok());
    assert_eq!(
        problem(&json!({ "content": null, "page": null })),
        ("content".into(), "wrong_type".into(), "must not be null".into())
    );
}

#[test]
fn an_integer_may_be_written_with_a_fraction_of_nothing() {
    for (number, page) in [("7", 7), ("7.0", 7), ("70e-1", 7), ("7E2", 700), ("0.0", 0)] {
        let body = format!(r#"{{"content":"a","page":{number}}}"#);
        assert_eq!(
            object::<Body>(body.as_bytes()).unwrap().page,
            Some(page),
            "{number}"
        );
    }
    for (number, issue) in [
        ("7.5", "wrong_type"),
        ("1e400", "out_of_range"),
        ("1e30", "out_of_range"),
        ("-1.0", "out_of_range"),
    ] {
        let body = format!(r#"{{"content":"a","page":{number}}}"#);
        match object::<Body>(body.as_bytes()).unwrap_err() {
            Error::Invalid { field, invalid } => {
                assert_eq!((&*field, &*invalid.issue), ("page", issue), "{number}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_query_writes_booleans_and_numbers_in_several_ways() {
    let wanted = |text: &str| {
        let pairs =
            [("content", "a"), ("wanted", text)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        self::query::<Body>(&pairs).map(|body| body.wanted).ok().flatten()
    };
    for text in ["true", "True", "TRUE", "1"] {
        assert_eq!(wanted(text), Some(true), "{text}");
    }
    for text in ["false", "False", "0"] {
        assert_eq!(wanted(text), Some(false), "{text}");
    }
    for text in ["", "2", "yes", "null", "t"] {
        assert_eq!(wanted(text), None, "{text}");
    }
    let page = |text: &str| {
        let pairs =
            [("content", "a"), ("page", text)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        self::query::<Body>(&pairs).map(|body| body.page).ok().flatten()
    };
    assert_eq!((page("7.0"), page("7.00")), (Some(7), Some(7)));
    for text in ["7.5", "7.", "7e0", "", "-1", " 7"] {
        assert_eq!(page(text), None, "{text}");
    }
}

#[test]
fn what_is_no_id_names_nothing() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it parses matters")]
    struct Path {
        other_user_id: UserId,
        asset: Option<String>,
    }
    let error = path::<Path>(&[("other_user_id".to_owned(), "x".to_owned())]).unwrap_err();
    assert!(matches!(error, Error::NotFound("user")), "{error}");
}

proptest! {
    #[test]
    fn no_body_ends_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[{}\\[\\]\",:a-e0-9.+-]{0,40}") {
        drop(object::<Body>(&bytes));
        drop(object::<Body>(format!("{{\"content\":{text}}}").as_bytes()));
    }
}

#[test]
fn a_body_is_declared_as_json_or_not_at_all() {
    for good in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/x+json",
    ] {
        assert!(is_json(good), "{good}");
    }
    for bad in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        assert!(!is_json(bad), "{bad}");
    }
}
