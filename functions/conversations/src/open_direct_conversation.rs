//! `POST /api/conversations/dm/{other_user_id}`: opens the direct conversation with somebody (S1-E01).
//!
//! There is one per pair, whoever opens it, also concurrently from both sides: its id is derived from the two users.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use shared::auth::Caller;
use shared::domain::conversation::Conversation;
use shared::domain::ids::UserId;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::operations::views;
use shared::queue::{self, Fanout, FanoutEvent, Queue, Recipients};
use shared::rights::{Rights, TableAction};
use shared::store::conversations::{self, Opened};
use shared::store::members::Membership;
use shared::store::profiles;
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use crate::examples;

/// `POST /api/conversations/dm/{other_user_id}`
pub struct OpenDirectConversation;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The other user.
    pub other_user_id: UserId,
}

impl Endpoint for OpenDirectConversation {
    const ROUTE: Route = Route::post(
        Tag::Conversations,
        "open_direct_conversation",
        "/api/conversations/dm/{other_user_id}",
        "Open a direct conversation",
    )
    .also(200)
    .refuses(&[422])
    .takes_key()
    .described(
        "Two users have exactly one direct conversation. Its id is derived from the two user ids, so \
         both users get the same conversation even if they open it at the same moment: 201 if it is \
         new, 200 if it exists already.\n\n\
         You can't message yourself (422). An unknown user is 404.",
    );
    const RIGHTS: Rights = Rights::OF_A_ROUTE
        .table(&[TableAction::BatchGetItem, TableAction::Query])
        .sends_to(&[Queue::Fanout]);
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = Conversation;

    fn example() -> Example {
        Example {
            parameters: json!({ "other_user_id": examples::BOB }),
            answer: examples::conversation(),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<Conversation>> {
        let (caller, other) = (call.who.user, call.path.other_user_id);
        if caller == other {
            return Err(Error::invalid(
                "other_user_id",
                "oneself",
                "must be another user than the caller",
            ));
        }
        profiles::find(app, other).await?.ok_or(Error::NotFound("user"))?;
        let once = call.once(&json!({ "other_user_id": other }));
        let earlier = match &once {
            Some(once) => once.earlier(app).await?,
            None => None,
        };
        let opened = conversations::open_direct(app, caller, other).await?;
        let (status, head) = match opened {
            Opened::New(head) => (201, head),
            Opened::Existing(head) => (200, head),
        };
        let membership = Membership::of(app, caller, head.id, Consistency::Strong).await?;
        let snapshot = views::snapshot(app, membership).await?;
        // An empty conversation may be the result of an attempt that died before it could enqueue.
        if status == 201 || snapshot.newest.is_none() {
            let job = Fanout {
                conversation: head.id,
                event: FanoutEvent::Opened,
                to: Recipients::All,
            };
            queue::enqueue(app, Queue::Fanout, &job).await?;
        }
        let reply = Reply::from(views::one(app, &snapshot).await?);
        if let Some(earlier) = earlier {
            return Ok(reply.status(earlier.status.unwrap_or(status)).replayed(true));
        }
        if let Some(once) = once {
            // There is one conversation for the two, with or without a key; the key records how it was answered.
            once.note(app, head.id.uuid(), status).await?;
        }
        Ok(reply.status(status))
    }
}
