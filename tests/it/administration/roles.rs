//! Every administrative route and every role and permission: who is let in, and who is not (S2, contract §1).

use std::time::Duration;

use harness::{Person, World};
use serde_json::{Value, json};
use shared::domain::user::{Claims, Permission};
use uuid::Uuid;

use super::{audit_log, id, talk};

/// A route, as it is called here, and what it needs.
struct Route {
    method: &'static str,
    path: String,
    body: Value,
    success: u16,
    needs: Permission,
    /// What the audit log calls it.
    action: &'static str,
}

fn routes(ada: &Person, bob: &Person, message: &Value, attached: [&str; 2], export: &str) -> Vec<Route> {
    let route = |method, path: String, success, needs, action| Route {
        method,
        path: format!("/api/admin/{path}"),
        body: Value::Null,
        success,
        needs,
        action,
    };
    let get = |path: String, needs, action| route("GET", path, 200, needs, action);
    let message = id(message);
    vec![
        get(
            "messages/search".to_owned(),
            Permission::ModerationView,
            "messages.search",
        ),
        get(
            format!("messages/conversation/{}/{}", ada.id, bob.id),
            Permission::ModerationView,
            "messages.view_conversation",
        ),
        get(
            format!("messages/{}/attachments/{}", attached[0], attached[1]),
            Permission::ModerationView,
            "messages.view_attachment",
        ),
        Route {
            body: json!({ "moderation_status": "flagged", "reason": "A story" }),
            ..route(
                "POST",
                format!("messages/{message}/moderate"),
                200,
                Permission::ModerationAction,
                "messages.moderate",
            )
        },
        Route {
            body: json!({ "amount": 1, "reason": "A story", "client_reference": "the-same-each-time" }),
            ..route(
                "POST",
                format!("credits/{}/grant", ada.id),
                200,
                Permission::CreditsGrant,
                "credits.grant",
            )
        },
        get(
            "messages/stats/overview".to_owned(),
            Permission::AnalyticsView,
            "messages.overview",
        ),
        route(
            "GET",
            "messages/export".to_owned(),
            202,
            Permission::AnalyticsExport,
            "messages.export",
        ),
        get(
            format!("messages/export/{export}"),
            Permission::AnalyticsExport,
            "messages.view_export",
        ),
        route(
            "DELETE",
            format!("messages/{message}/hard-delete"),
            200,
            Permission::HardDelete,
            "messages.hard_delete",
        ),
        get("audit".to_owned(), Permission::AuditView, "audit.list"),
        get("audit/verify".to_owned(), Permission::AuditView, "audit.verify"),
    ]
}

/// Somebody with these roles and permissions, as the same user each time, so that an export is theirs.
fn caller(world: &World, user: Uuid, roles: &[&str], permissions: &[&str]) -> Person {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let claims = Claims {
        username: Some("caller".to_owned()),
        roles: owned(roles),
        permissions: owned(permissions),
        ..Claims::default()
    };
    world.bearer(user, world.token(user, claims, Duration::from_hours(1)))
}

/// S2-E10…E15, S2-J02: by table; and the audit log has what was done, and not what was refused.
#[tokio::test]
async fn each_route_lets_in_whom_its_permission_names_and_nobody_else() {
    use Permission::{
        AnalyticsExport, AnalyticsView, AuditView, CreditsGrant, HardDelete, ModerationAction,
        ModerationView, NotificationsSystem,
    };
    let world = World::start().await;
    let (ada, bob, auditor, _, message) = talk(&world).await;
    let user = Uuid::new_v4();
    let owner = caller(&world, user, &["analyst"], &[]);
    let export = owner.get("/api/admin/messages/export").await.is(202)["export_id"].clone();
    let file = ada.uploads("one.png", "image/png", harness::files::PNG).await;
    ada.completes(&file).await.is(200);
    let body = json!({ "receiver_id": bob.id, "content": "Look!", "attachments": [file] });
    let attached = ada.post("/api/v2/messages/send", body).await.is(200);
    let routes = routes(
        &ada,
        &bob,
        &message,
        [id(&attached), &file],
        export.as_str().unwrap(),
    );
    let all = [
        ModerationView,
        ModerationAction,
        AnalyticsView,
        AnalyticsExport,
        NotificationsSystem,
        CreditsGrant,
        AuditView,
    ];
    let mut callers: Vec<(String, Person, Vec<Permission>)> = vec![
        ("nobody".to_owned(), caller(&world, user, &[], &[]), vec![]),
        (
            "an unknown role".to_owned(),
            caller(&world, user, &["Admin", "root"], &["*"]),
            vec![],
        ),
        (
            "moderator".to_owned(),
            caller(&world, user, &["moderator"], &[]),
            vec![ModerationView, ModerationAction],
        ),
        (
            "analyst".to_owned(),
            caller(&world, user, &["analyst"], &[]),
            vec![AnalyticsView, AnalyticsExport],
        ),
        (
            "admin".to_owned(),
            caller(&world, user, &["admin"], &[]),
            all.to_vec(),
        ),
        (
            "super_admin".to_owned(),
            caller(&world, user, &["super_admin"], &[]),
            all.into_iter().chain([HardDelete]).collect(),
        ),
        // No permission by name removes for good.
        (
            "one who names it".to_owned(),
            caller(&world, user, &[], &["messages.hard_delete", "super_admin"]),
            vec![],
        ),
    ];
    for permission in all {
        let name = permission.as_str();
        callers.push((
            name.to_owned(),
            caller(&world, user, &[], &[name]),
            vec![permission],
        ));
    }
    let mut done: Vec<String> = vec!["messages.export".to_owned()];
    for (name, person, permissions) in &callers {
        for route in &routes {
            let at = format!("{name}: {} {}", route.method, route.path);
            let request = |request: reqwest::RequestBuilder| {
                if route.body.is_null() {
                    request
                } else {
                    request.json(&route.body)
                }
            };
            let answer = person
                .send(request(person.request(route.method, &route.path)))
                .await;
            if permissions.contains(&route.needs) {
                assert_eq!(answer.status, route.success, "{at}: {}", answer.text);
                done.push(route.action.to_owned());
            } else {
                assert_eq!(answer.status, 403, "{at}: {}", answer.text);
                assert_eq!(answer.json["error"]["code"], "FORBIDDEN", "{at}");
            }
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{at}");
            let anonymous = person
                .send(request(person.anonymous(route.method, &route.path)))
                .await;
            assert_eq!(anonymous.status, 401, "{at}");
        }
    }
    let mut entries = audit_log(&auditor, &format!("actor={user}")).await;
    entries.reverse();
    let recorded: Vec<&str> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(recorded, done);
    assert!(entries.iter().all(|entry| entry["actor"]["id"] == json!(user)));
    super::is_valid(&auditor).await;
}

/// Contract §1: whoever may not do it learns nothing of what there is.
#[tokio::test]
async fn a_refusal_does_not_reveal_what_exists() {
    let world = World::start().await;
    let (ada, .., message) = talk(&world).await;
    let nothing = json!({ "id": Uuid::new_v4() });
    for target in [&message, &nothing] {
        let path = format!("/api/admin/messages/{}/moderate", id(target));
        let body = json!({ "moderation_status": "blocked", "reason": "Mine" });
        ada.post(&path, body).await.is_error(403, "FORBIDDEN");
        // Nor does nonsense get another answer.
        ada.post(&path, json!({ "moderation_status": 7 }))
            .await
            .is_error(403, "FORBIDDEN");
    }
}
