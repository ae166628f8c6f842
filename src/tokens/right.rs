//! Which row of the access table holds for what is to be done with a token.

use std::collections::HashMap;

use diesel::PgConnection;

use super::Token;
use crate::access::{Action, Caller, Permit, Role, Target, TeamFacts};
use crate::credential::Kind;
use crate::ids::{TeamId, WorkspaceId};
use crate::jsonapi::{Error, Result};
use crate::workspaces;

/// What can be done with a token that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOperation {
    Read,
    /// Change its description, labels, expiry, role, abilities or rotation.
    Edit,
    /// Switch it off or on.
    Switch,
    /// Issue its successor.
    Replace,
    Revoke,
}

impl TokenOperation {
    /// The actions that this is, one for each sort of owner, and the one that every token may do to itself, if there is.
    pub(crate) const fn actions(self) -> &'static [Action] {
        use Action as A;
        match self {
            Self::Read => &[
                A::ReadUserToken,
                A::ReadServiceAccountToken,
                A::ReadTeamToken,
                A::ReadWorkspaceToken,
                A::ReadOrganizationToken,
                A::ShowItself,
            ],
            Self::Edit => &[
                A::ChangeUserToken,
                A::ChangeServiceAccountToken,
                A::EditTeamToken,
                A::EditWorkspaceToken,
                A::ChangeOrganizationToken,
            ],
            Self::Switch => &[
                A::ChangeUserToken,
                A::ChangeServiceAccountToken,
                A::EditTeamToken,
                A::SwitchWorkspaceToken,
                A::ChangeOrganizationToken,
            ],
            Self::Replace => &[
                A::ChangeUserToken,
                A::ChangeServiceAccountToken,
                A::ReplaceTeamToken,
                A::ReplaceWorkspaceToken,
                A::ChangeOrganizationToken,
                A::RenewItself,
            ],
            Self::Revoke => &[
                A::EndUserToken,
                A::EndServiceAccountToken,
                A::DeleteTeamToken,
                A::DeleteWorkspaceToken,
                A::ChangeOrganizationToken,
                A::EndItself,
            ],
        }
    }
}

/// Asks the access table whether the caller may do this to a token, by the row of the token's kind.
///
/// # Errors
/// 404 or 403, as the table says.
pub(crate) fn may(
    connection: &mut PgConnection,
    caller: &Caller,
    operation: TokenOperation,
    token: &Token,
) -> Result<Permit> {
    let itself = Target::Itself { rotates: token.self_rotation };
    match operation.actions() {
        [.., of_itself @ (Action::ShowItself | Action::EndItself | Action::RenewItself)]
            if caller.is_token(token.id) && caller.can(*of_itself, itself) =>
        {
            caller.may(*of_itself, itself)
        }
        _ => may_by_kind(connection, caller, operation, token),
    }
}

/// The same by the kind of the token alone, also where it is the one that calls: on a team's own route, as the HCP API has
/// it, a token may not do more to itself than to others.
///
/// # Errors
/// 404 or 403, as the table says.
pub(super) fn may_by_kind(
    connection: &mut PgConnection,
    caller: &Caller,
    operation: TokenOperation,
    token: &Token,
) -> Result<Permit> {
    let role = match token.workspace_id {
        Some(workspace) => workspaces::rights(connection, caller, workspace)?.map(|rights| rights.role),
        None => None,
    };
    let (action, target) = asked(operation, token, role)?;
    caller.may(action, target)
}

/// What the access table is asked of a token, for a caller who has this role in its workspace, if it is a workspace's.
fn asked(operation: TokenOperation, token: &Token, role: Option<Role>) -> Result<(Action, Target)> {
    let &[of_user, of_service_account, of_team, of_workspace, of_organization, ..] = operation.actions() else {
        return Err(Error::internal());
    };
    Ok(match (token.kind, token.user_id, token.team_id, token.workspace_id) {
        (Kind::User, Some(user), ..) if token.organization_id.is_some() => (of_service_account, Target::User(user)),
        (Kind::User, Some(user), ..) => (of_user, Target::User(user)),
        (Kind::Team, _, Some(id), _) => (of_team, Target::TeamToken(facts_of_team(token, id), Some(token.id))),
        (Kind::Workspace, _, _, Some(_)) => (of_workspace, Target::WorkspaceToken(role, token.id)),
        (Kind::Organization | Kind::AuditTrails, ..) => (of_organization, Target::Organization),
        _ => return Err(Error::not_found()),
    })
}

/// What a caller who is no token may do with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenRights {
    pub(crate) edit: bool,
    pub(crate) switch: bool,
    pub(crate) replace: bool,
    pub(crate) revoke: bool,
}

/// What the caller may do with each of some tokens, with one look for each workspace.
///
/// # Errors
/// The database's own.
pub(crate) fn rights(connection: &mut PgConnection, caller: &Caller, tokens: &[Token]) -> Result<Vec<TokenRights>> {
    let mut roles: HashMap<WorkspaceId, Option<Role>> = HashMap::new();
    let mut rights = vec![];
    for token in tokens {
        let role = match token.workspace_id {
            Some(id) => match roles.get(&id) {
                Some(role) => *role,
                None => {
                    let role = workspaces::rights(connection, caller, id)?.map(|rights| rights.role);
                    roles.insert(id, role);
                    role
                }
            },
            None => None,
        };
        let can = |operation| asked(operation, token, role).is_ok_and(|(action, target)| caller.can(action, target));
        rights.push(TokenRights {
            edit: can(TokenOperation::Edit),
            switch: can(TokenOperation::Switch),
            replace: can(TokenOperation::Replace),
            revoke: can(TokenOperation::Revoke),
        });
    }
    Ok(rights)
}

/// What the access table needs to know of the team that owns a token. Whether it is secret plays no part in who may handle a
/// token.
pub(super) fn facts_of_team(token: &Token, id: TeamId) -> TeamFacts {
    let (owners, allows_members) = (token.team_owners == Some(true), token.team_allows_members == Some(true));
    TeamFacts { id, owners, secret: true, allows_members }
}
