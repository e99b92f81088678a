//! The frames of the server, each with an example of the real type, so that examples cannot become outdated.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::connections_api::error_frame;
use shared::domain::conversation::{Conversation, Participant, Role};
use shared::domain::frame::{
    ConversationCreated, ErrorFrame, FRAME_LIMIT_BYTES, Frame, MailDeleted, MailRead, MailUpdated,
    MailsUpdated, MessageDeleted, MessageModerated, MessageRead, MessageStatus, Namespace, NewMail,
    NewMessage, NewNotification, NotificationDeleted, NotificationRead, NotificationsRead, Part, Pong,
    Resumed, Truncated, TruncatedType, Typing, UnreadSummary,
};
use shared::domain::ids::{ConversationId, MessageId};
use shared::domain::message::{ContentType, Message as DomainMessage};
use shared::domain::message_v2;
use shared::domain::moderation::ModerationStatus;
use uuid::uuid;

use super::sample::{ADA, BOB, moment};
use super::{Message, personal, prose};
use crate::openapi::errors;
use crate::openapi::schemas::{self, SchemaOf, Schemas};

const CONVERSATION: ConversationId = ConversationId::from_uuid(uuid!("e27e040c-9fd0-5cb1-ba5f-05b911ff2c2a"));
const MESSAGE: MessageId = MessageId::from_uuid(uuid!("c96068e8-be2e-5e9b-a629-1e21ae41cf4b"));

/// One of each, and one that is truncated.
fn samples() -> Vec<Frame> {
    let conversation_id = CONVERSATION;
    let message_id = MESSAGE;
    let namespace = Namespace::Conversations;
    vec![
        Frame::ConversationCreated(ConversationCreated {
            namespace,
            seq: 0,
            conversation: conversation(),
        }),
        Frame::NewMessage(NewMessage {
            namespace,
            conversation_id,
            seq: 1,
            message: message("Hello, Bob!"),
            unread_count: Some(1),
        }),
        Frame::MessageDeleted(MessageDeleted {
            namespace,
            conversation_id,
            message_id,
            seq: 2,
            unread_count: Some(0),
        }),
        Frame::MessageModerated(MessageModerated {
            namespace,
            conversation_id,
            message_id,
            seq: 3,
            moderation_status: ModerationStatus::Blocked,
            message: DomainMessage {
                content: None,
                updated_at: moment(20),
                ..message("")
            },
            unread_count: Some(0),
        }),
        Frame::MessageRead(MessageRead {
            namespace,
            conversation_id,
            user_id: BOB,
            message_id,
            seq: 1,
            read_at: moment(30),
            unread_count: Some(0),
        }),
        Frame::MessageStatus(MessageStatus {
            namespace,
            conversation_id,
            message_id,
            seq: 1,
            status: message_v2::MessageStatus::Delivered,
            delivered_at: Some(moment(30)),
            read_at: None,
        }),
        Frame::Typing(Typing {
            namespace,
            conversation_id,
            user_id: ADA,
            is_typing: true,
            expires_in_ms: Typing::EXPIRES_IN_MS,
        }),
        Frame::Resumed(Resumed {
            namespace,
            next: "Zp3vTa1KmW8xQn0cRb5yLd".to_owned(),
            recovered: true,
            has_more: false,
            unread: UnreadSummary {
                total: 1,
                by_conversation: BTreeMap::from([(conversation_id, 1)]),
            },
        }),
        Frame::Pong(Pong {}),
        personal::new_mail(),
        personal::mail_read(),
        personal::mail_updated(),
        personal::mail_deleted(),
        personal::mails_updated(),
        personal::new_notification(),
        personal::notification_read(),
        personal::notification_deleted(),
        personal::notifications_read(),
        Frame::Error(error_frame(&shared::Error::NotFound("conversation"))),
        Frame::NewMessage(NewMessage {
            namespace,
            conversation_id,
            seq: 1,
            message: message(&"\u{1f4dc}".repeat(FRAME_LIMIT_BYTES)),
            unread_count: Some(1),
        }),
    ]
}

/// The name and the type of a frame; its description is the type's documentation. The match is exhaustive, so a new
/// frame must be named; it must also be added to the [`samples`].
fn described(frame: &Frame) -> (&'static str, SchemaOf) {
    match frame {
        Frame::ConversationCreated(_) => ("conversation_created", |generator| {
            generator.subschema_for::<ConversationCreated>()
        }),
        Frame::NewMessage(_) => ("new_message", |generator| generator.subschema_for::<NewMessage>()),
        Frame::MessageDeleted(_) => ("message_deleted", |generator| {
            generator.subschema_for::<MessageDeleted>()
        }),
        Frame::MessageModerated(_) => ("message_moderated", |generator| {
            generator.subschema_for::<MessageModerated>()
        }),
        Frame::MessageRead(_) => ("message_read", |generator| {
            generator.subschema_for::<MessageRead>()
        }),
        Frame::MessageStatus(_) => ("message_status", |generator| {
            generator.subschema_for::<MessageStatus>()
        }),
        Frame::Typing(_) => ("typing", |generator| generator.subschema_for::<Typing>()),
        Frame::NewMail(_) => ("inbox_new_message", |generator| {
            generator.subschema_for::<NewMail>()
        }),
        Frame::MailRead(_) => ("inbox_message_read", |generator| {
            generator.subschema_for::<MailRead>()
        }),
        Frame::MailUpdated(_) => ("message_updated", |generator| {
            generator.subschema_for::<MailUpdated>()
        }),
        Frame::MailDeleted(_) => ("inbox_message_deleted", |generator| {
            generator.subschema_for::<MailDeleted>()
        }),
        Frame::MailsUpdated(_) => ("messages_bulk_updated", |generator| {
            generator.subschema_for::<MailsUpdated>()
        }),
        Frame::NewNotification(_) => ("new_notification", |generator| {
            generator.subschema_for::<NewNotification>()
        }),
        Frame::NotificationRead(_) => ("notification_read", |generator| {
            generator.subschema_for::<NotificationRead>()
        }),
        Frame::NotificationDeleted(_) => ("notification_deleted", |generator| {
            generator.subschema_for::<NotificationDeleted>()
        }),
        Frame::NotificationsRead(_) => ("notifications_bulk_read", |generator| {
            generator.subschema_for::<NotificationsRead>()
        }),
        Frame::Resumed(_) => ("resumed", |generator| generator.subschema_for::<Resumed>()),
        Frame::Pong(_) => ("pong", |generator| generator.subschema_for::<Pong>()),
        Frame::Error(_) => ("error", |generator| generator.subschema_for::<ErrorFrame>()),
        Frame::Truncated(_) => ("truncated", |generator| generator.subschema_for::<Truncated>()),
    }
}

/// Every message of the server.
pub(super) fn of_server(schemas: &mut Schemas) -> Vec<Message> {
    samples().iter().map(|frame| of_frame(frame, schemas)).collect()
}

fn of_frame(frame: &Frame, schemas: &mut Schemas) -> Message {
    let text = frame.to_text().unwrap_or_default();
    let example: Value = serde_json::from_str(&text).unwrap_or_default();
    let is_truncated = example.get("truncated").is_some();
    let (name, schema) = if is_truncated {
        described(&truncated())
    } else {
        described(frame)
    };
    let is_error = matches!(frame, Frame::Error(_));
    // Mail has frames of the same types as conversations, distinguished by their namespace.
    let tag = (!is_truncated).then_some(name.trim_start_matches("inbox_"));
    let documented = schemas::Frame {
        name: None,
        tag,
        schema,
    };
    let mut documentation = String::new();
    let schema = schemas.frame(&documented, |schema| {
        let text = schema.get("description").and_then(Value::as_str);
        documentation.push_str(text.unwrap_or_default());
        if let Some(code) = schema.pointer_mut("/properties/code").filter(|_| is_error) {
            let codes: Vec<u16> = error_frames().iter().map(|frame| frame.code).collect();
            *code = json!({ "type": "integer", "enum": codes, "description": "What went wrong, as a code for programs." });
        }
    });
    let (summary, description) = documentation.split_once("\n\n").unwrap_or((&documentation, ""));
    Message {
        tag,
        name,
        summary: summary.trim_end_matches('.').to_owned(),
        description: if is_error {
            prose::errors(&error_frames())
        } else if description.is_empty() {
            summary.to_owned()
        } else {
            description.to_owned()
        },
        schema,
        answered_by: None,
        examples: if is_error {
            error_examples()
        } else {
            vec![(name.to_owned(), example)]
        },
    }
}

/// One error frame per code, in order.
fn error_frames() -> Vec<ErrorFrame> {
    let mut frames = BTreeMap::new();
    for error in errors::samples() {
        // A frame is refused as not found, whatever HTTP's reason would be.
        if !matches!(error, shared::Error::Forbidden(_)) {
            let frame = error_frame(&error);
            frames.entry(frame.code).or_insert(frame);
        }
    }
    frames.into_values().collect()
}

fn error_examples() -> Vec<(String, Value)> {
    let example = |frame: ErrorFrame| {
        let name = frame.name.to_ascii_lowercase();
        (
            name,
            serde_json::to_value(Frame::Error(frame)).unwrap_or_default(),
        )
    };
    error_frames().into_iter().map(example).collect()
}

fn truncated() -> Frame {
    Frame::Truncated(Truncated {
        frame_type: TruncatedType::NewMessage,
        namespace: Part::Conversations,
        conversation_id: Some(CONVERSATION),
        seq: Some(1),
        message_id: Some(MESSAGE),
        unread_count: None,
        truncated: true,
    })
}

fn message(text: &str) -> DomainMessage {
    DomainMessage {
        id: MESSAGE,
        conversation_id: CONVERSATION,
        seq: 1,
        sender_id: ADA,
        sender_username: "ada".to_owned(),
        content: Some(text.to_owned()),
        content_type: ContentType::Text,
        client_message_id: Some("b1946ac9-2492-4d23-9d7e-1c2f6a0e0d01".to_owned()),
        created_at: moment(0),
        updated_at: moment(0),
        is_deleted: false,
        is_read: false,
        read_by: Vec::new(),
        read_count: 0,
    }
}

fn conversation() -> Conversation {
    let participant = |user, username: &str, display_name: &str, role| Participant {
        user_id: user,
        username: username.to_owned(),
        display_name: display_name.to_owned(),
        avatar_url: None,
        role,
        joined_at: moment(-60),
        is_active: true,
        last_read_message_id: None,
    };
    Conversation {
        id: CONVERSATION,
        is_group: true,
        name: Some("Analytical engines".to_owned()),
        description: None,
        created_at: moment(-60),
        updated_at: moment(-60),
        last_message_at: None,
        participants: vec![
            participant(ADA, "ada", "Ada Lovelace", Role::Admin),
            participant(BOB, "bob", "Bob Noyce", Role::Member),
        ],
        participant_count: 2,
        last_message: None,
        unread_count: 0,
        last_seq: 0,
    }
}
