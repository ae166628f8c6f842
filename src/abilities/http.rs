//! `organizations/:name/abilities`.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, patch, resource};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::view::{self, ABILITIES};
use super::{Registered, RegistryAttributes, store};
use crate::access::{Action, Authenticator, BearerToken, Target};
use crate::audit::{self, Event};
use crate::credential::Ability;
use crate::jsonapi::{Body, Document, Query, QuerySpec, Result};
use crate::organizations::{self, organization_ref};

pub(crate) const SHOW: QuerySpec = QuerySpec::show(&[&ABILITIES]);

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/organizations/{organization}/abilities").route(get().to(list)).route(patch().to(update)));
}

/// All that are registered; one list, whose length is bounded.
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, registry) = authenticator
        .read(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::SeeAbilities, Target::Organization)?;
            let query = query?;
            Ok((query, store::list(connection, caller.organization()?)?))
        })
        .await?;
    Ok(document(&registry).respond(&query, &request, StatusCode::OK))
}

/// Registers the abilities in the body in the place of all before.
async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, registry) = authenticator
        .transaction(bearer, organization_ref(&path), move |connection, caller| {
            caller.may(Action::SetAbilities, Target::Organization)?;
            let query = query?;
            let body = body.resource::<RegistryAttributes>(&[ABILITIES.name], &["abilities"])?.about(&[&path])?;
            let registry = super::checked(body.attributes.abilities.unwrap_or_default())?;
            let organization = organizations::lock(connection, caller.organization()?)?.id;
            let caller = &caller.reauthenticated(connection)?;
            caller.may(Action::SetAbilities, Target::Organization)?;
            let before = store::list(connection, organization)?;
            if registry != before {
                store::replace(connection, organization, &registry)?;
                let event = Event::new(Some(organization), "organization_abilities", organization, "update");
                audit::record(connection, &caller.actor(), &[event.meta(difference(&before, &registry))])?;
            }
            Ok((query, registry))
        })
        .await?;
    Ok(document(&registry).respond(&query, &request, StatusCode::OK))
}

fn document(registry: &[Registered]) -> Document {
    Document::list(registry.iter().map(view::registered).collect())
}

/// What the audit trail tells: a registry can be long, a change of it rarely is.
fn difference(before: &[Registered], after: &[Registered]) -> Value {
    let names = |registry: &[Registered]| registry.iter().map(|one| one.name.clone()).collect::<BTreeSet<Ability>>();
    let (were, are) = (names(before), names(after));
    let (before, after): (BTreeSet<&Registered>, BTreeSet<&Registered>) =
        (before.iter().collect(), after.iter().collect());
    let described = after.difference(&before).filter(|one| were.contains(&one.name)).map(|one| &one.name);
    json!({
        "added": are.difference(&were).collect::<Vec<_>>(),
        "removed": were.difference(&are).collect::<Vec<_>>(),
        "described-anew": described.collect::<Vec<_>>(),
    })
}
