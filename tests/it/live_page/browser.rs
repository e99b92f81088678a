//! A headless Chromium and the DevTools protocol, as far as the tests need them.
//! Source: <https://chromedevtools.github.io/devtools-protocol/>.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use harness::PATIENCE;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The paths of Chromium.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "about:blank",
];

/// A page in the browser: its session.
pub(super) struct Tab(String);

/// A running browser.
pub(super) struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What pages reported.
    events: Vec<Value>,
    last_id: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; none if there is no Chromium on this machine.
    pub(super) async fn start() -> Option<Self> {
        let profile = TempDir::new().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let spawned = NAMES.into_iter().find_map(|name| {
            let mut command = Command::new(name);
            command
                .arg(&folder)
                .args(FLAGS)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.kill_on_drop(true).spawn().ok()
        });
        let Some(child) = spawned else {
            println!("skipped: there is no Chromium on this machine");
            return None;
        };
        // The browser writes the file when it listens, without any other signal.
        let began = Instant::now();
        let file = profile.path().join("DevToolsActivePort");
        let (port, path) = loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some((port, path)) = text.split_once('\n').filter(|(_, path)| !path.is_empty()) {
                break (port.to_owned(), path.trim().to_owned());
            }
            assert!(began.elapsed() < PATIENCE, "the browser does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let url = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tokio_tungstenite::connect_async(url)
            .await
            .expect("the browser listens");
        Some(Self {
            child,
            socket,
            events: Vec::new(),
            last_id: 0,
            _profile: profile,
        })
    }

    /// Opens a page as the foreground page, and collects its errors.
    pub(super) async fn open(&mut self, url: &str) -> Tab {
        let target = self
            .call(None, "Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let to = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", to).await;
        let tab = Tab(session["sessionId"].as_str().expect("a session").to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(Some(&tab), &format!("{domain}.enable"), json!({}))
                .await;
        }
        self.call(
            Some(&tab),
            "Emulation.setFocusEmulationEnabled",
            json!({ "enabled": true }),
        )
        .await;
        self.call(Some(&tab), "Page.navigate", json!({ "url": url }))
            .await;
        tab
    }

    /// Calls a method and waits for its result.
    async fn call(&mut self, tab: Option<&Tab>, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(Tab(session)) = tab {
            request["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(request.to_string()))
            .await
            .expect("the browser listens");
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = message.unwrap_or_else(|_| panic!("{method} is not answered"));
            let Message::Text(text) = message.expect("the browser runs").expect("the browser speaks") else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            if answer["method"].is_string() {
                self.events.push(answer);
            }
        }
    }

    /// The value of an expression in the page.
    pub(super) async fn evaluate(&mut self, tab: &Tab, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call(Some(tab), "Runtime.evaluate", parameters).await;
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true. The page evaluates it at each animation frame and each change.
    pub(super) async fn until(&mut self, tab: &Tab, condition: &str) {
        let script = format!(
            "new Promise(done => {{
                const look = () => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }};
                if (look()) return done(true);
                const end = ok => {{ observer.disconnect(); clearInterval(timer); clearTimeout(limit); done(ok); }};
                const observer = new MutationObserver(() => look() && end(true));
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                const timer = setInterval(() => look() && end(true), 100);
                const limit = setTimeout(() => end(false), 240000);
            }})"
        );
        let began = Instant::now();
        loop {
            let parameters = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
            let result = self.call(Some(tab), "Runtime.evaluate", parameters).await;
            if result["result"]["value"] == true {
                return;
            }
            // If the page is reloaded meanwhile, the promise is lost.
            let failed = result["exceptionDetails"].is_null() || began.elapsed() > PATIENCE;
            if failed {
                let page = self.evaluate(tab, "document.body.innerText").await;
                panic!(
                    "never came true: {condition}\nthe page: {page}\nreports: {:#?}",
                    self.complaints("")
                );
            }
        }
    }

    /// Clicks on an element with the mouse.
    pub(super) async fn click(&mut self, tab: &Tab, selector: &str) {
        let selector = json!(selector).to_string();
        self.until(
            tab,
            &format!("document.querySelector({selector})?.getClientRects().length"),
        )
        .await;
        let script = format!(
            "(() => {{ const element = document.querySelector({selector}); element.scrollIntoView({{ block: 'nearest' }});
                const box = element.getBoundingClientRect();
                return {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; }})()"
        );
        let at = self.evaluate(tab, &script).await;
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let parameters =
                json!({ "type": kind, "x": at["x"], "y": at["y"], "button": button, "clickCount": 1 });
            self.call(Some(tab), "Input.dispatchMouseEvent", parameters).await;
        }
    }

    /// Types into the focused element.
    pub(super) async fn types(&mut self, tab: &Tab, text: &str) {
        self.call(Some(tab), "Input.insertText", json!({ "text": text }))
            .await;
    }

    /// Presses the Enter key.
    pub(super) async fn presses_enter(&mut self, tab: &Tab) {
        for kind in ["keyDown", "keyUp"] {
            let parameters = json!({
                "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"
            });
            self.call(Some(tab), "Input.dispatchKeyEvent", parameters).await;
        }
    }

    /// Errors in the console, exceptions, violations of the content security policy, failed requests, and
    /// requests to anywhere but `home`.
    fn complaints(&self, home: &str) -> Vec<&Value> {
        let ws = home.replace("http://", "ws://");
        let (_, port) = ws.rsplit_once(':').unwrap_or_default();
        let stranger = |url: &Value| {
            let url = url.as_str().unwrap_or_default();
            !(url.starts_with(home)
                || url.starts_with("data:")
                || url.starts_with("blob:")
                || url == "about:blank")
        };
        let is_bad = |event: &&Value| {
            let parameters = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => true,
                // A response whose body is not read, such as a 204, counts as cancelled.
                "Network.loadingFailed" => parameters["canceled"] != true,
                "Runtime.consoleAPICalled" => {
                    parameters["type"] == "error" || parameters["type"] == "warning"
                }
                "Log.entryAdded" => {
                    parameters["entry"]["level"] == "error" || parameters["entry"]["level"] == "warning"
                }
                "Network.requestWillBeSent" => stranger(&parameters["request"]["url"]),
                "Network.responseReceived" => parameters["response"]["status"].as_u64() >= Some(400),
                "Network.webSocketCreated" => {
                    let url = parameters["url"].as_str().unwrap_or_default();
                    !url.starts_with("ws://127.0.0.1:") || url.starts_with(&format!("ws://127.0.0.1:{port}/"))
                }
                _ => false,
            }
        };
        self.events.iter().filter(is_bad).collect()
    }

    /// Checks that no page reported errors, and that all requests went to the desk.
    pub(super) fn assert_quiet(&self, home: &str) {
        let asked = self
            .events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent")
            .count();
        assert!(asked > 0, "requests are seen");
        let complaints = self.complaints(home);
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Ends the browser before its profile is deleted.
    pub(super) async fn close(mut self) {
        self.call(None, "Browser.close", json!({})).await;
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            self.child.kill().await.expect("the browser can be killed");
        }
    }
}
