//! Roles: what somebody is in a workspace, and what a token caps its principal to (docs/design.md §1, §4).

use validator::ValidationError;

use super::Level;
use crate::database::text_enum::text_enum;

text_enum! {
    /// What somebody is in a workspace, and what a token caps its principal to; the lowest first.
    pub enum Role {
        /// By access `read`, `read-workspaces` or `read-projects`. A token of this role only looks.
        Viewer = "viewer",
        /// By access `write`, `plan` or `custom`. A token of this role does what an ordinary member may.
        Member = "member",
        /// By access `admin`, or `maintain` to its project. A token of this role does, beyond a member, what is a manager's
        /// in a workspace.
        Manager = "manager",
        /// By access `admin` to its project, `manage-workspaces` or `manage-projects`. A token of this role has all its
        /// principal's permissions in the organization, and of an owner's all there are; what is for owners alone it does
        /// not.
        Admin = "admin",
        /// By the team `owners`, or as the organization itself. A token of this role is not capped.
        Owner = "owner",
    }
}

/// Validates a list of roles that a client sent: at least one, each once.
///
/// # Errors
/// With a message that says so.
pub fn valid_roles(roles: &[Role]) -> Result<(), ValidationError> {
    let twice = roles.iter().enumerate().any(|(nth, role)| roles[..nth].contains(role));
    if roles.is_empty() || twice {
        let message = "Allowed token roles must name at least one role, each once, or be null for all";
        return Err(ValidationError::new("roles").with_message(message.into()));
    }
    Ok(())
}

impl Role {
    /// What access of a level makes of a team.
    #[must_use]
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Read => Self::Viewer,
            Level::Plan | Level::Write | Level::Custom => Self::Member,
            Level::Admin => Self::Manager,
        }
    }

    /// The level whose permissions are the most that the role has.
    pub(super) const fn level(self) -> Level {
        match self {
            Self::Viewer => Level::Read,
            Self::Member => Level::Write,
            Self::Manager | Self::Admin | Self::Owner => Level::Admin,
        }
    }
}
