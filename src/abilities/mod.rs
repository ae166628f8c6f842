//! The abilities that an organization knows: as soon as it has registered any, its tokens get no others (docs/design.md §1).
//!
//! What an ability looks like, and what it covers, is `credential`'s business.

mod endpoints;
mod http;
mod model;
mod register;
mod store;
mod view;

pub use endpoints::{ENDPOINTS_MAX, EndpointPattern, Endpoints, Method, PATTERN_MAX, PathPattern};
pub(crate) use http::section;
pub(crate) use model::checked;
pub use model::{DESCRIPTION_MAX, REGISTERED_MAX, Registered, RegistryAttributes, check, check_reach};
pub(crate) use register::register;
