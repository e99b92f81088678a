//! `typing`: shows the other members that somebody is typing, or has stopped (S1-W01, S1-W02).
//!
//! Not stored and not enqueued: losing one is harmless. A start says how long it is valid, so that the indicator
//! disappears if the stop is lost, for instance because the connection dropped.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::frame::{Frame, Namespace, Typing};
use shared::domain::ids::{ConversationId, UserId};
use shared::examples;
use shared::operations::delivery::{self, Delivery};
use shared::rights::{Rights, TableAction};
use shared::socket::{Action, Connection};
use shared::store::members::{self, Membership};
use shared::store::table::Consistency;
use shared::store::typing;
use shared::{App, Error, Result};

/// `typing`
pub struct ShowTyping;

/// The frame.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TypingRequest")]
pub struct Input {
    /// The conversation. Either this or `receiver_id`.
    pub conversation_id: Option<ConversationId>,
    /// The other user of a direct conversation. Either this or `conversation_id`.
    pub receiver_id: Option<UserId>,
    /// Whether you are typing or have stopped.
    pub is_typing: bool,
}

/// The maximum number of connections to which one frame is posted. Others get none: typing is only a hint.
const MOST_POSTS: usize = 1_000;

impl Action for ShowTyping {
    const NAME: &'static str = "show_typing";
    const KEY: &'static str = "typing";
    const SUMMARY: &'static str = "Show that you are typing";
    const DESCRIPTION: &'static str = "The other members receive a `typing` frame. At most one start per three seconds, user and \
         conversation is forwarded, and one stop for each start. A start expires after eight seconds: \
         repeat it while the user goes on typing. Typing is not stored.";
    const RIGHTS: Rights = Rights::OF_A_FRAME.table(&[
        TableAction::BatchGetItem,
        TableAction::Query,
        TableAction::UpdateItem,
    ]);
    type Input = Input;

    fn example() -> Value {
        json!({ "type": "typing", "conversation_id": examples::CONVERSATION, "is_typing": true })
    }

    async fn handle(app: &App, from: Connection, input: Input) -> Result<Vec<Frame>> {
        let user = from.caller.user;
        let conversation_id = match (input.conversation_id, input.receiver_id) {
            (Some(conversation), None) => conversation,
            (None, Some(receiver)) => ConversationId::direct(user, receiver),
            (Some(_), Some(_)) => {
                let reason = "cannot be combined with conversation_id";
                return Err(Error::invalid("receiver_id", "contradiction", reason));
            }
            (None, None) => return Err(Error::invalid("conversation_id", "missing", "is missing")),
        };
        let membership = Membership::of(app, user, conversation_id, Consistency::Eventual).await?;
        let goes_out = if input.is_typing {
            typing::start(app, &membership).await?
        } else {
            typing::stop(app, &membership).await?
        };
        if !goes_out {
            return Ok(Vec::new());
        }
        let others: Vec<_> = if let Some(peer) = membership.member().peer {
            vec![peer]
        } else {
            let members = members::list(app, &membership).await?;
            members
                .into_iter()
                .map(|member| member.user)
                .filter(|member| *member != user)
                .collect()
        };
        let frame = Frame::Typing(Typing {
            namespace: Namespace::Conversations,
            conversation_id,
            user_id: user,
            is_typing: input.is_typing,
            expires_in_ms: Typing::EXPIRES_IN_MS,
        });
        let audience = delivery::audience(app, &others, Consistency::Eventual).await?;
        let to_each = |(user, mut listeners): (_, shared::store::connections::Listeners)| {
            // Typing is no event, so it wakes no waiting request.
            listeners.is_polled = false;
            Delivery {
                user,
                listeners,
                frame: frame.clone(),
            }
        };
        let mut posts = 0;
        let has_room = |delivery: &Delivery| {
            posts += delivery.listeners.connections.len();
            posts <= MOST_POSTS
        };
        let deliveries = audience
            .listening
            .into_iter()
            .map(to_each)
            .take_while(has_room)
            .collect();
        let (_, delivered) = delivery::deliver(app, deliveries).await;
        delivered?;
        Ok(Vec::new())
    }
}
