//! Tokens of users, teams and organizations.

use utoipa::openapi::Schema;

use super::Room;
use super::route::Route;
use super::schemas::{Kind, one_of, or_null, text, time};
use super::sends::Sends;
use crate::jsonapi::Known;
use crate::organizations::ORGANIZATIONS;
use crate::teams::TEAMS;
use crate::tokens::api::{self, organization, team, user};
use crate::tokens::{ExpiryStatus, Kind as Owned, NAMES, TOKENS, TokenAttributes};
use crate::users::USERS;

pub(super) fn room() -> Room {
    Room {
        tag: "tokens",
        about: "Long-lived credentials. The secret is in exactly one answer: the one that makes the token",
        routes: [of_teams(), of_organizations(), others()].into_iter().flatten().collect(),
        kinds: vec![token()],
    }
}

fn writes() -> Sends {
    Sends::attributes::<TokenAttributes>(NAMES).lenient()
}

fn of_teams() -> Vec<Route> {
    let (one, many) = ("/teams/{team}/authentication-token", "/teams/{team}/authentication-tokens");
    vec![
        Route::get(one, "showTeamToken", "Show the team's one token without a description")
            .query(&api::SHOW)
            .gives(&TOKENS),
        Route::post(one, "createTeamToken", "Make the team's one token without a description")
            .details("The one before is revoked at the same moment.")
            .query(&api::SHOW)
            .sends(writes().or_nothing())
            .gives_new(&TOKENS),
        Route::delete(one, "deleteTeamToken", "Revoke the team's one token without a description")
            .query(&Known::NOTHING),
        Route::get(many, "listTokensOfTeam", "List the tokens of a team that the caller may read")
            .query(&team::LIST)
            .values("filter[expiry_status]", expiry())
            .gives_list(&TOKENS),
        Route::post(many, "createTokenOfTeam", "Make one more token for a team")
            .details("Descriptions are unique among a team's live tokens. An empty string is one, null is none.")
            .query(&api::SHOW)
            .sends(writes())
            .gives_new(&TOKENS),
    ]
}

fn of_organizations() -> Vec<Route> {
    let one = "/organizations/{organization}/authentication-token";
    let many = "/organizations/{organization}/team-tokens";
    let which = || one_of(&[Owned::AuditTrails.as_str()]);
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
        Route::get(many, "listTeamTokens", "List the tokens of all teams that the caller may read")
            .query(&team::LIST)
            .values("filter[expiry_status]", expiry())
            .gives_list(&TOKENS),
        Route::delete(many, "deleteTeamTokens", "Revoke many tokens of teams: all of them or none")
            .query(&Known::NOTHING)
            .sends(Sends::identifiers(NAMES)),
    ]
}

fn others() -> Vec<Route> {
    vec![
        Route::get("/users/{user}/authentication-tokens", "listUserTokens", "List the own tokens")
            .details("To anybody but the user the list is empty.")
            .query(&user::LIST)
            .values("filter[expiry_status]", expiry())
            .gives_list(&TOKENS),
        Route::post("/users/{user}/authentication-tokens", "createUserToken", "Make one more token of one's own")
            .query(&api::SHOW)
            .sends(writes())
            .gives_new(&TOKENS),
        Route::get("/authentication-tokens/{token}", "showToken", "Show a token, without its secret")
            .query(&api::SHOW)
            .gives(&TOKENS),
        Route::delete("/authentication-tokens/{token}", "deleteToken", "Revoke a token, for good and at once")
            .query(&Known::NOTHING),
    ]
}

fn expiry() -> Schema {
    one_of(&ExpiryStatus::ALL.map(ExpiryStatus::as_str))
}

fn token() -> Kind {
    let secret = || or_null(text()).description(Some("The secret, in the answer that makes the token; later null"));
    Kind::new(&TOKENS, "A long-lived credential")
        .written_or_null::<TokenAttributes>(&["description"])
        .attribute("created-at", time())
        .attributes(&["last-used-at", "expired-at"], || or_null(time()))
        .attribute("token", secret())
        .one("team", &[TEAMS.name])
        .one("created-by", &[USERS.name, TEAMS.name, ORGANIZATIONS.name])
}
