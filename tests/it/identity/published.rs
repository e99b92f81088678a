//! Tokens by the keys that an issuer publishes: fetched once, again when a new one appears, and kept when the
//! issuer is away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::World;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{by_secret, claims, signed, status};

// See `tests/data/keys/README.md`.
const RSA_ONE: &[u8] = include_bytes!("../../data/keys/rsa-one.pem");
const RSA_ONE_PUBLIC: &[u8] = include_bytes!("../../data/keys/rsa-one.public.pem");
const RSA_TWO: &[u8] = include_bytes!("../../data/keys/rsa-two.pem");
const EC_ONE: &[u8] = include_bytes!("../../data/keys/ec-one.pem");

/// One of the issuer's keys.
struct Key {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Key {
    fn rsa(id: &'static str, pem: &[u8]) -> Self {
        Self {
            id,
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_pem(pem).unwrap(),
        }
    }

    fn ec(id: &'static str, pem: &[u8]) -> Self {
        Self {
            id,
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_pem(pem).unwrap(),
        }
    }

    fn published(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    fn token(&self, claims: &Value) -> String {
        self.token_as(Some(self.id), claims)
    }

    fn token_as(&self, id: Option<&str>, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = id.map(str::to_owned);
        signed(&header, claims, &self.key)
    }
}

/// An issuer on a port of its own.
struct Issuer {
    url: String,
    /// What it answers; none while it is broken.
    answer: Arc<Mutex<Option<String>>>,
    fetches: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys.json", listener.local_addr().unwrap());
        let answer: Arc<Mutex<Option<String>>> = Arc::default();
        let fetches: Arc<AtomicUsize> = Arc::default();
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&fetches));
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).await.unwrap() == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                assert!(request.starts_with(b"GET /keys.json HTTP/1.1\r\n"));
                count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = match answers.lock().unwrap().clone() {
                    Some(body) => ("200 OK", body),
                    None => ("503 Service Unavailable", String::new()),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            }
        });
        Self {
            url,
            answer,
            fetches,
            serving,
        }
    }

    fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
        self.answers(&json!({ "keys": keys }).to_string());
    }

    fn answers(&self, text: &str) {
        *self.answer.lock().unwrap() = Some(text.to_owned());
    }

    fn breaks(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// A world that trusts this issuer and nobody else. Each of its functions is one process, which remembers keys.
    async fn world(&self) -> World {
        World::in_desk(&[("JWT_SECRET_KEY", ""), ("JWT_JWKS_URL", &self.url)]).await
    }
}

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

/// Contract §1: a socket's token is verified alike.
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

/// RFC 8725 §2.1: a public key is no secret, and a secret no key.
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

/// RFC 8725 §3.1: a key is good for one algorithm.
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
    // A key that its issuer means for another algorithm is none for this one.
    let mut declared = key.published();
    declared["alg"] = json!("RS512");
    issuer.answers(&json!({ "keys": [declared] }).to_string());
    let world = issuer.world().await;
    assert_eq!(status(&world, user, &key.token(&claims)).await, 401);
}

/// RFC 7517 §4.5: without a key id there must be no doubt which key is meant.
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

/// Contract §1: rotation is seen at once, and a flood of forged key ids is not.
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

/// Contract §1: keys are good for ten minutes, then looked at again.
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

/// S0-J03: an issuer that is away locks out nobody whose key is known.
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

/// S0-J03: a process that starts while the issuer is away knows nobody, and says that it will pass.
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

/// S0-J03: while the issuer is away, not every request knocks at its door.
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

/// RFC 7517 §5: keys of a kind that nobody here knows are passed over.
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
