//! Who is refused: those without a good token, strangers, and whoever names nothing.

use std::time::Duration;

use harness::Answer;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use shared::domain::user::Claims;

use super::{Fixture, PUBLIC, nothing, routes, shape};

/// Credentials that are none, each with what is wrong with it.
fn bad_credentials(fixture: &Fixture) -> Vec<(&'static str, Option<String>)> {
    let ada = fixture.ada.id;
    let now = fixture.world.desk().clock().now().seconds();
    let expired = {
        let token = fixture.world.token(ada, Claims::default(), Duration::ZERO);
        fixture.world.advance(Duration::from_secs(31));
        token
    };
    let signed = |algorithm, secret: &str| {
        let claims = json!({ "sub": ada, "exp": now + 3600 });
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).unwrap()
    };
    let secret = fixture.world.desk().secret();
    let good = &fixture.ada.token;
    let (head, signature) = good.rsplit_once('.').unwrap();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    vec![
        ("no header", None),
        ("an empty header", Some(String::new())),
        ("no token", Some("Bearer".to_owned())),
        ("an empty token", Some("Bearer ".to_owned())),
        ("another scheme", Some(format!("Basic {good}"))),
        ("garbage", bearer("garbage")),
        ("dots", bearer("a.b.c")),
        ("an expired token", bearer(&expired)),
        (
            "another secret",
            bearer(&signed(Algorithm::HS256, &"x".repeat(32))),
        ),
        ("another algorithm", bearer(&signed(Algorithm::HS512, secret))),
        // {"alg":"none","typ":"JWT"}
        (
            "no algorithm",
            bearer(&format!(
                "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.",
                head.split_once('.').unwrap().1
            )),
        ),
        ("no signature", bearer(&format!("{head}."))),
        ("a cut signature", bearer(&format!("{head}.{}", &signature[1..]))),
    ]
}

/// S1-N07, contract §1 *Authentication*
#[tokio::test]
async fn without_a_good_token_every_route_answers_the_same_401() {
    let fixture = Fixture::new().await;
    let credentials = bad_credentials(&fixture);
    let mut first: Option<Value> = None;
    for entry in routes().iter().filter(|entry| !entry.is_public) {
        for template in entry.route.paths() {
            for (what, credential) in &credentials {
                let at = format!("{} {template} with {what}", entry.route.method.as_str());
                let mut request = fixture.anonymous(entry, &template);
                if let Some(credential) = credential {
                    request = request.header("authorization", credential);
                }
                let answer = fixture.ada.send(request).await;
                let body = shape(&answer, 401, "UNAUTHENTICATED", &at);
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{at}");
                assert_eq!(&body, first.get_or_insert_with(|| body.clone()), "{at}");
            }
        }
    }
}

/// S1-N07: what is wrong with the request is not for those to know who may not ask.
#[tokio::test]
async fn an_invalid_request_without_a_token_is_401_too() {
    let fixture = Fixture::new().await;
    for entry in routes().iter().filter(|entry| !entry.is_public) {
        for template in entry.route.paths() {
            let path = template.replace('{', "").replace('}', "");
            let request = fixture
                .ada
                .anonymous(entry.route.method.as_str(), &format!("{path}?page=x"));
            let request = request.header("content-type", "text/plain").body("nonsense");
            shape(
                &fixture.ada.send(request).await,
                401,
                "UNAUTHENTICATED",
                &template,
            );
        }
    }
}

/// S1-E07, S1-E08
#[tokio::test]
async fn only_the_listed_routes_answer_without_a_token() {
    let fixture = Fixture::new().await;
    let mut public = Vec::new();
    for entry in &routes() {
        for template in entry.route.paths() {
            let answer = fixture.ada.send(fixture.anonymous(entry, &template)).await;
            if answer.status != 401 {
                assert_eq!(answer.status, 200, "{template}: {}", answer.text);
                public.push(entry.route.name);
            }
        }
        assert_eq!(
            entry.is_public,
            PUBLIC.contains(&entry.route.name),
            "{}",
            entry.route.name
        );
    }
    public.sort_unstable();
    public.dedup();
    assert_eq!(public, PUBLIC);
}

/// Insists that two answers tell the same, the id of the request and the time aside.
#[track_caller]
fn same(one: &Answer, other: &Answer, at: &str) {
    let (one, other) = (
        shape(one, 404, "NOT_FOUND", at),
        shape(other, 404, "NOT_FOUND", at),
    );
    assert_eq!(one, other, "{at}: existence shows");
}

/// S1-Q04
#[tokio::test]
async fn a_stranger_cannot_tell_a_conversation_from_none() {
    let fixture = Fixture::new().await;
    let mut seen = 0;
    for entry in routes()
        .iter()
        .filter(|entry| entry.route.path.contains("{conversation_id}"))
    {
        for template in entry.route.paths() {
            let at = format!("{} {template}", entry.route.method.as_str());
            let theirs = fixture
                .eve
                .send(fixture.request(&fixture.eve, entry, &template))
                .await;
            let none = fixture.path_but(entry, &template, |name| (name == "conversation_id").then(nothing));
            let request = fixture
                .eve
                .request(entry.route.method.as_str(), &none)
                .json(&fixture.body(entry));
            same(&theirs, &fixture.eve.send(request).await, &at);
            seen += 1;
        }
    }
    assert!(seen >= 12, "the table is empty");
    let conversation = fixture.ids["conversation_id"].as_str().unwrap();
    let seen = fixture.ada.sees(conversation).await;
    assert_eq!(
        (&seen["last_seq"], &seen["unread_count"]),
        (&json!(3), &json!(1)),
        "the stranger changed something"
    );
    assert_eq!(seen["last_message"]["is_read"], false);
}

/// S1-Q04: somebody who never called is as good a stranger as any.
#[tokio::test]
async fn a_first_call_on_somebody_elses_conversation_is_404() {
    let fixture = Fixture::new().await;
    for entry in routes()
        .iter()
        .filter(|entry| entry.route.path.contains("{conversation_id}"))
    {
        let newcomer = fixture.world.stranger(uuid::Uuid::new_v4(), Claims::default());
        let answer = newcomer
            .send(fixture.request(&newcomer, entry, entry.route.path))
            .await;
        shape(&answer, 404, "NOT_FOUND", entry.route.path);
    }
}

/// S1-N04, contract §1 *404*
#[tokio::test]
async fn an_id_that_is_not_a_uuid_is_not_found() {
    let fixture = Fixture::new().await;
    for entry in &routes() {
        for template in entry.route.paths() {
            let ids: Vec<String> = template
                .split('/')
                .filter(|segment| segment.ends_with("_id}"))
                .map(str::to_owned)
                .collect();
            for id in ids {
                let real = fixture.ids[id.trim_matches(['{', '}'])].as_str().unwrap();
                let simple = real.replace('-', "");
                let wrong = [
                    "x",
                    "0",
                    "null",
                    "%20",
                    "%00",
                    "%23",
                    "..%2f..%2fhealth",
                    "%7Bconversation_id%7D",
                    "%F0%9F%92%A5",
                    &simple,
                    &format!("{real}0"),
                    &format!("%7B{real}%7D"),
                    &format!("urn:uuid:{real}"),
                    &format!("{}g", &real[..35]),
                    &"a".repeat(5000),
                ];
                for wrong in wrong {
                    let but = |name: &str| (format!("{{{name}}}") == id).then(|| wrong.to_owned());
                    let path = fixture.path_but(entry, &template, but);
                    let request = fixture.ada.request(entry.route.method.as_str(), &path);
                    let answer = fixture.ada.send(request.json(&fixture.body(entry))).await;
                    shape(&answer, 404, "NOT_FOUND", &path);
                }
            }
        }
    }
}
