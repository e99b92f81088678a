//! What the files of an export hold, and what they hold no more.

use std::io::Read as _;

use flate2::read::GzDecoder;
use harness::World;
use harness::world::EXPORT;
use local_services::Outgoing;
use serde_json::{Value, json};

use super::{download, hard_delete, look, start, talk};

/// The texts of an export's files, unpacked: of all JSON Lines, and of all CSV.
async fn texts(world: &World, export: &Value) -> (String, String) {
    let (mut lines, mut rows) = (String::new(), String::new());
    for file in export["files"].as_array().unwrap() {
        let bytes = download(world, file["url"].as_str().unwrap()).await;
        let into = if file["format"] == "jsonl" {
            &mut lines
        } else {
            &mut rows
        };
        GzDecoder::new(&bytes[..]).read_to_string(into).unwrap();
    }
    (lines, rows)
}

/// A formula runs in no spreadsheet and is exact for programs; CSV has a byte order mark where that is asked for, and
/// a line of JSON Lines is one line for every program.
#[tokio::test]
async fn a_csv_is_safe_for_spreadsheets_and_json_lines_are_exact() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    let said = [
        "=HYPERLINK(\"x\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "＝1",
        "one\u{2028}two\u{2029}three",
        "plain",
    ];
    for text in said {
        ada.says(&conversation, text).await;
    }
    for (query, begins) in [("", "id,"), ("bom=false", "id,"), ("bom=true", "\u{feff}id,")] {
        let export = start(&admin, query).await;
        world.settled().await;
        let (lines, rows) = texts(&world, &look(&admin, &export).await).await;
        assert!(rows.starts_with(begins), "{query}");
        assert!(!lines.contains(['\u{2028}', '\u{2029}', '\u{feff}']));
        let exact: Vec<Value> = lines
            .split('\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["content"].clone())
            .collect();
        assert_eq!(exact, said.map(Value::from));
        let mut reader = csv::Reader::from_reader(rows.trim_start_matches('\u{feff}').as_bytes());
        let cells: Vec<String> = reader.records().map(|row| row.unwrap()[5].to_owned()).collect();
        let formula = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '＝']);
        let safe = said.map(|text| {
            if formula(text) {
                format!("'{text}")
            } else {
                text.to_owned()
            }
        });
        assert_eq!(cells, safe);
    }
}

/// S2-E15: what was deleted for good is in no file of an export any more that was finished before.
#[tokio::test]
async fn an_export_that_may_hold_what_is_deleted_for_good_is_withdrawn() {
    let world = World::start().await;
    let (admin, [ada, bob, cem], messages) = talk(&world).await;
    let conversation = messages[0]["conversation_id"].as_str().unwrap();
    let message = ada.says(conversation, "the-treasure-lies-under-the-oak").await;
    let dora = world.person("dora").await;
    let ids = [
        start(&admin, "").await,
        start(&admin, &format!("user_id={}", bob.id)).await,
        start(&admin, &format!("user_id={}", dora.id)).await,
        start(&admin, "from=2020-01-01&to=2020-01-02").await,
    ];
    world.settled().await;
    let before = look(&admin, &ids[0]).await;
    assert!(texts(&world, &before).await.0.contains("the-treasure"));
    hard_delete(&admin, &message).await.is(200);
    for (index, id) in ids.iter().enumerate() {
        let export = look(&admin, id).await;
        let is_withdrawn = index < 2;
        assert_eq!(
            export["status"],
            if is_withdrawn { "withdrawn" } else { "completed" },
            "{index}"
        );
        assert_eq!(
            export["files"].as_array().unwrap().is_empty(),
            is_withdrawn,
            "{index}"
        );
    }
    let keys = world
        .services()
        .objects()
        .keys(local::environment::BUCKET)
        .unwrap();
    let left = |id: &String| keys.iter().filter(|key| key.contains(id.as_str())).count();
    assert_eq!(ids.each_ref().map(left), [0, 0, 2, 2]);
    // Again, and for what has no export; and a new one has everything but the text.
    hard_delete(&admin, &message).await.is(200);
    let again = start(&admin, "").await;
    world.settled().await;
    let (lines, _) = texts(&world, &look(&admin, &again).await).await;
    assert_eq!(lines.lines().count(), 9);
    assert!(!lines.contains("the-treasure"));
    drop(cem);
}

/// A step of an export that is withdrawn meanwhile, or whose job comes once more, leaves nothing in the bucket.
#[tokio::test]
async fn a_late_step_of_a_withdrawn_export_removes_what_it_left() {
    let world = World::start().await;
    let (admin, [ada, ..], messages) = talk(&world).await;
    let conversation = messages[0]["conversation_id"].as_str().unwrap();
    let message = ada.says(conversation, "the-treasure-lies-under-the-oak").await;
    let export = start(&admin, "").await;
    world.settled().await;
    hard_delete(&admin, &message).await.is(200);
    assert_eq!(look(&admin, &export).await["status"], "withdrawn");

    let objects = world.services().objects();
    let left = format!("exports/{export}/1.jsonl.gz");
    objects.put_for_test(local::environment::BUCKET, &left).unwrap();
    let job = Outgoing {
        body: json!({ "export": export, "step": 1 }).to_string(),
        ..Outgoing::default()
    };
    world.services().queues().send(EXPORT, &job).unwrap();
    world.settled().await;
    let keys = objects.keys(local::environment::BUCKET).unwrap();
    assert!(!keys.iter().any(|key| key.contains(&export)), "{keys:?}");
}
