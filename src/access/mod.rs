//! Access: who is calling (bearer token or session → principal), and what they may do (the one table, [`table`]).
//!
//! [`Authenticator`] finds the token's principal and the principal's rights in the organization that the request is
//! about, in one round trip, and then does the request's work on the same connection.

mod address_limit;
mod authenticator;
mod caller;
mod known;
mod level;
mod permission;
mod project;
mod rate_limit;
mod refusals;
mod role;
mod shares;
mod store;
pub mod table;
mod target;
mod usage;
mod visible;
mod workspaces;

pub use address_limit::AddressLimit;
pub use authenticator::{Authenticator, Credentials, Reads};
pub use caller::{AuthenticatedBy, Caller, OrganizationRights, Permit, Principal};
pub use level::{Grant, Level, Runs, SentinelMocks, StateVersions, Variables, WorkspacePermissions, read_only};
pub use permission::Permission;
pub use project::{
    InProject, ProjectGrant, ProjectLevel, ProjectPermissions, ProjectRights, ProjectSettings, ProjectTeams,
    VariableSets, VisibleProjects,
};
pub use rate_limit::RateLimit;
pub use role::{Role, valid_roles};
pub use shares::Place;
pub use table::{Action, Who};
pub use target::{OrganizationRef, Target, TeamFacts};
pub use usage::{Usage, write_usage};
pub use visible::{OtherTeams, VisibleTokens};
pub use workspaces::{VisibleWorkspaces, WorkspaceRights};
