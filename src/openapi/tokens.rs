//! Tokens of users, teams, organizations and workspaces.

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{KnownFormat, Schema, SchemaFormat};

use super::Room;
use super::route::Route;
use super::sends::Sends;
use crate::access::Role;
use crate::credential::{Format, Kind, Status};
use crate::jsonapi::QuerySpec;
use crate::jsonapi::schema::{ResourceSchema, count, one_of, or_null, text, time};
use crate::organizations::ORGANIZATIONS;
use crate::teams::TEAMS;
use crate::tokens::http::{self, all, organization, team, usage, user, workspace};
use crate::tokens::{
    ExpiryStatus, LEAKED_TOKENS, LeakedAttributes, NAMES, REPORTED_MAX, Replacement, Stale, TOKENS, TokenAttributes,
    TokenChanges, Trashed, UNUSED_DAYS_MAX, USAGE_DAYS,
};
use crate::users::USERS;
use crate::workspaces::WORKSPACES;

pub(super) fn room() -> Room {
    Room {
        tag: "tokens",
        about: "Long-lived credentials. The secret is in exactly one answer: the one that makes the token",
        routes: [of_teams(), of_organizations(), of_workspaces(), others(), life(), leaked()]
            .into_iter()
            .flatten()
            .collect(),
        kinds: vec![token(), usage_day()],
    }
}

fn writes() -> Sends {
    Sends::attributes::<TokenAttributes>(NAMES).lenient()
}

fn of_teams() -> Vec<Route> {
    let (one, many) = ("/teams/{team}/authentication-token", "/teams/{team}/authentication-tokens");
    vec![
        Route::get(one, "showTeamToken", "Show the team's one token without a description")
            .query(&http::SHOW)
            .gives(&TOKENS),
        Route::post(one, "createTeamToken", "Make the team's one token without a description")
            .details("The one before is revoked at the same moment.")
            .query(&http::SHOW)
            .sends(writes().or_nothing())
            .gives_new(&TOKENS),
        Route::delete(one, "deleteTeamToken", "Revoke the team's one token without a description")
            .query(&QuerySpec::NONE),
        filtered(Route::get(many, "listTokensOfTeam", "List the tokens of a team that the caller may read"))
            .query(&team::LIST)
            .gives_list(&TOKENS),
        Route::post(many, "createTokenOfTeam", "Make one more token for a team")
            .details("Descriptions are unique among a team's live tokens. An empty string is one, null is none.")
            .query(&http::SHOW)
            .sends(writes())
            .gives_new(&TOKENS),
    ]
}

fn of_organizations() -> Vec<Route> {
    let one = "/organizations/{organization}/authentication-token";
    let whole = "/organizations/{organization}/authentication-tokens";
    let many = "/organizations/{organization}/team-tokens";
    let which = || one_of(&[Kind::AuditTrails.as_str()]);
    vec![
        Route::get(one, "showOrganizationToken", "Show the organization's own token")
            .details("With `token=audit-trails`, the one that reads its audit trail; here and below.")
            .query(&organization::ONE_OF_TWO)
            .values("token", which())
            .gives(&TOKENS),
        Route::post(one, "createOrganizationToken", "Make the organization's own token")
            .details("The one before is revoked at the same moment.")
            .query(&organization::ONE_OF_TWO)
            .values("token", which())
            .sends(writes().or_nothing())
            .gives_new(&TOKENS),
        Route::delete(one, "deleteOrganizationToken", "Revoke the organization's own token")
            .query(&organization::ONE_OF_TWO)
            .values("token", which()),
        filtered(Route::get(whole, "listTokens", "List all tokens of the organization that the caller may read"))
            .details(
                "Its own tokens and those of its teams and workspaces. A user's token belongs to a person and not to \
                 an organization: it is in `users/:id/authentication-tokens`, and `filter[kind]=user` finds nothing \
                 here. With numbered pages, `meta.status-counts` tells how many tokens of each status match the \
                 search and all filters but those by status and `filter[trashed]`.",
            )
            .query(&all::LIST)
            .gives_list(&TOKENS),
        filtered(Route::get(many, "listTeamTokens", "List the tokens of all teams that the caller may read"))
            .means("q", "Only those of teams whose name holds this text, in any case")
            .query(&team::LIST)
            .gives_list(&TOKENS),
        Route::delete(many, "deleteTeamTokens", "Revoke many tokens of teams: all of them or none")
            .query(&QuerySpec::NONE)
            .sends(Sends::identifiers(NAMES)),
    ]
}

fn of_workspaces() -> Vec<Route> {
    let many = "/workspaces/{workspace}/authentication-tokens";
    vec![
        filtered(Route::get(many, "listWorkspaceTokens", "List the tokens of a workspace that the caller may read"))
            .query(&workspace::LIST)
            .gives_list(&TOKENS),
        Route::post(many, "createWorkspaceToken", "Make one more token for a workspace")
            .details("It acts as the workspace: it sees that workspace and nothing else of the organization.")
            .query(&http::SHOW)
            .sends(writes())
            .gives_new(&TOKENS),
    ]
}

fn life() -> Vec<Route> {
    vec![
        Route::patch("/authentication-tokens/{token}", "updateToken", "Edit a token")
            .conflicts()
            .details("Never its owner and never its secret. A lower role or fewer abilities take effect at once.")
            .query(&http::SHOW)
            .sends(Sends::attributes::<TokenChanges>(NAMES).lenient())
            .gives(&TOKENS),
        Route::post("/authentication-tokens/{token}/actions/disable", "disableToken", "Switch a token off")
            .conflicts()
            .details("One that is off already stays as it is; an expired or revoked one is a conflict.")
            .query(&http::SHOW)
            .gives(&TOKENS),
        Route::post("/authentication-tokens/{token}/actions/enable", "enableToken", "Switch a token on")
            .conflicts()
            .details("One that is on already stays as it is; an expired or revoked one is a conflict.")
            .query(&http::SHOW)
            .gives(&TOKENS),
        Route::post(
            "/authentication-tokens/{token}/actions/regenerate",
            "regenerateToken",
            "Issue a token's successor",
        )
        .details(
            "It inherits description, role, abilities and length of life. The old token is revoked at once, or \
                 after the grace, during which both work.",
        )
        .query(&http::SHOW)
        .sends(Sends::attributes::<Replacement>(NAMES).lenient().or_nothing())
        .gives_new(&TOKENS),
        Route::post("/authentication-tokens/{token}/actions/revoke", "revokeToken", "Revoke a token, and show it")
            .details("One that is revoked already stays as it is.")
            .query(&http::SHOW)
            .gives(&TOKENS),
    ]
}

fn others() -> Vec<Route> {
    vec![
        filtered(Route::get("/users/{user}/authentication-tokens", "listUserTokens", "List the own tokens"))
            .details("To anybody but the user the list is empty.")
            .query(&user::LIST)
            .gives_list(&TOKENS),
        Route::post("/users/{user}/authentication-tokens", "createUserToken", "Make one more token of one's own")
            .query(&http::SHOW)
            .sends(writes())
            .gives_new(&TOKENS),
        Route::get("/authentication-tokens/{token}", "showToken", "Show a token, without its secret")
            .query(&http::SHOW)
            .gives(&TOKENS),
        Route::get("/authentication-tokens/{token}/usage", "listTokenUsage", "How often a token was used, day by day")
            .details(
                "Every day (UTC) from the one asked for to today, oldest first, with 0 where there was no use: at most \
                 91 of them, and never a second page. What is older is not kept. Uses are written about once a second. \
                 A revoked token has its history, too.",
            )
            .query(&usage::LIST)
            .values("filter[since]", since())
            .means("filter[since]", "The first day, or a time on it; without it, and before that, 90 days ago")
            .gives_list(&USAGE_DAYS),
        Route::delete("/authentication-tokens/{token}", "deleteToken", "Revoke a token, for good and at once")
            .query(&QuerySpec::NONE),
    ]
}

/// A day, or a time.
fn since() -> Schema {
    let day = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    AnyOfBuilder::new().item(day).item(time()).build().into()
}

fn usage_day() -> ResourceSchema {
    let day = || text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    ResourceSchema::new(&USAGE_DAYS, "How often a token was used on a day (UTC)")
        .attribute("date", day())
        .attribute("count", count(0))
}

/// A list with the filters that all lists of tokens have.
fn filtered(route: Route) -> Route {
    const TIMES: [(&str, &str); 10] = [
        ("filter[created-after]", "Only what was made later"),
        ("filter[created-before]", "Only what was made earlier"),
        ("filter[updated-after]", "Only what was changed later"),
        ("filter[updated-before]", "Only what was changed earlier"),
        ("filter[last-used-after]", "Only what was last used later"),
        ("filter[last-used-before]", "Only what was last used earlier; not what never was"),
        ("filter[expires-after]", "Only whose `expired-at` is later; not what never expires"),
        ("filter[expires-before]", "Only whose `expired-at` is earlier; not what never expires"),
        ("filter[revoked-after]", "Only what was revoked later, also what is revoked by now"),
        ("filter[revoked-before]", "Only what was revoked earlier, also what is revoked by now"),
    ];
    let route = route
        .means("q", "Only what holds this text in its description, prefix or owner's name, in any case")
        .values("filter[kind]", one_of(&Kind::ALL.map(Kind::as_str)))
        .values("filter[status]", one_of(&Status::ALL.map(Status::as_str)))
        .means(
            "filter[status]",
            "Only what stands so; several with commas. With `revoked`, also what is revoked by now",
        )
        .values("filter[role]", one_of(&Role::ALL.map(Role::as_str)))
        .means(
            "filter[ability]",
            "Only whose abilities cover one of these, by name or as `resource:*`; several with commas",
        )
        .means("filter[id]", "Only these, by id; several with commas")
        .means("filter[description]", "Only this very description, commas and all; several by repeating the filter")
        .means("filter[team]", "Only those of these teams, by id; several with commas")
        .means("filter[workspace]", "Only those of these workspaces, by id; several with commas")
        .means(
            "filter[created-by]",
            "Only what these made: users and teams by id, organizations by id or name; several with commas",
        )
        .values("filter[unused-for-days]", count(0).maximum(Some(UNUSED_DAYS_MAX)))
        .means("filter[unused-for-days]", "Only what was not used for so many days, or was made before and never used")
        .values("filter[stale]", one_of(&Stale::ALL.map(Stale::as_str)))
        .means(
            "filter[stale]",
            "`true`: only what is active and was not used for 90 days, or never and was made 30 days ago; `false`: \
             only the rest",
        )
        .values("filter[expiry_status]", one_of(&ExpiryStatus::ALL.map(ExpiryStatus::as_str)))
        .values("filter[trashed]", one_of(&Trashed::ALL.map(Trashed::as_str)))
        .means("filter[trashed]", "`with`: also what is revoked, which is left out without it; `only`: nothing else");
    TIMES.into_iter().fold(route, |route, (filter, meaning)| route.values(filter, time()).means(filter, meaning))
}

fn leaked() -> Vec<Route> {
    let writes = Sends::attributes::<LeakedAttributes>(&[LEAKED_TOKENS]).requires(&["token"]);
    vec![
        Route::post(
            "/leaked-tokens",
            "reportLeakedTokens",
            "Report secrets that were found somewhere; no token needed",
        )
        .details(
            "Those that are real are revoked at once, and the audit trail tells where they were found. The answer is \
                 the same whether or not any is real. An address may ask 60 times at once and then once a second.",
        )
        .query(&QuerySpec::NONE)
        .sends(writes.listed_up_to(REPORTED_MAX))
        .open()
        .limited(),
    ]
}

fn token() -> ResourceSchema {
    let secret = || or_null(text()).description(Some("The secret, in the answer that makes the token; later null"));
    ResourceSchema::new(&TOKENS, "A long-lived credential")
        .attribute("kind", one_of(&Kind::ALL.map(Kind::as_str)))
        .written_or_null::<TokenAttributes>(&["description"])
        .attribute("role", one_of(&Role::ALL.map(Role::as_str)))
        .written::<TokenAttributes>(&["abilities"])
        .attribute("status", one_of(&Status::ALL.map(Status::as_str)))
        .attribute("token-prefix", text().description(Some("The first 10 characters of the secret")))
        .attribute("format", one_of(&Format::ALL.map(Format::as_str)))
        .attribute("usage-count", count(0))
        .attributes(&["created-at", "updated-at"], time)
        .attributes(&["last-used-at", "expired-at", "disabled-at", "revoked-at"], || or_null(time()))
        .attribute("token", secret())
        .one("user", &[USERS.name])
        .one("team", &[TEAMS.name])
        .one("organization", &[ORGANIZATIONS.name])
        .one("workspace", &[WORKSPACES.name])
        .one("created-by", &[USERS.name, TEAMS.name, ORGANIZATIONS.name])
        .one("replaces", &[TOKENS.name])
        .one("replaced-by", &[TOKENS.name])
}
