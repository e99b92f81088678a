//! Search, export and figures over many messages: units, requests, time, and the memory of the real binaries.
//!
//! ```sh
//! cargo build --workspace --bins --release
//! cargo bench --workspace --bench archive
//! ```
//!
//! A hundred thousand messages, in 200 conversations on 25 days. Behind `--` may stand another number of messages a day
//! and conversation, and another folder of binaries.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on panics, and prints its figures"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use harness::figures::{memory_mib, named};
use harness::history::Archive;
use harness::world::EXPORT;
use harness::{Person, World};
use local::processes::ProcessOptions;
use serde_json::Value;

/// The functions that are measured, as binaries and in the template; the others run in this program.
const MEASURED: [(&str, &str); 3] = [
    ("search-messages", "SearchMessages"),
    ("get-messages-overview", "GetMessagesOverview"),
    ("export-messages", "ExportMessages"),
];

#[tokio::main]
async fn main() {
    let messages_a_day = std::env::args().find_map(|word| word.parse().ok());
    let archive = Archive {
        conversations: 200,
        days: 25,
        messages_a_day: messages_a_day.unwrap_or(20),
    };
    let folder = std::env::args().skip(1).find(|word| word.contains('/'));
    let folder = folder.unwrap_or_else(|| "target/release".to_owned());
    let binaries = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let world = World::in_processes(ProcessOptions {
        functions: Some(MEASURED.map(|(_, name)| name.to_owned()).to_vec()),
        ..ProcessOptions::in_folder(binaries)
    })
    .await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let begun = Instant::now();
    let somebody = archive.store(world.services(), world.desk().clock().now());
    println!(
        "{} messages, stored in {:.0} s\n",
        archive.messages(),
        begun.elapsed().as_secs_f64()
    );
    println!(
        "{:<34} {:>9} {:>6} {:>7} {:>8} {:>8}",
        "", "RRU", "WRU", "calls", "seconds", "MiB"
    );
    let search = "search-messages";
    let day = world.desk().clock().now().to_string();
    let day = day.get(..10).unwrap();
    ask(
        &world,
        &admin,
        "search, one day",
        search,
        &format!("search?from={day}"),
    )
    .await;
    ask(
        &world,
        &admin,
        "search, 5 days, by words",
        search,
        &format!("search?q=message%2012&from={}", before(&world, 4)),
    )
    .await;
    ask(
        &world,
        &admin,
        "search, one user, ten years",
        search,
        &format!("search?user_id={somebody}&from=2020-01-01"),
    )
    .await;
    let refused = ask(
        &world,
        &admin,
        "search, 25 days: too broad",
        search,
        "search?from=2026-01-01",
    )
    .await;
    println!("{}", refused["error"]["message"]);
    let overview = "get-messages-overview";
    let figures = ask(&world, &admin, "overview, 30 days", overview, "stats/overview").await;
    assert_eq!(figures["total"], archive.messages());

    let begun = Instant::now();
    let path = format!("export?from={}", before(&world, 30));
    let export = get(&admin, &path).await["export_id"].as_str().unwrap().to_owned();
    let lines = world.log().len();
    let done = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let export = get(&admin, &format!("export/{export}")).await;
        if export["status"] != "queued" && export["status"] != "running" {
            break export;
        }
    };
    let taken = begun.elapsed();
    world.settled().await;
    row(&world, "export, 30 days", "export-messages", lines, taken);
    let files = done["files"].as_array().unwrap();
    let sum = |name: &str| files.iter().filter_map(|file| file[name].as_u64()).sum::<u64>();
    println!(
        "{} files, {} rows, {:.1} MB; {EXPORT} is empty",
        files.len(),
        sum("rows"),
        f64::from(u32::try_from(sum("size_bytes")).unwrap()) / 1e6
    );
    assert_eq!(sum("rows"), 2 * archive.messages());
}

/// The date so many days ago.
fn before(world: &World, days: u64) -> String {
    let moment = world.desk().clock().now().minus(Duration::from_hours(24 * days));
    moment.to_string().get(..10).unwrap().to_owned()
}

async fn get(admin: &Person, path: &str) -> Value {
    let request = admin.request("GET", &format!("/api/admin/messages/{path}"));
    let answer = request.send().await.unwrap();

    answer.json().await.unwrap()
}

/// Asks, and prints what it cost.
async fn ask(world: &World, admin: &Person, name: &str, function: &str, path: &str) -> Value {
    let lines = world.log().len();
    let begun = Instant::now();
    let answer = get(admin, path).await;
    row(world, name, function, lines, begun.elapsed());
    answer
}

/// Prints what a function cost since the log had so many lines, and the most memory that it has had.
fn row(world: &World, name: &str, function: &str, lines: usize, taken: Duration) {
    let log = world.log().into_iter().skip(lines);
    let log: Vec<Value> = log
        .filter(|line| line["function"] == function.replace('-', "_"))
        .collect();
    let sum = |name: &str| log.iter().filter_map(|line| line[name].as_f64()).sum::<f64>();
    let memory = named(function)
        .into_iter()
        .map(|process| memory_mib(process).1)
        .fold(0.0, f64::max);
    println!(
        "{name:<34} {:>9.0} {:>6.0} {:>7.0} {:>8.2} {memory:>8.1}",
        sum("read_units"),
        sum("write_units"),
        sum("aws_calls"),
        taken.as_secs_f64()
    );
}
