//! Roles on the desk: what the template does not allow fails as on AWS, and everything that it allows is needed.

use harness::{Socket, World, events};
use local::environment::{self, Environment};
use serde_json::json;
use shared::domain::user::Claims;
use shared::lambda::Trigger;
use uuid::Uuid;

/// Removes rights to an action from a function.
fn take_away(world: &World, function: &str, action: &str) {
    let mut template = environment::template(&Environment::new()).unwrap();
    let spec = template
        .functions
        .iter_mut()
        .find(|spec| spec.logical_id == function)
        .unwrap();
    let before: usize = spec
        .statements
        .iter()
        .map(|statement| statement.actions.len())
        .sum();
    for statement in &mut spec.statements {
        statement.actions.retain(|allowed| allowed != action);
    }
    let after: usize = spec
        .statements
        .iter()
        .map(|statement| statement.actions.len())
        .sum();
    assert!(after < before, "{function} had the right to {action}");
    world.services().set_rights(local::rights::of(&template));
}

/// The error in a function's log line, which equals that of AWS.
async fn refusal(world: &World, function: &str) -> String {
    let is_refused = |line: &serde_json::Value| line["function"] == function && line["error"].is_string();
    world.logged(1, is_refused).await["error"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_function_without_the_right_to_read_the_table_fails() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    take_away(&world, "GetConversation", "dynamodb:GetItem");
    let conversation = Uuid::new_v4();
    ada.get(&format!("/api/conversations/{conversation}"))
        .await
        .is_error(500, "INTERNAL");
    let error = refusal(&world, "get_conversation").await;
    assert!(
        error.contains(
            "User: arn:aws:sts::000000000000:assumed-role/GetConversationRole/GetConversation is not authorized to \
             perform: dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/Table"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_function_without_the_right_to_a_queue_acknowledges_nothing() {
    let world = World::start().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let conversation = ada.open_direct(&bob).await;
    world.settled().await;
    take_away(&world, "SendMessage", "sqs:SendMessage");
    let path = format!("/api/conversations/{conversation}/messages");
    let body = json!({ "content": "Hello", "client_message_id": "one" });
    ada.post(&path, body).await.is_error(503, "UNAVAILABLE");
    let error = refusal(&world, "send_message").await;
    assert!(
        error.contains("sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:FanoutQueue"),
        "{error}"
    );
}

/// Binds a function to other partitions of the table.
fn bind(world: &World, function: &str, leading_keys: &[&str]) {
    let mut template = environment::template(&Environment::new()).unwrap();
    let mut functions = template.functions.iter_mut();
    let spec = functions.find(|spec| spec.logical_id == function).unwrap();
    for statement in &mut spec.statements {
        assert!(!statement.leading_keys.is_empty(), "{function} is bound to some");
        statement.leading_keys = leading_keys.iter().map(|like| (*like).to_owned()).collect();
    }
    world.services().set_rights(local::rights::of(&template));
}

#[tokio::test]
async fn a_function_that_reaches_beyond_its_partitions_fails() {
    let world = World::start().await;
    let ada = world.person("ada").await;
    let open = async || {
        let answer = ada.post_nothing("/api/v1/auth/ws-ticket").await.is(201);
        let ticket = answer["data"]["ticket"].as_str().unwrap().to_owned();
        Socket::open(format!("{}/?ticket={ticket}", ada.ws_url())).await
    };
    open().await.unwrap().close().await;
    // Everything but the tickets, one of which it takes.
    bind(&world, "AuthorizeConnection", &["R#*", "U#*", "L#*"]);
    assert_eq!(open().await.err(), Some(500));
    let error = refusal(&world, "authorize_connection").await;
    assert!(
        error.contains("is not authorized to perform: dynamodb:DeleteItem"),
        "{error}"
    );
    bind(&world, "AuthorizeConnection", &["K#*", "R#*"]);
    open().await.unwrap().close().await;
}

/// What a function that strangers call may reach holds nothing of anybody's.
#[test]
fn the_authorizer_reaches_tickets_and_rates_alone() {
    let template = environment::template(&Environment::new()).unwrap();
    let authorizer = template.function("AuthorizeConnection").unwrap();
    let bound: Vec<&[String]> = authorizer
        .statements
        .iter()
        .map(|statement| statement.leading_keys.as_slice())
        .collect();
    assert_eq!(bound, [["R#*", "K#*"]]);
}

/// A first call makes its user known, whatever the route, and is counted against the rate limits.
#[tokio::test]
async fn a_first_call_by_any_route_is_within_its_rights() {
    let limits = [
        ("RATE_LIMIT_SENDS_PER_MINUTE", "30"),
        ("RATE_LIMIT_REQUESTS_PER_MINUTE", "100"),
    ];
    let world = World::with(&limits).await;
    for function in harness::functions() {
        let Trigger::Http(entry) = &function.trigger else {
            continue;
        };
        if entry.is_public {
            continue;
        }
        let claims = Claims {
            username: Some(function.name.to_owned()),
            ..Claims::default()
        };
        let newcomer = world.stranger(Uuid::new_v4(), claims);
        // What the event speaks of does not exist for them.
        let event = events::by(&newcomer, &function.binary());
        let answer = events::invoke(&world, &function, &event.to_string()).await;
        let status = answer["statusCode"].as_u64().unwrap();
        assert!(status < 500, "{}: {answer}", function.name);
    }
}

/// `.ci/run` runs this after all the other tests, as `cargo t rights -- --ignored`.
#[test]
#[ignore = "it reads what all other tests have noted"]
fn no_role_allows_what_no_test_needs() {
    let unused = harness::rights::unused();
    assert!(
        unused.is_empty(),
        "no test uses these rights; take them out of template.yaml, or tell the story that needs them:\n\n  {}\n",
        unused.join("\n  ")
    );
}
