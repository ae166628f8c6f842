//! What the requests of the table send.

use serde_json::{Value, json};

use super::world::World;
use crate::support::app::{FIRST_PASSWORD, identifiers, project_access, resource, team_access, workspace_in};

pub fn no_body(_: &World) -> Value {
    Value::Null
}

pub fn new_organization(_: &World) -> Value {
    resource("organizations", json!({"name": "newer", "email": "new@example.com"}))
}

pub fn organization_change(_: &World) -> Value {
    resource("organizations", json!({"email": "new@example.com"}))
}

pub fn new_plan(_: &World) -> Value {
    let mut document = resource("subscription", json!({}));
    document["data"]["relationships"] = json!({"feature-set": {"data": {"type": "feature-sets", "id": "business"}}});
    document
}

pub fn new_team(_: &World) -> Value {
    resource("teams", json!({"name": "new"}))
}

pub fn team_change(_: &World) -> Value {
    resource("teams", json!({"description": "changed"}))
}

pub fn access_change(_: &World) -> Value {
    resource("teams", json!({"organization-access": {"manage-workspaces": true}}))
}

pub fn new_member(_: &World) -> Value {
    identifiers("users", &["cleo"])
}

pub fn new_token(_: &World) -> Value {
    resource("authentication-tokens", json!({"description": "new"}))
}

pub fn token_change(_: &World) -> Value {
    resource("authentication-tokens", json!({"description": "changed"}))
}

pub fn new_workspace(_: &World) -> Value {
    resource("workspaces", json!({"name": "new"}))
}

pub fn workspace_change(_: &World) -> Value {
    resource("workspaces", json!({"auto-apply": true}))
}

pub fn new_tags(_: &World) -> Value {
    json!({"data": [{"type": "tags", "attributes": {"name": "new"}}]})
}

pub fn a_tag(world: &World) -> Value {
    identifiers("tags", &[&world.named("tag")])
}

pub fn the_lab(world: &World) -> Value {
    identifiers("workspaces", &[&world.named("lab")])
}

pub fn the_prod(world: &World) -> Value {
    identifiers("workspaces", &[&world.named("prod")])
}

pub fn new_bindings(_: &World) -> Value {
    json!({"data": [{"type": "tag-bindings", "attributes": {"key": "new", "value": "new"}}]})
}

pub fn new_access(world: &World) -> Value {
    team_access(&world.named("open"), &world.named("prod"), json!({"access": "read"}))
}

pub fn new_level(_: &World) -> Value {
    resource("team-workspaces", json!({"access": "plan"}))
}

pub fn described_token(world: &World) -> Value {
    identifiers("authentication-tokens", &[&world.named("ci-described")])
}

pub fn new_service_account(_: &World) -> Value {
    resource("users", json!({"username": "new"}))
}

pub fn account_change(_: &World) -> Value {
    resource("users", json!({"username": "changed"}))
}

pub fn new_password(_: &World) -> Value {
    let new = "correct horse";
    let password = json!({"current_password": FIRST_PASSWORD, "password": new, "password_confirmation": new});
    resource("users", password)
}

pub fn new_policies(_: &World) -> Value {
    let policies = json!([{"token-type": "team", "max-ttl-ms": 86_400_000}]);
    resource("organization-token-ttl-policies", json!({ "token-ttl-policies": policies }))
}

pub fn new_abilities(_: &World) -> Value {
    resource("abilities", json!({"abilities": [{"name": "agents:read", "description": "Look at agents"}]}))
}

pub fn invitation_into(team: &str) -> Value {
    let mut invitation = resource("organization-memberships", json!({"email": "new@example.com"}));
    invitation["data"]["relationships"] = json!({"teams": identifiers("teams", &[team])});
    invitation
}

pub fn invitation(world: &World) -> Value {
    invitation_into(&world.named("ci"))
}

pub fn lone_invitation(_: &World) -> Value {
    resource("organization-memberships", json!({"email": "new@example.com"}))
}

pub fn open_invitation(world: &World) -> Value {
    invitation_into(&world.named("open"))
}

pub fn owners_invitation(world: &World) -> Value {
    invitation_into(&world.named("owners"))
}

pub fn cleos(world: &World) -> Value {
    identifiers("organization-memberships", &[&world.named("cleo-membership")])
}

pub fn new_project(_: &World) -> Value {
    resource("projects", json!({"name": "new"}))
}

pub fn project_change(_: &World) -> Value {
    resource("projects", json!({"description": "changed"}))
}

pub fn new_maintain_access(world: &World) -> Value {
    project_access(&world.named("open"), &world.named("p-maintain"), json!({"access": "read"}))
}

pub fn new_admin_access(world: &World) -> Value {
    project_access(&world.named("open"), &world.named("p-admin"), json!({"access": "read"}))
}

pub fn new_project_level(_: &World) -> Value {
    resource("team-projects", json!({"access": "write"}))
}

fn new_workspace_in(world: &World, project: &str) -> Value {
    workspace_in(&world.named(project), json!({"name": "new"}))
}

pub fn new_workspace_in_read(world: &World) -> Value {
    new_workspace_in(world, "p-read")
}

pub fn new_workspace_in_write(world: &World) -> Value {
    new_workspace_in(world, "p-write")
}

pub fn new_workspace_in_maintain(world: &World) -> Value {
    new_workspace_in(world, "p-maintain")
}

pub fn new_workspace_in_admin(world: &World) -> Value {
    new_workspace_in(world, "p-admin")
}

pub fn new_workspace_in_custom(world: &World) -> Value {
    new_workspace_in(world, "p-custom")
}

pub fn move_to_admin(world: &World) -> Value {
    workspace_in(&world.named("p-admin"), json!({}))
}

pub fn move_to_maintain(world: &World) -> Value {
    workspace_in(&world.named("p-maintain"), json!({}))
}

pub fn move_to_write(world: &World) -> Value {
    workspace_in(&world.named("p-write"), json!({}))
}

pub fn some_workspaces(world: &World) -> Value {
    identifiers("workspaces", &[&world.named("w-maintain")])
}

pub fn workspaces_of_admin(world: &World) -> Value {
    identifiers("workspaces", &[&world.named("w-admin")])
}

pub fn the_held(world: &World) -> Value {
    identifiers("workspaces", &[&world.named("held")])
}

fn access_to(world: &World, workspace: &str) -> Value {
    team_access(&world.named("open"), &world.named(workspace), json!({"access": "read"}))
}

pub fn access_to_write(world: &World) -> Value {
    access_to(world, "w-write")
}

pub fn access_to_maintain(world: &World) -> Value {
    access_to(world, "w-maintain")
}

pub fn access_to_admin(world: &World) -> Value {
    access_to(world, "w-admin")
}

pub fn access_to_custom(world: &World) -> Value {
    access_to(world, "w-custom")
}

pub fn new_key(_: &World) -> Value {
    resource("reserved-tag-keys", json!({"key": "new"}))
}

pub fn key_change(_: &World) -> Value {
    resource("reserved-tag-keys", json!({"disable-overrides": true}))
}
