//! The queries behind lists of tokens: whose, within whose reach, in which order.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::Token;
use super::filters::{Condition, Conditions, always, any, boxed, never};
use super::store::TokenList;
use crate::access::{OtherTeams, VisibleTokens, VisibleWorkspaces};
use crate::credential::{Kind, Status};
use crate::database::containing;
use crate::database::page::{Listed, SortColumn, page};
use crate::database::schema::{listed_tokens as t, team_projects, team_workspaces, workspaces};
use crate::jsonapi::{Page, Query, Result};

/// The order by the end that a token really has: its own expiry, or an earlier one by a policy.
pub(super) const BY_END: &str = "expired-at";

impl Listed for Token {
    const COLUMNS: &'static [SortColumn<Self>] = &[
        SortColumn::name_or_null("description", "description", |token| token.description.clone()),
        SortColumn::text("kind", "kind", |token| token.kind.to_string()),
        SortColumn::text("role", "role", |token| token.role.to_string()),
        SortColumn::text("status", "status", |token| token.status.to_string()),
        SortColumn::text("token-prefix", "token_prefix", |token| token.token_prefix.clone()),
        SortColumn::text("format", "format", |token| token.format.to_string()),
        SortColumn::number("usage-count", "usage_count", |token| token.usage_count),
        SortColumn::time("created-at", "created_at", |token| token.created_at),
        SortColumn::time("updated-at", "updated_at", |token| token.updated_at),
        SortColumn::time_or_not_yet("last-used-at", "last_used_at", |token| token.last_used_at),
        SortColumn::time_or_never(BY_END, "sorted_end", |token| token.sorted_end),
        SortColumn::time_or_not_yet("disabled-at", "disabled_at", |token| token.disabled_at),
        SortColumn::time_or_not_yet("revoked-at", "revoked_at", |token| token.revoked_at),
        SortColumn::name_or_null("owner-name", "owner_name", |token| token.owner_name.clone()),
        SortColumn::name_or_null("team-name", "team_name", |token| token.team_name.clone()),
        SortColumn::name_or_null("created-by", "created_by_name", |token| token.created_by_name.clone()),
    ];

    fn id(&self) -> uuid::Uuid {
        self.id.uuid()
    }
}

/// A page of those tokens that the caller can reach.
pub(super) fn list(
    connection: &mut PgConnection,
    of: TokenList,
    visible_tokens: &VisibleTokens,
    query: &Query,
    filters: &Conditions,
) -> Result<Page<Token>> {
    let found = t::table.select(Token::as_select()).into_boxed();
    let conditions = base_conditions(of, visible_tokens, query, filters).into_iter().chain(filters.by_status());
    let found = conditions.fold(found, |found, condition| found.filter(condition));
    page(connection, found, query)
}

/// How many tokens of each status there are among those that the list would hold, if it were neither filtered by status
/// nor left out what is revoked.
pub(super) fn status_counts(
    connection: &mut PgConnection,
    of: TokenList,
    visible_tokens: &VisibleTokens,
    query: &Query,
    filters: &Conditions,
) -> QueryResult<Vec<(Status, i64)>> {
    let counted = t::table.group_by(t::status).select((t::status, count_star())).into_boxed();
    // A literal keeps a statement from staying prepared, as `page` does: there are too many combinations of filters.
    let unprepared = (!query.is_plain()).then(always);
    base_conditions(of, visible_tokens, query, filters)
        .into_iter()
        .chain(unprepared)
        .fold(counted, |counted, one| counted.filter(one))
        .load(connection)
}

/// What every token of a list has in common, however it stands now.
fn base_conditions(
    of: TokenList,
    visible_tokens: &VisibleTokens,
    query: &Query,
    filters: &Conditions,
) -> Vec<Condition> {
    let searched = query.q().map(|q| search(of, q));
    let whole = [Some(owner(of)), visible(of, visible_tokens), searched];
    whole.into_iter().flatten().chain(filters.others()).collect()
}

fn owner(of: TokenList) -> Condition {
    match of {
        TokenList::Organization(id) => boxed(t::organization_id.eq(id)),
        TokenList::Teams(id) => boxed(t::organization_id.eq(id).and(t::kind.eq(Kind::Team).nullable())),
        TokenList::Team(id) => boxed(t::team_id.eq(id)),
        TokenList::User(id) => boxed(t::user_id.eq(id)),
        TokenList::Workspace(id) => boxed(t::workspace_id.eq(id)),
        TokenList::Everybody => always(),
        TokenList::Nobody => never(),
    }
}

/// What a search looks into. The HCP API's list of team tokens is searched by the team's name alone.
fn search(of: TokenList, q: &str) -> Condition {
    let pattern = || containing(q);
    match of {
        TokenList::Teams(_) => boxed(t::team_name.ilike(pattern())),
        _ => {
            let prefix = t::token_prefix.ilike(pattern()).nullable();
            boxed(t::description.ilike(pattern()).or(prefix).or(t::owner_name.ilike(pattern())))
        }
    }
}

/// Which tokens of a list are within reach; none for all of them.
fn visible(of: TokenList, visible_tokens: &VisibleTokens) -> Option<Condition> {
    match of {
        // Whoever lists a user's tokens may read them, and who lists those of everybody is a site admin.
        TokenList::User(_) | TokenList::Everybody | TokenList::Nobody => None,
        TokenList::Workspace(_) => of_workspaces(visible_tokens),
        TokenList::Teams(_) | TokenList::Team(_) => of_teams(visible_tokens),
        TokenList::Organization(_) => of_organization(visible_tokens),
    }
}

/// Of each kind what is within reach.
fn of_organization(visible_tokens: &VisibleTokens) -> Option<Condition> {
    let (teams, workspaces) = (of_teams(visible_tokens), of_workspaces(visible_tokens));
    let VisibleTokens { organization, service_accounts, own_account, .. } = *visible_tokens;
    if organization && service_accounts && teams.is_none() && workspaces.is_none() {
        return None;
    }
    let and = |kind: Condition, condition: Option<Condition>| match condition {
        Some(condition) => boxed(kind.and(condition)),
        None => kind,
    };
    let is = |kind: Kind| boxed(t::kind.eq(kind).nullable());
    let own = organization.then(|| boxed(is(Kind::Organization).or(is(Kind::AuditTrails))));
    // Of an organization's tokens, those of users are its service accounts'.
    let accounts = if service_accounts { Some(is(Kind::User)) } else { own_account.map(|id| boxed(t::user_id.eq(id))) };
    any([and(is(Kind::Team), teams), and(is(Kind::Workspace), workspaces)].into_iter().chain(own).chain(accounts))
}

fn of_teams(visible_tokens: &VisibleTokens) -> Option<Condition> {
    let own = t::team_allows_members.eq(true).and(t::team_id.eq_any(visible_tokens.own_teams.clone()));
    let own = match visible_tokens.itself {
        Some(id) => boxed(own.or(t::team_allows_members.eq(true).and(t::id.eq(id)))),
        None => boxed(own),
    };
    match visible_tokens.other_teams {
        OtherTeams::All => None,
        OtherTeams::AllButOwners => Some(boxed(own.or(t::team_owners.eq(false)))),
        OtherTeams::None => Some(own),
    }
}

fn of_workspaces(visible_tokens: &VisibleTokens) -> Option<Condition> {
    match &visible_tokens.workspaces {
        VisibleWorkspaces::All => None,
        VisibleWorkspaces::Own(id) => Some(boxed(t::workspace_id.eq(*id))),
        VisibleWorkspaces::OfTeams(teams) => {
            let theirs = team_workspaces::table
                .filter(team_workspaces::team_id.eq_any(teams.clone()))
                .select(team_workspaces::workspace_id.nullable());
            let projects = team_projects::table.filter(team_projects::team_id.eq_any(teams.clone()));
            let by_projects = workspaces::table
                .filter(workspaces::project_id.eq_any(projects.select(team_projects::project_id)))
                .select(workspaces::id.nullable());
            Some(boxed(t::workspace_id.eq_any(theirs).or(t::workspace_id.eq_any(by_projects))))
        }
    }
}
