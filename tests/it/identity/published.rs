//! Published keys: fetched once, fetched again when a new one appears, and kept while the issuer is unreachable.

use std::time::Duration;

use harness::World;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::issuer::{EC_ONE, Issuer, Key, RSA_ONE, RSA_ONE_PUBLIC, RSA_TWO};
use super::{but, by_secret, claims, signed, status};

/// Contract §1
#[tokio::test]
async fn tokens_by_published_keys_of_both_kinds_are_taken_and_the_keys_are_fetched_once() {
    let issuer = Issuer::start().await;
    let (rsa, ec) = (Key::rsa("r1", RSA_ONE), Key::ec("e1", EC_ONE));
    issuer.publishes(&[&rsa, &ec]);
    let world = issuer.world().await;
    for _ in 0..3 {
        for key in [&rsa, &ec] {
            let user = Uuid::new_v4();
            let claims = claims(&world, user);
            let person = world.bearer(user, key.token(&claims));
            assert_eq!(
                person.get("/api/v1/users/me").await.is(200)["data"]["id"],
                json!(user)
            );
        }
    }
    assert_eq!(issuer.fetches(), 1, "one function, one fetch");
}

/// Contract §1: the same for WebSocket connections.
#[tokio::test]
async fn a_token_by_a_published_key_opens_a_connection() {
    let issuer = Issuer::start().await;
    let key = Key::ec("e1", EC_ONE);
    issuer.publishes(&[&key]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let mut socket = world
        .bearer(user, key.token(&claims(&world, user)))
        .connect()
        .await;
    assert_eq!(socket.so_far().await, Vec::<Value>::new());
}

/// RFC 8725 §2.1: a public key is not a secret, and vice versa.
#[tokio::test]
async fn a_public_key_cannot_be_taken_for_a_secret() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r1", RSA_TWO));
    issuer.publishes(&[&one]);
    for secret in ["", "a shared secret of thirty-two bytes or more"] {
        let world = World::with(&[("JWT_SECRET_KEY", secret), ("JWT_JWKS_URL", &issuer.url)]).await;
        let user = Uuid::new_v4();
        let claims = claims(&world, user);
        assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
        let mut header = Header::new(Algorithm::HS256);
        for id in [None, Some("r1".to_owned())] {
            header.kid = id;
            let modulus = one.published()["n"].as_str().unwrap().to_owned();
            for public in [
                RSA_ONE_PUBLIC,
                RSA_ONE_PUBLIC.trim_ascii(),
                modulus.as_bytes(),
                b"",
            ] {
                let forged = signed(&header, &claims, &EncodingKey::from_secret(public));
                assert_eq!(status(&world, user, &forged).await, 401);
            }
        }
        assert_eq!(
            status(&world, user, &two.token(&claims)).await,
            401,
            "the right name, another key"
        );
        if !secret.is_empty() {
            assert_eq!(
                status(&world, user, &by_secret(&world, &claims)).await,
                200,
                "each key its algorithm"
            );
        }
    }
}

/// RFC 8725 §3.1: a key is valid for one algorithm.
#[tokio::test]
async fn other_algorithms_of_the_same_key_are_refused() {
    let issuer = Issuer::start().await;
    let key = Key::rsa("r1", RSA_ONE);
    issuer.publishes(&[&key]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    for algorithm in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS512,
    ] {
        let mut header = Header::new(algorithm);
        header.kid = Some("r1".to_owned());
        assert_eq!(
            status(&world, user, &signed(&header, &claims, &key.key)).await,
            401,
            "{algorithm:?}"
        );
    }
    // A key that the issuer declares for another algorithm is not valid for this one.
    let mut declared = key.published();
    declared["alg"] = json!("RS512");
    issuer.answers(&json!({ "keys": [declared] }).to_string());
    let world = issuer.world().await;
    assert_eq!(status(&world, user, &key.token(&claims)).await, 401);
}

/// RFC 7517 §4.5: without a key id, the key must be unambiguous.
#[tokio::test]
async fn a_token_without_a_key_id_is_taken_only_if_one_key_fits() {
    let issuer = Issuer::start().await;
    let (one, two, ec) = (
        Key::rsa("r1", RSA_ONE),
        Key::rsa("r2", RSA_TWO),
        Key::ec("e1", EC_ONE),
    );
    issuer.publishes(&[&one, &ec]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token_as(None, &claims)).await, 200);
    assert_eq!(status(&world, user, &ec.token_as(None, &claims)).await, 200);
    issuer.publishes(&[&one, &two]);
    world.advance(Duration::from_mins(11));
    assert_eq!(status(&world, user, &one.token_as(None, &claims)).await, 401);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
}

/// Contract §1: a rotation is noticed at once, but forged key ids cause no flood of requests.
#[tokio::test]
async fn an_unknown_key_id_fetches_again_but_only_now_and_then() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r2", RSA_TWO));
    issuer.publishes(&[&one]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    assert_eq!(issuer.fetches(), 1);

    issuer.publishes(&[&two]);
    for _ in 0..5 {
        assert_eq!(
            status(&world, user, &two.token(&claims)).await,
            401,
            "fetched a moment ago"
        );
    }
    assert_eq!(issuer.fetches(), 1);
    assert_eq!(
        status(&world, user, &one.token(&claims)).await,
        200,
        "known still"
    );

    world.advance(Duration::from_secs(31));
    assert_eq!(status(&world, user, &two.token(&claims)).await, 200);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 401, "withdrawn");
    for number in 0..5 {
        let forged = two.token_as(Some(&format!("forged{number}")), &claims);
        assert_eq!(status(&world, user, &forged).await, 401);
    }
    assert_eq!(issuer.fetches(), 2);
}

/// Contract §1: keys are cached for ten minutes.
#[tokio::test]
async fn a_withdrawn_key_is_good_for_ten_minutes_at_the_most() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r2", RSA_TWO));
    issuer.publishes(&[&one]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    issuer.publishes(&[&two]);
    world.advance(Duration::from_mins(9));
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    world.advance(Duration::from_mins(2));
    assert_eq!(status(&world, user, &one.token(&claims)).await, 401);
}

/// S0-J03: an unreachable issuer locks out nobody whose key is cached.
#[tokio::test]
async fn known_keys_go_on_working_while_the_issuer_is_away() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r2", RSA_TWO));
    issuer.publishes(&[&one]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);

    issuer.breaks();
    for _ in 0..3 {
        world.advance(Duration::from_mins(11));
        assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    }
    let answer = world
        .bearer(user, two.token(&claims))
        .get("/api/v1/users/me")
        .await;
    assert!(matches!(answer.status, 401 | 503), "{}", answer.text);
    issuer.answers("no JSON");
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);

    issuer.publishes(&[&two]);
    world.advance(Duration::from_mins(11));
    assert_eq!(status(&world, user, &two.token(&claims)).await, 200, "it is back");
}

/// S0-J03: a process that starts while the issuer is unreachable accepts nobody, with a temporary error.
#[tokio::test]
async fn without_any_key_the_answer_is_503_and_it_passes() {
    let issuer = Issuer::start().await;
    let key = Key::rsa("r1", RSA_ONE);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let person = world.bearer(user, key.token(&claims(&world, user)));
    let answer = person.get("/api/v1/users/me").await;
    assert!(answer.header("retry-after").is_some());
    answer.is_error(503, "UNAVAILABLE");
    issuer.publishes(&[&key]);
    person.get("/api/v1/users/me").await.is(200);
}

/// S0-J03: while the issuer is unreachable, not every request tries to fetch.
#[tokio::test]
async fn an_issuer_that_is_away_is_not_asked_by_every_request() {
    let issuer = Issuer::start().await;
    let key = Key::rsa("r1", RSA_ONE);
    issuer.publishes(&[&key]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &key.token(&claims)).await, 200);
    issuer.breaks();
    world.advance(Duration::from_mins(11));
    for _ in 0..10 {
        assert_eq!(status(&world, user, &key.token(&claims)).await, 200);
    }
    assert!(issuer.fetches() <= 3, "{} fetches", issuer.fetches());
}

/// RFC 7517 §4.2, §4.3: a key is only valid for its declared use.
#[tokio::test]
async fn a_key_that_is_not_for_signatures_verifies_none() {
    let issuer = Issuer::start().await;
    let key = Key::rsa("r1", RSA_ONE);
    for (name, value, expected) in [
        ("use", json!("sig"), 200),
        ("use", json!("enc"), 401),
        ("use", json!("tls"), 401),
        ("key_ops", json!(["verify"]), 200),
        ("key_ops", json!(["sign", "verify"]), 200),
        ("key_ops", json!(["encrypt", "wrapKey"]), 401),
        ("key_ops", json!([]), 401),
    ] {
        let mut published = key.published();
        published.as_object_mut().unwrap().remove("alg");
        published[name] = value.clone();
        issuer.answers(&json!({ "keys": [published] }).to_string());
        let world = issuer.world().await;
        let user = Uuid::new_v4();
        let claims = claims(&world, user);
        for token in [key.token(&claims), key.token_as(None, &claims)] {
            assert_eq!(status(&world, user, &token).await, expected, "{name} {value}");
        }
    }
}

/// RFC 7517 §4.2: without a key id, only signing keys are considered.
#[tokio::test]
async fn a_token_without_a_key_id_is_taken_where_one_key_alone_can_have_signed_it() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r2", RSA_TWO));
    let mut for_encryption = two.published();
    for_encryption.as_object_mut().unwrap().remove("alg");
    for_encryption["use"] = json!("enc");
    let mut same_id = for_encryption.clone();
    same_id["kid"] = json!("r1");
    issuer.answers(&json!({ "keys": [for_encryption, same_id, one.published()] }).to_string());
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token_as(None, &claims)).await, 200);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    assert_eq!(status(&world, user, &two.token_as(None, &claims)).await, 401);
}

/// S0-J03: while one request fetches keys from a slow issuer, the others continue with cached keys.
#[tokio::test]
async fn known_keys_answer_while_one_request_fetches_from_a_slow_issuer() {
    let issuer = Issuer::start().await;
    let (one, two) = (Key::rsa("r1", RSA_ONE), Key::rsa("r2", RSA_TWO));
    issuer.publishes(&[&one]);
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    let claims = claims(&world, user);
    assert_eq!(status(&world, user, &one.token(&claims)).await, 200);
    world.advance(Duration::from_mins(11));

    issuer.publishes(&[&one, &two]);
    let answers = issuer.holds_back();
    let (unknown, asked) = (two.token(&claims), two.token_as(Some("forged"), &claims));
    let fetching = async {
        let waiting = [
            status(&world, user, &unknown),
            status(&world, user, &unknown),
            status(&world, user, &asked),
        ];
        futures::future::join_all(waiting).await
    };
    let others = async {
        issuer.is_asked(2).await;
        for number in 0..2 {
            let known = but(&claims, "jti", json!(number.to_string()));
            assert_eq!(status(&world, user, &one.token(&known)).await, 200);
        }
        assert_eq!(issuer.fetches(), 2, "one fetch at a time");
        drop(answers);
    };
    let (fetched, ()) = tokio::join!(fetching, others);
    assert_eq!(fetched, [200, 200, 401]);
    assert_eq!(issuer.fetches(), 2, "those who waited take what was fetched");
}

/// RFC 7517 §5: keys of unknown types are ignored.
#[tokio::test]
async fn keys_of_unknown_kinds_do_not_spoil_the_others() {
    let issuer = Issuer::start().await;
    let key = Key::rsa("r1", RSA_ONE);
    let mut with_more = key.published();
    with_more["x5t#S256"] = json!("abc");
    with_more["use"] = json!("sig");
    let keys = json!({ "keys": [
        { "kty": "AKP", "alg": "ML-DSA-44", "kid": "q1", "pub": "AAAA" },
        { "kty": "OKP", "crv": "X25519", "kid": "x1", "x": "AAAA", "use": "enc" },
        { "kty": "RSA", "alg": "RSA-OAEP-512", "kid": "o1", "n": "AAAA", "e": "AQAB", "use": "enc" },
        with_more,
    ]});
    issuer.answers(&keys.to_string());
    let world = issuer.world().await;
    let user = Uuid::new_v4();
    assert_eq!(status(&world, user, &key.token(&claims(&world, user))).await, 200);
}
