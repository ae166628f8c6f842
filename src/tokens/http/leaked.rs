//! `leaked-tokens`: whoever has found secrets has them revoked. No token is needed: holding a secret is proof enough
//! (docs/design.md §3, rule 10).

use std::collections::HashMap;

use actix_web::web::{Data, ServiceConfig, post, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use serde_json::json;

use super::super::leaked::{self, LEAKED_TOKENS, LeakedAttributes, REPORTED_MAX};
use super::super::{Token, store};
use super::event;
use crate::access::{Authenticator, WithinLimit};
use crate::audit::{self, Actor, Event};
use crate::credential::Digest;
use crate::ids::TokenId;
use crate::jsonapi::{Body, Error, Query, QuerySpec, Result, request_id};

pub(super) fn routes(service: &mut ServiceConfig) {
    service.service(resource("/leaked-tokens").route(post().to(report)));
}

/// Revokes those that are real, all or none, and answers the same whether or not any is.
async fn report(
    request: HttpRequest,
    _: WithinLimit,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    Query::of(&request, &QuerySpec::NONE)?;
    let resources = body.list::<LeakedAttributes>(&[LEAKED_TOKENS], &["token"])?;
    if resources.len() > REPORTED_MAX {
        return Err(Error::attribute("/data", format!("Must hold at most {REPORTED_MAX} resources")));
    }
    let reports: Vec<LeakedAttributes> = resources.into_iter().map(|resource| resource.attributes).collect();
    let reports = leaked::found(&reports).into_iter().map(|(secret, place)| (secret.digest(), place)).collect();
    let actor = Actor::anybody("finder of leaked tokens", request_id(&request));
    authenticator.transaction_for_anybody(move |connection| revoke(connection, &actor, reports)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn revoke(connection: &mut PgConnection, actor: &Actor, reports: Vec<(Digest, Option<String>)>) -> Result<()> {
    let digests: Vec<Digest> = reports.iter().map(|(digest, _)| digest.clone()).collect();
    let found: HashMap<Digest, Token> = store::lock_by_secret(connection, &digests)?.into_iter().collect();
    let ids: Vec<TokenId> = found.values().map(|token| token.id).collect();
    store::revoke(connection, &ids)?;
    // One for each place, also where the same secret was found in several.
    let told = |(digest, place): (Digest, Option<String>)| {
        let token = found.get(&digest)?;
        Some(event(token, "leak").and_meta("url", json!(place)))
    };
    let events: Vec<Event> = reports.into_iter().filter_map(told).collect();
    Ok(audit::record(connection, actor, &events)?)
}
