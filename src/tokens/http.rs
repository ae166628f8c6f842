//! The endpoints of tokens: `authentication-tokens/:id` for any token, those of each kind of owner, and reports of
//! leaked ones.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta, Utc};
use diesel::{OptionalExtension, PgConnection};
use utoipa::PartialSchema as _;

use super::filters::{self, Filters, Trashed};
use super::leaked::{Found, LEAKED_TOKENS, LeakedAttributes, REPORTED_MAX};
use super::life::{self, Switch};
use super::lists;
use super::right::{TokenOperation, may, may_by_kind};
use super::schema;
use super::sorted_ends;
use super::store::{self, Slot, TokenList};
use super::view::{self, NAMES, TOKENS, USAGE_DAYS};
use super::{Owner, Replacement, Token, TokenAttributes, TokenChanges, USAGE_KEPT_DAYS, issue, leaked};
use crate::access::{Action, Caller, Permit, Target};
use crate::credential::{Kind, Status};
use crate::database::page::sort_keys;
use crate::http::{
    Allowed, Anyone, Endpoint, Identifiers, Locked, Made, OneResource, Read, Reply, ResourceList, Route, Section, Write,
};
use crate::ids::{TokenId, UserId};
use crate::jsonapi::schema::one_of;
use crate::jsonapi::{Error, PageInfo, Pages, Query, QuerySpec, ResourceBody, Result, Search, Timestamp};
use crate::organizations;
use crate::teams::{self, Team};
use crate::workspaces;

const SHOW: QuerySpec = QuerySpec::show(&[&TOKENS]);
const SHOW_TRASHED: QuerySpec = QuerySpec { filters: &[filters::TRASHED], ..SHOW };
const ONE_OF_TWO: QuerySpec = QuerySpec { parameters: &["token"], ..SHOW };
/// What every list of tokens knows; each has an order of its own.
const LISTED: QuerySpec =
    QuerySpec { pages: Pages::Both, sort: sort_keys!(Token), q: Search::Text, filters: filters::NAMES, ..SHOW };
const BY_EXPIRY: QuerySpec = QuerySpec { default_sort: "expired-at", ..LISTED };
const NEWEST_FIRST: QuerySpec = QuerySpec { default_sort: "-created-at", ..LISTED };
const OF_EVERYBODY: QuerySpec = QuerySpec { filters: filters::NAMES_OF_EVERYBODY, ..NEWEST_FIRST };
const OLDEST_FIRST: QuerySpec = QuerySpec { default_sort: "created-at", ..LISTED };
const USAGE: QuerySpec = QuerySpec { filters: &["since"], ..QuerySpec::show(&[&USAGE_DAYS]) };

/// What other systems call the attributes of a token. Dropped in silence, they would make one that never ends, or may more.
const WORDS: &[(&str, &str)] = &[
    ("name", "description"),
    ("label", "description"),
    ("title", "description"),
    ("scope", "role, and what it may do at other services abilities,"),
    ("scopes", "abilities"),
    ("permissions", "abilities"),
    ("expire-at", "expired-at"),
    ("expires", "expired-at"),
    ("expires-at", "expired-at"),
    ("expires-on", "expired-at"),
    ("expiration", "expired-at"),
    ("expiration-date", "expired-at"),
    ("expiry", "expired-at"),
];

const TOKEN: OneResource<TokenAttributes> = OneResource::new(NAMES).lenient().misnamed(WORDS);
const TOKEN_OR_NOTHING: OneResource<TokenAttributes> = OneResource::new(NAMES).or_nothing().misnamed(WORDS);
const CHANGES: OneResource<TokenChanges> = OneResource::changes(NAMES, "token").lenient().misnamed(WORDS);
const REPLACEMENT: OneResource<Replacement> = OneResource::changes(NAMES, "token").or_nothing().misnamed(WORDS);
const REPORTS: ResourceList<LeakedAttributes> =
    ResourceList::up_to(REPORTED_MAX, &[LEAKED_TOKENS]).requires(&["token"]);

/// The endpoints of tokens.
pub(crate) fn section() -> Section {
    Section {
        tag: "tokens",
        about: "Long-lived credentials. The secret is in one answer: the one that makes the token, which can be asked \
                for once more with an `Idempotency-Key`",
        endpoints: [
            of_teams(),
            of_organizations(),
            of_workspaces(),
            of_everybody(),
            others(),
            any_token(),
            leaked_tokens(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        kinds: vec![schema::token(), schema::usage_day()],
    }
}

fn of_teams() -> Vec<Endpoint> {
    let (one, many) = ("/teams/{team}/authentication-token", "/teams/{team}/authentication-tokens");
    vec![
        Route::get(one, "showTeamToken", "Show the team's one token without a description")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Read.actions())
            .read(show_team_token),
        Route::post(one, "createTeamToken", "Make the team's one token without a description")
            .details("The one before is revoked at the same moment.")
            .query(&SHOW)
            .body(TOKEN_OR_NOTHING)
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::RegenerateTeamToken])
            .write(regenerate_team_token),
        Route::delete(one, "deleteTeamToken", "Revoke the team's one token without a description")
            .query(&QuerySpec::NONE)
            .allows(TokenOperation::Revoke.actions())
            .write(delete_team_token),
        schema::filtered(
            Route::get(many, "listTokensOfTeam", "List the tokens of a team that the caller may read")
                .filters(&BY_EXPIRY, Filters::of),
        )
        .lists(&TOKENS)
        .allows(&[Action::SeeTeam])
        .read(list_tokens_of_team),
        Route::post(many, "createTokenOfTeam", "Make one more token for a team")
            .details("Descriptions are unique among a team's live tokens. An empty string is one, null is none.")
            .query(&SHOW)
            .body(TOKEN)
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::CreateTeamToken])
            .write(create_token_of_team),
    ]
}

fn of_organizations() -> Vec<Endpoint> {
    let one = "/organizations/{organization}/authentication-token";
    let whole = "/organizations/{organization}/authentication-tokens";
    let many = "/organizations/{organization}/team-tokens";
    let which = || one_of(&[Kind::AuditTrails.as_str()]);
    vec![
        Route::get(one, "showOrganizationToken", "Show the organization's own token")
            .details("With `token=audit-trails`, the one that reads its audit trail; here and below.")
            .query(&ONE_OF_TWO)
            .prepare(|query, ()| kind(query))
            .values("token", which())
            .shows(&TOKENS)
            .allows(&[Action::ReadOrganizationToken])
            .read(show_organization_token),
        Route::post(one, "createOrganizationToken", "Make the organization's own token")
            .details("The one before is revoked at the same moment.")
            .query(&ONE_OF_TWO)
            .body(TOKEN_OR_NOTHING)
            .prepare(|query, body| Ok((kind(query)?, body.attributes)))
            .values("token", which())
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::CreateOrganizationToken])
            .write(regenerate_organization_token),
        Route::delete(one, "deleteOrganizationToken", "Revoke the organization's own token")
            .query(&ONE_OF_TWO)
            .prepare(|query, ()| kind(query))
            .values("token", which())
            .allows(&[Action::ChangeOrganizationToken])
            .write(delete_organization_token),
        schema::filtered(
            Route::get(whole, "listTokens", "List all tokens of the organization that the caller may read")
                .filters(&NEWEST_FIRST, Filters::of),
        )
        .details(
            "Its own tokens and those of its teams and workspaces. A user's token belongs to a person and not to an \
             organization: it is in `users/:id/authentication-tokens`, and `filter[kind]=user` finds nothing here. \
             With numbered pages, `meta.status-counts` tells how many tokens of each status match the search and all \
             filters but those by status and `filter[trashed]`.",
        )
        .lists(&TOKENS)
        .allows(&[Action::ListTokens])
        .read(list_tokens),
        schema::filtered(
            Route::get(many, "listTeamTokens", "List the tokens of all teams that the caller may read")
                .filters(&BY_EXPIRY, Filters::of),
        )
        .means("q", "Only those of teams whose name holds this text, in any case")
        .lists(&TOKENS)
        .allows(&[Action::ListTeamTokens])
        .read(list_team_tokens),
        Route::delete(many, "deleteTeamTokens", "Revoke many tokens of teams: all of them or none")
            .query(&QuerySpec::NONE)
            .body(Identifiers(NAMES))
            .allows(&[Action::ListTeamTokens])
            .write(delete_team_tokens),
    ]
}

fn of_workspaces() -> Vec<Endpoint> {
    let many = "/workspaces/{workspace}/authentication-tokens";
    vec![
        schema::filtered(
            Route::get(many, "listWorkspaceTokens", "List the tokens of a workspace that the caller may read")
                .filters(&BY_EXPIRY, Filters::of),
        )
        .lists(&TOKENS)
        .allows(&[Action::SeeWorkspace])
        .read(list_workspace_tokens),
        Route::post(many, "createWorkspaceToken", "Make one more token for a workspace")
            .details("It acts as the workspace: it sees that workspace and nothing else of the organization.")
            .query(&SHOW)
            .body(TOKEN)
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::CreateWorkspaceToken])
            .write(create_workspace_token),
    ]
}

fn of_everybody() -> Vec<Endpoint> {
    vec![
        schema::filtered_among_everybody(
            Route::get("/admin/authentication-tokens", "listAllTokens", "List the tokens of everybody, newest first")
                .filters(&OF_EVERYBODY, Filters::of_everybody),
        )
        .details("Of all organizations and all users, without secrets.")
        .lists(&TOKENS)
        .allows(&[Action::ListEveryToken])
        .read(|call| list(call.may(Target::Organization)?, TokenList::Everybody)),
        Route::delete(
            "/admin/authentication-tokens/{token}",
            "deleteAnyToken",
            "Revoke any token, for good and at once",
        )
        .details("Told in the trail of the organization or user whose token it was.")
        .query(&QuerySpec::NONE)
        .allows(&[Action::EndAnyToken])
        .write(delete_any_token),
    ]
}

fn others() -> Vec<Endpoint> {
    let current = "/authentication-tokens/current";
    vec![
        Route::get(current, "showCurrentToken", "Show the token that calls")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(&[Action::ShowItself])
            .read(show_current_token),
        Route::delete(current, "deleteCurrentToken", "Revoke the token that calls")
            .details("Whatever its kind and its role: who has found a token, or needs it no more, can end it.")
            .query(&QuerySpec::NONE)
            .allows(&[Action::EndItself])
            .write(delete_current_token),
        schema::filtered(
            Route::get("/users/{user}/authentication-tokens", "listUserTokens", "List the own tokens")
                .filters(&OLDEST_FIRST, Filters::of),
        )
        .details("To anybody but the user and site admins the list is empty.")
        .lists(&TOKENS)
        .read(list_user_tokens),
        Route::post("/users/{user}/authentication-tokens", "createUserToken", "Make one more token of one's own")
            .query(&SHOW)
            .body(TOKEN)
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::ChangeUserToken])
            .write(create_user_token),
        Route::get("/authentication-tokens/{token}", "showToken", "Show a token, without its secret")
            .details("What is revoked is shown only with `filter[trashed]=with`.")
            .filters(&SHOW_TRASHED, filters::trashed)
            .values(format!("filter[{}]", filters::TRASHED), Trashed::schema())
            .shows(&TOKENS)
            .allows(TokenOperation::Read.actions())
            .read(show_token),
        Route::get("/authentication-tokens/{token}/usage", "listTokenUsage", "How often a token was used, day by day")
            .details(
                "Every day (UTC) from the one asked for to today, oldest first, with 0 where there was no use: at most \
                 91 of them, and never a second page. What is older is not kept. Uses are written about once a second. \
                 A revoked token has its history, too.",
            )
            .query(&USAGE)
            .values("filter[since]", schema::since())
            .means("filter[since]", "The first day, or a time on it; without it, and before that, 90 days ago")
            .lists(&USAGE_DAYS)
            .allows(TokenOperation::Read.actions())
            .read(list_usage),
        Route::delete("/authentication-tokens/{token}", "deleteToken", "Revoke a token, for good and at once")
            .query(&QuerySpec::NONE)
            .allows(TokenOperation::Revoke.actions())
            .write(delete_token),
    ]
}

fn any_token() -> Vec<Endpoint> {
    vec![
        Route::patch("/authentication-tokens/{token}", "updateToken", "Edit a token")
            .conflicts()
            .details(
                "Never its owner and never its secret. A lower role or fewer abilities take effect at once. `status` \
                 `active` or `inactive` switches it. What cannot be changed may be sent as it is.",
            )
            .query(&SHOW)
            .body(CHANGES)
            .shows(&TOKENS)
            .allows(TokenOperation::Edit.actions())
            .write(edit_token),
        Route::post("/authentication-tokens/{token}/actions/disable", "disableToken", "Switch a token off")
            .conflicts()
            .details("One that is off already stays as it is; an expired or revoked one is a conflict.")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Switch.actions())
            .write(|call| switch_token(call, Switch::Off)),
        Route::post("/authentication-tokens/{token}/actions/enable", "enableToken", "Switch a token on")
            .conflicts()
            .details("One that is on already stays as it is; an expired or revoked one is a conflict.")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Switch.actions())
            .write(|call| switch_token(call, Switch::On)),
        Route::post("/authentication-tokens/{token}/actions/deactivate", "deactivateToken", "The same as `disable`")
            .conflicts()
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Switch.actions())
            .write(|call| switch_token(call, Switch::Off)),
        Route::post("/authentication-tokens/{token}/actions/activate", "activateToken", "The same as `enable`")
            .conflicts()
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Switch.actions())
            .write(|call| switch_token(call, Switch::On)),
        Route::post(
            "/authentication-tokens/{token}/actions/regenerate",
            "regenerateToken",
            "Issue a token's successor",
        )
        .details(
            "It inherits description, role, abilities and length of life. The old token is revoked at once, or after \
             the grace, during which both work.",
        )
        .query(&SHOW)
        .body(REPLACEMENT)
        .creates(&TOKENS)
        .idempotent()
        .allows(TokenOperation::Replace.actions())
        .write(regenerate_token),
        Route::post("/authentication-tokens/{token}/actions/revoke", "revokeToken", "Revoke a token, and show it")
            .details("One that is revoked already stays as it is.")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(TokenOperation::Revoke.actions())
            .write(revoke_token),
    ]
}

fn leaked_tokens() -> Vec<Endpoint> {
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
        .body(REPORTS)
        .prepare(|_, reports| Ok(Found::in_reports(&reports)))
        .write_for_anyone(report_leaked),
    ]
}

fn show_team_token(mut call: Read<'_>) -> Result<Reply> {
    let team = call.path("team")?;
    let token = call.find(|connection, _| Ok(store::descriptionless(connection, team)?))?;
    let permit = call.find(|connection, caller| may_by_kind(connection, caller, TokenOperation::Read, &token))?;
    shown(call.permitted(permit)?, &token)
}

/// Makes the team's one descriptionless token and revokes the one before (docs/design.md §3, rule 1).
fn regenerate_team_token(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, before)) = call.lock(|connection, _| {
        let (team, _) = teams::lock(connection, id)?;
        let before = store::lock_current(connection, owner_of(&team))?;
        Ok((team, before))
    })?;
    let call = call.may(Target::TeamToken(team.facts(), before))?;
    call.once(issue::may_again, |call| issue_token(call, owner_of(&team), Slot::Described(None)))
}

/// Makes one more token of a team (docs/design.md §3, rule 2).
fn create_token_of_team(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(teams::lock(connection, id)?))?;
    let call = call.may(Target::TeamToken(team.facts(), None))?;
    call.once(issue::may_again, |call| {
        let description = described(&call.input.attributes);
        if let Some(other) = store::of_description(call.connection, team.id, description.as_deref()).optional()? {
            return Err(life::description_taken(call.connection, &call.caller, &other));
        }
        issue_token(call, owner_of(&team), Slot::Described(description.as_deref()))
    })
}

fn delete_team_token(call: Write<'_>) -> Result<Reply> {
    // Shipped versions of the `tfe` provider put the token's id there, to end an ephemeral token.
    if let Ok(token) = call.path::<TokenId>("team") {
        return lock_and_delete(call, token);
    }
    let id = call.path("team")?;
    let (mut call, token) = call.lock(|connection, caller| {
        let (team, _) = teams::lock(connection, id)?;
        // The lock on the team does not keep those away who name the token by its id.
        let token = store::descriptionless(connection, team.id)?.id;
        store::lock(connection, caller, token)?;
        Ok(token)
    })?;
    let token = call.find(|connection, _| Ok(store::find(connection, token)?))?;
    let permit = call.find(|connection, caller| may_by_kind(connection, caller, TokenOperation::Revoke, &token))?;
    let call = call.permitted(permit)?;
    life::revoke(call.connection, &call.caller, &[token])?;
    Ok(call.done())
}

fn list_tokens_of_team(mut call: Read<'_, Filters>) -> Result<Reply> {
    let id = call.path("team")?;
    let (team, _) = call.find(|connection, _| Ok(teams::find(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    list(call, TokenList::Team(team.id))
}

fn list_team_tokens(call: Read<'_, Filters>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = call.caller.organization()?;
    list(call, TokenList::Teams(organization))
}

/// Everything that the caller may read, and how many there are of each status.
fn list_tokens(call: Read<'_, Filters>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = call.caller.organization()?;
    list(call, TokenList::Organization(organization))
}

fn list_workspace_tokens(mut call: Read<'_, Filters>) -> Result<Reply> {
    let id = call.path("workspace")?;
    let rights = call.find(|connection, caller| workspaces::rights_in_existing(connection, caller, id))?;
    let call = call.may(Target::Workspace(rights.map(|rights| rights.role)))?;
    list(call, TokenList::Workspace(id))
}

/// The user's own tokens; to anybody else the list is empty (docs/design.md §4).
fn list_user_tokens(call: Read<'_, Filters>) -> Result<Reply> {
    let user: UserId = call.path("user")?;
    let call = call.permitted(Permit::for_own())?;
    let own = call.caller.can(Action::ReadUserToken, Target::User(user));
    list(call, if own { TokenList::User(user) } else { TokenList::Nobody })
}

/// Answers with those of a list's tokens that the caller may read.
fn list(call: Allowed<'_, Filters>, of: TokenList) -> Result<Reply> {
    let reach = call.caller.visible_tokens();
    let found = lists::list(call.connection, of, &reach, &call.query, &call.input)?;
    let resources = found.rows.iter().map(view::token).collect();
    let mut meta = vec![];
    let by_end = call.query.sort().iter().any(|sort| sort.key == lists::BY_END);
    if let Some(organization) = call.caller.organization_id.filter(|_| by_end)
        && sorted_ends::are_old(call.connection, organization)?
    {
        meta.push(("sorted-by-old-ends", true.into()));
    }
    // Counting reads everything; a cursor's cost must not grow with the list.
    if let (TokenList::Organization(_), PageInfo::Numbered { .. }) = (of, &found.info) {
        let counts = lists::status_counts(call.connection, of, &reach, &call.query, &call.input)?;
        meta.push(("status-counts", view::status_counts(&counts)));
    }
    let page = call.page(resources, found.info);
    Ok(meta.into_iter().fold(page, |page, (key, value)| page.meta(key, value)))
}

/// Revokes all the tokens that the body names, or none of them.
fn delete_team_tokens(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let (call, tokens) = call.lock_named(|connection, caller, _, ids| {
        let ids: Vec<TokenId> = ids.into_iter().flatten().filter_map(|id| id.parse().ok()).collect();
        Ok(store::lock_all(connection, caller.organization()?, &ids)?)
    })?;
    let call = call.may(Target::Organization)?;
    let by_id: HashMap<String, &Token> = tokens.iter().map(|token| (token.id.to_string(), token)).collect();
    let mut faults = vec![];
    for (nth, id) in call.input.iter().enumerate() {
        let refusal = match by_id.get(id) {
            Some(token) => may(call.connection, &call.caller, TokenOperation::Revoke, token).err(),
            None => Some(Error::not_found()),
        };
        faults.extend(refusal.map(|refusal| refusal.with_pointer(format!("/data/{nth}/id"))));
    }
    Error::check(faults)?;
    life::revoke(call.connection, &call.caller, &tokens)?;
    Ok(call.done())
}

/// Which of the organization's two tokens the query asks for.
fn kind(query: &Query) -> Result<Kind> {
    match query.parameter("token") {
        None => Ok(Kind::Organization),
        Some(word) if word == Kind::AuditTrails.as_str() => Ok(Kind::AuditTrails),
        Some(_) => Err(Error::parameter("token", "Must be audit-trails, or absent for the organization's token")),
    }
}

fn show_organization_token(call: Read<'_, Kind>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let token = store::of_organization(call.connection, call.caller.organization()?, call.input)?;
    life::record_look(call.connection, &call.caller, &token)?;
    Ok(call.one(view::token(&token)))
}

/// Makes the token and revokes the one before.
fn regenerate_organization_token(call: Write<'_, (Kind, TokenAttributes)>) -> Result<Reply> {
    let (call, organization) = call.lock_named(|connection, caller, _, asked| {
        let organization = organizations::lock_own(connection, caller)?;
        if let Some((kind, _)) = asked {
            store::lock_current(connection, owner_of_kind(organization, *kind))?;
        }
        Ok(organization)
    })?;
    call.may(Target::Organization)?.once(issue::may_again, |call| {
        let (kind, attributes) = &call.input;
        let made = (owner_of_kind(organization, *kind), Slot::OneOfKind);
        let (token, secret) = issue::issue(call.connection, &call.caller, &call.services.signer, made, attributes)?;
        Ok(view::created(&token, &secret))
    })
}

fn delete_organization_token(call: Write<'_, Kind>) -> Result<Reply> {
    let (call, organization) = call.lock_named(|connection, caller, _, asked| {
        let organization = organizations::lock_own(connection, caller)?;
        if let Some(kind) = asked {
            store::lock_current(connection, owner_of_kind(organization, *kind))?;
        }
        Ok(organization)
    })?;
    let call = call.may(Target::Organization)?;
    let token = store::of_organization(call.connection, organization, call.input)?;
    life::revoke(call.connection, &call.caller, &[token])?;
    Ok(call.done())
}

fn create_workspace_token(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let id = call.path("workspace")?;
    let (mut call, workspace) = call.lock(|connection, _| Ok(workspaces::lock(connection, id)?))?;
    let rights = call.find(|connection, caller| workspaces::rights(connection, caller, workspace.id))?;
    let call = call.may(Target::Workspace(rights.map(|rights| rights.role)))?;
    let owner = Owner::Workspace(workspace.organization_id, workspace.id);
    call.once(issue::may_again, |call| {
        // Each has a name by which it can be found.
        let unnamed = || format!("Unnamed, {}", call.caller.now.format("%Y-%m-%d"));
        let description = described(&call.input.attributes).unwrap_or_else(unnamed);
        issue_token(call, owner, Slot::OneMore(Some(&description)))
    })
}

fn create_user_token(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let user: UserId = call.path("user")?;
    let call = call.without_lock()?.may(Target::User(user))?;
    call.once(issue::may_again, |call| issue_one_more(call, Owner::User(user)))
}

fn issue_one_more(call: &mut Allowed<'_, ResourceBody<TokenAttributes>>, owner: Owner) -> Result<Made> {
    let description = described(&call.input.attributes);
    issue_token(call, owner, Slot::OneMore(description.as_deref()))
}

fn issue_token(call: &mut Allowed<'_, ResourceBody<TokenAttributes>>, owner: Owner, room: Slot<'_>) -> Result<Made> {
    let (signer, attributes) = (&call.services.signer, &call.input.attributes);
    let (token, secret) = issue::issue(call.connection, &call.caller, signer, (owner, room), attributes)?;
    Ok(view::created(&token, &secret))
}

fn show_current_token(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let token = store::find(call.connection, call.caller.token)?;
    Ok(call.one(view::token(&token)))
}

fn delete_current_token(call: Write<'_>) -> Result<Reply> {
    let (call, id) = call.lock(|connection, caller| {
        store::lock(connection, caller, caller.token)?;
        Ok(caller.token)
    })?;
    delete(call, id)
}

fn show_token(mut call: Read<'_, Trashed>) -> Result<Reply> {
    let id = call.path("token")?;
    let token = call.find_by_input(|connection, _, trashed| {
        let found = store::find_including_revoked(connection, id)?;
        let asked_for = match trashed {
            Trashed::With => true,
            Trashed::Only => found.status == Status::Revoked,
            Trashed::Without => found.status != Status::Revoked,
        };
        asked_for.then_some(found).ok_or_else(Error::not_found)
    })?;
    show(call, &token)
}

fn show<I>(mut call: Read<'_, I>, token: &Token) -> Result<Reply> {
    let permit = call.find(|connection, caller| may(connection, caller, TokenOperation::Read, token))?;
    shown(call.permitted(permit)?, token)
}

fn shown<I>(call: Allowed<'_, I>, token: &Token) -> Result<Reply> {
    life::record_look(call.connection, &call.caller, token)?;
    Ok(call.one(view::token(token)))
}

fn delete_token(call: Write<'_>) -> Result<Reply> {
    let id = call.path("token")?;
    lock_and_delete(call, id)
}

fn lock_and_delete(call: Write<'_>, id: TokenId) -> Result<Reply> {
    let (call, ()) = call.lock(|connection, caller| Ok(store::lock(connection, caller, id)?))?;
    delete(call, id)
}

fn delete(mut call: Locked<'_>, id: TokenId) -> Result<Reply> {
    let token = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let call = permitted(call, TokenOperation::Revoke, &token)?;
    life::revoke(call.connection, &call.caller, &[token])?;
    Ok(call.done())
}

fn delete_any_token(call: Write<'_>) -> Result<Reply> {
    let id: TokenId = call.path("token")?;
    let (mut call, ()) = call.lock(|connection, caller| {
        caller.may(Action::EndAnyToken, Target::Organization)?;
        Ok(store::lock(connection, caller, id)?)
    })?;
    let token = call.find(|connection, _| Ok(store::find(connection, id)?))?;
    let call = call.may(Target::Organization)?;
    life::revoke(call.connection, &call.caller, &[token])?;
    Ok(call.done())
}

fn edit_token(call: Write<'_, ResourceBody<TokenChanges>>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Edit)?;
    let (call, changes) = permitted(call, TokenOperation::Edit, &token)?.take_input();
    Error::check(view::READ_ONLY.iter().filter_map(|name| view::changed(&token, &changes, name)))?;
    let to = life::asked_switch(&token, changes.attributes.status)?;
    let mut edited = life::edit(call.connection, &call.caller, &token, changes.attributes)?;
    if let Some(to) = to {
        may(call.connection, &call.caller, TokenOperation::Switch, &edited)?;
        edited = life::switch(call.connection, &call.caller, edited, to)?;
    }
    Ok(call.one(view::token(&edited)))
}

fn switch_token(call: Write<'_>, to: Switch) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Switch)?;
    let call = permitted(call, TokenOperation::Switch, &token)?;
    let token = life::switch(call.connection, &call.caller, token, to)?;
    Ok(call.one(view::token(&token)))
}

fn regenerate_token(call: Write<'_, ResourceBody<Replacement>>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Replace)?;
    let call = permitted(call, TokenOperation::Replace, &token)?;
    call.once(issue::may_again, |call| {
        let (signer, asked) = (&call.services.signer, &call.input.attributes);
        let (successor, secret) = life::replace(call.connection, &call.caller, signer, &token, asked)?;
        Ok(view::created(&successor, &secret))
    })
}

/// Revokes a token and shows it; one that is revoked already stays as it is.
fn revoke_token(call: Write<'_>) -> Result<Reply> {
    let (call, token) = lock(call, TokenOperation::Revoke)?;
    let call = permitted(call, TokenOperation::Revoke, &token)?;
    if token.status != Status::Revoked {
        life::revoke(call.connection, &call.caller, std::slice::from_ref(&token))?;
    }
    let shown = store::find_including_revoked(call.connection, token.id)?;
    Ok(call.one(view::token(&shown)))
}

/// The token that the path names, locked, whether or not it is revoked.
fn lock<'c, I>(call: Write<'c, I>, operation: TokenOperation) -> Result<(Locked<'c, I>, Token)> {
    let id = call.path("token")?;
    call.lock(|connection, caller| {
        if matches!(operation, TokenOperation::Edit | TokenOperation::Replace) {
            life::lock_owner(connection, id)?;
        }
        store::lock(connection, caller, id)?;
        Ok(store::find_including_revoked(connection, id)?)
    })
}

fn permitted<'c, I>(mut call: Locked<'c, I>, operation: TokenOperation, token: &Token) -> Result<Allowed<'c, I>> {
    let permit = call.find(|connection, caller| may(connection, caller, operation, token))?;
    call.permitted(permit)
}

/// Every day from the one asked for to today, oldest first; never so many that there is a second page. A revoked token
/// has its history, too.
fn list_usage(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("token")?;
    let find = |connection: &mut PgConnection, caller: &Caller| {
        let token = store::find_including_revoked(connection, id)?;
        may(connection, caller, TokenOperation::Read, &token)
    };
    let permit = call.find(find)?;
    let call = call.permitted(permit)?;
    let today = Utc::now().date_naive();
    let oldest = today - TimeDelta::days(USAGE_KEPT_DAYS);
    let since = since(&call.query)?.map_or(oldest, |since| since.max(oldest));
    let used = store::usage(call.connection, id, since)?;
    let every_day = since.iter_days().take_while(|date| *date <= today);
    let days = every_day.map(|date| view::usage_day(id, date, used.get(&date).copied().unwrap_or(0)));
    Ok(call.list(days.collect()))
}

/// A day, or the day (UTC) of a time.
fn since(query: &Query) -> Result<Option<NaiveDate>> {
    let Some(text) = query.filter("since") else { return Ok(None) };
    let moment = || serde_json::from_value::<Timestamp>(text.into()).ok().map(|moment| moment.0.date_naive());
    // `%Y` alone would take years that no time on the wire has.
    let date =
        Some(text).filter(|text| text.len() == 10).and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    date.or_else(moment).map(Some).ok_or_else(|| {
        Error::parameter("filter[since]", "Must be a day such as 2031-05-17, or a time such as 2031-05-17T08:00:00Z")
    })
}

/// Revokes those that are real, all or none, and answers the same whether or not any is.
fn report_leaked(call: Anyone<'_, Found>) -> Result<Reply> {
    let (call, found) = call.take_input();
    leaked::report(call.connection, &call.request_id, found)?;
    Ok(call.done())
}

fn described(attributes: &TokenAttributes) -> Option<String> {
    attributes.description.clone().flatten()
}

const fn owner_of(team: &Team) -> Owner {
    Owner::Team(team.organization_id, team.id)
}

fn owner_of_kind(organization: crate::ids::OrganizationId, kind: Kind) -> Owner {
    if kind == Kind::AuditTrails { Owner::AuditTrails(organization) } else { Owner::Organization(organization) }
}
