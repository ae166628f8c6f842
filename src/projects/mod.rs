//! Projects: named groups of an organization's workspaces (docs/design.md §1).
//!
//! Here are the project and what a client may write of one. Which teams have access to it is in `project_access`, and what
//! one may do in it in `access`.

mod http;
mod model;
mod store;
mod tag_http;
mod view;
mod write;

pub(crate) use http::section;
pub use model::{Project, ProjectAttributes, Settings};
pub(crate) use model::{find_visible, organization_of_project, rights, valid_duration};
pub(crate) use store::{find_all, grants, hold, hold_all, hold_default, lock};
pub(crate) use view::{PROJECTS, defaults_of, identifier, link, of_workspaces, render_seen};
