//! Delivery of a person-to-person message's status: delivered, or read individually.

use shared::domain::ids::{ConversationId, MessageId, UserId};
use shared::domain::message_v2::Between;
use shared::operations::delivery::{self, Audience, Delivery};
use shared::operations::views;
use shared::store::Worker;
use shared::store::delivery_data::{self, DeliveryQuery};
use shared::store::table::Consistency;
use shared::{App, Error, Result};

use super::members;

/// Delivers the status of a message to both members of a direct conversation.
pub(super) async fn deliver(
    app: &App,
    worker: Worker,
    conversation: ConversationId,
    (seq, message): (u64, MessageId),
    pair: [UserId; 2],
) -> Result<()> {
    let query = DeliveryQuery {
        conversation,
        seq,
        next: false,
        users: &pair,
    };
    let data = delivery_data::read(app, worker, query, Consistency::Strong).await?;
    let entry = data.entry.filter(|entry| entry.event.message_id() == message);
    let entry = entry.ok_or_else(|| Error::internal("a status of a message that does not exist"))?;
    let read_marks = members::read_marks_of(&data.members);
    let between = Between {
        conversation,
        pair,
        read_marks: &read_marks,
    };
    let Some(frame) = views::status_frame(&between, &entry) else {
        return Ok(());
    };
    let users = data.members.iter().map(|member| member.user);
    let audience: Audience = users.zip(data.listeners).collect();
    let delivery = |(user, listeners)| Delivery {
        user,
        listeners,
        frame: frame.clone(),
    };
    let deliveries = audience.listening.into_iter().map(delivery).collect();
    delivery::deliver(app, deliveries).await.1
}
