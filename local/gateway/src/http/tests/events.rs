//! What a function receives.

use super::*;

#[tokio::test]
async fn the_event_has_the_shape_of_payload_format_2() {
    let (functions, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", &json!({})));
    let request = request("POST", "/pets/a%20b?tag=x&tag=y%26z&empty=")
        .header("User-Agent", "test/1")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("X-Two", "1")
        .header("X-Two", "2")
        .header("Cookie", "a=1; b=2");
    call(&gateway, request, br#"{"name":"Rex"}"#).await;

    let mut event = functions.event("POST /pets/{pet_id}").await;
    let parsed: ApiGatewayV2httpRequest = serde_json::from_value(event.clone()).unwrap();
    assert_eq!(parsed.path_parameters["pet_id"], "a b");

    let context = &mut event["requestContext"];
    let id = context["requestId"].take();
    assert_eq!(
        (id.as_str().unwrap().len(), &id.as_str().unwrap()[15..]),
        (16, "=")
    );
    let time = context["time"].take();
    assert_eq!(
        (time.as_str().unwrap().len(), &time.as_str().unwrap()[20..]),
        (26, " +0000")
    );
    assert!(context["timeEpoch"].take().as_u64().unwrap() > 1_700_000_000_000);
    let trace = event["headers"]["x-amzn-trace-id"].take();
    assert!(trace.as_str().unwrap().starts_with("Root=1-"));
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /pets/{pet_id}",
        "rawPath": "/pets/a b",
        "rawQueryString": "tag=x&tag=y%26z&empty=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "host": "localhost:3000",
            "user-agent": "test/1",
            "content-type": "application/json; charset=utf-8",
            "x-two": "1,2",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
            "x-amzn-trace-id": null,
        },
        "queryStringParameters": { "tag": "x,y&z", "empty": "" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "http": {
                "method": "POST",
                "path": "/pets/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test/1",
            },
            "requestId": null,
            "routeKey": "POST /pets/{pet_id}",
            "stage": "$default",
            "time": null,
            "timeEpoch": null,
        },
        "pathParameters": { "pet_id": "a b" },
        "body": r#"{"name":"Rex"}"#,
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_bare_request_has_no_optional_fields() {
    let (functions, gateway) = gateway(Functions::default().answering("$default", &json!({})));
    call(&gateway, request("GET", "/nowhere/"), b"").await;
    let event = functions.event("$default").await;
    let keys: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        (&event["rawPath"], &event["routeKey"]),
        (&json!("/nowhere/"), &json!("$default"))
    );
}

#[tokio::test]
async fn what_is_not_text_arrives_as_base64() {
    for (content_type, body, expected, is_base64) in [
        ("application/json", &b"\xff\xfe"[..], "//4=", true),
        ("application/octet-stream", b"hi", "aGk=", true),
        ("text/plain", b"hi", "hi", false),
        ("application/problem+json", b"{}", "{}", false),
    ] {
        let (functions, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", &json!({})));
        call(
            &gateway,
            request("POST", "/pets/7").header("content-type", content_type),
            body,
        )
        .await;
        let event = functions.event("POST /pets/{pet_id}").await;
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!(expected), &json!(is_base64))
        );
    }
}
