//! Users: their profiles and permissions.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::UserId;
use super::time::Timestamp;

pub use super::claims::Claims;
pub use super::permission::Permission;

/// The public profile of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// The user name; by default the first part of the id.
    pub username: String,
    /// The display name; by default the user name.
    pub display_name: String,
    /// The picture.
    pub avatar_url: Option<String>,
}

impl Card {
    /// The public profile from the claims of `user`.
    pub fn of(user: UserId, claims: &Claims) -> Self {
        let mut start = user.to_string();
        start.truncate(8);
        let username = claims
            .username
            .clone()
            .or_else(|| claims.name.clone())
            .unwrap_or(start);
        let display_name = claims.name.clone().unwrap_or_else(|| username.clone());
        Self {
            username,
            display_name,
            avatar_url: claims.avatar_url.clone(),
        }
    }
}

/// A user profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct User {
    /// The user id.
    pub id: UserId,
    /// The user name.
    pub username: String,
    /// The display name.
    pub display_name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The URL of the avatar.
    pub avatar_url: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
    /// The permissions of the user, including those of their roles.
    pub permissions: Vec<Permission>,
    /// The business unit.
    pub business_unit: Option<String>,
    /// When the user first called the API.
    pub created_at: Timestamp,
}

impl Claims {
    /// Whether the token grants a permission.
    pub fn allow(&self, permission: Permission) -> bool {
        match permission {
            Permission::HardDelete => self.roles.iter().any(|role| role == "super_admin"),
            named => self.permissions().contains(&named),
        }
    }

    /// The permissions of the token, including those of its roles, in a fixed order.
    pub fn permissions(&self) -> Vec<Permission> {
        let holds = |permission: &Permission| {
            self.permissions.iter().any(|name| name == permission.as_str())
                || self
                    .roles
                    .iter()
                    .any(|role| Permission::of_role(role).contains(permission))
        };
        Permission::ALL.into_iter().filter(holds).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_expand_to_permissions_and_unknown_ones_to_nothing() {
        let with = |role: &str| {
            Claims {
                roles: vec![role.to_owned()],
                ..Claims::default()
            }
            .permissions()
        };
        assert_eq!(
            with("moderator"),
            [Permission::ModerationView, Permission::ModerationAction]
        );
        assert_eq!(
            with("analyst"),
            [Permission::AnalyticsView, Permission::AnalyticsExport]
        );
        assert_eq!(with("admin"), Permission::ALL);
        assert_eq!(with("super_admin"), Permission::ALL);
        assert!(with("Admin").is_empty());
    }

    #[test]
    fn only_the_role_of_a_super_admin_removes_for_good() {
        let claims = |roles: &[&str], permissions: &[&str]| Claims {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
            ..Claims::default()
        };
        assert!(claims(&["super_admin"], &[]).allow(Permission::HardDelete));
        assert!(!claims(&["admin"], &["messages.hard_delete", "super_admin"]).allow(Permission::HardDelete));
        assert!(claims(&["analyst"], &[]).allow(Permission::AnalyticsView));
        assert!(!claims(&["analyst"], &[]).allow(Permission::AuditView));
    }

    #[test]
    fn a_permission_is_written_as_its_token_says() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
        }
    }
}
