//! Organizations: the tenants (docs/design.md §1). An organization's JSON:API id is its name.
//!
//! Here are the organization, its settings, and what a client may write of one. Its teams and tokens have rooms
//! of their own.

use diesel::PgConnection;

use crate::access::Caller;
use crate::jsonapi::{Resource, Result};

mod http;
mod model;
mod schema;
mod store;
mod view;
mod write;

/// What a room above includes of some organizations, each as its caller sees it.
pub(crate) type Included = fn(&mut PgConnection, &[(&Organization, &Caller)]) -> Result<Vec<Resource>>;

pub(crate) use http::{LIST, section, seen};
pub(crate) use model::lock_own;
pub use model::{AuthPolicy, ExecutionMode, Organization, OrganizationAttributes, Plan, Settings};
pub(crate) use store::{find, find_all, hold, lock, lock_named, named, shared};
pub(crate) use view::{ENTITLEMENT_SETS, ORGANIZATIONS, PROJECTS, identifier, organization, organizations};
pub(crate) use write::{enable_user_tokens, found, set_plan};
