//! The demo users of the desk, and tokens for them and for anybody.

use std::time::Duration;

use shared::App;
use shared::auth::token::{self, TokenClaims};
use shared::domain::ids::UserId;
use shared::domain::time::Timestamp;
use shared::domain::user::Claims;
use uuid::Uuid;

use crate::environment;

/// A demo user.
#[derive(Clone, Copy, Debug)]
pub struct DemoUser {
    /// The id.
    pub id: Uuid,
    /// The short name.
    pub username: &'static str,
    /// The name to show.
    pub name: &'static str,
}

/// The users that exist on every desk.
pub const USERS: [DemoUser; 4] = [
    DemoUser {
        id: Uuid::from_u128(0x11111111_1111_4111_8111_111111111111),
        username: "ada",
        name: "Ada Lovelace",
    },
    DemoUser {
        id: Uuid::from_u128(0x22222222_2222_4222_8222_222222222222),
        username: "bob",
        name: "Bob Noyce",
    },
    DemoUser {
        id: Uuid::from_u128(0x33333333_3333_4333_8333_333333333333),
        username: "chen",
        name: "Chen-Ning Wu",
    },
    DemoUser {
        id: Uuid::from_u128(0x44444444_4444_4444_8444_444444444444),
        username: "dana",
        name: "Dana Ulery",
    },
];

/// How long a demo user's token is valid.
pub const TOKEN_LIFETIME: Duration = Duration::from_hours(24);

impl DemoUser {
    /// The claims of their token.
    pub fn claims(&self) -> Claims {
        Claims {
            name: Some(self.name.to_owned()),
            username: Some(self.username.to_owned()),
            ..Claims::default()
        }
    }
}

/// A token for somebody.
pub fn token(
    secret: &str,
    user: Uuid,
    claims: Claims,
    now: Timestamp,
    lifetime: Duration,
) -> shared::Result<String> {
    let claims = TokenClaims {
        sub: UserId::from_uuid(user),
        exp: now.plus(lifetime).seconds(),
        iat: Some(now.seconds()),
        nbf: None,
        iss: None,
        aud: None,
        claims,
    };
    token::issue(secret, &claims)
}

/// A token of the events in `events/`: of a demo user, with these roles, from the moment of the events to the year 2100.
/// Every desk with [its own secret](environment::DESK_JWT_SECRET) takes it. Anybody can make it, as that secret is public,
/// and no deployment has it.
///
/// # Errors
/// Nobody is that demo user.
pub fn token_of_events(user: &str, roles: &[&str]) -> shared::Result<String> {
    let found = USERS.iter().find(|demo| demo.id.to_string() == user);
    let user = found.ok_or(shared::Error::NotFound("demo user"))?;
    let claims = TokenClaims {
        sub: UserId::from_uuid(user.id),
        exp: 4_102_444_800,
        iat: Some(1_768_473_000),
        nbf: None,
        iss: None,
        aud: None,
        claims: Claims {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..user.claims()
        },
    };
    token::issue(environment::DESK_JWT_SECRET, &claims)
}

/// Creates the demo users' profiles, as their first call would, so that they can write to each other at once.
pub async fn introduce(app: &App) -> shared::Result<()> {
    for user in USERS {
        shared::store::profiles::refresh(app, UserId::from_uuid(user.id), &user.claims(), None).await?;
    }
    Ok(())
}
