//! JSON:API 1.1 as this service speaks it (docs/design.md §5): documents, errors, the body of a request,
//! query parameters, pagination and content negotiation.
//!
//! Nothing in here knows what Latchkey is about. A room declares what its types look like and what its endpoints accept;
//! this crate holds clients to it and writes the answer. With the feature `diesel`, faults of the database become errors.

mod attribute_value;
mod attributes;
mod body;
#[cfg(feature = "diesel")]
mod database;
mod document;
mod error;
mod frame;
mod json;
mod negotiation;
mod page_request;
mod pagination;
mod proxies;
mod public_url;
mod query;
mod query_spec;
mod resource_body;
mod resource_type;
pub mod schema;
mod sort;
mod values;

pub use attributes::{Attributes, present};
pub use body::{Body, BodyBudget, MAX_BODY, MAX_LIST_BODY};
pub use document::{Compound, Document, Identifier, Links, Resource, Written};
pub use error::{Error, Result};
pub use frame::{RequestId, frame, negotiate, request_id};
pub use negotiation::{Answer, MediaType, check_content_type, check_request};
pub use page_request::{CURSOR_PROFILE, Cursor, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest, PageSizes};
pub use pagination::{More, Page, PageInfo, paginate};
pub use proxies::{InvalidProxies, TrustedProxies};
pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use query::{Given, Query, RawQuery};
pub use query_spec::{Pages, QuerySpec, Search};
pub use resource_body::{MAX_IDENTIFIERS, Relationships, ResourceBody, TypeRule};
pub use resource_type::ResourceType;
pub use sort::{Direction, Sort};
pub use values::{Timestamp, is_name, time, valid_name};

/// The media type of JSON:API (JSON:API "Media Type", registered with IANA).
pub const MEDIA_TYPE: &str = "application/vnd.api+json";
