//! Uploads, and what S3 and the functions refuse.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::World;
use harness::files::{JPEG, PNG, fields, follow, post, post_with, sample};
use serde_json::{Value, json};

use super::objects;

const MOST: usize = 10 * 1024 * 1024;

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// S2-F01: from the form to the link, over HTTP all the way.
#[tokio::test]
async fn a_file_makes_the_round_trip() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let photo = [JPEG, &[7; 5000]].concat();
    let begun = ada
        .begins("Häfen \"2026\".jpg", "image/jpeg", photo.len())
        .await
        .is(201);
    let file = begun["file_id"].as_str().unwrap();
    assert_eq!(begun["upload"]["fields"]["key"], format!("uploads/{file}"));
    assert_eq!(begun["upload"]["fields"]["Content-Type"], "image/jpeg");
    let pending = ada.file(file).await.is(200);
    assert_eq!(
        (&pending["status"], &pending["url"]),
        (&json!("pending"), &Value::Null)
    );

    assert_eq!(post(&begun, &photo).await.status, 204);
    let completed = ada.completes(file).await.is(200);
    assert_eq!(
        completed,
        json!({
            "file_id": file,
            "filename": "Häfen \"2026\".jpg",
            "content_type": "image/jpeg",
            "size_bytes": photo.len(),
            "status": "complete",
            "created_at": pending["created_at"],
        })
    );
    assert_eq!(
        ada.completes(file).await.is(200),
        completed,
        "again changes nothing"
    );

    let found = ada.file(file).await.is(200);
    assert_eq!(found["status"], "complete");
    let link = follow(found["url"].as_str().unwrap()).await;
    assert_eq!(link.header("content-type"), Some("image/jpeg"));
    assert_eq!(
        link.header("content-disposition"),
        Some("attachment; filename*=UTF-8''H%C3%A4fen%20%222026%22.jpg")
    );
    assert_eq!(link.is(200), photo);
    assert_eq!(objects(&world), [format!("files/{file}")]);
}

#[tokio::test]
async fn a_file_has_1_byte_to_10_megabytes() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for size in [0, MOST + 1] {
        ada.begins("a.txt", "text/plain", size)
            .await
            .blames("size_bytes", "out_of_range");
    }
    for bytes in [b"a".to_vec(), vec![b'a'; MOST]] {
        let file = ada.uploads("a.txt", "text/plain", &bytes).await;
        assert_eq!(ada.completes(&file).await.is(200)["size_bytes"], bytes.len());
    }
    // An upload may be smaller than announced.
    let begun = ada.begins("a.txt", "text/plain", 100).await.is(201);
    post(&begun, b"few").await.is(204);
    let file = begun["file_id"].as_str().unwrap();
    assert_eq!(ada.completes(file).await.is(200)["size_bytes"], 3);
}

#[tokio::test]
async fn a_name_that_deceives_or_is_reserved_is_refused() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for (name, issue) in [
        (String::new(), "too_short"),
        ("é".repeat(256), "too_long"),
        // With `.png` it would be too long.
        ("é".repeat(252), "too_long"),
        ("a\nb".to_owned(), "control_character"),
        ("a\u{7f}".to_owned(), "control_character"),
        ("a\u{202e}txt.exe".to_owned(), "control_character"),
        ("../secret".to_owned(), "wrong_format"),
        ("c:\\secret".to_owned(), "wrong_format"),
        ("..".to_owned(), "reserved_name"),
        (".".to_owned(), "reserved_name"),
        (".htaccess".to_owned(), "reserved_name"),
        ("CON".to_owned(), "reserved_name"),
        ("nul.png".to_owned(), "reserved_name"),
        ("\u{200b}".to_owned(), "no_visible_character"),
        (" ".to_owned(), "no_visible_character"),
    ] {
        ada.begins(&name, "image/png", 10).await.blames("filename", issue);
    }
    ada.begins(&"é".repeat(251), "image/png", 10).await.is(201);
}

/// Every response and the link have the corrected name.
#[tokio::test]
async fn a_name_is_mended_and_gets_the_extension_of_its_type() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for (name, mended, in_header) in [
        ("Gru\u{308}ße. ", "Grüße.txt", "Gr%C3%BC%C3%9Fe.txt"),
        ("report.exe", "report.exe.txt", "report.exe.txt"),
        ("page.html", "page.html.txt", "page.html.txt"),
        ("Notes.MD", "Notes.MD", "Notes.MD"),
    ] {
        let begun = ada.begins(name, "text/plain", 5).await.is(201);
        assert_eq!(begun["filename"], mended);
        let file = begun["file_id"].as_str().unwrap();
        post(&begun, b"Hello").await.is(204);
        assert_eq!(ada.completes(file).await.is(200)["filename"], mended);
        let found = ada.file(file).await.is(200);
        assert_eq!(found["filename"], mended);
        let link = follow(found["url"].as_str().unwrap()).await;
        let expected = format!("attachment; filename*=UTF-8''{in_header}");
        assert_eq!(link.header("content-disposition"), Some(expected.as_str()));
    }
}

/// A name that was stored before these rules is returned unchanged.
#[tokio::test]
async fn a_name_that_was_taken_before_stays() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let file = ada.uploads("a.png", "image/png", PNG).await;
    let mut item = world.stored(&format!("F#{file}"), "FILE").await.unwrap();
    item["n"] = json!({ "S": ".." });
    world.store(&[item]).await;
    assert_eq!(ada.completes(&file).await.is(200)["filename"], "..");
}

/// Pages, drawings and scripts are refused, whatever type they claim; the error lists the allowed types.
#[tokio::test]
async fn types_that_a_browser_would_run_are_refused() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for content_type in [
        "text/html",
        "text/html; charset=utf-8",
        "TEXT/HTML",
        "image/svg+xml",
        "application/xhtml+xml",
        "application/xml",
        "text/xml",
        "text/javascript",
        "application/javascript",
        "application/x-sh",
        "application/octet-stream",
        "image/png\r\nx: y",
        "",
    ] {
        let answer = ada.begins("a", content_type, 10).await;
        let message = answer.json["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains("image/png") && message.contains("application/pdf"),
            "{message}"
        );
        answer.blames("content_type", "unknown_value");
    }
}

/// The content must be of the declared type; other content is removed, and may be replaced with the same form.
#[tokio::test]
async fn a_file_of_another_type_than_declared_is_removed() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let page = b"<!DOCTYPE html><script>alert(1)</script>";
    let drawing = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let samples = [
        "picture.heic",
        "picture.avif",
        "film.mov",
        "film.mkv",
        "utf-16-le.txt",
        "program.zip",
        "table.ods",
        "letter.docx",
    ]
    .map(sample);
    let [heic, avif, mov, mkv, utf_16, program, ods, docx] = samples.each_ref().map(Vec::as_slice);
    let lies: [(&str, &[u8]); 18] = [
        ("video/mp4", heic),
        ("audio/mp4", heic),
        ("video/mp4", avif),
        ("video/mp4", mov),
        ("video/webm", mkv),
        ("audio/mpeg", utf_16),
        ("audio/mpeg", &[0xff; 2000]),
        (DOCX, program),
        (XLSX, ods),
        (XLSX, docx),
        ("text/plain", b"<b><script>alert(1)</script>"),
        ("text/plain", b"<h1>Hello</h1>"),
        ("image/png", JPEG),
        ("image/png", page),
        ("text/plain", page),
        ("text/plain", drawing),
        ("application/pdf", b"MZ\x90\0"),
        ("application/zip", PNG),
    ];
    for (content_type, bytes) in lies {
        let file = ada.uploads("a", content_type, bytes).await;
        let answer = ada.completes(&file).await;
        assert_eq!(
            answer.status,
            422,
            "{content_type} {:?}",
            &bytes[..bytes.len().min(20)]
        );
        answer.blames("content_type", "mismatch");
        assert_eq!(ada.file(&file).await.is(200)["status"], "pending");
        ada.completes(&file).await.is_error(409, "CONFLICT");
    }
    assert_eq!(objects(&world), Vec::<String>::new());

    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let file = begun["file_id"].as_str().unwrap();
    post(&begun, page).await.is(204);
    ada.completes(file).await.blames("content_type", "mismatch");
    post(&begun, PNG).await.is(204);
    ada.completes(file).await.is(200);
}

/// Files as ordinary programs write them.
#[tokio::test]
async fn an_ordinary_file_is_taken() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for (name, content_type) in [
        ("utf-16-le.txt", "text/plain"),
        ("utf-16-be.txt", "text/plain"),
        ("cp1252.txt", "text/plain"),
        ("gbk.txt", "text/plain"),
        ("shift-jis.txt", "text/plain"),
        ("colours.txt", "text/plain"),
        ("headline.txt", "text/plain"),
        ("bom.pdf", "application/pdf"),
        ("lines.pdf", "application/pdf"),
        ("cover.mp3", "audio/mpeg"),
        ("film.mp4", "video/mp4"),
        ("tone.m4a", "audio/mp4"),
        ("film.webm", "video/webm"),
        ("letter.docx", DOCX),
        ("table.xlsx", XLSX),
        ("slides.pptx", PPTX),
    ] {
        let bytes = sample(name);
        let file = ada.uploads(name, content_type, &bytes).await;
        let answer = ada.completes(&file).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.json);
        let found = ada.file(&file).await.is(200);
        assert_eq!(found["filename"], name);
        assert_eq!(follow(found["url"].as_str().unwrap()).await.is(200), bytes);
    }
}

/// The downloaded content is what was checked: the form cannot change it.
#[tokio::test]
async fn a_form_that_is_used_again_changes_nothing_that_is_complete() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let file = begun["file_id"].as_str().unwrap();
    post(&begun, PNG).await.is(204);
    ada.completes(file).await.is(200);
    post(&begun, b"<script>alert(1)</script>").await.is(204);
    ada.completes(file).await.is(200);
    let url = ada.file(file).await.is(200)["url"].as_str().unwrap().to_owned();
    assert_eq!(follow(&url).await.is(200), PNG);
}

/// S3 itself enforces the conditions, however the client changes the form.
#[tokio::test]
async fn a_form_takes_one_key_one_type_and_a_size() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let other = ada.begins("b.png", "image/png", 1000).await.is(201);
    let with = |name: &str, value: &str| {
        let mut fields = fields(&begun);
        fields.insert(name.to_owned(), json!(value));
        fields
    };
    post(&begun, &[PNG, &[0; 1000]].concat())
        .await
        .is_refusal(400, "EntityTooLarge");
    post(&begun, b"").await.is_refusal(400, "EntityTooSmall");
    for (name, value) in [
        ("Content-Type", "text/html"),
        ("key", "uploads/elsewhere"),
        ("key", other["upload"]["fields"]["key"].as_str().unwrap()),
        ("key", "files/elsewhere"),
    ] {
        post_with(&begun, &with(name, value), PNG)
            .await
            .is_refusal(403, "AccessDenied");
    }
    for (name, value) in [
        ("x-amz-credential", "GetFile/20260115/us-east-1/s3/aws4_request"),
        ("x-amz-date", "20200101T000000Z"),
        ("acl", "public-read"),
        ("x-amz-meta-note", "mine"),
    ] {
        let refused = post_with(&begun, &with(name, value), PNG).await;
        assert!((400..500).contains(&refused.status), "{name}: {}", refused.status);
    }
    for name in [
        "policy",
        "x-amz-signature",
        "x-amz-credential",
        "Content-Type",
        "key",
    ] {
        let mut without = fields(&begun);
        without.remove(name);
        let refused = post_with(&begun, &without, PNG).await;
        assert!(
            (400..500).contains(&refused.status),
            "without {name}: {}",
            refused.status
        );
    }
    assert_eq!(objects(&world), Vec::<String>::new());
    post(&begun, PNG).await.is(204);
}

/// A changed policy has no valid signature.
#[tokio::test]
async fn a_forged_policy_is_refused() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let policy = begun["upload"]["fields"]["policy"].as_str().unwrap();
    let policy = String::from_utf8(STANDARD.decode(policy).unwrap()).unwrap();
    let mut forged = fields(&begun);
    forged.insert(
        "policy".to_owned(),
        json!(STANDARD.encode(policy.replace("image/png", "text/html"))),
    );
    forged.insert("Content-Type".to_owned(), json!("text/html"));
    post_with(&begun, &forged, b"<html>")
        .await
        .is_refusal(403, "SignatureDoesNotMatch");
    let other = ada.begins("b.png", "image/png", 1000).await.is(201);
    let mut foreign = fields(&begun);
    foreign.insert(
        "x-amz-signature".to_owned(),
        other["upload"]["fields"]["x-amz-signature"].clone(),
    );
    post_with(&begun, &foreign, PNG)
        .await
        .is_refusal(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_form_is_good_for_two_minutes() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let ends: shared::domain::time::Timestamp = serde_json::from_value(begun["expires_at"].clone()).unwrap();
    let left = ends.since(world.desk().clock().now());
    assert!(
        left <= Duration::from_secs(120) && left > Duration::from_secs(110),
        "{left:?}"
    );
    world.advance(Duration::from_secs(110));
    post(&begun, PNG).await.is(204);
    world.advance(Duration::from_secs(11));
    post(&begun, PNG).await.is_refusal(403, "AccessDenied");
    // What was uploaded in time can be completed in time or later.
    ada.completes(begun["file_id"].as_str().unwrap()).await.is(200);
}

#[tokio::test]
async fn nothing_is_complete_before_it_was_uploaded() {
    let world = World::start().await;
    let [ada, eve] = world.people(["ada", "eve"]).await;
    let begun = ada.begins("a.png", "image/png", 1000).await.is(201);
    let file = begun["file_id"].as_str().unwrap();
    ada.completes(file).await.is_error(409, "CONFLICT");
    post(&begun, PNG).await.is(204);
    eve.completes(file).await.is_error(404, "NOT_FOUND");
    eve.file(file).await.is_error(404, "NOT_FOUND");
    ada.completes(file).await.is(200);
    eve.completes(file).await.is_error(404, "NOT_FOUND");
}

/// Contract §1: five uploads a minute, with a limit of their own; an invalid one only counts as a request.
#[tokio::test]
async fn five_uploads_begin_in_a_minute_and_no_more() {
    let world = World::with(&[
        ("RATE_LIMIT_UPLOADS_PER_MINUTE", "5"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "100"),
    ])
    .await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    ada.begins("a.html", "text/html", 10).await.is(422);
    for left in (0..5).rev() {
        let answer = ada.begins("a.png", "image/png", 10).await;
        assert_eq!(answer.header("x-ratelimit-limit"), Some("5"));
        assert_eq!(
            answer.header("x-ratelimit-remaining"),
            Some(format!("{left}").as_str())
        );
        answer.is(201);
    }
    let refused = ada.begins("a.png", "image/png", 10).await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    refused.is_error(429, "RATE_LIMITED");
    assert!((1..=60).contains(&wait));
    bob.begins("a.png", "image/png", 10).await.is(201);
    // Other requests are still admitted.
    ada.get("/api/v1/users/me").await.is(200);
    world.advance(Duration::from_secs(wait));
    ada.begins("a.png", "image/png", 10).await.is(201);
}

/// A page of an allowed origin may post the form and read the response; others may not.
#[tokio::test]
async fn pages_of_allowed_origins_may_upload() {
    let world = World::with(&[("ALLOWED_ORIGINS", "https://tidings.example")]).await;
    let url = format!("{}/{}", world.desk().s3_url(), local::environment::BUCKET);
    let client = reqwest::Client::new();
    let preflight = async |origin: &str, method: &str| {
        let request = client.request(reqwest::Method::OPTIONS, &url);
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "content-type");
        let response = request.send().await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin").cloned();
        (response.status().as_u16(), allowed)
    };
    let (status, allowed) = preflight("https://tidings.example", "POST").await;
    assert_eq!(
        (status, allowed.unwrap().to_str().unwrap()),
        (200, "https://tidings.example")
    );
    assert_eq!(preflight("https://evil.example", "POST").await, (403, None));
    assert_eq!(preflight("https://tidings.example", "DELETE").await, (403, None));
    for (origin, expected) in [("https://tidings.example", true), ("https://evil.example", false)] {
        let response = client.get(&url).header("origin", origin).send().await.unwrap();
        assert_eq!(response.status(), 403, "the bucket is private");
        let has = response.headers().contains_key("access-control-allow-origin");
        assert_eq!(has, expected, "{origin}");
    }
}
