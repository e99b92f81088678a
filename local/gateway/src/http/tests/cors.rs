//! What browsers are told.

use super::*;

#[tokio::test]
async fn preflight_requests_are_answered_by_the_gateway() {
    let (functions, gateway) = gateway(Functions::default());
    let preflight = |origin: &str| {
        request("OPTIONS", "/anything")
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
    };
    let listed = call(&gateway, preflight("https://app.example"), b"").await;
    assert_eq!((listed.status().as_u16(), listed.body().len()), (204, 0));
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "authorization"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ] {
        assert_eq!(header(&listed, name), Some(value), "{name}");
    }
    let other = call(&gateway, preflight("https://evil.example"), b"").await;
    assert_eq!(
        (
            other.status().as_u16(),
            header(&other, "access-control-allow-origin")
        ),
        (204, None)
    );
    assert!(functions.events("$default").is_empty());
}

#[tokio::test]
async fn answers_to_listed_origins_carry_the_headers_of_cors() {
    let answer =
        json!({ "statusCode": 200, "headers": { "access-control-allow-origin": "*", "vary": "Accept" } });
    let (_, gateway) = gateway(Functions::default().answering("POST /pets/{pet_id}", &answer));
    let from = |origin: &str| request("POST", "/pets/7").header("origin", origin);

    let listed = call(&gateway, from("https://app.example"), b"").await;
    assert_eq!(
        header(&listed, "access-control-allow-origin"),
        Some("https://app.example")
    );
    assert_eq!(
        header(&listed, "access-control-expose-headers"),
        Some("x-request-id")
    );
    let vary: Vec<_> = listed.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept", "Origin"]);

    let other = call(&gateway, from("https://evil.example"), b"").await;
    assert_eq!(header(&other, "access-control-allow-origin"), None);
}
