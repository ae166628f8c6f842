//! Locking a workspace and taking the lock off. Terraform locks what it works on; Latchkey keeps the lock and says whose it
//! is. The workspace's row must be locked by the caller of these.

use diesel::PgConnection;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{Workspace, store, write};
use crate::access::{Caller, Principal};
use crate::audit::{self, Event};
use crate::database::text_enum::text_enum;
use crate::ids::{OrganizationId, TeamId, UserId};
use crate::jsonapi::{Error, Result};

text_enum! {
    /// What can have locked a workspace.
    pub enum LockerKind {
        User = "user",
        Team = "team",
        Organization = "organization",
    }
}

/// Who has locked a workspace: whoever the token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locker {
    User(UserId),
    Team(TeamId),
    Organization(OrganizationId),
}

impl Locker {
    pub(super) fn new(kind: LockerKind, id: Uuid) -> Self {
        match kind {
            LockerKind::User => Self::User(id.into()),
            LockerKind::Team => Self::Team(id.into()),
            LockerKind::Organization => Self::Organization(id.into()),
        }
    }

    /// The caller, if it is one that can lock: a workspace's own token and the reader of an audit trail are not.
    fn of(caller: &Caller) -> Option<Self> {
        match caller.principal {
            Principal::User { id, .. } => Some(Self::User(id)),
            Principal::Team { id, .. } => Some(Self::Team(id)),
            Principal::Organization { id, .. } => Some(Self::Organization(id)),
            Principal::AuditTrails { .. } | Principal::Workspace { .. } => None,
        }
    }

    pub(super) const fn parts(self) -> (LockerKind, Uuid) {
        match self {
            Self::User(id) => (LockerKind::User, id.uuid()),
            Self::Team(id) => (LockerKind::Team, id.uuid()),
            Self::Organization(id) => (LockerKind::Organization, id.uuid()),
        }
    }

    /// The type and id of the resource that it is on the wire. A token of an organization has the face of a user there, as
    /// in `account/details`.
    pub(super) fn face(self) -> (&'static str, String) {
        match self {
            Self::User(id) => ("users", id.to_string()),
            Self::Team(id) => ("teams", id.to_string()),
            Self::Organization(id) => ("users", UserId::of_service(id.uuid()).to_string()),
        }
    }

    /// Who it is, in the words that clients look for.
    fn told(self) -> String {
        let (kind, id) = self.face();
        format!("{} {id}", if kind == "teams" { "Team" } else { "User" })
    }
}

/// What a client may write of a lock.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct LockAttributes {
    /// `reason`: why it is locked, at most 1000 characters.
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// Locks a workspace.
///
/// # Errors
/// 409 if it is locked already, whoever has done that.
pub(super) fn lock(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: &Workspace,
    attributes: LockAttributes,
) -> Result<Workspace> {
    let by = Locker::of(caller).ok_or_else(Error::not_found)?;
    if let Some(other) = workspace.locked_by() {
        return Err(conflict(format!("The workspace is locked already: it is locked by {}", other.told())));
    }
    let locked = store::set_lock(connection, workspace.id, by, attributes.reason.as_deref())?;
    record(connection, caller, &locked, "lock")?;
    Ok(locked)
}

/// Takes the caller's own lock off.
///
/// # Errors
/// 409 if the workspace is not locked, or somebody else has locked it.
pub(super) fn unlock(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<Workspace> {
    let by = locker(workspace)?;
    if Locker::of(caller) != Some(by) {
        let who = by.told();
        return Err(conflict(format!(
            "The workspace is locked by {who}, who alone can unlock it. A manager of the workspace can force-unlock it"
        )));
    }
    take_off(connection, caller, workspace, "unlock")
}

/// Takes anybody's lock off.
///
/// # Errors
/// 409 if the workspace is not locked.
pub(super) fn force_unlock(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<Workspace> {
    locker(workspace)?;
    take_off(connection, caller, workspace, "force_unlock")
}

/// Deletes a workspace if nobody has locked it. There is no state that could be lost.
///
/// # Errors
/// 409 if it is locked.
pub(super) fn safe_delete(connection: &mut PgConnection, caller: &Caller, workspace: &Workspace) -> Result<()> {
    if workspace.locked_by().is_some() {
        let detail = "Workspace is currently locked. Workspace must be unlocked before it can be safely deleted";
        return Err(conflict(detail.to_owned()));
    }
    write::delete(connection, caller, workspace)
}

fn locker(workspace: &Workspace) -> Result<Locker> {
    workspace.locked_by().ok_or_else(|| conflict("The workspace is not locked".to_owned()))
}

fn take_off(
    connection: &mut PgConnection,
    caller: &Caller,
    workspace: &Workspace,
    action: &'static str,
) -> Result<Workspace> {
    let unlocked = store::take_lock_off(connection, workspace.id)?;
    record(connection, caller, workspace, action)?;
    Ok(unlocked)
}

/// Tells of the lock as it is, or was until now.
fn record(connection: &mut PgConnection, caller: &Caller, locked: &Workspace, action: &'static str) -> Result<()> {
    let by = locked.locked_by().map(|by| {
        let (kind, id) = by.face();
        json!({"type": kind, "id": id})
    });
    let about = json!({"name": locked.name, "locked-by": by, "reason": locked.lock_reason});
    let event = Event::new(Some(locked.organization_id), "workspace", locked.id, action).meta(about);
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

fn conflict(detail: String) -> Error {
    Error::conflict(None, detail)
}
