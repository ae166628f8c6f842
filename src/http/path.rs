//! The parameters in the path of a request.

use std::collections::BTreeMap;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};

use crate::access::OrganizationRef;
use crate::jsonapi::{Error, Result, is_name};

/// The parameters in the path of a request, by the names that the endpoint's path gives them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathParams(BTreeMap<String, String>);

impl PathParams {
    pub(crate) async fn of(request: &HttpRequest) -> Result<Self> {
        if request.match_info().is_empty() {
            return Ok(Self::default());
        }
        let values = Path::<Vec<String>>::from_request(request, &mut Payload::None).await;
        let values = values.map_err(|_| Error::not_found())?.into_inner();
        let names = request.match_info().iter().map(|(name, _)| name.to_owned());
        Ok(Self(names.zip(values).collect()))
    }

    /// A parameter as the client wrote it; empty if the endpoint's path has none of this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether the endpoint's path has a parameter of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A parameter, parsed.
    ///
    /// # Errors
    /// 404 if it does not parse: nothing has such an id.
    pub(crate) fn get<T: FromStr>(&self, name: &str) -> Result<T> {
        self.text(name).parse().map_err(|_| Error::not_found())
    }

    /// The organization that the request is about, as its path names it.
    pub(crate) fn organization(&self) -> OrganizationRef {
        let text = |name: &str| self.0.get(name).map(String::as_str);
        if let Some(name) = text("organization") {
            return OrganizationRef::Organization(is_name(name).then(|| name.to_owned()));
        }
        if let Some(id) = text("team") {
            // Some clients put a token's id in the place of its team's.
            match id.parse() {
                Ok(token) => OrganizationRef::Token(Some(token)),
                Err(_) => OrganizationRef::Team(id.parse().ok()),
            }
        } else if let Some(id) = text("token") {
            OrganizationRef::Token(id.parse().ok())
        } else if let Some(id) = text("workspace") {
            OrganizationRef::Workspace(id.parse().ok())
        } else if let Some(id) = text("membership") {
            OrganizationRef::Membership(id.parse().ok())
        } else if let Some(id) = text("access") {
            OrganizationRef::TeamAccess(id.parse().ok())
        } else if let Some(id) = text("user") {
            OrganizationRef::User(id.parse().ok())
        } else if let Some(id) = text("tag") {
            OrganizationRef::Tag(id.parse().ok())
        } else if let Some(id) = text("project") {
            OrganizationRef::Project(id.parse().ok())
        } else if let Some(id) = text("project_access") {
            OrganizationRef::ProjectAccess(id.parse().ok())
        } else if let Some(id) = text("reserved_key") {
            OrganizationRef::ReservedTagKey(id.parse().ok())
        } else {
            OrganizationRef::None
        }
    }
}
