//! `POST /api/conversations`: opens a group; the caller is its admin.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::conversation::{Conversation, GROUP_LIMIT};
use shared::domain::ids::UserId;
use shared::domain::text::{ConversationDescription, ConversationName};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::members::Membership;
use shared::store::table::Consistency;
use shared::store::{conversations, profiles};
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/conversations`
pub struct CreateConversation;

/// The group to create.
#[derive(Deserialize, JsonSchema)]
pub struct Body {
    /// The name.
    pub name: ConversationName,
    /// The description.
    pub description: Option<ConversationDescription>,
    /// The other members. The caller and duplicates are ignored.
    #[schemars(length(min = 1, max = 999))]
    pub member_ids: Vec<UserId>,
}

impl Endpoint for CreateConversation {
    const ROUTE: Route = Route::post(
        Tag::Conversations,
        "create_conversation",
        "/api/conversations",
        "Create a group conversation",
    )
    .takes_key()
    .described(
        "The caller becomes the group's admin. You may list yourself or the same member twice: each \
         member is added once. All members receive a `conversation_created` frame.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[
            TableAction::BatchGetItem,
            TableAction::BatchWriteItem,
            TableAction::Query,
        ])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Body;
    type Output = Conversation;

    fn example() -> Example {
        let mut answer = examples::conversation();
        for (field, value) in [
            ("is_group", json!(true)),
            ("name", json!("Analytical engines")),
            ("description", json!("What they can and cannot do")),
            ("last_message", json!(null)),
            ("last_message_at", json!(null)),
            ("last_seq", json!(0)),
        ] {
            if let Some(fields) = answer.as_object_mut() {
                fields.insert(field.to_owned(), value);
            }
        }
        Example {
            body: json!({
                "name": "Analytical engines",
                "description": "What they can and cannot do",
                "member_ids": [examples::BOB]
            }),
            answer,
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Conversation>> {
        let caller = call.who.user;
        let others = others(caller, &call.body.member_ids)?;
        if let Some(unknown) = profiles::unknown(app, &others).await?.first() {
            // Identified by index: an id in the error would be logged.
            let index = call
                .body
                .member_ids
                .iter()
                .position(|member| member == unknown)
                .unwrap_or_default();
            return Err(Error::invalid(
                format!("member_ids.{index}"),
                "unknown_user",
                "is no user",
            ));
        }
        let description = call.body.description.as_ref();
        let mut members = others.clone();
        members.sort();
        let once = call.once(&json!({
            "name": call.body.name,
            "description": call.body.description,
            "members": members
        }));
        let (head, is_replayed) =
            conversations::open_group(app, caller, &others, &call.body.name, description, once.as_ref())
                .await?;
        // Enqueued by every attempt: the attempt that opened it may have died before it could.
        let job = Fanout {
            conversation: head.id,
            event: FanoutEvent::Opened,
            to: Recipients::All,
        };
        queue::enqueue(app, Queue::Fanout, &job).await?;
        let membership = Membership::of(app, caller, head.id, Consistency::Strong).await?;
        let snapshot = views::snapshot(app, membership).await?;
        Ok(Reply::from(views::one(app, &snapshot).await?).replayed(is_replayed))
    }
}

/// The members other than the caller, without duplicates, in the given order.
fn others(caller: UserId, member_ids: &[UserId]) -> Result<Vec<UserId>> {
    let most = GROUP_LIMIT - 1;
    if member_ids.len() > most {
        let reason = format!("names {} members; at most {most} are allowed", member_ids.len());
        return Err(Error::invalid("member_ids", "too_long", reason));
    }
    let mut seen = HashSet::from([caller]);
    let others: Vec<UserId> = member_ids
        .iter()
        .copied()
        .filter(|member| seen.insert(*member))
        .collect();
    if others.is_empty() {
        return Err(Error::invalid(
            "member_ids",
            "too_short",
            "must contain somebody other than the caller",
        ));
    }
    Ok(others)
}
