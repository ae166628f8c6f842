//! How users look to site admins, and how it is told which tokens a person has made.

use serde_json::{Value, json};

use super::store::Place;
use crate::ids::UserId;
use crate::jsonapi::Resource;
use crate::organizations;
use crate::tokens::{MadeTokens, Token};
use crate::users::{self, User};

/// A user with those of the organizations that are the user's. Where there are more than are named, `meta` says how many.
pub(super) fn user(user: &User, places: &[Place]) -> Resource {
    let own: Vec<&Place> = places.iter().filter(|place| place.user_id == user.id).collect();
    let named = own.iter().map(|place| organizations::identifier(&place.name)).collect();
    let resource = users::administered(user, named);
    match own.first() {
        Some(first) if usize::try_from(first.all).is_ok_and(|all| all > own.len()) => {
            resource.meta("organizations-count", first.all)
        }
        _ => resource,
    }
}

/// `created-tokens`: the live tokens of teams, service accounts, organizations and workspaces that a user has made.
pub(super) fn created_tokens(maker: UserId, made: &MadeTokens) -> Value {
    let told = |token: &Token| {
        json!({
            "id": token.id,
            "kind": token.kind,
            "organization": token.organization_name,
            "owner-name": token.owner_name,
            "description": token.description,
            "status": token.status,
        })
    };
    json!({
        "total": made.all,
        "tokens": made.told.iter().map(told).collect::<Vec<_>>(),
        "filter": filter(maker),
    })
}

/// What finds the tokens in the list of each organization.
fn filter(maker: UserId) -> String {
    format!("filter[created-by]={maker}")
}

/// The same for the command line, one token a line.
#[must_use]
pub fn lines(maker: &User, made: &MadeTokens) -> Vec<String> {
    let MadeTokens { all, told } = made;
    let name = &maker.username;
    let mut lines = vec![match all {
        0 => format!("No live token of a team, a service account, an organization or a workspace was made by {name}."),
        _ => format!(
            "Live tokens of teams, service accounts, organizations and workspaces that {name} made, and may know: {all}"
        ),
    }];
    lines.extend(told.iter().map(|token| {
        let organization = token.organization_name.as_deref().unwrap_or_default();
        let owner = token.owner_name.as_deref().unwrap_or_default();
        let description = token.description.as_deref().map(|text| format!("  {text:?}")).unwrap_or_default();
        format!("{}  {}  {organization}/{owner}{description}", token.id, token.kind)
    }));
    if usize::try_from(*all).is_ok_and(|all| all > told.len()) {
        let filter = filter(maker.id);
        lines.push(format!("The rest: GET /api/v2/organizations/NAME/authentication-tokens?{filter}"));
    }
    lines
}
