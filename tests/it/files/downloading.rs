//! Access to a file: its owner, and those who can read a message with it.

use std::time::Duration;

use harness::files::{PNG, follow};
use harness::{Person, World};
use serde_json::json;
use shared::domain::ids::{ConversationId, UserId};
use uuid::Uuid;

use super::brings;

async fn complete(person: &Person) -> String {
    let file = person.uploads("a.png", "image/png", PNG).await;
    person.completes(&file).await.is(200);
    file
}

/// Checks that somebody may read a file, or that it does not exist for them.
async fn assert_may(person: &Person, file: &str, may: bool) {
    let answer = person.file(file).await;
    if may {
        let url = answer.is(200)["url"].as_str().unwrap().to_owned();
        assert_eq!(follow(&url).await.is(200), PNG);
    } else {
        answer.is_error(404, "NOT_FOUND");
    }
}

/// For strangers a file does not exist.
#[tokio::test]
async fn a_file_is_only_for_its_owner_until_a_message_has_it() {
    let world = World::start().await;
    let [ada, bob, eve] = world.people(["ada", "bob", "eve"]).await;
    let file = complete(&ada).await;
    for person in [&bob, &eve] {
        assert_may(person, &file, false).await;
    }
    let conversation = ada.open_direct(&bob).await;
    let message = ada.says(&conversation, "Look!").await;
    brings(&world, &file, &conversation, 1).await;
    assert_may(&ada, &file, true).await;
    assert_may(&bob, &file, true).await;
    let (theirs, none) = (eve.file(&file).await, eve.file(&Uuid::new_v4().to_string()).await);
    assert_eq!(theirs.json["error"]["message"], none.json["error"]["message"]);
    theirs.is_error(404, "NOT_FOUND");

    // A deleted message gives no access.
    let path = format!(
        "/api/conversations/{conversation}/messages/{}",
        message["id"].as_str().unwrap()
    );
    ada.delete(&path).await.is(204);
    assert_may(&bob, &file, false).await;
    assert_may(&ada, &file, true).await;
}

/// One visible message is enough, in any conversation.
#[tokio::test]
async fn any_visible_message_gives_access_to_it() {
    let world = World::start().await;
    let [ada, bob, cem, eve] = world.people(["ada", "bob", "cem", "eve"]).await;
    let file = complete(&ada).await;
    let (with_bob, with_eve) = (ada.open_direct(&bob).await, ada.open_direct(&eve).await);
    let group = ada.open_group("circle", &[&bob, &cem]).await;
    ada.says(&with_bob, "first").await;
    let second = ada.says(&with_bob, "second").await;
    ada.says(&with_eve, "nothing with it").await;
    brings(&world, &file, &with_bob, 1).await;
    brings(&world, &file, &with_bob, 2).await;
    let path = format!(
        "/api/conversations/{with_bob}/messages/{}",
        second["id"].as_str().unwrap()
    );
    ada.delete(&path).await.is(204);
    assert_may(&bob, &file, true).await;
    assert_may(&cem, &file, false).await;
    ada.says(&group, "for all").await;
    brings(&world, &file, &group, 1).await;
    for (person, may) in [(&bob, true), (&cem, true), (&eve, false)] {
        assert_may(person, &file, may).await;
    }
}

/// A link is valid for five minutes, for this file, and as a download.
#[tokio::test]
async fn a_link_is_short_and_cannot_be_changed() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let (one, other) = (complete(&ada).await, complete(&ada).await);
    let found = ada.file(&one).await.is(200);
    let url = found["url"].as_str().unwrap();
    follow(url).await.is(200);
    for changed in [
        url.replace(&one, &other),
        url.replace("/files/", "/uploads/"),
        url.replace("attachment", "inline"),
        url.replace("image%2Fpng", "text%2Fhtml"),
        url.replace("X-Amz-Expires=300", "X-Amz-Expires=30000"),
        url.split('?').next().unwrap().to_owned(),
    ] {
        assert_ne!(changed, url);
        let refused = follow(&changed).await;
        assert_eq!(refused.status, 403, "{changed}");
    }
    let ends: shared::domain::time::Timestamp = serde_json::from_value(found["expires_at"].clone()).unwrap();
    let left = ends.since(world.desk().clock().now());
    assert!(left <= Duration::from_secs(300), "{left:?}");
    world.advance(left + Duration::from_secs(1));
    follow(url).await.is_refusal(403, "AccessDenied");
    // A new one can be requested at any time.
    assert_may(&ada, &one, true).await;
}

/// A signature allows what the signer's role allows: links signed by a function without the right to read do not work.
#[tokio::test]
async fn a_link_allows_what_its_signer_may_do() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let file = complete(&ada).await;
    let found = ada.file(&file).await.is(200);
    let begun = ada.begins("b.png", "image/png", 1000).await.is(201);
    let mut template = local::environment::template(&local::environment::Environment::new()).unwrap();
    for spec in &mut template.functions {
        spec.statements
            .retain(|statement| !statement.actions.iter().any(|action| action.starts_with("s3:")));
    }
    world.services().set_rights(local::rights::of(&template));
    follow(found["url"].as_str().unwrap())
        .await
        .is_refusal(403, "AccessDenied");
    harness::files::post(&begun, PNG)
        .await
        .is_refusal(403, "AccessDenied");
}

/// The cost of reading does not grow with the number of messages.
#[tokio::test]
async fn checking_access_to_a_file_reads_little() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let file = complete(&ada).await;
    let conversation = ada.open_direct(&bob).await;
    for seq in 1..=20 {
        ada.says(&conversation, "again").await;
        brings(&world, &file, &conversation, seq).await;
        // Conversations of others are recognized without a read.
        let [ada, somebody] = [ada.id, Uuid::new_v4()].map(UserId::from_uuid);
        let elsewhere = ConversationId::direct(ada, somebody).to_string();
        brings(&world, &file, &elsewhere, 100 + seq).await;
    }
    // Reads that a function caches are not counted.
    bob.file(&Uuid::new_v4().to_string()).await.is(404);
    bob.file(&file).await.is(200);
    let line = world
        .logged(1, |line| line["function"] == "get_file" && line["status"] == 200)
        .await;
    // The file, the membership, the entry.
    assert_eq!(line["aws_calls"], json!(3), "{line}");
}
