//! Workspaces: named things in an organization that teams get access to (docs/design.md §1).
//!
//! Here are the workspace and what a client may write of one. Who has access to it is in `team_access`, and what
//! one may do in it in `access`.

mod consumer_http;
mod consumers;
mod http;
mod lock;
mod lock_http;
mod model;
mod move_http;
mod organization_tag_http;
mod render;
mod schema;
mod settings;
mod store;
mod tag_http;
mod tag_store;
pub mod tags;
mod view;
mod write;

pub(crate) use http::section;
pub use lock::{LockAttributes, Locker, LockerKind};
pub use model::Workspace;
pub(crate) use model::{find_visible, organization_of_workspace, rights, rights_in_existing};
pub(crate) use render::render_seen;
pub use settings::{OverwriteChanges, SettingOverwrites, Settings, VcsRepo, VcsRepoChanges, WorkspaceAttributes};
pub(crate) use store::{find, lock, named};
pub(crate) use view::{TAGS, WORKSPACES, identifier};
