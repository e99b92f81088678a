//! `GET /api/v2/messages/unread-count`: the caller's unread person-to-person messages (S2-E06).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::{ConversationId, UserId};
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::rights::{Rights, TableAction};
use shared::store::members::Membership;
use shared::store::table::Consistency;
use shared::store::{log, sync};
use shared::{App, Error, Result};

use crate::examples;

/// `GET /api/v2/messages/unread-count`
pub struct GetUnreadCount;

/// The parameters of the query.
#[derive(Deserialize, JsonSchema)]
pub struct Query {
    /// Only messages of this sender.
    pub sender_id: Option<UserId>,
}

/// Unread messages.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UnreadCount")]
pub struct Output {
    /// The sum of all senders.
    pub unread_count: u64,
    /// By sender; senders without unread messages are left out. Exact up to 99, and 99 if there are more.
    pub by_sender: BTreeMap<UserId, u32>,
}

impl Endpoint for GetUnreadCount {
    const ROUTE: Route = Route::get(
        Tag::PersonToPerson,
        "get_unread_count",
        "/api/v2/messages/unread-count",
        "Get unread counts",
    )
    .described(
        "The number of unread messages in direct conversations, in total and by sender. Messages that \
         were marked individually count as read here and in the conversation routes.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .queries_by_user();
    type Who = Caller;
    type Path = Nothing;
    type Query = Query;
    type Body = Nothing;
    type Output = Output;

    fn example() -> Example {
        Example {
            parameters: json!({ "sender_id": examples::ADA }),
            answer: json!({ "unread_count": 1, "by_sender": { examples::ADA: 1 } }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Output>> {
        let user = call.who.user;
        let mut by_sender = BTreeMap::new();
        if let Some(sender) = call.query.sender_id {
            by_sender.insert(sender, unread_from(app, user, sender).await?);
        } else {
            for snapshot in sync::direct_snapshots(app, user).await? {
                if let Some(peer) = snapshot.membership.member().peer {
                    let count = log::unread(app, &snapshot.membership, snapshot.newest.as_ref()).await?;
                    by_sender.insert(peer, count);
                }
            }
        }
        by_sender.retain(|_, count| *count > 0);
        let output = Output {
            unread_count: by_sender.values().copied().map(u64::from).sum(),
            by_sender,
        };
        Ok(output.into())
    }
}

/// The unread messages from one person; none from somebody who never wrote.
async fn unread_from(app: &App, user: UserId, sender: UserId) -> Result<u32> {
    let conversation = ConversationId::direct(user, sender);
    let membership = match Membership::of(app, user, conversation, Consistency::Strong).await {
        Ok(membership) => membership,
        Err(Error::NotFound(_)) => return Ok(0),
        Err(error) => return Err(error),
    };
    let newest = log::newest(app, conversation, Consistency::Strong).await?;
    log::unread(app, &membership, newest.as_ref()).await
}
