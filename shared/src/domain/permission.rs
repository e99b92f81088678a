//! Permissions beyond the caller's own conversations (contract §1, *Permissions*), as values and as types.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A permission as a type, so that a function can require it in its signature.
pub trait Right: Copy + Debug + Send + Sync + 'static {
    /// The same as a value.
    const PERMISSION: Permission;
}

/// Declares each permission once: the variant of [`Permission`], its text in tokens, and its type.
macro_rules! permissions {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// A right beyond one's own conversations (contract §1, *Permissions*).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Permission {
            $($(#[$doc])+ #[serde(rename = $text)] $name,)+
        }

        impl Permission {
            /// The permission as tokens write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        $(
            $(#[$doc])+
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Right for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

permissions! {
    /// See what is moderated.
    ModerationView = "moderation.view",
    /// Block, flag and approve.
    ModerationAction = "moderation.action",
    /// See figures.
    AnalyticsView = "analytics.view",
    /// Export messages.
    AnalyticsExport = "analytics.export",
    /// Send system notifications.
    NotificationsSystem = "notifications.system",
    /// Grant credits.
    CreditsGrant = "credits.grant",
    /// Read the audit log.
    AuditView = "audit.view",
    /// Remove a message's content for good: no token names it, only the role `super_admin` brings it.
    HardDelete = "messages.hard_delete",
}

impl Permission {
    /// Every permission that a token can name.
    pub const ALL: [Self; 7] = [
        Self::ModerationView,
        Self::ModerationAction,
        Self::AnalyticsView,
        Self::AnalyticsExport,
        Self::NotificationsSystem,
        Self::CreditsGrant,
        Self::AuditView,
    ];

    /// The permissions of a role; an unknown role has none.
    pub fn of_role(role: &str) -> &'static [Self] {
        match role {
            "moderator" => &[Self::ModerationView, Self::ModerationAction],
            "analyst" => &[Self::AnalyticsView, Self::AnalyticsExport],
            "admin" | "super_admin" => &Self::ALL,
            _ => &[],
        }
    }
}
