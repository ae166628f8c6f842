//! How users look on the wire.

use serde_json::{Value, json};

use super::{User, membership_identifier};
use crate::access::{Caller, Principal};
use crate::ids::{MembershipId, UserId};
use crate::jsonapi::{Identifier, Resource, ResourceType};

pub(crate) const USERS: ResourceType = ResourceType {
    name: "users",
    fields: &[
        "username",
        "is-service-account",
        "avatar-url",
        "auth-method",
        "v2-only",
        "is-admin",
        "is-site-admin",
        "is-suspended",
        "is-sso-login",
        "is-confirmed",
        "is-unified",
        "is-sudo",
        "email",
        "unconfirmed-email",
        "enterprise-support",
        "has-linked-hcp",
        "has-git-hub-app-token",
        "two-factor",
        "permissions",
        "authentication-tokens",
        "authenticated-resource",
        "organizations",
        "organization-membership",
    ],
};

/// `avatar-url`, where clients of the HCP API want a text: a transparent pixel, for which no host is asked.
const AVATAR: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// A reference to a user.
pub(crate) fn identifier(id: UserId) -> Identifier {
    Identifier::new(USERS.name, id)
}

/// What any fellow member sees of a user. Whom an invitation made has not chosen a name yet, and clients want a text.
pub(crate) fn public(user: &User) -> Resource {
    Resource::new(&USERS, user.id)
        .attribute("username", if user.confirmed { user.username.as_str() } else { "" })
        .attribute("is-service-account", user.is_service_account())
        .attribute("avatar-url", AVATAR)
        .attribute("auth-method", "tfc")
        .attribute("v2-only", true)
        .attribute("permissions", permissions(&Seen::BySomebody))
        .relation_link("authentication-tokens", format!("/api/v2/users/{}/authentication-tokens", user.id))
        .link_self(format!("/api/v2/users/{}", user.id))
}

/// A service account, with its membership, by which it is ended.
pub(crate) fn service_account(user: &User, membership: MembershipId) -> Resource {
    public(user).to_one("organization-membership", Some(membership_identifier(membership)))
}

/// What users see of themselves.
pub(crate) fn own(user: &User) -> Resource {
    let seen = if user.is_service_account() { Seen::BySomebody } else { Seen::ByThemselves };
    private(public(user), user.site_admin)
        .attribute("username", &user.username)
        .attribute("email", user.email.as_deref().unwrap_or_default())
        .attribute("unconfirmed-email", &user.unconfirmed_email)
        .attribute("is-confirmed", user.confirmed)
        .attribute("permissions", permissions(&seen))
        .to_one("authenticated-resource", Some(identifier(user.id)))
}

/// The user-like face of a token that has no user, as the HCP API shows it.
pub(crate) fn service(caller: &Caller) -> Option<Resource> {
    let (uuid, username, behind) = match &caller.principal {
        Principal::User { .. } => return None,
        Principal::Team { id, .. } => (id.uuid(), format!("api-{id}"), Identifier::new("teams", id)),
        Principal::Organization { id, name } => {
            (id.uuid(), format!("api-org-{name}"), Identifier::new("organizations", name))
        }
        Principal::AuditTrails { organization } => (
            organization.uuid(),
            format!("api-audit-trails-{organization}"),
            Identifier::new("organizations", organization),
        ),
        Principal::Workspace { id, .. } => (id.uuid(), format!("api-{id}"), Identifier::new("workspaces", id)),
    };
    let resource = Resource::new(&USERS, UserId::of_service(uuid))
        .attribute("username", username)
        .attribute("is-service-account", true)
        .attribute("avatar-url", AVATAR)
        .attribute("auth-method", "tfc")
        .attribute("v2-only", true)
        .attribute("email", "")
        .attribute("permissions", permissions(&Seen::BySomebody))
        .to_one("authenticated-resource", Some(behind));
    Some(private(resource, false))
}

fn private(resource: Resource, site_admin: bool) -> Resource {
    resource
        .attribute("is-admin", site_admin)
        .attribute("is-site-admin", site_admin)
        .attribute("is-sso-login", false)
        .attribute("is-confirmed", true)
        .attribute("is-unified", false)
        .attribute("is-sudo", false)
        .attribute("unconfirmed-email", ())
        .attribute("enterprise-support", false)
        .attribute("has-linked-hcp", false)
        .attribute("has-git-hub-app-token", false)
        .attribute("two-factor", no_two_factor())
}

fn no_two_factor() -> Value {
    json!({"enabled": false, "verified": false})
}

/// What site admins see of a user, as the admin API of Terraform Enterprise shows it, with organizations that the user is in.
pub(crate) fn administered(user: &User, organizations: Vec<Identifier>) -> Resource {
    Resource::new(&USERS, user.id)
        .attribute("username", &user.username)
        .attribute("email", user.email.as_deref().unwrap_or_default())
        .attribute("unconfirmed-email", &user.unconfirmed_email)
        .attribute("avatar-url", AVATAR)
        .attribute("is-admin", user.site_admin)
        .attribute("is-suspended", user.suspended_at.is_some())
        .attribute("is-service-account", user.is_service_account())
        .attribute("is-confirmed", user.confirmed)
        .attribute("two-factor", no_two_factor())
        .to_many("organizations", organizations)
        .link_self(format!("/api/v2/users/{}", user.id))
}

enum Seen {
    ByThemselves,
    /// Or by a service account, which has nothing to change of itself.
    BySomebody,
}

fn permissions(seen: &Seen) -> Value {
    let own = matches!(seen, Seen::ByThemselves);
    json!({
        "can-create-organization": own,
        "can-view-organizations": own,
        "can-view-settings": own,
        "can-view-profile": true,
        "can-change-email": own,
        "can-change-username": own,
        "can-change-password": own,
        "can-manage-sessions": false,
        "can-manage-user-tokens": own,
        "can-update-user": own,
        "can-reenable-2fa-by-unlinking": false,
        "can-manage-hcp-accounts": false,
        // Shipped clients look for these spellings.
        "can-create-organizations": own,
        "can-view2fa-settings": false,
        "can-manage-hcp-account": false,
        "can-use-sql-runner": false,
    })
}
