//! The people and things that the examples of the documents and the events of `events/` speak of, the same everywhere.
//!
//! They are real on a desk: its demo users are these people, and the ids of what is derived follow from the examples
//! of the routes that make it. Once Ada has opened the conversation and sent the example's message, every other example
//! of that conversation finds what it names. The other ids are drawn anew each time, so nothing has them.

/// Ada Lovelace, who calls.
pub const ADA: &str = "11111111-1111-4111-8111-111111111111";
/// Bob Noyce, whom she talks to.
pub const BOB: &str = "22222222-2222-4222-8222-222222222222";
/// Somebody who moderates.
pub const MODERATOR: &str = "33333333-3333-4333-8333-333333333333";
/// The `client_message_id` of [`MESSAGE`].
pub const CLIENT_MESSAGE_ID: &str = "b1946ac9-2492-4d23-9d7e-1c2f6a0e0d01";
/// The `client_message_id` of [`MAIL`].
pub const CLIENT_MAIL_ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
/// The direct conversation of Ada and Bob.
pub const CONVERSATION: &str = "e27e040c-9fd0-5cb1-ba5f-05b911ff2c2a";
/// Ada's message to Bob.
pub const MESSAGE: &str = "c96068e8-be2e-5e9b-a629-1e21ae41cf4b";
/// Ada's mail to Bob.
pub const MAIL: &str = "4de88682-fe68-53cd-8cc1-2cd7093ebe74";
/// The notification about the mail.
pub const NOTIFICATION: &str = "019bc154-2bc0-7a3e-8d10-5b6f4e3c2a19";
/// A photograph.
pub const FILE: &str = "019bc110-7a40-7c3e-9d52-6f1e8a0b4c27";
/// An export of messages.
pub const EXPORT: &str = "019bc151-2b40-7c3d-8e21-5a6b7c8d9e0f";
/// What the message cost.
pub const TRANSACTION: &str = "0198f0c4-1a2b-7c3d-8e4f-5a6b7c8d9e0f";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConversationId, MessageId, UserId};
    use crate::domain::text::ClientMessageId;

    #[test]
    fn what_is_derived_has_the_ids_that_a_desk_gives_it() {
        let [ada, bob]: [UserId; 2] = [ADA, BOB].map(|id| id.parse().unwrap());
        let conversation = ConversationId::direct(ada, bob);
        assert_eq!(conversation.to_string(), CONVERSATION);
        let client = ClientMessageId::parse(CLIENT_MESSAGE_ID.to_owned()).unwrap();
        assert_eq!(
            MessageId::derived(conversation, ada, &client).to_string(),
            MESSAGE
        );
        let client = ClientMessageId::parse(CLIENT_MAIL_ID.to_owned()).unwrap();
        assert_eq!(MessageId::of_mail(ada, bob, &client).to_string(), MAIL);
    }
}
