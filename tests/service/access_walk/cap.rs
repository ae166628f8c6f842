//! What the role of the token that calls must be at least, if it is to change anything (docs/design.md §4): a viewer's
//! token is read-only everywhere; what anybody in a team may do with it, or with what is their own, a member's token
//! does; what needs a permission such as manage-teams, an admin's; what is for owners alone, an owner's. In a workspace
//! the role there is capped.

/// The roles of tokens, each of which includes those before it.
pub const ROLES: [&str; 5] = ["viewer", "member", "manager", "admin", "owner"];

/// What a token must be for a request.
pub struct Cap {
    /// Of who may do it by being an owner, by a permission or as a site admin.
    by_rank: &'static str,
    /// Of who may do it by being in the team, or because it is their own.
    by_part: &'static str,
    /// Who these are.
    part: &'static [&'static str],
    /// Whose token it is that the request ends: a token ends itself whatever its role.
    itself: &'static [&'static str],
    /// What everybody else is answered who may do it otherwise, by the principal and the token's role: 404 where the
    /// HCP API says so.
    refused: fn(&str, &str) -> u16,
    /// How `docs/access.md` tells it.
    pub text: &'static str,
}

const PART: &[&str] = &["member", "team token", "invited"];

/// Every role suffices.
pub const READ: Cap =
    Cap { by_rank: "viewer", by_part: "viewer", part: &[], itself: &[], refused: |_, _| 403, text: "any" };

/// For owners alone.
pub const OWNER: Cap = ranked("owner", |_, _| 403, "owner, else 403");

/// The same, hidden from the others.
pub const OWNER_OR_404: Cap = ranked("owner", |_, _| 404, "owner, else 404");

/// Needs a permission in the organization.
pub const ADMIN: Cap = ranked("admin", |_, _| 403, "admin, else 403");

/// The same, hidden from the others.
pub const ADMIN_OR_404: Cap = ranked("admin", |_, _| 404, "admin, else 404");

/// Needs a permission in the workspace that also a member has, and is hidden from the others.
pub const MEMBER_OR_404: Cap = ranked("member", |_, _| 404, "member, else 404");

/// Needs a permission in the workspace.
pub const MANAGER: Cap = ranked("manager", |_, _| 403, "manager, else 403");

/// The same, hidden from the others.
pub const MANAGER_OR_404: Cap = ranked("manager", |_, _| 404, "manager, else 404");

/// An admin's token may invite, but not into the team owners.
pub const OWNERS_INVITE: Cap =
    ranked("owner", |_, role| if role == "admin" { 403 } else { 404 }, "owner, else 404; 403 for admin");

/// A permission in the organization, or being in the team, or one's own.
pub const PART_OR_ADMIN: Cap =
    shared("admin", "member", PART, "member for members and their own, else admin; else 403");

/// One's own, or an owner.
pub const OWN: Cap = shared("owner", "member", PART, "member, else 403");

/// Of the team owners: who is in it needs no more than a member of another team.
pub const OWNERS_PART: Cap = shared("owner", "member", &["owner"], "member for an owner, else owner; else 403");

/// The same, where also the team's own token may.
pub const OWNERS_REPLACE: Cap = shared(
    "owner",
    "member",
    &["owner", "owners' token"],
    "member for an owner or their team's token, else owner; else 403",
);

/// What a token of a team may also do to itself.
pub const TEAMS_OR_ITSELF: Cap = Cap {
    itself: &["team token"],
    text: "member for members and their own, else admin; else 403; any for the token itself",
    ..PART_OR_ADMIN
};

/// The same of a user's token, which site admins end as well.
pub const OWN_OR_ITSELF: Cap =
    Cap { itself: &["member"], text: "any for the token itself; owner for site admins, else 403", ..OWN };

/// A service account, or an owner for it.
pub const ACCOUNTS: Cap =
    shared("owner", "member", &["service account"], "member for the account itself, else owner; else 403");

/// The same, where site admins may as well, and every token to itself.
pub const ACCOUNTS_OR_ITSELF: Cap =
    Cap { itself: &["service account"], text: "any for the token itself, else owner; else 403", ..ACCOUNTS };

/// The same of an organization's own token.
pub const ORGANIZATIONS_OR_ITSELF: Cap =
    Cap { itself: &["organization token"], text: "owner, else 403; any for the token itself", ..OWNER };

/// What admins in the workspace do, and a token of it to itself from the role member up.
pub const WORKSPACES_REPLACE: Cap =
    shared("admin", "member", &["workspace token"], "member for the token itself, else admin; else 403");

/// The same of a workspace's token, which everybody's token may do to itself.
pub const WORKSPACES_OR_ITSELF: Cap =
    Cap { itself: &["workspace token"], text: "admin, else 403; any for the token itself", ..ADMIN };

/// The same of an audit-trails token.
pub const TRAILS_OR_ITSELF: Cap =
    Cap { itself: &["audit-trails token"], text: "owner, else 403; any for the token itself", ..OWNER };

/// The same of a token of the team owners.
pub const OWNERS_OR_ITSELF: Cap = Cap {
    itself: &["owners' token"],
    text: "member for an owner, else owner; else 403; any for the token itself",
    ..OWNERS_PART
};

const fn ranked(role: &'static str, refused: fn(&str, &str) -> u16, text: &'static str) -> Cap {
    Cap { by_rank: role, by_part: role, part: PART, itself: &[], refused, text }
}

const fn shared(
    by_rank: &'static str,
    by_part: &'static str,
    part: &'static [&'static str],
    text: &'static str,
) -> Cap {
    Cap { by_rank, by_part, part, itself: &[], refused: |_, _| 403, text }
}

impl Cap {
    /// What a principal is answered whose token is of a role, and that is answered `uncapped` with any role.
    pub fn capped(&self, principal: &str, role: &str, uncapped: u16) -> u16 {
        let rank = |name: &str| ROLES.iter().position(|role| *role == name).unwrap();
        let suffices = rank(role) >= rank(if self.part.contains(&principal) { self.by_part } else { self.by_rank });
        match uncapped {
            _ if suffices || self.itself.contains(&principal) => uncapped,
            200..300 => (self.refused)(principal, role),
            // Where it is refused for another reason, the caller may not come so far.
            403 | 409 => (self.refused)(principal, role),
            _ => uncapped,
        }
    }
}
