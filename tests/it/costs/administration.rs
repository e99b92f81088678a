//! The costs of moderation, search and the audit log.

use serde_json::json;

use super::{Cost, Table, world};

#[tokio::test]
async fn an_administrative_act_costs_four_writes_for_the_audit_log() {
    let (world, ledger) = world().await;
    let [ada, bob] = world.people(["ada", "bob"]).await;
    let admin = world.with_roles("root", &["super_admin"]).await;
    let conversation = ada.open_direct(&bob).await;
    let mut messages = Vec::new();
    for number in 0..4 {
        messages.push(ada.says(&conversation, &format!("{number}")).await);
    }
    let path = |message: usize, rest: &str| {
        format!(
            "/api/admin/messages/{}/{rest}",
            messages[message]["id"].as_str().unwrap()
        )
    };
    let moderate = async |message: usize, status: &str| {
        let body = json!({ "moderation_status": status, "reason": "to be counted" });
        admin.post(&path(message, "moderate"), body).await.is(200);
    };
    let get = async |path: &str| admin.get(path).await.is(200);
    let mut socket = bob.connect().await;
    // Each once before, so that warm functions are measured, and the day of the audit log has its first entry.
    moderate(0, "blocked").await;
    socket.next_of("message_moderated").await;
    get("/api/admin/audit?limit=1").await;
    get("/api/admin/messages/search").await;
    admin.delete(&path(3, "hard-delete")).await.is(200);
    socket.next_of("message_deleted").await;

    let mut table = Table::new("administration, one recipient online");
    let blocked = Cost::of(&world, &ledger, async {
        moderate(1, "blocked").await;
        socket.next_of("message_moderated").await
    })
    .await;
    table.row("a message is blocked, up to the frame", &blocked);
    let again = Cost::of(&world, &ledger, moderate(1, "blocked")).await;
    table.row("blocked again: no change, audited", &again);
    let erased = Cost::of(&world, &ledger, async {
        admin.delete(&path(2, "hard-delete")).await.is(200);
        socket.next_of("message_deleted").await
    })
    .await;
    table.row("hard deletion, up to the frame", &erased);
    let search = Cost::of(&world, &ledger, get("/api/admin/messages/search")).await;
    table.row("search, 7 days, four messages", &search);
    let view = format!("/api/admin/messages/conversation/{}/{}", ada.id, bob.id);
    let viewed = Cost::of(&world, &ledger, get(&view)).await;
    table.row("view of a conversation", &viewed);
    let audit = Cost::of(&world, &ledger, get("/api/admin/audit?limit=50")).await;
    table.row("audit log, a page", &audit);
    table.print();
    let writes = |cost: &Cost| cost.bill.writes();
    // The message, the log entry, the end of the audit log and its entry, at twice the price; and the rate limit, which
    // other functions have changed in the meantime, so that the first attempt is refused.
    assert!(writes(&blocked.part("ModerateMessage")) <= 10.0, "{blocked:#?}");
    assert!(writes(&erased.part("HardDeleteMessage")) <= 12.0, "{erased:#?}");
    assert!(writes(&again) <= 5.0, "{again:#?}");
    for read in [&search, &viewed, &audit] {
        assert!(writes(read) <= 6.0, "{read:#?}");
    }
    assert!(search.bill.reads() <= 60.0, "{search:#?}");
}
