//! Every principal × every route, against the status that docs/design.md §4 asks for.
//!
//! The world is built once; each request that may change it gets a copy of its own.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::app::{identifiers, resource, team_access};
use crate::support::cluster::{self, Database};

/// The columns of the table, in its order. `invited` is in the team `ci`, and has not accepted.
const PRINCIPALS: [&str; 12] = [
    "stranger",
    "member",
    "team token",
    "manager",
    "owner",
    "owners' token",
    "site admin",
    "invited",
    "membership manager",
    "organization token",
    "audit-trails token",
    "workspace token",
];

/// Secrets that open nothing, and no secret: 401 on every route that needs one.
const NOBODIES: [&str; 6] = ["anonymous", "expired", "revoked", "disabled", "mistyped", "unknown"];

/// One row: a request, and what each of [`PRINCIPALS`] is answered.
struct Row(&'static str, &'static str, fn(&World) -> Value, [u16; 12]);

fn no_body(_: &World) -> Value {
    Value::Null
}

fn new_organization(_: &World) -> Value {
    resource("organizations", json!({"name": "new", "email": "new@example.com"}))
}

fn organization_change(_: &World) -> Value {
    resource("organizations", json!({"email": "new@example.com"}))
}

fn new_team(_: &World) -> Value {
    resource("teams", json!({"name": "new"}))
}

fn team_change(_: &World) -> Value {
    resource("teams", json!({"description": "changed"}))
}

fn access_change(_: &World) -> Value {
    resource("teams", json!({"organization-access": {"manage-workspaces": true}}))
}

fn new_member(_: &World) -> Value {
    identifiers("users", &["cleo"])
}

fn new_token(_: &World) -> Value {
    resource("authentication-tokens", json!({"description": "new"}))
}

fn token_change(_: &World) -> Value {
    resource("authentication-tokens", json!({"description": "changed"}))
}

fn new_workspace(_: &World) -> Value {
    resource("workspaces", json!({"name": "new"}))
}

fn workspace_change(_: &World) -> Value {
    resource("workspaces", json!({"auto-apply": true}))
}

fn new_tags(_: &World) -> Value {
    json!({"data": [{"type": "tags", "attributes": {"name": "new"}}]})
}

fn new_bindings(_: &World) -> Value {
    json!({"data": [{"type": "tag-bindings", "attributes": {"key": "new", "value": "new"}}]})
}

fn new_access(world: &World) -> Value {
    team_access(&world.named("open"), &world.named("prod"), json!({"access": "read"}))
}

fn new_level(_: &World) -> Value {
    resource("team-workspaces", json!({"access": "plan"}))
}

fn described_token(world: &World) -> Value {
    identifiers("authentication-tokens", &[&world.named("ci-described")])
}

fn account_change(_: &World) -> Value {
    resource("users", json!({"username": "changed"}))
}

fn new_password(_: &World) -> Value {
    resource("users", json!({"password": "correct horse", "password_confirmation": "correct horse"}))
}

fn new_policies(_: &World) -> Value {
    let policies = json!([{"token-type": "team", "max-ttl-ms": 86_400_000}]);
    resource("organization-token-ttl-policies", json!({ "token-ttl-policies": policies }))
}

fn new_abilities(_: &World) -> Value {
    resource("abilities", json!({"abilities": [{"name": "agents:read", "description": "Look at agents"}]}))
}

fn invitation_into(team: &str) -> Value {
    let mut invitation = resource("organization-memberships", json!({"email": "new@example.com"}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[team])});
    invitation
}

fn invitation(world: &World) -> Value {
    invitation_into(&world.named("ci"))
}

fn owners_invitation(world: &World) -> Value {
    invitation_into(&world.named("owners"))
}

fn cleos(world: &World) -> Value {
    identifiers("organization-memberships", &[&world.named("cleo-membership")])
}

/// The members are ben (in `ci` and `locked`), mia (in `managers`, which has manage-teams), max
/// (in `hosts`, which has manage-membership) and cleo (in `closed`); ian is invited into `ci`.
/// `open` is visible to the organization; all others but `owners` are secret. `locked` has no member token management.
/// The workspaces are `prod`, which `ci` reads, and `lab`, which `ci` administers.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row("GET",    "/account/details",                              no_body,             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    Row("GET",    "/users/{ada}",                                  no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("GET",    "/users/{ian}",                                  no_body,             [404, 200, 200, 200, 200, 200, 200, 200, 200, 200, 404, 404]),
    Row("GET",    "/users/{zoe}",                                  no_body,             [200, 404, 404, 404, 404, 404, 200, 404, 404, 404, 404, 404]),

    Row("GET",    "/organizations",                                no_body,             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    Row("POST",   "/organizations",                                new_organization,    [201, 201, 403, 201, 201, 403, 201, 201, 201, 403, 403, 403]),
    Row("GET",    "/organizations/acme",                           no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("PATCH",  "/organizations/acme",                           organization_change, [404, 403, 403, 403, 200, 200, 200, 404, 403, 200, 404, 404]),
    Row("DELETE", "/organizations/acme",                           no_body,             [404, 403, 403, 403, 204, 204, 204, 404, 403, 204, 404, 404]),
    Row("GET",    "/organizations/acme/entitlement-set",           no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("GET",    "/organizations/nowhere",                        no_body,             [404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),

    Row("GET",    "/organizations/acme/teams",                     no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("POST",   "/organizations/acme/teams",                     new_team,            [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/teams/{ci}",                                   no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/teams/{closed}",                               no_body,             [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/teams/{open}",                                 no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("GET",    "/teams/{owners}",                               no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("PATCH",  "/teams/{ci}",                                   team_change,         [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/teams/{ci}",                                   access_change,       [404, 404, 404, 403, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/teams/{open}",                                 team_change,         [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/teams/{owners}",                               team_change,         [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/teams/{ci}",                                   no_body,             [404, 404, 404, 204, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("DELETE", "/teams/{owners}",                               no_body,             [404, 404, 404, 404, 403, 403, 404, 404, 404, 403, 404, 404]),

    Row("POST",   "/teams/{ci}/relationships/users",               new_member,          [404, 403, 403, 204, 204, 204, 404, 404, 204, 204, 404, 404]),
    Row("DELETE", "/teams/{ci}/relationships/users",               new_member,          [404, 403, 403, 204, 204, 204, 404, 404, 204, 204, 404, 404]),
    Row("POST",   "/teams/{closed}/relationships/users",           new_member,          [404, 404, 404, 204, 204, 204, 404, 404, 204, 204, 404, 404]),
    Row("POST",   "/teams/{owners}/relationships/users",           new_member,          [404, 403, 403, 403, 204, 204, 403, 404, 403, 204, 404, 404]),
    Row("DELETE", "/teams/{owners}/relationships/users",           new_member,          [404, 403, 403, 403, 204, 204, 403, 404, 403, 204, 404, 404]),

    Row("GET",    "/teams/{ci}/authentication-token",              no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/teams/{ci}/authentication-token",              no_body,             [404, 201, 201, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("DELETE", "/teams/{ci}/authentication-token",              no_body,             [404, 204, 403, 204, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/teams/{ci}/authentication-tokens",             no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/teams/{ci}/authentication-tokens",             new_token,           [404, 201, 403, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("GET",    "/teams/{locked}/authentication-token",          no_body,             [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/teams/{locked}/authentication-token",          no_body,             [404, 403, 404, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("DELETE", "/teams/{locked}/authentication-token",          no_body,             [404, 404, 404, 204, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("POST",   "/teams/{locked}/authentication-tokens",         new_token,           [404, 403, 404, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("POST",   "/teams/{open}/authentication-token",            no_body,             [404, 403, 403, 201, 201, 201, 403, 404, 403, 201, 404, 404]),
    Row("GET",    "/teams/{owners}/authentication-token",          no_body,             [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/teams/{owners}/authentication-token",          no_body,             [404, 403, 403, 403, 201, 201, 403, 404, 403, 201, 404, 404]),
    Row("DELETE", "/teams/{owners}/authentication-token",          no_body,             [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("POST",   "/teams/{owners}/authentication-tokens",         new_token,           [404, 403, 403, 403, 201, 201, 403, 404, 403, 201, 404, 404]),

    Row("GET",    "/authentication-tokens/{ci-token}",             no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/authentication-tokens/{ci-token}",             no_body,             [404, 204, 403, 204, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/authentication-tokens/{ci-described}",         no_body,             [404, 200, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/authentication-tokens/{ci-described}",         no_body,             [404, 204, 404, 204, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/authentication-tokens/{locked-token}",         no_body,             [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/authentication-tokens/{owners-token}",         no_body,             [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/authentication-tokens/{owners-token}",         no_body,             [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/authentication-tokens/{ben-token}",            no_body,             [404, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("DELETE", "/authentication-tokens/{ben-token}",            no_body,             [404, 204, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    // As reading the token itself.
    Row("GET",    "/authentication-tokens/{ci-token}/usage",       no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/authentication-tokens/{ci-described}/usage",   no_body,             [404, 200, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/authentication-tokens/{owners-token}/usage",   no_body,             [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/authentication-tokens/{ben-token}/usage",      no_body,             [404, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("GET",    "/authentication-tokens/{audit-token}/usage",    no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),

    Row("GET",    "/organizations/acme/team-tokens",               no_body,             [404, 200, 200, 200, 200, 200, 403, 404, 200, 200, 404, 404]),
    Row("DELETE", "/organizations/acme/team-tokens",               described_token,     [404, 204, 404, 204, 204, 204, 403, 404, 404, 204, 404, 404]),
    Row("GET",    "/organizations/acme/authentication-tokens",     no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),

    // Routes that a user's account or an organization's own token is behind.
    Row("PATCH",  "/account/update",                               account_change,      [200, 200, 403, 200, 200, 403, 200, 200, 200, 403, 403, 403]),
    Row("PATCH",  "/account/password",                             new_password,        [200, 200, 403, 200, 200, 403, 200, 200, 200, 403, 403, 403]),
    Row("GET",    "/users/{ben}/authentication-tokens",            no_body,             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    Row("POST",   "/users/{ben}/authentication-tokens",            new_token,           [404, 201, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("GET",    "/organizations/acme/authentication-token",      no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/organizations/acme/authentication-token",      no_body,             [404, 403, 403, 403, 201, 201, 201, 404, 403, 201, 404, 404]),
    Row("DELETE", "/organizations/acme/authentication-token",      no_body,             [404, 404, 404, 404, 204, 204, 204, 404, 404, 204, 404, 404]),
    Row("GET",    "/organizations/acme/authentication-token?token=audit-trails", no_body, [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/organizations/acme/authentication-token?token=audit-trails", no_body, [404, 403, 403, 403, 201, 201, 201, 404, 403, 201, 404, 404]),
    Row("DELETE", "/organizations/acme/authentication-token?token=audit-trails", no_body, [404, 404, 404, 404, 204, 204, 204, 404, 404, 204, 404, 404]),
    Row("GET",    "/authentication-tokens/{organization-token}",   no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("DELETE", "/authentication-tokens/{organization-token}",   no_body,             [404, 404, 404, 404, 204, 204, 204, 404, 404, 204, 404, 404]),
    Row("GET",    "/authentication-tokens/{audit-token}",          no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("DELETE", "/authentication-tokens/{audit-token}",          no_body,             [404, 404, 404, 404, 204, 204, 204, 404, 404, 204, 404, 404]),
    Row("GET",    "/organization/audit-trail",                     no_body,             [404, 404, 404, 404, 404, 404, 404, 404, 404, 200, 200, 404]),
    Row("GET",    "/organizations/acme/token-ttl-policies",        no_body,             [404, 403, 403, 403, 200, 200, 200, 404, 403, 200, 404, 404]),
    Row("PATCH",  "/organizations/acme/token-ttl-policies",        new_policies,        [404, 403, 403, 403, 200, 200, 200, 404, 403, 200, 404, 404]),
    Row("GET",    "/organizations/acme/abilities",                 no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("PATCH",  "/organizations/acme/abilities",                 new_abilities,       [404, 403, 403, 403, 200, 200, 200, 404, 403, 200, 404, 404]),

    Row("GET",    "/organization-memberships",                     no_body,             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    Row("GET",    "/organizations/acme/organization-memberships",  no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("POST",   "/organizations/acme/organization-memberships",  invitation,          [404, 404, 404, 201, 201, 201, 404, 404, 201, 201, 404, 404]),
    Row("POST",   "/organizations/acme/organization-memberships",  owners_invitation,   [404, 404, 404, 403, 201, 201, 404, 404, 403, 201, 404, 404]),
    Row("GET",    "/organization-memberships/{cleo-membership}",   no_body,             [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("DELETE", "/organization-memberships/{cleo-membership}",   no_body,             [404, 403, 403, 403, 204, 204, 403, 404, 204, 204, 404, 404]),
    Row("DELETE", "/organization-memberships/{ada-membership}",    no_body,             [404, 403, 403, 403, 403, 403, 403, 404, 403, 403, 404, 404]),
    Row("GET",    "/organization-memberships/{ian-membership}",    no_body,             [404, 200, 200, 200, 200, 200, 200, 200, 200, 200, 404, 404]),
    Row("DELETE", "/organization-memberships/{ian-membership}",    no_body,             [404, 403, 403, 403, 204, 204, 403, 204, 204, 204, 404, 404]),
    Row("POST",   "/organization-memberships/{ian-membership}/actions/accept", no_body, [404, 404, 404, 404, 404, 404, 404, 200, 404, 404, 404, 404]),

    Row("GET",    "/teams/{ci}/relationships/users",               no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/teams/{ci}/relationships/organization-memberships",     no_body,    [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/teams/{ci}/relationships/organization-memberships",     cleos,      [404, 403, 403, 204, 204, 204, 404, 404, 204, 204, 404, 404]),
    Row("DELETE", "/teams/{ci}/relationships/organization-memberships",     cleos,      [404, 403, 403, 204, 204, 204, 404, 404, 204, 204, 404, 404]),
    Row("GET",    "/teams/{open}/relationships/organization-memberships",   no_body,    [404, 200, 200, 200, 200, 200, 200, 404, 200, 200, 404, 404]),
    Row("POST",   "/teams/{open}/relationships/organization-memberships",   cleos,      [404, 403, 403, 204, 204, 204, 403, 404, 204, 204, 404, 404]),
    Row("POST",   "/teams/{owners}/relationships/organization-memberships", cleos,      [404, 403, 403, 403, 204, 204, 403, 404, 403, 204, 404, 404]),
    Row("DELETE", "/teams/{owners}/relationships/organization-memberships", cleos,      [404, 403, 403, 403, 204, 204, 403, 404, 403, 204, 404, 404]),

    Row("GET",    "/organizations/acme/workspaces",                no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 200, 200, 404, 404]),
    Row("POST",   "/organizations/acme/workspaces",                new_workspace,       [404, 404, 404, 404, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("GET",    "/workspaces/{prod}",                            no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("PATCH",  "/workspaces/{prod}",                            workspace_change,    [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/workspaces/{prod}",                            no_body,             [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/organizations/acme/workspaces/prod",           no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("PATCH",  "/organizations/acme/workspaces/prod",           workspace_change,    [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/organizations/acme/workspaces/prod",           no_body,             [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/workspaces/{lab}",                             no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/workspaces/{lab}",                             workspace_change,    [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/workspaces/{lab}",                             no_body,             [404, 204, 204, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("POST",   "/workspaces/{lab}/actions/safe-delete",         no_body,             [404, 204, 204, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/workspaces/{prod}/relationships/tags",           no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("POST",   "/workspaces/{prod}/relationships/tags",           new_tags,            [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("DELETE", "/workspaces/{prod}/relationships/tags",           new_tags,            [404, 404, 404, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/workspaces/{prod}/tag-bindings",                 no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("PATCH",  "/workspaces/{prod}/tag-bindings",                 new_bindings,        [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/workspaces/{prod}/effective-tag-bindings",       no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("GET",    "/workspaces/{prod}/relationships/remote-state-consumers", no_body,   [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("GET",    "/workspaces/{lab}/relationships/tags",            no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/workspaces/{lab}/relationships/tags",            new_tags,            [404, 204, 204, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("DELETE", "/workspaces/{lab}/relationships/tags",            new_tags,            [404, 204, 204, 404, 204, 204, 404, 404, 404, 204, 404, 404]),
    Row("GET",    "/workspaces/{lab}/tag-bindings",                  no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/workspaces/{lab}/tag-bindings",                  new_bindings,        [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/workspaces/{lab}/effective-tag-bindings",        no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),

    Row("GET",    "/team-workspaces?filter[workspace][id]={prod}", no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/team-workspaces?filter[team][id]={ci}",        no_body,             [404, 200, 200, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/team-workspaces",                              new_access,          [404, 404, 404, 404, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("GET",    "/team-workspaces/{prod-access}",                no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/team-workspaces/{prod-access}",                new_level,           [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/team-workspaces/{lab-access}",                 new_level,           [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("DELETE", "/team-workspaces/{lab-access}",                 no_body,             [404, 204, 204, 404, 204, 204, 404, 404, 404, 204, 404, 404]),

    // Tokens of workspaces: ben looks at those of prod, and makes and edits those of lab.
    Row("GET",    "/workspaces/{prod}/authentication-tokens",          no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("POST",   "/workspaces/{prod}/authentication-tokens",          new_token,           [404, 403, 403, 404, 201, 201, 404, 404, 404, 201, 404, 403]),
    Row("GET",    "/workspaces/{lab}/authentication-tokens",           no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/workspaces/{lab}/authentication-tokens",           new_token,           [404, 201, 201, 404, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("GET",    "/authentication-tokens/{workspace-token}",          no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 200]),
    Row("GET",    "/authentication-tokens/{prod-token}",               no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{prod-token}",               token_change,        [404, 403, 403, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("GET",    "/authentication-tokens/{lab-token}",                no_body,             [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{lab-token}",                token_change,        [404, 200, 200, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{lab-token}/actions/disable", no_body,             [404, 403, 403, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{lab-token}/actions/enable", no_body,             [404, 403, 403, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{lab-token}/actions/revoke", no_body,             [404, 403, 403, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{lab-token}/actions/regenerate", no_body,             [404, 403, 403, 404, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("DELETE", "/authentication-tokens/{lab-token}",                no_body,             [404, 403, 403, 404, 204, 204, 404, 404, 404, 204, 404, 404]),

    // The life of the others after they are made.
    Row("PATCH",  "/authentication-tokens/{ci-token}",                 token_change,        [404, 200, 403, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{ci-token}/actions/disable", no_body,             [404, 200, 403, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{ci-token}/actions/enable",  no_body,             [404, 200, 403, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{ci-token}/actions/revoke",  no_body,             [404, 200, 403, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{ci-token}/actions/regenerate", no_body,             [404, 201, 201, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("POST",   "/authentication-tokens/{ci-described}/actions/regenerate", no_body,             [404, 201, 404, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{locked-token}",             token_change,        [404, 404, 404, 200, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{locked-token}/actions/regenerate", no_body,             [404, 404, 404, 201, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{owners-token}",             token_change,        [404, 404, 404, 404, 200, 200, 404, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{owners-token}/actions/regenerate", no_body,             [404, 404, 404, 404, 201, 201, 404, 404, 404, 201, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{organization-token}",       token_change,        [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{organization-token}/actions/disable", no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{organization-token}/actions/regenerate", no_body,             [404, 404, 404, 404, 201, 201, 201, 404, 404, 201, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{audit-token}",              token_change,        [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{audit-token}/actions/disable", no_body,             [404, 404, 404, 404, 200, 200, 200, 404, 404, 200, 404, 404]),
    Row("POST",   "/authentication-tokens/{audit-token}/actions/regenerate", no_body,             [404, 404, 404, 404, 201, 201, 201, 404, 404, 201, 404, 404]),
    Row("PATCH",  "/authentication-tokens/{ben-token}",                token_change,        [404, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("POST",   "/authentication-tokens/{ben-token}/actions/disable", no_body,             [404, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("POST",   "/authentication-tokens/{ben-token}/actions/regenerate", no_body,             [404, 201, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    Row("POST",   "/authentication-tokens/{ben-token}/actions/revoke", no_body,             [404, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
];

/// What the role of the token that calls must be at least, if it is to change anything (docs/design.md §4): a viewer's token is
/// read-only everywhere; what anybody in a team may do with it, or with what is their own, a member's token does; what
/// needs a permission such as manage-teams, an admin's; what is for owners alone, an owner's. In a workspace the role
/// there is capped.
struct Cap {
    /// Of who may do it by being an owner, by a permission or as a site admin.
    by_rank: &'static str,
    /// Of who may do it by being in the team, or because it is their own.
    by_part: &'static str,
    part: &'static [&'static str],
    /// What everybody else is answered who may do it otherwise: 404 where the HCP API says so.
    refused: u16,
}

const PART: &[&str] = &["member", "team token", "invited"];
const OWNERS: &[&str] = &["owner", "owners' token"];

const fn ranked(by_rank: &'static str, refused: u16) -> Cap {
    Cap { by_rank, by_part: by_rank, part: PART, refused }
}

const fn shared(by_rank: &'static str, by_part: &'static str, part: &'static [&'static str], refused: u16) -> Cap {
    Cap { by_rank, by_part, part, refused }
}

/// The cap of each request of the table that changes something.
#[rustfmt::skip]
fn cap(world: &World, principal: &str, role: &str, method: &str, path: &str, body: &Value) -> Cap {
    let into_owners = body["data"]["relationships"]["teams"]["data"][0]["id"] == json!(world.named("owners"));
    // Who manages membership has a hand in secret teams without seeing them.
    let hidden = principal == "membership manager" && (path.contains("{ci}") || path.contains("{closed}"));
    match (method, path) {
        ("POST", "/organizations") => ranked("owner", 403),
        ("PATCH", "/account/update" | "/account/password") => ranked("owner", 403),
        ("PATCH" | "DELETE", "/organizations/acme") => ranked("owner", 403),
        ("PATCH", "/organizations/acme/token-ttl-policies" | "/organizations/acme/abilities") => ranked("owner", 403),
        ("POST" | "DELETE", path) if path.starts_with("/organizations/acme/authentication-token") => ranked("owner", 403),
        ("POST", "/organizations/acme/teams" | "/organizations/acme/workspaces") => ranked("admin", 404),
        // An admin's token may invite, but not into the team owners.
        ("POST", "/organizations/acme/organization-memberships") if into_owners => ranked("owner", if role == "admin" { 403 } else { 404 }),
        ("POST", "/organizations/acme/organization-memberships") => ranked("admin", 404),
        ("DELETE", "/organizations/acme/team-tokens") => shared("admin", "member", PART, 403),
        (_, "/teams/{owners}") => ranked("owner", 404),
        ("POST", "/teams/{owners}/authentication-token") => shared("owner", "member", OWNERS, 403),
        (_, "/teams/{owners}/authentication-token" | "/teams/{owners}/authentication-tokens") => shared("owner", "member", &["owner"], 403),
        (_, path) if path.starts_with("/teams/{owners}/relationships") => ranked("owner", 403),
        (_, path) if path.starts_with("/teams/") && path.contains("/relationships/") => ranked("admin", if hidden { 404 } else { 403 }),
        (_, path) if path.starts_with("/teams/") && path.contains("/authentication-token") => shared("admin", "member", PART, 403),
        (_, path) if path.starts_with("/teams/") => ranked("admin", 404),
        ("POST", path) if path.ends_with("/actions/accept") => shared("admin", "member", PART, 403),
        (_, path) if path.starts_with("/organization-memberships/") => shared("admin", "member", PART, 403),
        ("POST", "/users/{ben}/authentication-tokens") => shared("owner", "member", PART, 403),
        (_, "/authentication-tokens/{owners-token}/actions/regenerate") => shared("owner", "member", OWNERS, 403),
        (_, path) if path.starts_with("/authentication-tokens/{owners-token}") => shared("owner", "member", &["owner"], 403),
        (_, path) if path.starts_with("/authentication-tokens/{organization-token}") => ranked("owner", 403),
        (_, path) if path.starts_with("/authentication-tokens/{audit-token}") => ranked("owner", 403),
        ("PATCH", "/authentication-tokens/{prod-token}" | "/authentication-tokens/{lab-token}") => ranked("manager", 403),
        (_, path) if path.starts_with("/authentication-tokens/{lab-token}") => ranked("admin", 403),
        (_, path) if path.starts_with("/authentication-tokens/") => shared("admin", "member", PART, 403),
        (_, path) if path.contains("/workspaces/") && path.ends_with("/authentication-tokens") => ranked("manager", 403),
        (_, path) if path.contains("/workspaces/") || path.starts_with("/team-workspaces") => ranked("manager", 404),
        _ => panic!("{method} {path} has no cap"),
    }
}

const ROLES: [&str; 5] = ["viewer", "member", "manager", "admin", "owner"];

/// What a principal is answered whose token is of a role.
fn capped(world: &World, principal: &str, role: &str, Row(method, path, body, _): &Row, uncapped: u16) -> u16 {
    if *method == "GET" {
        return uncapped;
    }
    let Cap { by_rank, by_part, part, refused } = cap(world, principal, role, method, path, &body(world));
    let rank = |name: &str| ROLES.iter().position(|role| *role == name).unwrap();
    let suffices = rank(role) >= rank(if part.contains(&principal) { by_part } else { by_rank });
    match uncapped {
        _ if suffices => uncapped,
        200..300 => refused,
        // Where it is refused for another reason, the caller may not come so far.
        403 => refused,
        _ => uncapped,
    }
}

/// A database in which every principal and every thing of the table exists, and their names.
struct World {
    database: Database,
    secrets: Vec<(&'static str, Option<String>)>,
    ids: Vec<(&'static str, String)>,
}

impl World {
    fn build() -> Self {
        let app = App::start();
        let (ada, ben, cleo) = (app.user("ada"), app.user("ben"), app.user("cleo"));
        let (mia, zoe, root) = (app.user("mia"), app.user("zoe"), app.site_admin("root"));
        ada.organization("acme");
        zoe.organization("elsewhere");
        let ci = ada.team("acme", "ci");
        let locked = ada.team_with("acme", json!({"name": "locked", "allow-member-token-management": false}));
        let closed = ada.team("acme", "closed");
        let open = ada.team_with("acme", json!({"name": "open", "visibility": "organization"}));
        let managing = json!({"name": "managers", "organization-access": {"manage-teams": true}});
        let managers = ada.team_with("acme", managing);
        let owners = ada.owners_team("acme");
        ada.add_to_team(&ci, &ben);
        ada.add_to_team(&locked, &ben);
        ada.add_to_team(&closed, &cleo);
        ada.add_to_team(&managers, &mia);

        let (max, ian) = (app.user("max"), app.user("ian"));
        let hosting = json!({"name": "hosts", "organization-access": {"manage-membership": true}});
        ada.add_to_team(&ada.team_with("acme", hosting), &max);
        let memberships = "/api/v2/organizations/acme/organization-memberships";
        let mut invitation = invitation_into(&ci);
        invitation["data"]["attributes"]["email"] = "ian@example.com".into();
        let ian_membership = ada.client.post(memberships, &invitation).expect(201).id();
        let membership =
            |email: &str| ada.client.get(&format!("{memberships}?filter[email]={email}")).expect(200).ids().remove(0);
        let (ada_membership, cleo_membership) = (membership("ada@example.com"), membership("cleo@example.com"));
        let own = "/api/v2/organizations/acme/authentication-token";
        let organization_token = ada.client.post_nothing(own).expect(201);
        let audit_token = ada.client.post_nothing(&format!("{own}?token=audit-trails")).expect(201);

        let (prod, lab) = (ada.workspace("acme", "prod"), ada.workspace("acme", "lab"));
        let (prod_access, lab_access) = (ada.give_access(&ci, &prod, "read"), ada.give_access(&ci, &lab, "admin"));

        let ci_token = ada.team_token(&ci);
        let ci_described = ada.described_token(&ci, json!({"description": "nightly"}));
        let locked_token = ada.team_token(&locked);
        let owners_token = ada.team_token(&owners);
        // Owners' secrets, so that nothing but their state stands against them.
        let [expired, revoked, disabled] = ["expired", "revoked", "disabled"].map(|state| {
            let token = ada.described_token(&owners, json!({"description": state}));
            (token.id(), token.secret())
        });
        for (token, ending) in [(&expired, "expired_at"), (&revoked, "revoked_at"), (&disabled, "disabled_at")] {
            let prefix = &token.1[..10];
            app.sql(&format!("UPDATE tokens SET {ending} = now() WHERE token_prefix = '{prefix}'"));
        }
        let mut mistyped = owners_token.secret();
        let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
        mistyped.push(last);
        let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();

        let ben_token = ben.token_id(&app);
        let tokens_of = |workspace: &str| {
            let path = format!("/api/v2/workspaces/{workspace}/authentication-tokens");
            ada.client.post(&path, &resource("authentication-tokens", json!({}))).expect(201)
        };
        let (workspace_token, prod_token, lab_token) = (tokens_of(&prod), tokens_of(&prod), tokens_of(&lab));
        let secrets = vec![
            ("stranger", Some(zoe.client.secret().to_owned())),
            ("member", Some(ben.client.secret().to_owned())),
            ("team token", Some(ci_token.secret())),
            ("manager", Some(mia.client.secret().to_owned())),
            ("owner", Some(ada.client.secret().to_owned())),
            ("owners' token", Some(owners_token.secret())),
            ("site admin", Some(root.client.secret().to_owned())),
            ("invited", Some(ian.client.secret().to_owned())),
            ("membership manager", Some(max.client.secret().to_owned())),
            ("organization token", Some(organization_token.secret())),
            ("audit-trails token", Some(audit_token.secret())),
            ("workspace token", Some(workspace_token.secret())),
            ("anonymous", None),
            ("expired", Some(expired.1)),
            ("revoked", Some(revoked.1)),
            ("disabled", Some(disabled.1)),
            ("mistyped", Some(mistyped)),
            ("unknown", Some(unknown.reveal().to_owned())),
        ];
        let ids = vec![
            ("ada", ada.id.clone()),
            ("zoe", zoe.id.clone()),
            ("ian", ian.id.clone()),
            ("ben", ben.id.clone()),
            ("ada-membership", ada_membership),
            ("cleo-membership", cleo_membership),
            ("ian-membership", ian_membership),
            ("organization-token", organization_token.id()),
            ("audit-token", audit_token.id()),
            ("ci", ci),
            ("locked", locked),
            ("closed", closed),
            ("open", open),
            ("owners", owners),
            ("ci-token", ci_token.id()),
            ("ci-described", ci_described.id()),
            ("locked-token", locked_token.id()),
            ("owners-token", owners_token.id()),
            ("ben-token", ben_token),
            ("workspace-token", workspace_token.id()),
            ("prod-token", prod_token.id()),
            ("lab-token", lab_token.id()),
            ("prod", prod),
            ("lab", lab),
            ("prod-access", prod_access),
            ("lab-access", lab_access),
        ];
        let database = app.database_url.clone();
        app.stop();
        Self { database, secrets, ids }
    }

    fn copy(&self) -> App {
        App::on(self.database.copy())
    }

    fn named(&self, name: &str) -> String {
        self.ids.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
    }

    fn path(&self, template: &str) -> String {
        let mut path = format!("/api/v2{template}");
        for (name, id) in &self.ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        assert!(!path.contains('{'), "{path}");
        path
    }

    fn call(&self, app: &App, principal: &str, Row(method, template, body, _): &Row) -> crate::support::client::Answer {
        let secret = &self.secrets.iter().find(|(known, _)| *known == principal).unwrap().1;
        let client = secret.as_ref().map_or_else(|| app.anonymous(), |secret| app.with(secret));
        let document = body(self);
        let bytes = document.to_string().into_bytes();
        let headers: &[_] = if document.is_null() { &[] } else { &[("Content-Type", "application/vnd.api+json")] };
        client.send(method, &self.path(template), headers, (!document.is_null()).then_some(bytes.as_slice()))
    }
}

#[test]
fn every_principal_on_every_route() {
    let world = World::build();
    let mut wrong = vec![];
    let mut app = world.copy();
    let mut unauthorized = None;
    for row @ Row(method, template, _, expected) in TABLE {
        for nobody in NOBODIES {
            let answer = world.call(&app, nobody, row);
            if answer.status != 401 {
                wrong.push(format!("{nobody}: {method} {template}: {} instead of 401", answer.status));
            }
            let mut body = answer.body;
            body["errors"][0]["id"] = Value::Null;
            assert_eq!(unauthorized.get_or_insert(body.clone()), &body, "every 401 is alike");
        }
        for (principal, expected) in PRINCIPALS.iter().zip(expected) {
            let answer = world.call(&app, principal, row);
            if answer.status != *expected {
                wrong.push(format!("{principal}: {method} {template}: {} instead of {expected}", answer.status));
            }
            if *method != "GET" && answer.status < 300 {
                app = world.copy();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same walk with every token capped to a role.
fn walk_as(role: &str) {
    let world = World::build();
    cluster::execute(&world.database, &format!("UPDATE tokens SET role = '{role}'"));
    let mut wrong = vec![];
    let mut app = world.copy();
    for row @ Row(method, template, _, expected) in TABLE {
        for (principal, uncapped) in PRINCIPALS.iter().zip(expected) {
            let answer = world.call(&app, principal, row);
            let expected = capped(&world, principal, role, row, *uncapped);
            if answer.status != expected {
                wrong.push(format!(
                    "{principal} as {role}: {method} {template}: {} instead of {expected}",
                    answer.status
                ));
            }
            if *method != "GET" && answer.status < 300 {
                app = world.copy();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_viewers_token_only_looks() {
    walk_as("viewer");
}

#[test]
fn a_members_token_does_what_a_member_may() {
    walk_as("member");
}

#[test]
fn a_managers_token_does_what_a_manager_may() {
    walk_as("manager");
}

#[test]
fn an_admins_token_does_what_is_not_for_owners_alone() {
    walk_as("admin");
}

#[test]
fn routes_without_a_token_need_none() {
    let app = App::start();
    for (path, status) in [
        ("/api/v2/ping", 204),
        ("/.well-known/terraform.json", 200),
        ("/.well-known/jwks.json", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
    ] {
        app.anonymous().get(path).expect(status);
        app.with("nonsense").get(path).expect(status);
    }
    let unknown = latchkey::credential::Secret::generate(latchkey::credential::Kind::User).unwrap();
    let report = json!({"data": [{"type": "leaked-tokens", "attributes": {"token": unknown.reveal()}}]});
    for client in [app.anonymous(), app.with("nonsense"), app.with(unknown.reveal())] {
        client.post("/api/v2/leaked-tokens", &report).expect(204);
    }
}
