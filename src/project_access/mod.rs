//! Project access: what a team may do in a project and in its workspaces (`team-projects`, docs/design.md §1).
//!
//! The levels, what each of them permits and what role it makes of a caller are in `access`.

mod http;
mod model;
mod store;
mod view;
mod write;

pub(crate) use http::endpoints;
pub use model::{ProjectAccess, ProjectAccessAttributes};
pub(crate) use view::schema as access_schema;
