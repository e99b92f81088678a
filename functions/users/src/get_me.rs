//! `GET /api/v1/users/me`: the caller's profile.

use serde_json::json;
use shared::auth::Caller;
use shared::domain::user::{Card, User};
use shared::examples;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::profiles;
use shared::{App, Error, Result};

/// `GET /api/v1/users/me`
pub struct GetMe;

impl Endpoint for GetMe {
    const ROUTE: Route = Route::get(Tag::Users, "get_me", "/api/v1/users/me", "Get your profile")
        .described("The profile that the caller's token describes.");
    type Who = Caller;
    type Path = Nothing;
    type Query = Nothing;
    type Body = Nothing;
    type Output = User;

    fn example() -> Example {
        Example {
            answer: json!({
                "id": examples::ADA,
                "username": "ada",
                "display_name": "Ada Lovelace",
                "email": "ada@example.com",
                "avatar_url": null,
                "roles": ["moderator"],
                "permissions": ["moderation.view", "moderation.action"],
                "business_unit": null,
                "created_at": "2026-01-15T10:29:00.000Z"
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<User>> {
        let caller = call.who;
        // This call creates it at the latest.
        let profile = profiles::find(app, caller.user).await?;
        let profile = profile.ok_or_else(|| Error::internal("a caller without a profile"))?;
        let card = Card::of(caller.user, &profile.claims);
        let permissions = caller.claims.permissions();
        Ok(User {
            id: caller.user,
            username: card.username,
            display_name: card.display_name,
            email: profile.claims.email,
            avatar_url: card.avatar_url,
            roles: caller.claims.roles,
            permissions,
            business_unit: profile.claims.business_unit,
            created_at: profile.created_at,
        }
        .into())
    }
}
