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
    abilities, administration, audit_trail, health, jwks, memberships, organizations, plans, project_access, projects,
    reserved_tag_keys, team_access, teams, tokens, ttl_policies, users, workspaces,
};

/// Every section, in the order of the description.
fn sections() -> Vec<Section> {
    vec![
        service(),
        users::section(),
        organizations::section(projects::defaults_of),
        memberships::section(),
        teams::section(),
        tokens::section(),
        projects::section().and(project_access::endpoints(), project_access::access_schema()),
        workspaces::section().and(team_access::endpoints(), team_access::access_schema()),
        reserved_tag_keys::section(),
        ttl_policies::section(),
        abilities::section(),
        audit_trail::section(),
        administration::section(),
        plans::section(),
    ]
}

fn service() -> Section {
    Section {
        tag: "service",
        about: "Is the service up, and which API does it speak: no token needed",
        endpoints: [health::probes(), jwks::endpoints(), health::ping(), shown()].into_iter().flatten().collect(),
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

/// `docs/api.md`: every endpoint, with what the access table says of who may. A test holds the file to it.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# The routes\n\nMade from the code; a test holds it to the endpoints. Below `/api/v2`, but for `/health`, \
         `/.well-known` and `/docs`. The running\nservice describes each of them in OpenAPI 3.1 at \
         `/api/v2/openapi.json`, and for reading at `/docs`. What a token's own role\ntakes away from this, and who is \
         answered 403 or 404, is in [access.md](access.md).\n",
    );
    for section in sections() {
        page.push_str(&format!(
            "\n## {}\n\n{}.\n\n| route | what | who may |\n| --- | --- | --- |\n",
            section.tag, section.about
        ));
        for Endpoint { about, .. } in &section.endpoints {
            let (method, summary, who) = (&about.method, about.summary, about.who_may());
            let key = if about.idempotent { "; takes an `Idempotency-Key`" } else { "" };
            page.push_str(&format!("| `{method} {}` | {summary}{key} | {who} |\n", about.path));
        }
    }
    page
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
