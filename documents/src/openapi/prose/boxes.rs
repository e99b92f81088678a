//! What people read of mail and notifications.

use super::Note;

/// The note on a route of mail or notifications, if there is one.
pub(super) fn note(name: &str) -> Option<Note> {
    let (text, refusals): (_, &[u16]) = match name {
        "send_mail" => (
            "The mail stands in both boxes and the recipient is notified, in one transaction; the answer means that its \
             delivery is queued too. An unknown recipient is 404. To oneself works.",
            &[404],
        ),
        "list_mail" => (
            "The flags are the caller's own. Archived mail is in no inbox, `sent` holds all that was sent. Of a page with \
             very large bodies the last come with `body: null` and `truncated: true`: get those by their ids.",
            &[],
        ),
        "get_mail" => (
            "Marks it as read if the caller is its recipient, unless `peek` is true. `ETag` names the version of the \
             caller's flags of a mail; a person-to-person message has none.",
            &[],
        ),
        "update_mail" => (
            "What is left out stays as it is. With `If-Match: \"<version>\"` only that version is changed: 412 where \
             another device was faster. Without a change the version stays.",
            &[],
        ),
        "delete_mail" => (
            "A mail leaves the caller's box and notifications and is 404 for them from then on; the other side keeps \
             theirs. A person-to-person message is deleted by its sender, for both, who see a tombstone: for its \
             receiver that is 403.",
            &[403],
        ),
        "update_mails" => (
            "Each mail for itself: `failed` names those that could not be changed, `NOT_FOUND` for what is not the \
             caller's. Mails that have the wanted flags already count as updated.",
            &[],
        ),
        "get_mail_stats" => ("Costs the same for any number of mails.", &[]),
        "list_notifications" => (
            "What was missed in conversations while the caller was away is among them: one notification per \
             conversation, of type `missed_messages`, which leaves when the conversation is read.",
            &[],
        ),
        "get_notification" => ("Marks it as read, unless `peek` is true.", &[]),
        "delete_notification" => (
            "One about missed messages comes back when another one is missed in the same conversation.",
            &[],
        ),
        "mark_notifications_read" => (
            "Either `notification_ids` or `all: true`. What comes while all are marked stays unread.",
            &[],
        ),
        "create_system_notification" => (
            "The parameters come as JSON or in the query; where both name one they must agree. An unknown user is 404.",
            &[404],
        ),
        _ => return None,
    };
    Some(Note { text, refusals })
}
