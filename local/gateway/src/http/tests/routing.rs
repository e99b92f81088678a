//! Which route answers.

use super::*;

#[test]
fn the_most_specific_route_wins() {
    let router = router(&[
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{kind}/{id}",
        "GET /pets/{proxy+}",
        "ANY /pets/dog/1",
        "ANY /{proxy+}",
    ]);
    let chosen = |method: &str, path: &str| {
        router
            .find(&method.parse().unwrap(), path)
            .unwrap()
            .key
            .to_owned()
    };
    assert_eq!(chosen("GET", "/pets/dog/1"), "GET /pets/dog/1");
    assert_eq!(chosen("GET", "/pets/dog/1/"), "GET /pets/dog/1");
    assert_eq!(chosen("GET", "/pets/dog/2"), "GET /pets/dog/{id}");
    assert_eq!(chosen("GET", "/pets/cat/2"), "GET /pets/{kind}/{id}");
    assert_eq!(chosen("GET", "/pets/cat/2/x"), "GET /pets/{proxy+}");
    assert_eq!(chosen("POST", "/pets/dog/1"), "ANY /pets/dog/1");
    assert_eq!(chosen("POST", "/pets/dog/2"), "ANY /{proxy+}");
    assert_eq!(chosen("GET", "/"), "$default");
}

#[test]
fn head_and_unknown_methods_go_to_the_default() {
    let router = router(&["GET /pets", "POST /pets"]);
    for method in ["HEAD", "OPTIONS", "DELETE"] {
        assert_eq!(
            router.find(&method.parse().unwrap(), "/pets").unwrap().key,
            "$default"
        );
    }
}

#[test]
fn parameters_are_decoded() {
    let router = router(&["GET /users/{user}/files/{proxy+}"]);
    let found = router.find(&Method::GET, "/users/a%20b/files/x%2Fy/z").unwrap();
    let expected = [("user", "a b"), ("proxy", "x/y/z")];
    assert_eq!(
        found.parameters,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn two_routes_that_are_one_are_refused() {
    let error = router::Router::new(&spec(&["GET /pets/{a}", "GET /pets/{b}"]))
        .err()
        .unwrap();
    assert!(error.to_string().starts_with("route GET /pets/{b}: "), "{error}");
}
