//! How every request is answered: an endpoint is declared once, and one order of steps holds for all.
//!
//! A room's `http.rs` lists its [`Endpoint`]s. From that list come the routes, the OpenAPI description and
//! `docs/api.md`. The order of the steps is held by types: a handler gets a [`Read`] or a [`Write`], which become
//! [`Allowed`] only by the access table, and only an [`Allowed`] makes a [`Reply`]. Nothing here knows the domain.

mod body;
mod call;
mod endpoint;
pub(crate) mod openapi;
mod path;
mod reply;
mod route;

pub(crate) use body::{BodySpec, Identifiers, OneResource, OtherWords, ResourceList};
pub(crate) use call::{Allowed, Anyone, Locked, Read, Write};
pub(crate) use endpoint::{Answer, Description, Endpoint, Needs, Section, register};
pub(crate) use path::PathParams;
pub(crate) use reply::{Made, Reply};
pub(crate) use route::{Preparing, Route};

use std::sync::Arc;

use crate::access::{AddressLimit, Authenticator};
use crate::credential::Period;
use crate::jsonapi::BodyBudget;
use crate::signing::{EncryptionKey, Signer};

/// What all requests share.
#[derive(Clone)]
pub struct Services {
    /// Where bearer tokens become callers, and the way to the database.
    pub authenticator: Authenticator,
    /// How often an address may ask where no token is needed.
    pub limit: AddressLimit,
    /// How often an address may bring a token that is not good, or none.
    pub failures: AddressLimit,
    /// How much the bodies of all requests may take.
    pub body_budget: BodyBudget,
    /// How much those may take for which no token is needed.
    pub anybodys_body_budget: BodyBudget,
    /// What signs tokens that are JWTs.
    pub signer: Signer,
    /// How long a new token lives where neither its maker nor its organization says; none for as long as it may.
    pub default_token_ttl: Option<Period>,
    /// What answers are encrypted with that are kept for a retry.
    pub encryption: Arc<EncryptionKey>,
}
