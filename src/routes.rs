//! Every endpoint of the service, and the two that show them: `openapi.json`, and `docs` for people.

use std::sync::LazyLock;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use crate::http::openapi::{Page, description};
use crate::http::{Endpoint, Needs, Route, Section, Services, register};
use crate::jsonapi::schema::{object, text};
use crate::jsonapi::{QuerySpec, Result};
use crate::{
    abilities, audit, health, memberships, organizations, signing, teams, tokens, ttl_policies, users, workspaces,
};

/// Every section, in the order of the description.
fn sections() -> Vec<Section> {
    vec![
        service(),
        users::section(),
        organizations::section(),
        memberships::section(),
        teams::section(),
        tokens::section(),
        workspaces::section(),
        ttl_policies::section(),
        abilities::section(),
        audit::section(),
    ]
}

fn service() -> Section {
    Section {
        tag: "service",
        about: "Is the service up, and which API does it speak: no token needed",
        endpoints: [health::probes(), signing::endpoints(), health::ping(), shown()].into_iter().flatten().collect(),
        kinds: vec![],
    }
}

fn shown() -> Vec<Endpoint> {
    vec![
        Route::get("/openapi.json", "describe", "This description")
            .query(&QuerySpec::NONE)
            .gives("application/json", object())
            .serve(Needs::Nothing, describe),
        Route::get("/docs", "readDescription", "This description for people")
            .gives("text/html", text())
            .serve(Needs::Nothing, read),
    ]
}

/// Makes routes of all endpoints.
pub(crate) fn all(service: &mut ServiceConfig) {
    static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(sections);
    register(SECTIONS.iter(), service);
}

async fn describe(_: HttpRequest, _: Services) -> Result<HttpResponse> {
    static TEXT: LazyLock<String> = LazyLock::new(|| description(sections()).to_json().unwrap_or_default());
    Ok(HttpResponse::Ok().content_type("application/json").body(TEXT.as_str()))
}

async fn read(_: HttpRequest, _: Services) -> Result<HttpResponse> {
    static PAGE: LazyLock<Page> = LazyLock::new(|| Page::of(&description(sections())));
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, PAGE.policy.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(PAGE.html.as_str()))
}
