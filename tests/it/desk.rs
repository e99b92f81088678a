//! Access to the desk, and the settings with which it refuses to start.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use harness::files;
use harness::program::{self, Program};
use local::demo;
use local::environment::DESK_JWT_SECRET;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// DNS rebinding: a page whose host name resolves to 127.0.0.1 has the desk's origin, and could read the tokens.
#[tokio::test]
async fn the_live_page_and_the_api_answer_loopback_names_alone() {
    let desk = Program::start(&["--memory"], &[]).await;
    let client = reqwest::Client::new();
    let port = desk.http_url().rsplit(':').next().unwrap().to_owned();
    let ada = desk.person(demo::USERS[0]);
    for (name, is_loopback) in [
        ("127.0.0.1", true),
        ("localhost", true),
        ("evil.example", false),
        ("127.0.0.1.evil.example", false),
    ] {
        let get = |path: &str| {
            let request = client.get(format!("{}{path}", desk.http_url()));
            request.header("host", format!("{name}:{port}"))
        };
        let page = get("/").send().await.unwrap();
        assert_eq!(
            page.status().as_u16(),
            if is_loopback { 200 } else { 403 },
            "{name}"
        );
        let text = page.text().await.unwrap();
        assert_eq!(text.contains("\"token\":"), is_loopback, "{name}");
        // The secret is public: such a page could create a token for anybody.
        let me = get("/api/v1/users/me")
            .bearer_auth(&ada.token)
            .send()
            .await
            .unwrap();
        assert_eq!(
            me.status().as_u16(),
            if is_loopback { 200 } else { 403 },
            "{name}"
        );
    }
    let redrive = client
        .post(format!("{}/desk/redrive", desk.http_url()))
        .header("origin", "https://evil.example");
    assert_eq!(redrive.send().await.unwrap().status(), 403);

    // A page may open a WebSocket to any host.
    let url = format!("ws://127.0.0.1:{}/?token={}", desk.ws_port(), ada.token);
    for (origin, is_ours) in [("http://localhost:5173", true), ("https://evil.example", false)] {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let connected = tokio_tungstenite::connect_async(request).await;
        assert_eq!(connected.is_ok(), is_ours, "{origin}");
    }
    desk.kill().await;
}

/// A desk with its own secret may be reached by any name.
#[tokio::test]
async fn a_desk_with_a_secret_of_its_own_answers_by_every_name_but_keeps_the_live_page() {
    let secret = "a secret of this story alone, of 32 bytes and more";
    let desk = Program::start(&["--memory"], &[("JWT_SECRET_KEY", secret)]).await;
    let client = reqwest::Client::new();
    for (path, status) in [("/health", 200), ("/", 403)] {
        let request = client.get(format!("{}{path}", desk.http_url()));
        let answer = request.header("host", "desk.example").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    desk.kill().await;
}

/// If an issuer publishes keys, the public default secret is not accepted.
#[tokio::test]
async fn the_public_secret_signs_nobody_in_where_an_issuer_does() {
    let settings = [("JWT_JWKS_URL", "http://127.0.0.1:9/keys.json")];
    let desk = Program::start(&["--memory"], &settings).await;
    let ada = desk.person(demo::USERS[0]);
    ada.get("/api/v1/users/me").await.is_error(401, "UNAUTHENTICATED");
    assert!(!desk.words.contains("ADA="), "{}", desk.words);
    let page = reqwest::get(format!("{}/", desk.http_url())).await.unwrap();
    assert_eq!(page.status(), 404);
    assert!(page.text().await.unwrap().contains("JWT_JWKS_URL"));
    desk.kill().await;

    let mut command = program::command(&["token", "--user", &demo::USERS[0].id.to_string()]);
    command.envs(settings);
    let output = program::finish(command).await;
    assert!(!output.status.success() && output.stdout.is_empty());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("JWT_JWKS_URL") && errors.lines().count() == 1,
        "{errors}"
    );

    // Unless both are configured.
    let both = [settings[0], ("JWT_SECRET_KEY", DESK_JWT_SECRET)];
    let desk = Program::start(&["--memory"], &both).await;
    desk.person(demo::USERS[0]).get("/api/v1/users/me").await.is(200);
    desk.kill().await;
}

/// Runs the program with a setting that it must refuse in one line.
async fn refusal(arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let ports = ["--http-port", "0", "--ws-port", "0", "--s3-port", "0"];
    let mut command = program::command(&ports);
    command.args(arguments).envs(settings.iter().copied());
    let output = program::finish(command).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

/// Contract §1 *Headers*: origins by name, never `*` with credentials.
#[tokio::test]
async fn a_desk_for_every_origin_does_not_start() {
    for origins in ["*", "http://localhost:5173,*", "https://*.example", "example.com"] {
        let errors = refusal(&["--memory"], &[("ALLOWED_ORIGINS", origins)]).await;
        assert!(
            errors.contains("ALLOWED_ORIGINS") && errors.contains(origins),
            "{errors}"
        );
    }
}

/// The permissions of others on all files and folders below a path.
fn open_to_others(path: &Path) -> Vec<String> {
    let mut open = Vec::new();
    let mut paths = vec![path.to_owned()];
    while let Some(path) = paths.pop() {
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        if mode != if metadata.is_dir() { 0o700 } else { 0o600 } {
            open.push(format!("{} {mode:o}", path.display()));
        }
        if metadata.is_dir() {
            paths.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    open
}

#[tokio::test]
async fn the_data_is_its_owners_alone_and_is_missed_when_it_is_gone() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("data");
    let arguments = ["--data-dir", folder.to_str().unwrap()];
    let desk = Program::start(&arguments, &[]).await;
    let [ada, bob] = [0, 1].map(|index| desk.person(demo::USERS[index]));
    let conversation = ada.open_direct(&bob).await;
    ada.says(&conversation, "for the two of us").await;
    ada.uploads("harbour.jpg", "image/jpeg", files::JPEG).await;
    assert_eq!(open_to_others(&folder), Vec::<String>::new());
    desk.kill().await;

    let desk = Program::start(&arguments, &[]).await;
    assert_eq!(desk.person(demo::USERS[1]).messages(&conversation).await.len(), 1);
    desk.ends_with("TERM").await;
    std::fs::write(folder.join("dynamodb.sqlite"), "").unwrap();
    let errors = refusal(&arguments, &[]).await;
    assert!(
        errors.contains("dynamodb.sqlite") && errors.contains("missing or empty"),
        "{errors}"
    );
    assert_eq!(
        std::fs::metadata(folder.join("dynamodb.sqlite")).unwrap().len(),
        0
    );
}
