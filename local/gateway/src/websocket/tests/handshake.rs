//! Who is let in.

use super::*;

#[tokio::test]
async fn the_authorizer_decides() {
    let denied = World::new(open().answering("Authorize", &policy("Deny"))).await;
    assert_eq!(denied.refusal().await.0, 403);
    assert!(denied.functions.events("Connect").is_empty());

    for (error, status) in [
        ("Unauthorized", 401),
        (r#"{"errorMessage":"Unauthorized"}"#, 401),
        ("boom", 500),
    ] {
        let crash = move |_| Err(InvokeError::Crashed(error.to_owned()));
        let world = World::new(open().with("Authorize", crash)).await;
        let (refused, body) = world.refusal().await;
        assert_eq!(refused, status);
        assert_eq!(
            body["message"],
            if status == 401 {
                "Unauthorized"
            } else {
                "Internal server error"
            }
        );
    }
    assert_eq!(
        World::new(open().answering("Authorize", &json!({})))
            .await
            .refusal()
            .await
            .0,
        500
    );
}

#[tokio::test]
async fn a_missing_identity_source_is_401_without_an_invocation() {
    let (functions, invoker) = shared(open());
    let mut spec = example().websocket;
    let authorizer = spec
        .routes
        .get_mut("$connect")
        .unwrap()
        .authorizer
        .as_mut()
        .unwrap();
    authorizer.identity_sources = vec!["route.request.querystring.ticket".to_owned()];
    let gateway = WebSocketGateway::new(spec, invoker, WebSocketOptions::default());
    let (listener, address) = listener().await;
    tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.serve(listener, std::future::pending()).await }
    });
    let (stop, _) = oneshot::channel();
    let world = World {
        functions,
        gateway,
        address,
        stop,
    };
    assert_eq!(world.refusal().await.0, 401);
    assert!(world.functions.events("Authorize").is_empty());
}

#[tokio::test]
async fn connect_can_refuse_with_its_own_status() {
    let answer =
        json!({ "statusCode": 429, "headers": { "Retry-After": "7" }, "body": "{\"slow\":\"down\"}" });
    let world = World::new(open().answering("Connect", &answer)).await;
    assert_eq!(world.refusal().await, (429, json!({ "slow": "down" })));
    assert_eq!(world.gateway.connections(), 0);
    let crash = |_| Err(InvokeError::Crashed("boom".to_owned()));
    assert_eq!(
        World::new(open().with("Connect", crash)).await.refusal().await.0,
        502
    );
}

#[tokio::test]
async fn connect_chooses_the_subprotocol() {
    let answer = json!({ "statusCode": 200, "headers": { "Sec-WebSocket-Protocol": "bearer" } });
    let world = World::new(open().answering("Connect", &answer)).await;
    let mut request = format!("ws://{}/", world.address).into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "bearer, abc".parse().unwrap());
    let (_, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
}

#[tokio::test]
async fn a_connection_is_not_live_before_connect_has_agreed() {
    let (gate, started) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let functions = open().with_slow("Connect", {
        let (gate, started) = (Arc::clone(&gate), Arc::clone(&started));
        move |_| {
            let (gate, started) = (Arc::clone(&gate), Arc::clone(&started));
            async move {
                started.add_permits(1);
                gate.acquire().await.unwrap().forget();
                Ok(ok())
            }
        }
    });
    let world = Arc::new(World::new(functions).await);
    let joining = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.join().await }
    });
    started.acquire().await.unwrap().forget();
    let event = world.functions.event("Connect").await;
    let id = event["requestContext"]["connectionId"].as_str().unwrap();
    assert_eq!(
        world.gateway.post(id, &Bytes::from_static(b"early")).await,
        Err(PostError::Gone)
    );
    gate.add_permits(1);
    let (mut client, _) = joining.await.unwrap();
    world.gateway.post(id, &Bytes::from_static(b"now")).await.unwrap();
    assert_eq!(hear(&mut client).await, "now");
}

#[tokio::test]
async fn plain_requests_are_refused() {
    let world = World::new(open()).await;
    for (method, status) in [("GET", 426), ("POST", 403)] {
        let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(world.address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = ::http::Request::builder()
            .method(method)
            .uri("/")
            .header("host", "localhost");
        let body = http_body_util::Full::new(Bytes::new());
        let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

/// RFC 6455 §10.2: browsers let every page open a socket to everywhere.
#[tokio::test]
async fn a_guarded_api_refuses_pages_of_other_origins() {
    let (functions, invoker) = shared(open());
    let guard = crate::guard::Guard::loopback(vec!["https://app.example".to_owned()]);
    let gateway =
        WebSocketGateway::with_guard(example().websocket, invoker, WebSocketOptions::default(), guard);
    let (listener, address) = listener().await;
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    for (origin, is_admitted) in [
        (None, true),
        (Some("http://localhost:5173"), true),
        (Some("https://app.example"), true),
        (Some("https://evil.example"), false),
    ] {
        let before = functions.events("Connect").len();
        let mut request = format!("ws://{address}/?token=abc")
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let connected = tokio_tungstenite::connect_async(request).await;
        let reached = functions.events("Connect").len() > before;
        assert_eq!(
            (connected.is_ok(), reached),
            (is_admitted, is_admitted),
            "{origin:?}"
        );
        if let Err(error) = connected {
            assert!(matches!(error, Error::Http(response) if response.status() == 403));
        }
    }
}
