//! `organizations/:name/tags` and `tags/:id/relationships/workspaces`.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;

use super::tags::{TAG, Tag};
use super::view::{TAGS, WORKSPACES};
use super::{store, tag_http, tag_store, write};
use crate::access::{Action, Caller, Permit, Role, Target};
use crate::database::page::sort_keys;
use crate::http::{Endpoint, Identifiers, Read, Reply, Route, Write};
use crate::ids::{TagId, WorkspaceId};
use crate::jsonapi::{Error, Pages, QuerySpec, Result, Search};

const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Tag),
    default_sort: "name",
    q: Search::Text,
    filters: &[tag_store::EXCLUDE],
    ..QuerySpec::list(&[&TAGS])
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let path = "/organizations/{organization}/tags";
    vec![
        Route::get(path, "listTags", "List the tags of an organization")
            .details("Who does not see every workspace sees the tags of those workspaces that it sees, and only these are counted.")
            .query(&LIST)
            .means("filter[exclude][taggable][id]", "Only what the workspace of this id has not")
            .lists(&TAGS)
            .allows(&[Action::ListTags])
            .read(list),
        Route::delete(path, "deleteTags", "Delete tags of an organization, and so take them from every workspace")
            .query(&QuerySpec::NONE)
            .body(Identifiers(&[TAG]))
            .allows(&[Action::DeleteTags])
            .write(delete),
        Route::post("/tags/{tag}/relationships/workspaces", "giveTagToWorkspaces", "Give a tag to workspaces")
            .query(&QuerySpec::NONE)
            .body(Identifiers(&[WORKSPACES.name]))
            .allows(&[Action::UpdateWorkspace])
            .write(give),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = call.caller.organization()?;
    let found = tag_store::list(call.connection, organization, call.caller.visible_workspaces(), &call.query)?;
    tag_http::shown(call, organization, found)
}

fn delete(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let (call, tags) = call.lock_named(|connection, caller, _, sent| {
        // Nobody else has a tag to lock.
        caller.may(Action::DeleteTags, Target::Organization)?;
        let ids: Vec<TagId> = sent.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        Ok(tag_store::lock_all(connection, caller.organization()?, &ids)?)
    })?;
    let (call, sent) = call.may(Target::Organization)?.take_input();
    let there = |id: &String| tags.iter().any(|tag| tag.id.to_string() == *id);
    Error::check(
        sent.iter()
            .enumerate()
            .filter(|(_, id)| !there(id))
            .map(|(nth, _)| Error::not_found_at(format!("/data/{nth}/id"), "There is no tag with this id")),
    )?;
    write::delete_tags(call.connection, &call.caller, &tags)?;
    Ok(call.done())
}

/// Gives a tag that the caller sees to workspaces that it may change.
fn give(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let tag: TagId = call.path("tag")?;
    let (mut call, ()) = call.lock_named(|connection, caller, _, sent| {
        see(connection, caller, tag)?;
        let ids: Vec<WorkspaceId> = sent.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        // Only what the caller has a role in, so that no stranger takes a lock. Before the tag, as elsewhere.
        let roles = roles(connection, caller, &ids)?;
        let ids: BTreeSet<WorkspaceId> = roles.into_keys().collect();
        store::lock_all(connection, caller.organization()?, &ids)?;
        tag_store::hold(connection, tag)?;
        Ok(())
    })?;
    let (named, permit) = call.find_by_input(|connection, caller, sent| {
        see(connection, caller, tag)?;
        changeable(connection, caller, sent)
    })?;
    let (call, _) = call.permitted(permit)?.take_input();
    let organization = call.caller.organization()?;
    write::give_to_each(call.connection, &call.caller, (organization, tag), &named)?;
    Ok(call.done())
}

/// 404 for a tag that the caller does not see.
fn see(connection: &mut PgConnection, caller: &Caller, tag: TagId) -> Result<()> {
    let seen = tag_store::find_seen(connection, caller.organization()?, caller.visible_workspaces(), &[tag])?;
    if seen.is_empty() { Err(Error::not_found()) } else { Ok(()) }
}

/// What the caller is in those of some workspaces of the organization in which it is anything.
fn roles(connection: &mut PgConnection, caller: &Caller, ids: &[WorkspaceId]) -> Result<HashMap<WorkspaceId, Role>> {
    let organization = caller.organization()?;
    let mut there = store::find_all(connection, ids)?;
    there.retain(|workspace| workspace.organization_id == organization);
    let grants = store::grants(connection, ids, &caller.rights.teams)?;
    let role = |id: WorkspaceId| {
        let given = grants.get(&id).into_iter().flatten().map(|(_, given)| *given);
        caller.rights_in_own(id).or_else(|| caller.rights_in(given)).map(|rights| rights.role)
    };
    Ok(there.iter().filter_map(|workspace| Some((workspace.id, role(workspace.id)?))).collect())
}

/// The workspaces that a body names, if the caller may change each of them.
fn changeable(connection: &mut PgConnection, caller: &Caller, sent: &[String]) -> Result<(Vec<WorkspaceId>, Permit)> {
    let ids: Vec<Option<WorkspaceId>> = sent.iter().map(|id| id.parse().ok()).collect();
    let named: Vec<WorkspaceId> = ids.iter().copied().flatten().collect();
    let roles = roles(connection, caller, &named)?;
    let (mut permit, mut faults) = (None, vec![]);
    for (nth, id) in ids.iter().enumerate() {
        let role = id.and_then(|id| roles.get(&id).copied());
        match caller.may(Action::UpdateWorkspace, Target::Workspace(role)) {
            Ok(one) => permit = Some(one),
            Err(_) => {
                let detail = "There is no such workspace in the organization that the caller may change";
                faults.push(Error::not_found_at(format!("/data/{nth}/id"), detail));
            }
        }
    }
    Error::check(faults)?;
    let permit = permit.ok_or_else(|| Error::attribute("/data", "Must name at least one workspace"))?;
    Ok((named, permit))
}
