//! `GET /api/conversations/{conversation_id}`: one conversation of the caller.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::conversation::Conversation;
use shared::domain::ids::ConversationId;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::rights::{Rights, TableAction};
use shared::store::members::Membership;
use shared::store::table::Consistency;
use shared::{App, Result};

use crate::examples;

/// `GET /api/conversations/{conversation_id}`
pub struct GetConversation;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The conversation.
    pub conversation_id: ConversationId,
}

impl Endpoint for GetConversation {
    const ROUTE: Route = Route::get(
        Tag::Conversations,
        "get_conversation",
        "/api/conversations/{conversation_id}",
        "Get a conversation",
    )
    .for_members();
    const RIGHTS: Rights = Rights::OF_A_ROUTE.table(&[TableAction::BatchGetItem, TableAction::Query]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Conversation;

    fn example() -> Example {
        Example {
            parameters: json!({ "conversation_id": examples::CONVERSATION }),
            answer: examples::conversation(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Conversation>> {
        let membership =
            Membership::of(app, call.who.user, call.path.conversation_id, Consistency::Strong).await?;
        let snapshot = views::snapshot(app, membership).await?;
        Ok(views::one(app, &snapshot).await?.into())
    }
}
