//! Reserved tag keys: keys of tag bindings that an organization gives a meaning to, and of which it can say that a workspace
//! has the value of its project.

mod http;
mod model;
mod store;
mod view;
mod write;

pub(crate) use http::section;
pub use model::{ReservedTagKey, ReservedTagKeyAttributes};
pub(crate) use store::fixed;
