//! Search, export and figures over many messages: exact, and reading no more than they need.
//!
//! `cargo t figures_of -- --nocapture` prints what five thousand messages cost; `cargo bench --workspace --bench
//! archive` does so for a hundred thousand, with the memory of the real binaries.

use std::time::Instant;

use harness::history::Archive;
use harness::{Person, World};
use serde_json::{Value, json};

const ARCHIVE: Archive = Archive {
    conversations: 25,
    days: 10,
    messages_a_day: 20,
};

/// What a request cost, by its function's line in the log.
struct Spent {
    answer: Value,
    reads: f64,
}

async fn spent(world: &World, admin: &Person, name: &str, function: &str, path: &str) -> Spent {
    let before = world.log().len();
    let begun = Instant::now();
    let answer = admin.get(path).await;
    let taken = begun.elapsed();
    assert!(answer.status < 300, "{path}: {}", answer.text);
    world.settled().await;
    let lines: Vec<Value> = world
        .log()
        .into_iter()
        .skip(before)
        .filter(|line| line["function"] == function)
        .collect();
    let sum = |name: &str| lines.iter().map(|line| line[name].as_f64().unwrap()).sum::<f64>();
    let (reads, writes, calls) = (sum("read_units"), sum("write_units"), sum("aws_calls"));
    println!("{name:<44} {reads:>8.1} RRU {writes:>5.1} WRU {calls:>6} calls {taken:>8.0?}");
    Spent {
        answer: answer.json,
        reads,
    }
}

#[tokio::test]
async fn figures_of_five_thousand_messages() {
    let world = World::start().await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let somebody = ARCHIVE.store(world.services(), world.desk().clock().now());
    println!("{} messages", ARCHIVE.messages());
    let get = async |name: &str, function: &str, path: &str| {
        spent(
            &world,
            &admin,
            name,
            function,
            &format!("/api/admin/messages/{path}"),
        )
        .await
    };
    let search = "search_messages";
    let week = get("search, 7 days", search, "search").await;
    assert_eq!(week.answer["total"], 3_500);
    let day = get(
        "search, one day",
        search,
        &format!("search?from={0}&to={0}", today(&world)),
    )
    .await;
    assert_eq!(day.answer["total"], 500);
    assert!(
        day.reads * 4.0 < week.reads,
        "a day costs about a seventh of seven"
    );
    let words = get("search by words, 7 days", search, "search?q=MESSAGE%2042:").await;
    assert_eq!(
        words.answer["total"], 0,
        "the third of ten days is not asked about"
    );
    let user = get(
        "search, one user, ten years",
        search,
        &format!("search?user_id={somebody}&from=2020-01-01"),
    )
    .await;
    assert_eq!(user.answer["total"], 200);
    assert!(
        user.reads * 5.0 < week.reads,
        "others' conversations are not read"
    );
    let cursor = week.answer["next_cursor"].as_str().unwrap();
    let next = get(
        "search, next page by cursor",
        search,
        &format!("search?cursor={cursor}"),
    )
    .await;
    assert_eq!(
        (&next.answer["total"], &next.answer["has_next"]),
        (&json!(3_500), &json!(true))
    );
    assert!(
        next.reads * 3.0 < week.reads,
        "a page by cursor stops where it is full"
    );

    let overview = get("overview, 30 days", "get_messages_overview", "stats/overview").await;
    assert_eq!(overview.answer["total"], 5_000);
    assert_eq!(overview.answer["by_day"].as_array().unwrap().len(), 10);
    // One of each two has read the other's messages of the first half.
    assert_eq!(overview.answer["by_status"]["read"], 1_250);

    let started = get(
        "export, an empty year",
        "export_messages",
        "export?from=2020-01-01&to=2020-12-31",
    )
    .await;
    // Four units for each of the 366 days on which there is nothing, and next to nothing else.
    assert!(started.reads <= 1_470.0, "{}", started.reads);
    let first = &overview.answer["by_day"][0]["day"];
    let export = get(
        "export, all",
        "export_messages",
        &format!("export?from={}", first.as_str().unwrap()),
    )
    .await;
    let path = format!("export/{}", export.answer["export_id"].as_str().unwrap());
    let done = get("export, its links", "get_export", &path).await;
    let rows: u64 = done.answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["rows"].as_u64().unwrap())
        .sum();
    assert_eq!((&done.answer["status"], rows), (&json!("completed"), 10_000));
}

fn today(world: &World) -> String {
    world.desk().clock().now().to_string()[..10].to_owned()
}

/// Contract §4: what is too broad is refused, with how to narrow it.
#[tokio::test]
async fn a_search_among_too_many_messages_says_how_to_narrow_it() {
    let archive = Archive {
        conversations: 21,
        days: 2,
        messages_a_day: 500,
    };
    let world = World::start().await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let somebody = archive.store(world.services(), world.desk().clock().now());
    let answer = admin.get("/api/admin/messages/search").await;
    assert!(
        answer.text.contains("narrow it by user_id, or by from and to"),
        "{}",
        answer.text
    );
    answer.blames("from", "too_broad");
    let day = format!("/api/admin/messages/search?from={}", today(&world));
    assert_eq!(admin.get(&day).await.is(200)["total"], 10_500);
    let user = format!("/api/admin/messages/search?user_id={somebody}");
    assert_eq!(admin.get(&user).await.is(200)["total"], 1_000);
}
