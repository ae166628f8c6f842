//! The routes of tokens: `authentication-tokens/:id` for any token here, and those of each kind of owner beside it.

pub(crate) mod all;
mod leaked;
mod life;
pub(crate) mod organization;
pub(crate) mod team;
pub(crate) mod usage;
pub(crate) mod user;
pub(crate) mod workspace;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, delete, get, patch, resource};
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use diesel::PgConnection;
use serde_json::json;

use super::filters::{FILTERS, Filters};
use super::jwt::Form;
use super::lists::{self, SORT_KEYS};
use super::store::{self, NewToken, Slot, TokenList};
use super::view::{self, TOKENS};
use super::{Owner, Token, TokenAttributes};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Role, Target, TeamFacts};
use crate::audit::{self, Event};
use crate::credential::{Ability, Format, Kind};
use crate::ids::TokenId;
use crate::jsonapi::{Document, Error, PageInfo, Pages, Query, QuerySpec, Result, Search, list_document};
use crate::signing::Signer;
use crate::{abilities, ttl_policies, workspaces};

pub(crate) const SHOW: QuerySpec = QuerySpec::show(&[&TOKENS]);

/// What every list of tokens knows; each has an order of its own.
const LISTED: QuerySpec = QuerySpec { pages: Pages::Both, sort: SORT_KEYS, q: Search::Text, filters: FILTERS, ..SHOW };

pub fn routes(service: &mut ServiceConfig) {
    service
        .configure(all::routes)
        .configure(team::routes)
        .configure(organization::routes)
        .configure(user::routes)
        .configure(workspace::routes)
        .configure(leaked::routes)
        .configure(life::routes)
        .configure(usage::routes)
        .service(
            resource("/authentication-tokens/{token}")
                .route(get().to(show))
                .route(patch().to(life::edit))
                .route(delete().to(destroy)),
        );
}

/// Answers with those of a list's tokens that the caller may read, once `of` has let the caller see the list.
async fn list(
    request: HttpRequest,
    bearer: BearerToken,
    authenticator: Data<Authenticator>,
    organization_ref: OrganizationRef,
    spec: &'static QuerySpec,
    of: impl FnOnce(&mut PgConnection, &Caller) -> Result<TokenList> + Send + 'static,
) -> Result<HttpResponse> {
    let asked = Query::of_with(&request, spec, Filters::of);
    let (query, found, counts) = authenticator
        .read(bearer, organization_ref, move |connection, caller| {
            let of = of(connection, caller)?;
            let (query, filters) = asked?;
            let visible = caller.visible_tokens();
            let found = lists::list(connection, of, &visible, &query, &filters)?;
            // Counting reads everything; a cursor's cost must not grow with the list.
            let counts = match (of, &found.info) {
                (TokenList::Organization(_), PageInfo::Numbered { .. }) => {
                    Some(lists::status_counts(connection, of, &visible, &query, &filters)?)
                }
                _ => None,
            };
            Ok((query, found, counts))
        })
        .await?;
    let resources = found.rows.iter().map(view::token).collect();
    let document = list_document(&request, &query, resources, &found.info);
    let document = match counts {
        Some(counts) => document.meta("status-counts", view::status_counts(&counts)),
        None => document,
    };
    Ok(document.respond(&query, &request, StatusCode::OK))
}

async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let id = path.parse::<TokenId>().ok();
    let (query, token) = authenticator
        .read(bearer, OrganizationRef::Token(id), move |connection, caller| {
            let token = store::find(connection, id.ok_or_else(Error::not_found)?)?;
            may(connection, caller, TokenOperation::Read, &token)?;
            let query = query?;
            record(connection, caller, &token, "show")?;
            Ok((query, token))
        })
        .await?;
    Ok(Document::one(view::token(&token)).respond(&query, &request, StatusCode::OK))
}

async fn destroy(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &QuerySpec::NONE);
    let id = path.parse::<TokenId>().ok();
    authenticator
        .transaction(bearer, OrganizationRef::Token(id), move |connection, caller| {
            let (caller, token) = locked_token(connection, caller, id.ok_or_else(Error::not_found)?)?;
            may(connection, &caller, TokenOperation::Delete, &token)?;
            query?;
            revoke(connection, &caller, &[token])
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is to be done with a token that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenOperation {
    Read,
    /// Change its description, expiry, role or abilities.
    Edit,
    /// Switch it off or on.
    Switch,
    Regenerate,
    Delete,
}

/// Checks a deed by the row of the access table that its token's kind has.
fn may(connection: &mut PgConnection, caller: &Caller, operation: TokenOperation, token: &Token) -> Result<()> {
    use Action as A;
    let (action, target) = match (token.kind, token.user_id, token.team_id, token.workspace_id) {
        (Kind::User, Some(user), ..) => {
            (if operation == TokenOperation::Read { A::ReadUserToken } else { A::ChangeUserToken }, Target::User(user))
        }
        (Kind::Team, _, Some(id), _) => {
            // Whether its team is secret plays no part in who may handle a token.
            let (owners, allows_members) = (token.team_owners == Some(true), token.team_allows_members == Some(true));
            let target = Target::TeamToken(TeamFacts { id, owners, secret: true, allows_members }, Some(token.id));
            let action = match operation {
                TokenOperation::Read => A::ReadTeamToken,
                TokenOperation::Edit | TokenOperation::Switch => A::EditTeamToken,
                TokenOperation::Regenerate => A::ReplaceTeamToken,
                TokenOperation::Delete => A::DeleteTeamToken,
            };
            (action, target)
        }
        (Kind::Workspace, _, _, Some(workspace)) => {
            let action = match operation {
                TokenOperation::Read => A::ReadWorkspaceToken,
                TokenOperation::Edit => A::EditWorkspaceToken,
                TokenOperation::Switch => A::SwitchWorkspaceToken,
                TokenOperation::Regenerate | TokenOperation::Delete => A::DeleteWorkspaceToken,
            };
            (action, Target::WorkspaceToken(workspaces::role_by_teams(connection, caller, workspace)?, token.id))
        }
        (Kind::Organization | Kind::AuditTrails, ..) if operation == TokenOperation::Read => {
            (A::ReadOrganizationToken, Target::Organization)
        }
        (Kind::Organization | Kind::AuditTrails, ..) => (A::ChangeOrganizationToken, Target::Organization),
        _ => return Err(Error::not_found()),
    };
    caller.may(action, target)
}

/// The most that the caller may make of a token of this owner: what its own token is capped to, and in a workspace what
/// the caller is there (docs/design.md §3, rule 8).
fn highest_role(connection: &mut PgConnection, caller: &Caller, owner: Owner) -> Result<Role> {
    match owner {
        Owner::Workspace(_, workspace) => {
            workspaces::role_by_teams(connection, caller, workspace)?.ok_or_else(Error::not_found)
        }
        _ => Ok(caller.role),
    }
}

/// Checks that nobody gives a token more than they have (docs/design.md §3, rule 8).
fn no_escalation(caller: &Caller, highest: Role, role: Role, abilities: &[Ability]) -> Result<()> {
    let too_high = (role > highest).then(|| {
        let detail = format!("The role must be at most {highest}, which is the highest that the caller may give");
        Error::forbidden(&detail).with_pointer("/data/attributes/role")
    });
    let missing = abilities.iter().find(|ability| !caller.holds(ability)).map(|ability| {
        let detail = format!("The caller does not have the ability {ability}, and so cannot give it");
        Error::forbidden(&detail).with_pointer("/data/attributes/abilities")
    });
    Error::check(too_high.into_iter().chain(missing))
}

/// Makes a token, of a role up to `highest`, and revokes what stood in its place. What the room is in must be locked.
fn issue(
    connection: &mut PgConnection,
    signer: &Signer,
    caller: &Caller,
    owner: Owner,
    slot: Slot<'_>,
    attributes: &TokenAttributes,
    highest: Role,
) -> Result<Document> {
    let role = attributes.role.unwrap_or(highest);
    let abilities = attributes.abilities.as_deref().unwrap_or_default();
    no_escalation(caller, highest, role, abilities)?;
    abilities::check(connection, owner.organization(), abilities)?;
    let asked = attributes.expired_at.map(|timestamp| timestamp.0);
    let expired_at = ttl_policies::expiry(connection, owner.organization(), owner.kind(), Utc::now(), asked)?;
    let revoked = store::revoke_current(connection, owner, slot)?;
    let description = slot.description();
    let created_by = caller.creator();
    let form = Form::of(attributes.format.unwrap_or(Format::Opaque), signer);
    let new = NewToken { description, expired_at, role, abilities, form, created_by, ..NewToken::of(owner) };
    let (token, secret) = store::create(connection, &new)?;
    let mut events: Vec<Event> = revoked.into_iter().map(|id| event(&token, "destroy").about(id)).collect();
    events.push(event(&token, "create"));
    audit::record(connection, &caller.actor(), &events)?;
    Ok(Document::one(view::created(&token, &secret)))
}

fn revoke(connection: &mut PgConnection, caller: &Caller, tokens: &[Token]) -> Result<()> {
    let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    store::revoke(connection, &ids)?;
    let events: Vec<Event> = tokens.iter().map(|token| event(token, "destroy")).collect();
    Ok(audit::record(connection, &caller.actor(), &events)?)
}

fn record(connection: &mut PgConnection, caller: &Caller, token: &Token, action: &'static str) -> Result<()> {
    Ok(audit::record(connection, &caller.actor(), &[event(token, action)])?)
}

fn event(token: &Token, action: &'static str) -> Event {
    let meta = json!({
        "kind": token.kind,
        "team": token.team_id,
        "workspace": token.workspace_id,
        "description": token.description,
        "role": token.role,
        "abilities": token.abilities,
    });
    Event::new(token.organization_id, "authentication_token", token.id, action).meta(meta)
}

/// A token, locked, and the caller as it stands now.
fn locked_token(connection: &mut PgConnection, caller: &Caller, id: TokenId) -> Result<(Caller, Token)> {
    store::lock(connection, id)?;
    let caller = caller.reauthenticated(connection)?;
    Ok((caller, store::find(connection, id)?))
}

fn description_taken() -> Error {
    let taken = "Validation failed: Description has already been taken";
    Error::attribute("/data/attributes/description", taken).with_title("invalid attributes")
}

fn optional(found: diesel::QueryResult<Token>) -> Result<Option<Token>> {
    Ok(diesel::OptionalExtension::optional(found)?)
}
