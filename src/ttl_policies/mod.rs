//! TTL policies: how long an organization lets tokens of each kind live (docs/design.md §3, rule 4).
//!
//! They are in force while the organization's `max-ttl-enabled` is true; `access` asks for them when a token is
//! used, and here is what they mean when one is made.

mod http;
mod model;
mod set;
mod store;
mod view;

pub(crate) use http::section;
pub(crate) use model::SentPolicies;
pub use model::{
    DEFAULT_MAX_TTL_MS, Governed, LatestEnd, MAX_TTL_MS_RANGE, OnePolicyAttributes, Policy, PolicyAttributes,
    PolicyItem, TokenType, earliest, expiry, latest_expiry,
};
pub(crate) use set::set;
