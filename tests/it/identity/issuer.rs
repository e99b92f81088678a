//! An issuer that publishes its keys, and records when it is asked.

use std::sync::{Arc, Mutex};

use harness::World;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::signed;

// See `tests/data/keys/README.md`.
pub(super) const RSA_ONE: &[u8] = include_bytes!("../../data/keys/rsa-one.pem");
pub(super) const RSA_ONE_PUBLIC: &[u8] = include_bytes!("../../data/keys/rsa-one.public.pem");
pub(super) const RSA_TWO: &[u8] = include_bytes!("../../data/keys/rsa-two.pem");
pub(super) const EC_ONE: &[u8] = include_bytes!("../../data/keys/ec-one.pem");

/// One of the issuer's keys.
pub(super) struct Key {
    pub(super) id: &'static str,
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

impl Key {
    pub(super) fn rsa(id: &'static str, pem: &[u8]) -> Self {
        Self {
            id,
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_pem(pem).unwrap(),
        }
    }

    pub(super) fn ec(id: &'static str, pem: &[u8]) -> Self {
        Self {
            id,
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_pem(pem).unwrap(),
        }
    }

    pub(super) fn published(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_as(Some(self.id), claims)
    }

    pub(super) fn token_as(&self, id: Option<&str>, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = id.map(str::to_owned);
        signed(&header, claims, &self.key)
    }
}

/// An issuer on a port of its own.
pub(super) struct Issuer {
    pub(super) url: String,
    /// Its response; none while it is broken.
    answer: Arc<Mutex<Option<String>>>,
    fetches: tokio::sync::watch::Receiver<usize>,
    /// Held by a test that delays responses.
    gate: Arc<tokio::sync::Mutex<()>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Issuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys.json", listener.local_addr().unwrap());
        let answer: Arc<Mutex<Option<String>>> = Arc::default();
        let (count, fetches) = tokio::sync::watch::channel(0);
        let gate: Arc<tokio::sync::Mutex<()>> = Arc::default();
        let (answers, opened) = (Arc::clone(&answer), Arc::clone(&gate));
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
                count.send_modify(|count| *count += 1);
                drop(opened.lock().await);
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
            gate,
            serving,
        }
    }

    pub(super) fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.published()).collect();
        self.answers(&json!({ "keys": keys }).to_string());
    }

    pub(super) fn answers(&self, text: &str) {
        *self.answer.lock().unwrap() = Some(text.to_owned());
    }

    pub(super) fn breaks(&self) {
        *self.answer.lock().unwrap() = None;
    }

    pub(super) fn fetches(&self) -> usize {
        *self.fetches.borrow()
    }

    /// Waits until it was asked this many times.
    pub(super) async fn is_asked(&self, times: usize) {
        let mut fetches = self.fetches.clone();
        fetches.wait_for(|count| *count >= times).await.unwrap();
    }

    /// Delays responses until the returned guard is dropped.
    pub(super) fn holds_back(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.gate).try_lock_owned().unwrap()
    }

    /// A world that trusts only this issuer. Each of its functions has one instance, which caches keys.
    pub(super) async fn world(&self) -> World {
        World::in_desk(&[("JWT_SECRET_KEY", ""), ("JWT_JWKS_URL", &self.url)]).await
    }
}
