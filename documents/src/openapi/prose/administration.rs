//! What the types of administration cannot say.

use super::Note;

/// The note on a route of these, if there is one.
pub(super) fn note(name: &str) -> Option<Note> {
    let (text, refusals): (_, &[u16]) = match name {
        "search_messages" => (
            "Looks into the messages of a stretch of time, or of one user's conversations, and counts what it finds \
             exactly. A question for which more than 20,000 messages would have to be looked at is 422 `too_broad`: \
             name a user, or a shorter time. Without a user, at most 366 days can be asked about.",
            &[],
        ),
        "view_conversation" => (
            "The newest page comes first, the oldest message first within it. What its sender deleted or a moderator \
             blocked is shown with its content, as long as it was not deleted for good. Two people without a \
             conversation are 404.",
            &[],
        ),
        "get_messages_overview" => (
            "Counted exactly. A stretch of more than 200,000 messages is 422 `too_broad`: ask about a shorter one.",
            &[],
        ),
        "start_export" => (
            "A worker writes every message of a stretch of time, or of one user's conversations, that fits the filters, \
             as JSON Lines and as CSV, both compressed by gzip, in parts of at most 20,000 messages, oldest day first. \
             Contents are as members see them: null where a message was deleted or is blocked. The columns of the CSV \
             are the scalar fields of `MessageV2`; texts are as they were written, also where they begin with `=`, so \
             import `content` as text. Each call starts an export of its own. Without a user, at most 366 days can \
             be asked about.",
            &[],
        ),
        "get_export" => (
            "Only for whoever started the export; it is kept for seven days. The links are good for five minutes and \
             want no token: do not keep them. An export that was given up, or of which nothing was heard for an hour, \
             is `failed`: start another.",
            &[],
        ),
        "moderate_message" => (
            "`blocked` hides the content from everybody but moderators, in every list and on every open connection, \
             and nobody has it to read any more; `approved` brings it back. The decision is an entry of the \
             conversation's log, pushed as `message_moderated`. The status that a message has already is no change. \
             What stood before and what stands now goes to the audit log, in the same transaction.",
            &[],
        ),
        "hard_delete_message" => (
            "The content leaves every item of the table. The message keeps its place in the log, as a deleted one. \
             Nothing brings it back; the audit log says who did it, and not what was written. Done again, it \
             changes nothing. Finished exports that hold the message last at most seven days.",
            &[],
        ),
        "list_audit_entries" => (
            "Every administrative read and write, newest first, of at most 92 days at once. A filter that fits little \
             may leave a page short though there is more: go on while there is a `next_cursor`. Reading the log is \
             an entry too, which the answer itself does not show. How an entry's `hash` is computed: the SHA-256 of \
             the entry without `hash`, as compact JSON in UTF-8 with sorted names.",
            &[],
        ),
        "verify_audit" => (
            "Computes every hash of whole days again, and the seams before and behind them: an entry that was \
             changed, removed, moved or put in is found, as is one cut off the end. What was found is an entry of the \
             log itself.",
            &[],
        ),
        _ => return None,
    };
    Some(Note { text, refusals })
}
