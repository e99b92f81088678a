//! The cost of files: the file itself passes through no function.

use harness::files::{PNG, post};
use harness::{Person, World};
use local_services::Service;

use super::{Cost, Table, world};

/// A file that was uploaded but not completed; returns its id.
async fn posted(person: &Person) -> String {
    let begun = person.begins("a.png", "image/png", PNG.len()).await.is(201);
    post(&begun, PNG).await.is(204);
    begun["file_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_costs_three_writes_beside_the_rate_buckets_and_three_requests_to_s3() {
    let (world, ledger) = world().await;
    let ada = world.person("ada").await;
    let files = [posted(&ada).await, posted(&ada).await];
    // Each twice: the function that wrote the rate limit last remembers it, and another one pays one unit more.
    ada.begins("a.png", "image/png", PNG.len()).await.is(201);
    let begin = Cost::of(&world, &ledger, ada.begins("a.png", "image/png", PNG.len())).await;
    ada.completes(&files[0]).await.is(200);
    let complete = Cost::of(&world, &ledger, ada.completes(&files[1])).await;
    let again = Cost::of(&world, &ledger, ada.completes(&files[1])).await;
    ada.file(&files[1]).await.is(200);
    let get = Cost::of(&world, &ledger, ada.file(&files[1])).await;
    let turn = turn(&world, &ledger).await;
    let mut table = Table::new("files");
    for (name, cost) in [
        ("begin", &begin),
        ("complete", &complete),
        ("complete again", &again),
        ("get", &get),
        ("a turn without orphans", &turn),
    ] {
        table.row(name, cost);
    }
    table.print();
    // One unit of each is for the rate limit.
    assert!(
        begin.bill.writes() <= 3.0 && begin.bill.reads() <= 0.0,
        "{begin:#?}"
    );
    assert!(
        complete.bill.writes() <= 2.0 && complete.bill.reads() <= 1.0,
        "{complete:#?}"
    );
    assert_eq!(begin.bill.calls_to(Service::S3), 0);
    assert_eq!(complete.bill.calls_to(Service::S3), 3);
    assert_eq!(
        (again.bill.calls_to(Service::S3), get.bill.calls_to(Service::S3)),
        (0, 0)
    );
    assert!(
        again.bill.reads() <= 1.0 && get.bill.reads() <= 1.0,
        "{again:#?} {get:#?}"
    );
    assert!(
        turn.bill.reads() <= 48.0 && turn.bill.writes() <= 0.0,
        "{turn:#?}"
    );
}

/// A run of the chore when nothing is old enough.
async fn turn(world: &World, ledger: &harness::ledger::Ledger) -> Cost {
    let event = harness::events::recorded()["remove-orphans"].clone();
    let invoker = world.desk().invoker();
    Cost::of(world, ledger, async {
        invoker.invoke("RemoveOrphans", event.into_bytes()).await.unwrap();
    })
    .await
}
