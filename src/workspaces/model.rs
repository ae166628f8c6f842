//! The workspace, and what the caller is in one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::lock::{Locker, LockerKind};
use super::settings::{Settings, WorkspaceAttributes};
use super::store;
use crate::access::{Action, Caller, OrganizationRef, Role, Target, WorkspaceRights};
use crate::credential::{Ability, Format};
use crate::database::schema::workspaces;
use crate::ids::{OrganizationId, ProjectId, WorkspaceId};
use crate::jsonapi::{Error, Result};
use crate::tag_bindings::Bindings;

/// A workspace as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = workspaces, check_for_backend(diesel::pg::Pg))]
pub struct Workspace {
    pub id: WorkspaceId,
    /// The organization that it is in.
    pub organization_id: OrganizationId,
    /// The project that it is in.
    pub project_id: ProjectId,
    /// Its name, unique in the organization without regard to case.
    pub name: String,
    pub description: Option<String>,
    /// What the HCP API lets one set and a token service only keeps.
    #[diesel(deserialize_as = serde_json::Value)]
    pub settings: Settings,
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The names of its tags, in order.
    pub tags: Vec<String>,
    #[diesel(deserialize_as = serde_json::Value)]
    pub tag_bindings: Bindings,
    /// What its tokens may reach at other services.
    pub abilities: Vec<Ability>,
    /// The roles that its tokens may have, of those that the organization allows; none for all of these.
    pub allowed_token_roles: Option<Vec<Role>>,
    /// What the secret of a new token is; none for what the organization says.
    pub default_token_format: Option<Format>,
    /// Since when it is locked; none if it is not.
    pub locked_at: Option<DateTime<Utc>>,
    pub(super) locked_by_type: Option<LockerKind>,
    pub(super) locked_by_id: Option<Uuid>,
    /// What whoever has locked it said about that.
    pub lock_reason: Option<String>,
}

impl Workspace {
    /// Who has locked it; none if it is not locked.
    #[must_use]
    pub fn locked_by(&self) -> Option<Locker> {
        self.locked_by_type.zip(self.locked_by_id).map(|(kind, id)| Locker::new(kind, id))
    }

    /// A workspace as it is before its maker says more of it.
    #[must_use]
    pub fn new(organization: OrganizationId, project: ProjectId) -> Self {
        Self {
            id: WorkspaceId::generate(),
            organization_id: organization,
            project_id: project,
            name: String::new(),
            description: None,
            settings: Settings::default(),
            created_at: Utc::now(),
            updated_at: Utc::now(),
            tags: vec![],
            tag_bindings: Bindings::default(),
            abilities: vec![],
            allowed_token_roles: None,
            default_token_format: None,
            locked_at: None,
            locked_by_type: None,
            locked_by_id: None,
            lock_reason: None,
        }
    }

    /// The workspace after a change.
    ///
    /// # Errors
    /// 422 for settings that cannot be together.
    pub fn changed(self, changes: WorkspaceAttributes) -> Result<Self> {
        Ok(Self {
            settings: changes.applied_to(self.settings)?,
            name: changes.name.unwrap_or(self.name),
            description: changes.description.unwrap_or(self.description),
            abilities: changes.abilities.unwrap_or(self.abilities),
            allowed_token_roles: changes.allowed_token_roles.unwrap_or(self.allowed_token_roles),
            default_token_format: changes.default_token_format.unwrap_or(self.default_token_format),
            ..self
        })
    }
}

/// The organization of the workspace that a path names.
pub(crate) fn organization_of_workspace(id: &str) -> OrganizationRef {
    OrganizationRef::Workspace(id.parse().ok())
}

/// What the caller is in a workspace of the organization that the request is about.
///
/// # Errors
/// The database's own.
pub(crate) fn rights(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: WorkspaceId,
) -> Result<Option<WorkspaceRights>> {
    if let Some(own) = caller.rights_in_own(workspace) {
        return Ok(Some(own));
    }
    let grants = store::grants(connection, &[workspace], &caller.rights.teams)?;
    Ok(caller.rights_in(grants.into_values().flatten().map(|(_, given)| given)))
}

/// The workspace of this id and what the caller is in it.
///
/// # Errors
/// 404 if it does not exist for the caller.
pub(crate) fn find_visible(
    connection: &mut PgConnection,
    caller: &Caller,
    id: &str,
) -> Result<(Workspace, WorkspaceRights)> {
    let id: WorkspaceId = id.parse().map_err(|_| Error::not_found())?;
    let workspace = store::find(connection, id)?;
    let rights = rights(connection, caller, id)?;
    caller.may(Action::SeeWorkspace, Target::Workspace(rights.map(|rights| rights.role)))?;
    Ok((workspace, rights.ok_or_else(Error::not_found)?))
}

/// The caller's rights in a workspace that is there, if any.
///
/// # Errors
/// 404 if there is no such workspace.
pub(crate) fn rights_in_existing(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: WorkspaceId,
) -> Result<Option<WorkspaceRights>> {
    store::find(connection, workspace)?;
    rights(connection, caller, workspace)
}
