//! Tokens by whose they are: of a team, an organization, a workspace, a user, and of everybody.

use std::collections::HashMap;

use super::super::filters::{self, Filters};
use super::super::include::included;
use super::super::owner_of_new::{NewOwner, owner_of_kind};
use super::super::right::{TokenOperation, may, may_by_kind};
use super::super::store::{self, Slot, TokenList};
use super::super::view::{self, NAMES, TOKENS};
use super::super::{Owner, Revocation, Token, TokenAttributes, issue, life, lists, schema, sorted_ends};
use super::by_id::{Revoke, lock_and_delete};
use super::{OF_NEW, REVOCATION, SHOW, WORDS, made, mint, revoked, shown};
use crate::access::{Action, Caller, Permit, Target};
use crate::credential::Kind;
use crate::database::page::sort_keys;
use crate::http::{Allowed, Endpoint, Identifiers, Made, OneResource, Read, Reply, Route, Write};
use crate::ids::{TokenId, UserId};
use crate::jsonapi::schema::one_of;
use crate::jsonapi::{Error, PageInfo, PageSizes, Pages, Query, QuerySpec, ResourceBody, Result, Search};
use crate::teams::{self, Team};
use crate::{organizations, workspaces};

const ONE_OF_TWO: QuerySpec = QuerySpec { parameters: &["token"], ..SHOW };
/// What every list of tokens knows; each has an order of its own.
const LISTED: QuerySpec =
    QuerySpec { pages: Pages::Both, sort: sort_keys!(Token), q: Search::Text, filters: filters::NAMES, ..SHOW };
const BY_EXPIRY: QuerySpec = QuerySpec { default_sort: "expired-at", ..LISTED };
pub(crate) const NEWEST_FIRST: QuerySpec =
    QuerySpec { default_sort: "-created-at", page_sizes: PageSizes::LARGE, ..LISTED };
const OF_EVERYBODY: QuerySpec = QuerySpec { filters: filters::NAMES_OF_EVERYBODY, ..NEWEST_FIRST };
const OLDEST_FIRST: QuerySpec = QuerySpec { default_sort: "created-at", ..LISTED };

const TOKEN: OneResource<TokenAttributes> = OneResource::new(NAMES).lenient().misnamed(TOKENS.fields, &[WORDS, OF_NEW]);
const TOKEN_OR_NOTHING: OneResource<TokenAttributes> =
    OneResource::new(NAMES).or_nothing().misnamed(TOKENS.fields, &[WORDS, OF_NEW]);

pub(super) fn endpoints() -> Vec<Endpoint> {
    [of_teams(), of_organizations(), of_workspaces(), of_users(), of_everybody()].into_iter().flatten().collect()
}

fn of_teams() -> Vec<Endpoint> {
    let (one, many) = ("/teams/{team}/authentication-token", "/teams/{team}/authentication-tokens");
    vec![
        Route::get(one, "showTeamToken", "Show the team's one token without a description")
            .query(&SHOW)
            .shows(&TOKENS)
            .allows(&[Action::ReadTeamToken])
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
            .body(REVOCATION)
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
            .body(REVOCATION)
            .prepare(|query, body| Ok((kind(query)?, body)))
            .values("token", which())
            .allows(&[Action::ChangeOrganizationToken])
            .write(delete_organization_token),
        schema::filtered(
            Route::get(whole, "listTokens", "List all tokens of the organization that the caller may read")
                .filters(&NEWEST_FIRST, Filters::of),
        )
        .details(
            "Its own tokens and those of its teams, workspaces and service accounts. A person's token belongs to no \
             organization: it is in `users/:id/authentication-tokens`, and `filter[kind]=user` finds those of service \
             accounts here. \
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

fn of_users() -> Vec<Endpoint> {
    vec![
        schema::filtered(
            Route::get("/users/{user}/authentication-tokens", "listUserTokens", "List the own tokens")
                .filters(&OLDEST_FIRST, Filters::of),
        )
        .details(
            "To anybody but the user and site admins the list is empty. Those of a service account are also listed to \
             owners of its organization.",
        )
        .lists(&TOKENS)
        .read(list_user_tokens),
        Route::post("/users/{user}/authentication-tokens", "createUserToken", "Make one more token of one's own")
            .details("Or of a service account, for owners of its organization.")
            .query(&SHOW)
            .body(TOKEN)
            .creates(&TOKENS)
            .idempotent()
            .allows(&[Action::ChangeUserToken, Action::ChangeServiceAccountToken])
            .write(create_user_token),
    ]
}

fn of_everybody() -> Vec<Endpoint> {
    let all = Route::get("/admin/authentication-tokens", "listAllTokens", "List the tokens of everybody, newest first")
        .filters(&OF_EVERYBODY, Filters::of_everybody)
        .details("Of all organizations and all users, without secrets.");
    vec![
        filters::of_all()
            .fold(schema::filtered(all), |route, filter| route.means(filter.written(), filter.about))
            .lists(&TOKENS)
            .allows(&[Action::ListEveryToken])
            .read(list_all_tokens),
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
    create_one_more(call, NewOwner::Team(id))
}

/// Makes one more token for an owner.
fn create_one_more(call: Write<'_, ResourceBody<TokenAttributes>>, owner: NewOwner) -> Result<Reply> {
    let (mut call, owner) = call.lock(|connection, caller| owner.lock(connection, caller))?;
    let permit = call.find(|connection, caller| owner.may(connection, caller))?;
    call.permitted(permit)?.once(issue::may_again, |call| {
        let (mint, attributes) = (mint(&call.services), &call.input.attributes);
        let new = owner.issue(call.connection, &call.caller, mint, attributes)?;
        made(call, new)
    })
}

fn delete_team_token(call: Revoke<'_>) -> Result<Reply> {
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
    let (call, said) = call.permitted(permit)?.take_input();
    revoked(call, token, said)
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

/// The user's own tokens; to who may not read them the list is empty (docs/design.md §4).
fn list_user_tokens(call: Read<'_, Filters>) -> Result<Reply> {
    let user: UserId = call.path("user")?;
    let call = call.permitted(Permit::for_own())?;
    let read = match owner_of_path(&call.caller, user) {
        Owner::ServiceAccount(..) => Action::ReadServiceAccountToken,
        _ => Action::ReadUserToken,
    };
    let reads = call.caller.can(read, Target::User(user));
    list(call, if reads { TokenList::User(user) } else { TokenList::Nobody })
}

fn list_all_tokens(call: Read<'_, Filters>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    list(call, TokenList::Everybody)
}

/// Answers with those of a list's tokens that the caller may read.
fn list(call: Allowed<'_, Filters>, of: TokenList) -> Result<Reply> {
    let (call, filters) = call.take_input();
    let filters = &filters.looked_up(call.connection, &call.caller)?;
    let reach = call.caller.visible_tokens();
    let found = lists::list(call.connection, of, &reach, &call.query, filters)?;
    let resources = found.rows.iter().map(view::token).collect();
    let included = included(call.connection, &call.caller, &call.query, &found.rows)?;
    let mut meta = vec![];
    let organization = call.caller.organization_id;
    let by_policies = matches!(of, TokenList::Everybody) || organization.is_some();
    let by_end = call.query.sort().iter().any(|sort| sort.key == lists::BY_END);
    if by_policies && by_end && sorted_ends::may_be_old(call.connection, organization)? {
        meta.push(("sorted-by-old-ends", true.into()));
    }
    // Counting reads everything; a cursor's cost must not grow with the list.
    if let (TokenList::Organization(_), PageInfo::Numbered { .. }) = (of, &found.info) {
        let counts = lists::status_counts(call.connection, of, &reach, &call.query, filters)?;
        meta.push(("status-counts", view::status_counts(&counts)));
    }
    let page = call.page(resources, found.info).include(included);
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
    life::revoke(call.connection, &call.caller, &tokens, None)?;
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
    shown(call, &token)
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
        let room = (owner_of_kind(organization, *kind), Slot::OneOfKind);
        let new = issue::issue(call.connection, &call.caller, mint(&call.services), room, attributes)?;
        made(call, new)
    })
}

fn delete_organization_token(call: Write<'_, (Kind, ResourceBody<Revocation>)>) -> Result<Reply> {
    let (call, organization) = call.lock_named(|connection, caller, _, asked| {
        let organization = organizations::lock_own(connection, caller)?;
        if let Some((kind, _)) = asked {
            store::lock_current(connection, owner_of_kind(organization, *kind))?;
        }
        Ok(organization)
    })?;
    let call = call.may(Target::Organization)?;
    let (call, (kind, said)) = call.take_input();
    let token = store::of_organization(call.connection, organization, kind)?;
    revoked(call, token, said)
}

fn create_workspace_token(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let id = call.path("workspace")?;
    create_one_more(call, NewOwner::Workspace(id))
}

fn create_user_token(call: Write<'_, ResourceBody<TokenAttributes>>) -> Result<Reply> {
    let id = call.path("user")?;
    create_one_more(call, NewOwner::User(id))
}

/// The user of the path as an owner of tokens: a service account if the request is about an organization by it.
const fn owner_of_path(caller: &Caller, user: UserId) -> Owner {
    Owner::of_user(user, caller.organization_id)
}

fn issue_token(call: &mut Allowed<'_, ResourceBody<TokenAttributes>>, owner: Owner, room: Slot<'_>) -> Result<Made> {
    let (mint, attributes) = (mint(&call.services), &call.input.attributes);
    let new = issue::issue(call.connection, &call.caller, mint, (owner, room), attributes)?;
    made(call, new)
}

const fn owner_of(team: &Team) -> Owner {
    Owner::Team(team.organization_id, team.id)
}
