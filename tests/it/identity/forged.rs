//! Invalid tokens, and the one response to all of them.

use std::time::Duration;

use harness::World;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{but, by_secret, claims, refusal, signed, status};

/// RFC 8725 §2.1, §3.1: a token must not choose its own algorithm.
#[tokio::test]
async fn only_the_algorithm_that_goes_with_the_key_is_taken() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    let secret = EncodingKey::from_secret(world.desk().secret().as_bytes());
    assert_eq!(
        status(
            &world,
            user,
            &signed(&Header::new(Algorithm::HS256), &claims, &secret)
        )
        .await,
        200
    );
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(
            status(&world, user, &signed(&Header::new(algorithm), &claims, &secret)).await,
            401
        );
    }
    let rsa = EncodingKey::from_rsa_pem(include_bytes!("../../data/keys/rsa-one.pem")).unwrap();
    for algorithm in [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
    ] {
        assert_eq!(
            status(&world, user, &signed(&Header::new(algorithm), &claims, &rsa)).await,
            401
        );
    }
}

/// Contract §1: a cached token does not match any token that differs from it.
#[tokio::test]
async fn a_token_that_differs_from_an_accepted_one_in_one_character_is_refused() {
    let world = World::in_desk(&[]).await;
    let user = Uuid::new_v4();
    let good = by_secret(&world, &claims(&world, user));
    assert_eq!(status(&world, user, &good).await, 200);
    for (place, character) in good.char_indices().step_by(7) {
        let other = if character == 'A' { "B" } else { "A" };
        let mut forged = good.clone();
        forged.replace_range(place..place + character.len_utf8(), other);
        assert_eq!(status(&world, user, &forged).await, 401, "{place}");
    }
    assert_eq!(status(&world, user, &good).await, 200);
}

/// RFC 8725 §2.1: `none`, in any case, with and without a signature.
#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let good = by_secret(&world, &claims(&world, user));
    let [_, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("{good}")
    };
    // {"alg":"none"}, {"alg":"None","typ":"JWT"}, {"alg":"NONE"}, {"typ":"JWT"}
    for header in [
        "eyJhbGciOiJub25lIn0",
        "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0",
        "eyJhbGciOiJOT05FIn0",
        "eyJ0eXAiOiJKV1QifQ",
    ] {
        for token in [
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.{signature}"),
        ] {
            assert_eq!(status(&world, user, &token).await, 401, "{token}");
        }
    }
    let (head, _) = good.rsplit_once('.').unwrap();
    assert_eq!(status(&world, user, &format!("{head}.")).await, 401);
}

/// RFC 7519 §4.1.4: thirty seconds of clock skew, and no more.
#[tokio::test]
async fn the_end_and_the_beginning_of_a_token_hold_with_half_a_minute_of_leeway() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let good = claims(&world, user);
    let now = world.desk().clock().now().seconds();
    for (name, seconds, expected) in [
        ("exp", -20, 200),
        ("exp", -31, 401),
        ("exp", -3600, 401),
        ("nbf", 20, 200),
        ("nbf", 60, 401),
        ("nbf", -10, 200),
    ] {
        let token = by_secret(&world, &but(&good, name, json!(now + seconds)));
        assert_eq!(status(&world, user, &token).await, expected, "{name} {seconds}");
    }
    world.advance(Duration::from_secs(3620));
    assert_eq!(status(&world, user, &by_secret(&world, &good)).await, 200);
    world.advance(Duration::from_secs(15));
    assert_eq!(status(&world, user, &by_secret(&world, &good)).await, 401);
}

/// RFC 8725 §3.10, contract §1: `exp` and a UUID as `sub` are required.
#[tokio::test]
async fn claims_that_are_missing_or_of_a_wrong_kind_are_refused() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let good = claims(&world, user);
    for (name, value) in [
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(-1)),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("ada")),
        ("sub", json!(7)),
        ("sub", json!(format!("{user}#PROFILE"))),
        ("nbf", json!("soon")),
    ] {
        let token = by_secret(&world, &but(&good, name, value.clone()));
        assert_eq!(status(&world, user, &token).await, 401, "{name}: {value}");
    }
    for token in [
        by_secret(&world, &json!({})),
        by_secret(&world, &json!([])),
        by_secret(&world, &json!("x")),
    ] {
        assert_eq!(status(&world, user, &token).await, 401, "{token}");
    }
    // `iat` is informational, and may be in the future.
    assert_eq!(
        status(&world, user, &by_secret(&world, &but(&good, "iat", Value::Null))).await,
        200
    );
}

/// Contract §1: an identical body, whatever was wrong.
#[tokio::test]
async fn every_bad_credential_gets_the_same_answer() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let good = claims(&world, ada.id);
    let other_secret = EncodingKey::from_secret(b"another secret of thirty-two bytes");
    let header = Header::new(Algorithm::HS256);
    let tokens = [
        String::new(),
        "nonsense".to_owned(),
        "a.b.c".to_owned(),
        "é.é.é".to_owned(),
        signed(&header, &good, &other_secret),
        by_secret(&world, &but(&good, "exp", json!(1))),
        by_secret(&world, &but(&good, "sub", json!("ada"))),
        by_secret(&world, &but(&good, "nbf", json!(i64::MAX))),
    ];
    let mut answers = Vec::new();
    for token in &tokens {
        answers.push(refusal(&ada.with_token(token)).await);
    }
    for value in ["Basic YTpi", "Bearer", "bearer ", "Token x"] {
        let request = ada
            .anonymous("GET", "/api/v1/users/me")
            .header("Authorization", value);
        let mut error = ada.send(request).await.is(401);
        for time_or_id in ["/timestamp", "/error/timestamp", "/error/request_id"] {
            *error.pointer_mut(time_or_id).unwrap() = Value::Null;
        }
        answers.push(error);
    }
    assert_eq!(answers[0]["error"]["code"], "UNAUTHENTICATED");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// The log says why a token was refused, but does not contain the token.
#[tokio::test]
async fn the_log_says_why_a_token_was_refused() {
    let world = World::with(&[("JWT_ISSUER", "https://issuer.example")]).await;
    let user = Uuid::new_v4();
    let good = but(&claims(&world, user), "iss", json!("https://issuer.example"));
    let header = Header::new(Algorithm::HS256);
    let other_secret = EncodingKey::from_secret(b"another secret of thirty-two bytes");
    let private = "somebody@example.com";
    for (token, reason) in [
        (
            signed(&header, &good, &other_secret),
            "its signature does not match the key",
        ),
        (
            by_secret(&world, &but(&good, "exp", json!(1))),
            "the token has expired",
        ),
        (
            by_secret(&world, &but(&good, "exp", Value::Null)),
            "exp is not a time",
        ),
        (
            by_secret(&world, &but(&good, "sub", json!(private))),
            "sub is not a UUID",
        ),
        (
            by_secret(&world, &but(&good, "iss", json!(private))),
            "its issuer is another than JWT_ISSUER",
        ),
        (
            by_secret(&world, &json!(private)),
            "it is no JWT with an object of claims",
        ),
    ] {
        let person = world.bearer(user, token.clone());
        let answer = person.get("/api/v1/users/me").await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        answer.is(401);
        assert!(
            harness::Socket::open(format!("{}/?token={token}", person.ws_url()))
                .await
                .is_err()
        );
        for wanted in [
            world.logged(1, |line| line["request_id"] == *id).await,
            world
                .logged(1, |line| {
                    line["function"] == "authorize_connection" && line["error"].to_string().contains(reason)
                })
                .await,
        ] {
            assert_eq!(
                (&wanted["status"], &wanted["error"]),
                (
                    &json!(401),
                    &json!(format!("a valid bearer token is needed: {reason}"))
                ),
            );
        }
        let signature = token.rsplit('.').next().unwrap();
        assert!(!world.log_text().contains(signature), "{reason}");
    }
    assert!(!world.log_text().contains(private));
}

/// RFC 7519 §4.1.1, §4.1.3: checked if the installation configures them, and then required.
#[tokio::test]
async fn issuer_and_audience_are_insisted_on_where_they_are_set() {
    let settings = [
        ("JWT_ISSUER", "https://issuer.example"),
        ("JWT_AUDIENCE", "tidings"),
    ];
    let world = World::with(&settings).await;
    let user = Uuid::new_v4();
    let bare = claims(&world, user);
    let good = but(
        &but(&bare, "iss", json!("https://issuer.example")),
        "aud",
        json!("tidings"),
    );
    assert_eq!(status(&world, user, &by_secret(&world, &good)).await, 200);
    let of_many = but(&good, "aud", json!(["other", "tidings"]));
    assert_eq!(status(&world, user, &by_secret(&world, &of_many)).await, 200);
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("https://issuer.example/")),
        ("iss", json!("")),
        ("aud", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!([])),
    ] {
        let token = by_secret(&world, &but(&good, name, value.clone()));
        assert_eq!(status(&world, user, &token).await, 401, "{name}: {value}");
    }
    assert_eq!(status(&world, user, &by_secret(&world, &bare)).await, 401);
}

/// RFC 7519 §4.1.3: a token may have an audience although this installation does not check it.
#[tokio::test]
async fn issuer_and_audience_do_not_matter_where_they_are_not_set() {
    let world = World::start().await;
    let user = Uuid::new_v4();
    let claims = but(
        &but(&claims(&world, user), "iss", json!("anybody")),
        "aud",
        json!(["anybody"]),
    );
    assert_eq!(status(&world, user, &by_secret(&world, &claims)).await, 200);
}
