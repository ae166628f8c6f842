//! The event and its actor.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::database::schema::audit_events;
use crate::ids::{AuditEventId, OrganizationId, TokenId, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub(super) kind: &'static str,
    pub(super) accessor_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) token: Option<TokenId>,
    /// What the token's maker said of it.
    pub(super) token_description: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Actor {
    /// The principal of a request, by its token; none for a session.
    #[must_use]
    pub const fn client(accessor_id: String, description: String, token: Option<TokenId>, request_id: String) -> Self {
        Self {
            kind: "Client",
            accessor_id: Some(accessor_id),
            description: Some(description),
            token,
            token_description: None,
            request_id: Some(request_id),
        }
    }

    /// The same with what the token's maker said of it.
    #[must_use]
    pub fn with_token_described(self, token_description: Option<String>) -> Self {
        Self { token_description, ..self }
    }

    /// Somebody who needed no token.
    #[must_use]
    pub fn anybody(description: &str, request_id: String) -> Self {
        Self { description: Some(description.to_owned()), request_id: Some(request_id), ..Self::system() }
    }

    /// The service itself, or its command line.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            kind: "System",
            accessor_id: None,
            description: None,
            token: None,
            token_description: None,
            request_id: None,
        }
    }
}

/// What happened to a resource, named as the HCP API's audit trail names it (`authentication_token`, `team`, …).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub(super) id: AuditEventId,
    pub(super) organization: Option<OrganizationId>,
    pub(super) user: Option<UserId>,
    pub(super) resource_type: &'static str,
    pub(super) resource_id: String,
    pub(super) action: &'static str,
    pub(super) meta: Value,
}

impl Event {
    /// An event in an organization; none for what belongs to no organization, such as a person's token.
    #[must_use]
    pub fn new(
        organization: Option<OrganizationId>,
        resource_type: &'static str,
        resource_id: impl ToString,
        action: &'static str,
    ) -> Self {
        let id = AuditEventId::generate();
        let resource_id = resource_id.to_string();
        Self { id, organization, user: None, resource_type, resource_id, action, meta: json!({}) }
    }

    /// What happened to a user's account.
    #[must_use]
    pub fn of_account(user: UserId, action: &'static str) -> Self {
        Self::new(None, "user", user, action).of_user(Some(user))
    }

    /// The same as an event of this organization's trail, if there is one.
    #[must_use]
    pub fn within(self, organization: Option<OrganizationId>) -> Self {
        Self { organization, ..self }
    }

    /// The same as an event of this user's trail, if there is one: it is about the user's account or token.
    #[must_use]
    pub fn of_user(self, user: Option<UserId>) -> Self {
        Self { user, ..self }
    }

    /// An event of the same about another resource.
    #[must_use]
    pub fn about(self, resource_id: impl ToString) -> Self {
        Self { id: AuditEventId::generate(), resource_id: resource_id.to_string(), ..self }
    }

    /// The id that it has in the trail.
    #[must_use]
    pub const fn id(&self) -> AuditEventId {
        self.id
    }

    /// With one member more in what is said about it. Never a secret.
    #[must_use]
    pub fn and_meta(mut self, name: &str, value: Value) -> Self {
        self.meta[name] = value;
        self
    }

    /// With more about it. Never a secret.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = meta;
        self
    }
}

/// What is told of a token, or of a user, only once in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looking {
    /// Somebody has looked at it: once an hour for each who did.
    Show,
    /// It was presented and is not good: once a minute.
    Refuse,
    /// The same of one whose grace after its replacement is over.
    RefuseReplaced,
    /// Somebody gave a wrong password for a user: once a minute.
    RefuseSignIn,
}

impl Looking {
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Show => "show",
            Self::Refuse => "refuse",
            Self::RefuseReplaced => "refuse_replaced",
            Self::RefuseSignIn => "refuse_sign_in",
        }
    }

    /// In seconds.
    pub(super) const fn once_in(self) -> i32 {
        match self {
            Self::Show => 3600,
            Self::Refuse | Self::RefuseReplaced | Self::RefuseSignIn => 60,
        }
    }
}

/// Which events a list holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) trail: Trail,
    /// Only what happened after this time.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Only what was done by this token.
    pub(crate) token: Option<TokenId>,
}

/// Whose events a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trail {
    Organization(OrganizationId),
    /// What is about a user's account and tokens.
    User(UserId),
    Everybody,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = audit_events, check_for_backend(diesel::pg::Pg))]
pub struct Recorded {
    pub id: AuditEventId,
    /// The organization that it belongs to; none for what happens to users and to the service itself.
    pub organization_id: Option<OrganizationId>,
    pub occurred_at: DateTime<Utc>,
    pub actor_type: String,
    /// The id of who did it.
    pub accessor_id: Option<String>,
    /// The name of who did it.
    pub accessor_description: Option<String>,
    /// The token by which it was done, and what its maker said of it then.
    pub token_id: Option<TokenId>,
    pub token_description: Option<String>,
    /// The request that did it.
    pub request_id: Option<String>,
    /// What it was done to.
    pub resource_type: String,
    pub resource_id: String,
    pub action: String,
    pub meta: Value,
}
