//! Conversations: opening direct ones and groups, listing them, looking at one (S1-E01, S1-E02).

mod aliases;
mod direct;
mod groups;
mod listing;

use harness::{Person, World};
use serde_json::{Value, json};
use uuid::Uuid;

/// A new person among many, who has made one call.
async fn one_of_many(world: &World, index: usize) -> Person {
    world.person(&format!("member{index}")).await
}

/// Many people, who have each made one call.
async fn crowd(world: &World, count: usize) -> Vec<Person> {
    let mut people = Vec::with_capacity(count);
    for start in (0..count).step_by(50) {
        let some = (start..count.min(start + 50)).map(|index| one_of_many(world, index));
        people.extend(futures::future::join_all(some).await);
    }
    people
}

fn ids(people: &[Person]) -> Vec<Uuid> {
    people.iter().map(|person| person.id).collect()
}

/// The path for opening the direct conversation with somebody.
fn direct_path(other: &Person) -> String {
    format!("/api/conversations/dm/{}", other.id)
}

/// A participant of a conversation.
fn participant<'a>(conversation: &'a Value, person: &Person) -> &'a Value {
    let participants = conversation["participants"].as_array().unwrap();
    participants
        .iter()
        .find(|one| one["user_id"] == json!(person.id))
        .expect("they take part")
}

/// The names of an object's fields, in order.
fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
