//! Groups: members and names (contract §2, S1-X01).

use harness::{Person, World};
use serde_json::{Value, json};
use shared::domain::user::Claims;
use uuid::Uuid;

use super::{crowd, ids, participant};

const PATH: &str = "/api/conversations";

async fn opens(person: &Person, member_ids: &[Uuid]) -> Value {
    person
        .post(PATH, json!({ "name": "group", "member_ids": member_ids }))
        .await
        .is(201)
}

/// The ids of the participants that a conversation shows, in order.
fn users(conversation: &Value) -> Value {
    let participants = conversation["participants"].as_array().unwrap();
    participants.iter().map(|one| one["user_id"].clone()).collect()
}

/// Contract §2: the caller is its admin.
#[tokio::test]
async fn whoever_opens_a_group_is_its_admin() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let body = json!({ "name": "Engines", "description": "What they do", "member_ids": [bob.id, chen.id] });
    let group = ada.post(PATH, body.clone()).await.is(201);
    assert_eq!(
        (&group["is_group"], &group["name"]),
        (&json!(true), &json!("Engines"))
    );
    assert_eq!(group["description"], "What they do");
    assert_eq!(group["participant_count"], 3);
    for (person, role) in [(&ada, "admin"), (&bob, "member"), (&chen, "member")] {
        assert_eq!(participant(&group, person)["role"], role);
        let seen = person.sees(group["id"].as_str().unwrap()).await;
        let mut order = vec![person.id];
        order.extend(
            [ada.id, bob.id, chen.id]
                .into_iter()
                .filter(|id| *id != person.id),
        );
        assert_eq!(
            users(&seen),
            json!(order),
            "the viewer, then the others as they came"
        );
        let mut as_hers = seen.clone();
        as_hers["participants"] = group["participants"].clone();
        assert_eq!(as_hers, group, "the rest is the same for everybody");
    }
    let order: Vec<&Value> = group["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["user_id"])
        .collect();
    assert_eq!(
        order,
        [&json!(ada.id), &json!(bob.id), &json!(chen.id)],
        "in the order in which they came"
    );
    let id: Uuid = group["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_ne!(
        ada.post(PATH, body).await.is(201)["id"],
        group["id"],
        "the same people may have many"
    );
}

/// S1-F01: the name has 1 to 100 characters, and no control characters.
#[tokio::test]
async fn a_name_has_1_to_100_characters() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let named = |name: Value| ada.post(PATH, json!({ "name": name, "member_ids": [bob.id] }));
    for name in [
        "a",
        &"a".repeat(100),
        &"💬".repeat(100),
        "<b>&amp;</b>",
        " e\u{301} ",
    ] {
        assert_eq!(named(json!(name)).await.is(201)["name"], json!(name));
    }
    named(json!("")).await.blames("name", "too_short");
    named(json!("a".repeat(101))).await.blames("name", "too_long");
    named(json!("a\u{0}b")).await.blames("name", "control_character");
    named(json!("\u{9b}")).await.blames("name", "control_character");
    named(json!(null)).await.blames("name", "wrong_type");
    named(json!(7)).await.blames("name", "wrong_type");
    ada.post(PATH, json!({ "member_ids": [bob.id] }))
        .await
        .blames("name", "missing");
}

/// S1-F01: the description may be absent, null, empty or up to 500 characters.
#[tokio::test]
async fn a_description_has_up_to_500_characters() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let described = |text: Value| {
        ada.post(
            PATH,
            json!({ "name": "a", "description": text, "member_ids": [bob.id] }),
        )
    };
    for text in [
        json!(null),
        json!(""),
        json!("two\nlines"),
        json!("é".repeat(500)),
    ] {
        assert_eq!(described(text.clone()).await.is(201)["description"], text);
    }
    assert_eq!(opens(&ada, &[bob.id]).await["description"], Value::Null);
    described(json!("a".repeat(501)))
        .await
        .blames("description", "too_long");
    described(json!("\u{7f}"))
        .await
        .blames("description", "control_character");
    described(json!([])).await.blames("description", "wrong_type");
}

/// Contract §2: duplicates and the caller are ignored.
#[tokio::test]
async fn a_duplicate_member_is_in_it_once() {
    let world = World::start().await;
    let [ada, bob, chen] = world.people(["ada", "bob", "chen"]).await;
    let group = opens(&ada, &[bob.id, ada.id, bob.id, chen.id, bob.id, ada.id]).await;
    assert_eq!(group["participant_count"], 3);
    let order: Vec<&Value> = group["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["user_id"])
        .collect();
    assert_eq!(order, [&json!(ada.id), &json!(bob.id), &json!(chen.id)]);
    assert_eq!(participant(&group, &ada)["role"], "admin");
}

/// Contract §2: an unknown user is 422, identified by index rather than id.
#[tokio::test]
async fn an_unknown_member_is_identified_by_index() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let nobody = Uuid::new_v4();
    let body = |member_ids: Value| json!({ "name": "a", "member_ids": member_ids });
    let answer = ada
        .post(PATH, body(json!([bob.id, ada.id, bob.id, nobody])))
        .await;
    assert!(!answer.text.contains(&nobody.to_string()), "{}", answer.text);
    answer.blames("member_ids.3", "unknown_user");
    ada.post(PATH, body(json!([nobody])))
        .await
        .blames("member_ids.0", "unknown_user");
    ada.post(PATH, body(json!([bob.id, "x"])))
        .await
        .blames("member_ids.1", "wrong_format");
    ada.post(PATH, body(json!([bob.id, 7])))
        .await
        .blames("member_ids.1", "wrong_type");
    ada.post(PATH, body(json!([bob.id, null])))
        .await
        .blames("member_ids.1", "wrong_type");
    for person in [&ada, &bob] {
        assert_eq!(
            person.get(PATH).await.is(200)["total"],
            0,
            "nothing was left behind"
        );
    }
}

/// Contract §2: `member_ids[1..999]`
#[tokio::test]
async fn a_group_needs_another_member() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    for member_ids in [json!([]), json!([ada.id]), json!([ada.id, ada.id])] {
        ada.post(PATH, json!({ "name": "a", "member_ids": member_ids }))
            .await
            .blames("member_ids", "too_short");
    }
    ada.post(PATH, json!({ "name": "a" }))
        .await
        .blames("member_ids", "missing");
    ada.post(PATH, json!({ "name": "a", "member_ids": ada.id }))
        .await
        .blames("member_ids", "wrong_type");
}

/// Contract §2: up to 1,000 members, of whom a conversation shows the first 100.
#[tokio::test]
async fn a_thousand_are_a_group_and_one_more_are_not() {
    let world = World::start().await;
    let people = crowd(&world, 1000).await;
    let (ada, others) = people.split_first().unwrap();

    let group = opens(ada, &ids(others)).await;
    let conversation = group["id"].as_str().unwrap();
    assert_eq!(group["participant_count"], 1000);
    assert_eq!(group["participants"].as_array().unwrap().len(), 100);
    let message = ada.says(conversation, "Hello, all").await;
    let last = people.last().unwrap();
    for person in [&people[1], &people[500], last] {
        let seen = person.sees(conversation).await;
        assert_eq!(
            (&seen["last_message"], &seen["unread_count"]),
            (&message, &json!(1))
        );
        assert_eq!(seen["participant_count"], 1000);
        // A member beyond the first hundred is shown in place of the hundredth.
        let others = people.iter().filter(|other| other.id != person.id).take(99);
        let shown: Vec<Uuid> = [person].into_iter().chain(others).map(|one| one.id).collect();
        assert_eq!(users(&seen), json!(shown), "the viewer is the first");
        assert!(participant(&seen, person)["username"].is_string());
        let listed = person.get(PATH).await.is(200);
        assert_eq!(listed["conversations"], json!([seen]));
    }
    let shown: Vec<Value> = group["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["user_id"].clone())
        .collect();
    assert_eq!(
        json!(shown),
        json!(ids(&people[..100])),
        "the first 100, in the order in which they came"
    );
    world.settled().await;

    let one_more = world.person("one too many").await;
    let mut member_ids = ids(others);
    member_ids.push(one_more.id);
    let body = json!({ "name": "a", "member_ids": member_ids });
    ada.post(PATH, body).await.blames("member_ids", "too_long");
    assert_eq!(one_more.get(PATH).await.is(200)["total"], 0);
}

/// Contract §3: `conversation_created` goes to all members, and to nobody else.
#[tokio::test]
async fn everybody_in_a_new_group_is_told() {
    let world = World::start().await;
    let [ada, bob, chen, eve] = world.people(["ada", "bob", "chen", "eve"]).await;
    let mut sockets = [
        (&ada, ada.connect().await),
        (&bob, bob.connect().await),
        (&chen, chen.connect().await),
    ];
    let mut outside = eve.connect().await;
    let conversation = ada.open_group("three", &[&bob, &chen]).await;
    for (person, socket) in &mut sockets {
        let frame = socket.next_of("conversation_created").await;
        assert_eq!(frame["conversation"], person.sees(&conversation).await);
    }
    world.settled().await;
    assert_eq!(outside.so_far().await, Vec::<Value>::new());
}

/// Contract §3: a frame over 32 KB comes without its content; the client fetches the rest.
#[tokio::test]
async fn a_frame_too_large_for_the_socket_says_that_it_was_cut() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let claims = |index| Claims {
        name: Some(format!("{index} {}", "long ".repeat(15))),
        avatar_url: Some(format!("https://example.org/{}", "a".repeat(400))),
        ..Claims::default()
    };
    let people: Vec<Person> = (0..99)
        .map(|index| world.stranger(Uuid::new_v4(), claims(index)))
        .collect();
    futures::future::join_all(people.iter().map(|person| person.get("/api/v1/users/me"))).await;
    let mut socket = people[0].connect().await;

    let group = opens(&ada, &ids(&people)).await;
    let frame = socket.next_of("conversation_created").await;
    let expected = json!({
        "type": "conversation_created", "namespace": "conversations", "conversation_id": group["id"], "seq": 0,
        "truncated": true
    });
    assert_eq!(frame, expected);
    let whole = people[0].sees(group["id"].as_str().unwrap()).await;
    assert!(whole.to_string().len() > 32 * 1024);
    assert_eq!(whole["participants"].as_array().unwrap().len(), 100);
}
