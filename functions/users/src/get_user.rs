//! `GET /api/v1/users/{user_id}`: a user's public profile (S3-E21).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::auth::Caller;
use shared::domain::ids::UserId;
use shared::domain::user::Card;
use shared::examples;
use shared::http::input::Nothing;
use shared::http::{Call, Endpoint, Example, Reply, Route, Tag};
use shared::store::profiles;
use shared::{App, Error, Result};

/// `GET /api/v1/users/{user_id}`
pub struct GetUser;

/// The parameters of the path.
#[derive(Deserialize, JsonSchema)]
pub struct Path {
    /// The user.
    pub user_id: UserId,
}

/// What everybody sees of a user.
#[derive(Serialize, JsonSchema)]
pub struct PublicProfile {
    /// The user id.
    pub id: UserId,
    /// The user name.
    pub username: String,
    /// The display name.
    pub display_name: String,
    /// The URL of the avatar.
    pub avatar_url: Option<String>,
}

impl Endpoint for GetUser {
    const ROUTE: Route = Route::get(
        Tag::Users,
        "get_user",
        "/api/v1/users/{user_id}",
        "Get a user's public profile",
    )
    .described("A user is known from their first call on; before that the answer is 404.");
    type Who = Caller;
    type Path = Path;
    type Query = Nothing;
    type Body = Nothing;
    type Output = PublicProfile;

    fn example() -> Example {
        Example {
            parameters: json!({ "user_id": examples::ADA }),
            answer: json!({
                "id": examples::ADA,
                "username": "ada",
                "display_name": "Ada Lovelace",
                "avatar_url": null
            }),
            ..Example::default()
        }
    }

    async fn handle(app: &App, call: Call<'_, Self>) -> Result<Reply<PublicProfile>> {
        let id = call.path.user_id;
        let profile = profiles::find(app, id).await?.ok_or(Error::NotFound("user"))?;
        let card = Card::of(id, &profile.claims);
        Ok(PublicProfile {
            id,
            username: card.username,
            display_name: card.display_name,
            avatar_url: card.avatar_url,
        }
        .into())
    }
}
