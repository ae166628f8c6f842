//! Making, changing and deleting workspaces. One that is there must be locked.

use diesel::PgConnection;
use serde_json::{Value, json};

use super::consumers::{self, ConsumerChange, MAX_CONSUMERS};
use super::tags::{self, Tag, Written};
use super::{Workspace, WorkspaceAttributes, store, tag_store};
use crate::abilities;
use crate::access::{Action, Caller, Role, Target};
use crate::audit::{self, Event};
use crate::deletions::{self, Deleted};
use crate::ids::{OrganizationId, ProjectId, TagId, WorkspaceId};
use crate::jsonapi::{Error, ResourceBody, Result};
use crate::projects::{self, Project};
use crate::reserved_tag_keys;
use crate::tag_bindings::Bindings;

/// Makes a workspace in a project, which is held.
///
/// # Errors
/// 422 for a name that is taken or settings that do not fit, 404 for a tag that nobody has.
pub(super) fn create(
    connection: &mut PgConnection,
    caller: &Caller,
    project: &Project,
    body: ResourceBody<WorkspaceAttributes>,
) -> Result<Workspace> {
    let tags = Written::read(connection, caller, &body.relationships)?;
    check_overrides(connection, project, &Bindings::default(), tags.bindings.as_ref(), BINDINGS_BESIDE)?;
    let new = Workspace::new(project.organization_id, project.id);
    let new = changed(connection, caller, new, body.attributes)?;
    let (new, tags) = tags.put_on(new)?;
    let made = store::create(connection, &new)?;
    let workspace = match tags {
        Some(tags) if !tags.is_empty() => {
            change_tags(connection, &made, TagChange::Set(&tags), TAGS_BESIDE)?;
            store::find(connection, made.id)?
        }
        _ => made,
    };
    record(connection, caller, &workspace, "create")?;
    Ok(workspace)
}

/// Where tag bindings are in a document that tells of a workspace,
const BINDINGS_BESIDE: &str = "/data/relationships/tag-bindings/data";
/// and where tags are.
const TAGS_BESIDE: &str = "/data/relationships/tags/data";

/// Changes a workspace, which is in `project` then.
///
/// # Errors
/// As for [`create`]; 403 for a move that the caller may not make, 404 for another change.
pub(super) fn update(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    project: &Project,
    body: ResourceBody<WorkspaceAttributes>,
) -> Result<Workspace> {
    let tags = Written::read(connection, caller, &body.relationships)?;
    check_overrides(connection, project, &workspace.tag_bindings, tags.bindings.as_ref(), BINDINGS_BESIDE)?;
    let before = workspace.clone();
    let changed = changed(connection, caller, workspace, body.attributes)?;
    let (changed, tags) = tags.put_on(changed)?;
    let tags = tags.filter(|tags| *tags != before.tags);
    if changed != before || tags.is_some() {
        // Who may only move a workspace changes nothing else.
        let role = super::rights(connection, caller, before.id)?.map(|rights| rights.role);
        caller.may(Action::UpdateWorkspace, Target::Workspace(role))?;
    }
    if let Some(tags) = tags {
        change_tags(connection, &changed, TagChange::Set(&tags), TAGS_BESIDE)?;
    }
    let changed = Workspace { project_id: project.id, ..changed };
    let workspace = store::update(connection, &changed)?;
    let event = if before.project_id == workspace.project_id {
        event(&workspace, "update")
    } else {
        moved(&workspace, before.project_id)
    };
    audit::record(connection, &caller.actor(), &[event])?;
    Ok(workspace)
}

/// Moves workspaces into a project. Those that are in it already stay as they are.
///
/// # Errors
/// The database's own.
pub(super) fn move_all(
    connection: &mut PgConnection,
    caller: &Caller,
    workspaces: &[Workspace],
    project: &Project,
) -> Result<()> {
    let others: Vec<&Workspace> = workspaces.iter().filter(|workspace| workspace.project_id != project.id).collect();
    let ids: Vec<_> = others.iter().map(|workspace| workspace.id).collect();
    store::move_all(connection, &ids, project.id)?;
    let told = |before: &&Workspace| {
        let after = Workspace { project_id: project.id, ..(*before).clone() };
        moved(&after, before.project_id)
    };
    let events: Vec<Event> = others.iter().map(told).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

/// A workspace gets no value of its own of a key that its project has, if the organization has said so. What it had
/// before may stay, without effect.
fn check_overrides(
    connection: &mut PgConnection,
    project: &Project,
    before: &Bindings,
    bindings: Option<&Bindings>,
    pointer: &str,
) -> Result<()> {
    let Some(bindings) = bindings else { return Ok(()) };
    let other = |key: &&str| {
        let wanted = bindings.value(key);
        project.tag_bindings.has(key) && ![project.tag_bindings.value(key), before.value(key)].contains(&wanted)
    };
    let overriding: Vec<&str> = bindings.keys().filter(other).collect();
    if overriding.is_empty() {
        return Ok(());
    }
    let fixed = reserved_tag_keys::fixed(connection, project.organization_id)?;
    match overriding.into_iter().find(|key| fixed.contains(*key)) {
        Some(key) => {
            let detail = format!("The key {key} is reserved: its value is that of the workspace's project");
            Err(Error::attribute(pointer, detail))
        }
        None => Ok(()),
    }
}

/// The workspace after a change, if the caller may give it what it is to reach.
fn changed(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    changes: WorkspaceAttributes,
) -> Result<Workspace> {
    let before = workspace.clone();
    let changed = workspace.changed(changes)?;
    abilities::check_reach(connection, caller, before.organization_id, &before.abilities, &changed.abilities)?;
    if changed.allowed_token_roles != before.allowed_token_roles {
        check_allows(connection, caller, &before, changed.allowed_token_roles.as_deref())?;
    }
    Ok(changed)
}

/// Nobody lets tokens have a role again that is higher than what they are in the workspace themselves: they would lift what
/// somebody else has narrowed.
fn check_allows(
    connection: &mut PgConnection,
    caller: &Caller,
    before: &Workspace,
    allowed: Option<&[Role]>,
) -> Result<()> {
    let allows = |roles: Option<&[Role]>, role: &Role| roles.is_none_or(|roles| roles.contains(role));
    let widened = |role: &Role| allows(allowed, role) && !allows(before.allowed_token_roles.as_deref(), role);
    let Some(highest) = Role::ALL.into_iter().filter(widened).max() else { return Ok(()) };
    match super::rights(connection, caller, before.id)? {
        Some(own) if highest <= own.role => Ok(()),
        _ => {
            let detail = format!("Only who is at least {highest} in the workspace may let its tokens have that role");
            Err(Error::forbidden(&detail).with_pointer("/data/attributes/allowed-token-roles"))
        }
    }
}

/// Deletes a workspace with its tokens.
///
/// # Errors
/// The database's own.
pub(super) fn delete(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    let event = event(workspace, "destroy");
    deletions::mark(connection, Deleted::Workspace(workspace.id), &event)?;
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

/// What becomes of a workspace's tags, by their names.
#[derive(Debug, Clone, Copy)]
pub(super) enum TagChange<'a> {
    Give(&'a [String]),
    /// Takes them away; what the workspace has not got stays away.
    Take(&'a [String]),
    /// Gives them instead of those that it had.
    Set(&'a [String]),
}

/// Gives tags to a workspace, or takes them away.
///
/// # Errors
/// 422 for too many.
pub(super) fn set_tags(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: &Workspace,
    change: TagChange<'_>,
) -> Result<()> {
    if change_tags(connection, workspace, change, "/data")? == 0 {
        return Ok(());
    }
    let changed = store::update(connection, workspace)?;
    record_tags(connection, caller, &changed)
}

/// Answers how many tags the workspace got and lost.
fn change_tags(
    connection: &mut PgConnection,
    workspace: &Workspace,
    change: TagChange<'_>,
    pointer: &str,
) -> Result<usize> {
    let (id, organization) = (workspace.id, workspace.organization_id);
    let names = match change {
        TagChange::Give(names) | TagChange::Set(names) => names,
        TagChange::Take(names) => return Ok(tag_store::take(connection, organization, id, names)?),
    };
    let given = tag_store::hold_named(connection, organization, names, pointer)?;
    let lost = match change {
        TagChange::Set(_) => tag_store::take_others(connection, id, &given)?,
        TagChange::Give(_) | TagChange::Take(_) => 0,
    };
    let got = tag_store::give(connection, organization, &[id], &given)?.len();
    let number = tag_store::numbers(connection, &[id])?.get(&id).copied().unwrap_or_default();
    tags::check_number(usize::try_from(number).unwrap_or(usize::MAX), pointer)?;
    Ok(got + lost)
}

/// Gives a tag, which is held, to workspaces that are locked.
///
/// # Errors
/// 422 at the place of each that has too many.
pub(super) fn give_to_each(
    connection: &mut PgConnection,
    caller: &Caller,
    (organization, tag): (OrganizationId, TagId),
    workspaces: &[WorkspaceId],
) -> Result<()> {
    let got = tag_store::give(connection, organization, workspaces, &[tag])?;
    let numbers = tag_store::numbers(connection, &got)?;
    Error::check(workspaces.iter().enumerate().filter_map(|(nth, id)| {
        let number = numbers.get(id).and_then(|number| usize::try_from(*number).ok()).unwrap_or_default();
        tags::check_number(number, &format!("/data/{nth}")).err()
    }))?;
    let mut events = vec![];
    for changed in store::touch(connection, &got)? {
        events.push(tags_event(&changed));
    }
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

/// Deletes tags of an organization, which are locked, and so takes them from every workspace.
///
/// # Errors
/// The database's own.
pub(super) fn delete_tags(connection: &mut PgConnection, caller: &Caller, tags: &[Tag]) -> Result<()> {
    tag_store::delete(connection, tags)?;
    let event =
        |tag: &Tag| Event::new(Some(tag.organization_id), "tag", tag.id, "destroy").meta(json!({"name": tag.name}));
    let events: Vec<Event> = tags.iter().map(event).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

/// Adds tag bindings to a workspace, or gives another value to those that are there.
///
/// # Errors
/// 422 for too many.
pub(super) fn bind(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: Workspace,
    bindings: Bindings,
) -> Result<Workspace> {
    let project = projects::hold(connection, workspace.organization_id, workspace.project_id)?;
    check_overrides(connection, &project, &workspace.tag_bindings, Some(&bindings), "/data")?;
    let all = workspace.tag_bindings.clone().and(bindings).checked("/data")?;
    if all == workspace.tag_bindings {
        return Ok(workspace);
    }
    let changed = store::update(connection, &Workspace { tag_bindings: all, ..workspace })?;
    record_tags(connection, caller, &changed)?;
    Ok(changed)
}

fn record(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(workspace, action)])?)
}

fn event(workspace: &Workspace, action: &'static str) -> Event {
    Event::new(Some(workspace.organization_id), "workspace", workspace.id, action).meta(about(workspace))
}

/// The event of a workspace that was in another project.
fn moved(workspace: &Workspace, from: ProjectId) -> Event {
    let mut about = about(workspace);
    about["moved-from"] = json!(from);
    event(workspace, "update").meta(about)
}

fn about(workspace: &Workspace) -> Value {
    let Workspace { name, project_id, abilities, allowed_token_roles, .. } = workspace;
    json!({
        "name": name,
        "project": project_id,
        "abilities": abilities,
        "allowed-token-roles": allowed_token_roles,
    })
}

fn record_tags(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[tags_event(workspace)])?)
}

fn tags_event(workspace: &Workspace) -> Event {
    let Workspace { name, tags, tag_bindings, .. } = workspace;
    Event::new(Some(workspace.organization_id), "workspace", workspace.id, "update")
        .meta(json!({"name": name, "tags": tags, "tag-bindings": tag_bindings.told()}))
}

/// Changes who may read a workspace's state.
///
/// # Errors
/// 422 for too many.
pub(super) fn set_consumers(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: &Workspace,
    change: ConsumerChange,
    sent: &[WorkspaceId],
) -> Result<()> {
    let (id, organization) = (workspace.id, workspace.organization_id);
    let changed = match change {
        ConsumerChange::Add => consumers::add(connection, organization, id, sent)?,
        ConsumerChange::Remove => consumers::remove(connection, id, sent)?,
        ConsumerChange::Replace => {
            consumers::remove_others(connection, id, sent)? + consumers::add(connection, organization, id, sent)?
        }
    };
    if changed == 0 {
        return Ok(());
    }
    let number = consumers::number(connection, id)?;
    if usize::try_from(number).is_ok_and(|number| number > MAX_CONSUMERS) {
        let detail = format!("A workspace can have at most {MAX_CONSUMERS} remote-state consumers");
        return Err(Error::attribute("/data", detail));
    }
    let about = json!({"name": workspace.name, "remote-state-consumers": number});
    let event = Event::new(Some(organization), "workspace", id, "update").meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}
